//! Who holds a port: the kernel's list of sockets names a socket's number, and a process that has
//! it open says so. Knows nothing of how this server listens.

use std::fs;
use std::path::Path;

/// The state of a socket that listens, as `/proc/net/tcp` has it.
const LISTENS: &str = "0A";

/// The programs that listen on a port, with their process ids, as far as this user may know them;
/// empty where none can be found.
pub fn holders(port: u16) -> String {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|list| fs::read_to_string(list).ok())
        .flat_map(|list| listening(&list, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<String> = processes
        .map(|process| process.path())
        .filter(|process| has_one_of(process, &sockets))
        .filter_map(|process| {
            let name = fs::read_to_string(process.join("comm")).ok()?;
            let id = process.file_name()?.to_str()?.to_owned();
            Some(format!("{} (process {id})", name.trim().escape_debug()))
        })
        .collect();
    found.sort();
    found.join(", ")
}

/// The numbers of the sockets in a list that listen on a port.
fn listening(list: &str, port: u16) -> Vec<String> {
    let rows = list.lines().skip(1).map(str::split_whitespace);
    let matching = rows.filter_map(|mut row| {
        let local = row.nth(1)?;
        let state = row.nth(1)?;
        let inode = row.nth(5)?;
        let (_, at) = local.rsplit_once(':')?;
        let here = u16::from_str_radix(at, 16) == Ok(port) && state == LISTENS;
        here.then(|| inode.to_owned())
    });
    matching.collect()
}

fn has_one_of(process: &Path, sockets: &[String]) -> bool {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten();
    open.flatten()
        .filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|target| {
            sockets
                .iter()
                .any(|socket| target.as_os_str() == socket.as_str())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_ports_in_hexadecimal() {
        let row = |port: &str, state: &str, inode: u32| {
            let queues = "00000000:00000000 00:00000000 00000000 0 0";
            format!("  0: 0100007F:{port} 00000000:0000 {state} {queues} {inode} 1 0\n")
        };
        let list = "  sl  local_address rem_address st\n".to_owned()
            + &row("1F40", LISTENS, 12345)
            + &row("1F40", "01", 12346)
            + &row("1F41", LISTENS, 12347);
        assert_eq!(listening(&list, 8000), ["12345"]);
        assert_eq!(listening(&list, 8001), ["12347"]);
        assert!(listening(&list, 8002).is_empty());
        assert!(listening("", 8000).is_empty());
    }

    #[test]
    fn this_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let me = format!("(process {})", std::process::id());
        assert!(holders(port).contains(&me), "{}", holders(port));
        drop(listener);
        assert_eq!(holders(port), "");
    }
}
