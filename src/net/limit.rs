//! How many connections the server may have: a setting, bounded by the process's descriptors.
//! Knows no sockets.

use std::os::fd::AsFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::Trouble;
use crate::settings::Settings;

/// Descriptors that are no connections: standard streams, the text's file, the report, signals, and
/// room.
const RESERVED: usize = 16;

/// Descriptors of a core: its epoll, waker, timer, a listener for each address.
const RESERVED_A_CORE: usize = 6;

/// For how many descriptors there is room in the kernel's table from the start: half a megabyte.
const TABLE: u64 = 65_536;

/// Makes room in the kernel's table of descriptors, by having one with a high number for a moment.
/// The table doubles when it is full, and for a process with several threads the kernel waits then
/// until no CPU can be reading the old one: a core that accepts stood still for 10 to 40 ms. This
/// is to be called while there is one thread.
pub fn grow_table(open: impl AsFd) {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // It may fail as it likes: the table grows later then.
    let _ = fcntl_dupfd_cloexec(open, most.min(TABLE) as i32 - 1);
}

/// Raises the limit of descriptors as far as it goes; how many connections fit then, or are wanted.
pub fn most_connections(settings: &Settings, cores: usize) -> Result<usize, Trouble> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What can't be raised is what there is.
    let _ = setrlimit(Resource::Nofile, limit);
    let descriptors = getrlimit(Resource::Nofile).current;
    let descriptors = descriptors.map_or(usize::MAX, |most| most as usize);
    let room = descriptors.saturating_sub(RESERVED + RESERVED_A_CORE * cores);
    match settings.max_connections {
        Some(wanted) if wanted > room => Err(Trouble::Usage(format!(
            "-max-connections: {wanted} is not allowed; at most {room}, which is what the limit of \
             {descriptors} descriptors leaves (ulimit -n)"
        ))),
        Some(wanted) => Ok(wanted),
        None => Ok(room.max(1)),
    }
}
