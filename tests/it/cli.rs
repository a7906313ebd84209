//! Tests of the running program's command line: arguments, variables, messages and exit statuses.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::server::{Client, Process, Server, chat, mocker, run, wait_for};

/// Returns the CPUs that the tests and their child processes may run on.
fn mask() -> Vec<usize> {
    let cores = core_affinity::get_core_ids().expect("the kernel tells");
    cores.iter().map(|core| core.id).collect()
}

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// Returns a port of a host on which nothing listens.
fn free(host: &str) -> SocketAddr {
    let free = TcpListener::bind((host, 0)).expect("there is a free port");
    free.local_addr().expect("it is bound")
}

/// Asserts that the program exited with this status, and printed nothing but one line on standard
/// error. Returns that line.
fn refused(command: &mut Command, code: i32) -> String {
    let ended = run(command);
    let line = ended.stderr;
    assert_eq!(ended.status.code(), Some(code), "{command:?}: {line}");
    assert_eq!(ended.stdout, "", "{command:?}");
    assert!(line.starts_with("mocker: "), "{command:?}: {line:?}");
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?}");
    line
}

#[test]
fn version_and_help_are_printed() {
    let version = concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n");
    for (args, begin) in [
        (&["-version"] as &[_], version),
        (&["--version"], version),
        (&["-V"], version),
        (&["-help"], "Usage: mocker "),
        (&["--help"], "Usage: mocker "),
        (&["-port", "0", "-h"], "Usage: mocker "),
    ] {
        let ended = run(&mut mocker(args));
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
        assert!(ended.stdout.starts_with(begin), "{args:?}");
        assert!(ended.stdout.ends_with('\n'), "{args:?}");
        assert_eq!(ended.stderr, "", "{args:?}");
    }
}

#[test]
fn output_needs_no_reader() {
    for (arg, code) in [("-help", 0), ("-version", 0), ("-prot", 2)] {
        let (reader, writer) = std::io::pipe().expect("there are pipes");
        drop(reader);
        let stderr = writer.try_clone().expect("it is open");
        let mut command = mocker(&[arg]);
        let process = Process::start(command.stdout(writer).stderr(stderr));
        assert_eq!(process.ended().status.code(), Some(code), "{arg}");
    }
}

#[test]
fn errors_are_one_line() {
    let none: &[(&str, &str)] = &[];
    for (args, vars, names) in [
        (&["-prot", "1"] as &[_], none, "-prot"),
        (&["-port"], none, "-port"),
        (&["-port", "65536"], none, "-port"),
        (&["-port", "tcp://10.0.0.1:80"], none, "-port"),
        (&["-threads", "0"], none, "-threads"),
        (&["-big-payload=maybe"], none, "-big-payload"),
        (&["-idle-timeout", "-1"], none, "-idle-timeout"),
        (&["-latency", "100ms"], none, "-latency"),
        (&["-jitter=3600000.001"], none, "-jitter"),
        (&["-failure-percent", "101"], none, "-failure-percent"),
        (&["-failure-jitter", "-5"], none, "-failure-jitter"),
        (&["-tpm", "1.5"], none, "-tpm"),
        (&["-retry-after", "86401"], none, "-retry-after"),
        (&["-content", "file:/none"], none, r#""/none": No such"#),
        (&["-content", "file:/dev"], none, r#"can't read "/dev": "#),
        (&["-content", "file:/dev/null"], none, r#""/dev/null": it"#),
        (&["-content", "file:/a\nb"], none, r#""/a\nb""#),
        (&["-seed", "-1"], none, "-seed"),
        (&["serve"], none, "serve"),
        (&["-big-payload", "true"], none, "true"),
        (&["-cores", "1023"], none, "-cores"),
        (&["-cores", "0", "-pin", "off"], none, "-pin"),
        (&["-threads", "1000", "-pin", "on"], none, "-pin"),
        (&[], &[("MOCKER_PORT", "80x")], "MOCKER_PORT"),
        (&[], &[("MOCKER_PIN", "of\nf")], "MOCKER_PIN"),
        (&[], &[("MOCKER_MAX_BODY", "-1")], "MOCKER_MAX_BODY"),
        (&["-healthcheck", "-port", "0"], none, "-healthcheck"),
        (&["-healthcheck"], &[("MOCKER_PORT", "0")], "-healthcheck"),
        (&[], &[("MOCKER_LATENCY", "fast")], "MOCKER_LATENCY"),
        (
            &[],
            &[("MOCKER_TPM_DURATION", "31536001")],
            "MOCKER_TPM_DURATION",
        ),
    ] {
        let mut command = mocker(args);
        command.envs(vars.iter().copied());
        let line = refused(&mut command, 2);
        assert!(line.contains(names), "{args:?} {vars:?}: {line}");
    }
}

#[test]
fn flags_override_variables() {
    let key = "Authorization: Bearer right\r\n";
    for (args, vars, status) in [
        (&[] as &[_], &[] as &[_], 200),
        (&[], &[("MOCKER_AUTH", "Bearer right")], 200),
        (&[], &[("MOCKER_AUTH", "Bearer other")], 403),
        (&[], &[("MOCKER_AUTH", "")], 200),
        (
            &["-auth", "Bearer right"],
            &[("MOCKER_AUTH", "Bearer x")],
            200,
        ),
        (
            &["-auth", "Bearer other"],
            &[("MOCKER_AUTH", "Bearer right")],
            403,
        ),
        (&["-port", "0"], &[("MOCKER_PORT", "80x")], 200),
        (&[], &[("MOCKER_PROT", "80x")], 200),
    ] {
        let mut command = mocker(args);
        command.env("MOCKER_PORT", "0").envs(vars.iter().copied());
        let server = Server::spawn(&mut command);
        let request = crate::server::post("/v1/chat/completions", key, "{}");
        let answer = server.connect().ask(request);
        assert_eq!(answer.status(), status, "{args:?} {vars:?}");
    }
}

#[test]
fn a_port_from_kubernetes_is_ignored_with_a_note() {
    // No other test listens on this address of the loopback network, but another process may listen
    // on the default port of all addresses. Then the start fails, which also reveals the port.
    let mut command = mocker(&["-host", "127.82.0.1", "-quiet"]);
    command.env("MOCKER_PORT", "tcp://10.0.0.1:80");
    let mut lines = match Server::ready(Server::process(&mut command)) {
        Ok(server) => {
            assert_eq!(server.port, 8000);
            server.process.signal("TERM");
            server.process.ended().stderr
        }
        Err(ended) => {
            assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
            assert!(ended.stderr.contains("port 8000 on 127.82.0.1 is in use"));
            ended.stderr
        }
    };
    let rest = lines.split_off(lines.find('\n').expect("there is a line") + 1);
    let note = "mocker: MOCKER_PORT: \"tcp://10.0.0.1:80\" is ignored; ";
    assert!(lines.starts_with(note), "{lines}");
    assert!(rest.is_empty() || rest.contains("in use"), "{rest}");
}

#[test]
fn the_startup_message() {
    let all = mask();
    let first = all[0].to_string();
    let alone = if all.len() == 1 {
        "pinned"
    } else {
        "not pinned"
    };
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = |count: usize| match count {
        1 => "1 core".to_owned(),
        _ => format!("{count} cores"),
    };
    let pinned = format!("{}, pinned", cores(usable));
    let not_pinned = format!("{}, not pinned", cores(usable));
    let one_pinned = "1 core, pinned".to_owned();
    let more = format!("{}, not pinned", cores(all.len() + 1));
    let threads = (all.len() + 1).to_string();
    for (args, host, count) in [
        (&["-pin", "on"] as &[&str], "localhost", &pinned),
        (&["-pin", "off"], "localhost", &not_pinned),
        (&["-cores", &first], "localhost", &one_pinned),
        (&["-cores", &first, "-pin", "on"], "localhost", &one_pinned),
        (&["-threads", "1"], "localhost", &format!("1 core, {alone}")),
        (&["-threads", &threads], "localhost", &more),
        (&["-host", "127.0.0.1", "-pin", "on"], "127.0.0.1", &pinned),
        (&["-host", "0.0.0.0", "-pin", "on"], "0.0.0.0", &pinned),
        (&["-host", "::1", "-pin", "on"], "[::1]", &pinned),
        (&["-host", "::", "-pin", "on"], "[::]", &pinned),
    ] {
        if host.starts_with('[') && !has_ipv6() {
            continue;
        }
        let server = Server::start(args);
        let port = server.port;
        let line = format!("mocker listening on http://{host}:{port} ({count})\n");
        assert_eq!(server.line, line, "{args:?}");
        let to = if host == "[::1]" { "::1" } else { "127.0.0.1" };
        let to: IpAddr = to.parse().expect("it is an address");
        Client::to((to, port).into())
            .ask(chat("ready"))
            .assert_chat("ready");
        server.process.signal("TERM");
        let ended = server.process.ended();
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
        assert_eq!(ended.stderr, "", "{args:?}");
    }
}

#[test]
fn a_second_server_on_a_port_fails() {
    let families = if has_ipv6() { 4 } else { 3 };
    let hosts = &["localhost", "127.0.0.1", "0.0.0.0", "::"][..families];
    for first in hosts {
        let server = Server::start(&["-host", first]);
        let port = server.port.to_string();
        for second in hosts {
            for threads in ["1", "2"] {
                let args = ["-host", second, "-port", &port, "-threads", threads];
                let line = refused(&mut mocker(&args), 1);
                let told = format!("port {port} on {second} is in use");
                assert!(line.contains(&told), "{first}, then {second}: {line}");
            }
        }
        server.assert_serves();
    }
}

#[test]
fn of_concurrent_starts_on_a_port_one_succeeds() {
    // An address of the loopback network that no other test uses.
    let host = "127.83.0.1";
    // The moment in which two could succeed is short, so try many times.
    for _ in 0..40 {
        let port = free(host).port().to_string();
        let args = ["-host", host, "-port", &port, "-threads", "4"];
        let starts: Vec<Process> = (0..6)
            .map(|_| Server::process(&mut mocker(&args)))
            .collect();
        let results: Vec<_> = starts.into_iter().map(Server::ready).collect();
        let served = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(
            served, 1,
            "the others would take their share of its clients"
        );
    }
}

#[test]
fn an_address_of_another_machine_is_reported() {
    for (host, why) in [
        ("no-such-host.invalid", "does not resolve"),
        ("192.0.2.1", "not an address of this machine"),
    ] {
        let line = refused(&mut mocker(&["-port", "0", "-host", host]), 1);
        assert!(line.contains("-host") && line.contains(host), "{line}");
        assert!(line.contains(why), "{line}");
    }
}

#[test]
fn a_port_is_free_immediately_after_the_exit() {
    let server = Server::start(&[]);
    let port = server.port.to_string();
    // The server closes first, which leaves the port in TIME_WAIT.
    let mut client = server.connect();
    client.ask("GET /health HTTP/1.0\r\n\r\n");
    client.assert_ends();
    drop(server);
    let server = Server::spawn(&mut mocker(&["-port", &port]));
    server.assert_serves();
}

#[test]
fn the_startup_message_needs_no_reader() {
    let host = "127.84.0.1";
    let closed = r#"exec "$0" "$@" >&-"#;
    for shell in [None, Some(closed)] {
        let address = free(host);
        let port = address.port().to_string();
        let server = mocker(&["-host", host, "-port", &port, "-quiet"]);
        let mut command = match shell {
            None => server,
            Some(script) => {
                let mut command = Command::new("sh");
                command.args(["-c", script]).arg(server.get_program());
                command.args(server.get_args());
                command
            }
        };
        let mut process = Server::process(&mut command);
        process.0.stdout = None;
        wait_for("a server that can't say so", || {
            TcpStream::connect(address).is_ok()
        });
        Client::to(address).ask(chat("quiet")).assert_chat("quiet");
        process.signal("TERM");
        let ended = process.ended();
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert_eq!(ended.stderr, "");
    }
}

/// Runs `-healthcheck` with these settings.
fn healthcheck(host: &str, port: u16) -> Command {
    let mut command = mocker(&["-host", host, "-healthcheck"]);
    command.env("MOCKER_PORT", port.to_string());
    command
}

#[test]
fn a_health_check_finds_the_server_that_its_settings_describe() {
    for host in ["localhost", "127.0.0.1", "0.0.0.0", "::", "::1", "[::1]"] {
        if host.contains(':') && !has_ipv6() {
            continue;
        }
        // Health requires no key, so none is sent.
        let server = Server::start(&["-host", host, "-auth", "Bearer right"]);
        let port = server.port;
        let ended = run(&mut healthcheck(host, port));
        assert_eq!(ended.status.code(), Some(0), "{host}: {}", ended.stderr);
        assert_eq!((ended.stdout + &ended.stderr).as_str(), "", "{host}");
        server.process.signal("TERM");
        assert_eq!(server.process.ended().status.code(), Some(0));
        let line = refused(&mut healthcheck(host, port), 1);
        let told = format!("-healthcheck: {host} port {port}: ");
        assert!(line.contains(&told), "{line}");
    }
}

#[test]
fn a_health_check_waits_two_seconds_for_a_silent_or_endless_response() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let patience = Duration::from_secs(2);
    let began = Instant::now();
    // The kernel completes connections that the process never accepts.
    let line = refused(&mut healthcheck("localhost", port), 1);
    assert!(line.contains("no response within 2s"), "{line}");
    // It may take longer on a busy machine, but must be bounded.
    let took = began.elapsed();
    assert!(patience <= took && took < 4 * patience, "{took:?}");

    thread::spawn(move || {
        let (_first, _) = listener.accept().expect("it was connected");
        let (mut stream, _) = listener.accept().expect("it is connected");
        // Each single read of such a response is fast.
        while stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let began = Instant::now();
    let line = refused(&mut healthcheck("localhost", port), 1);
    assert!(line.contains("no response within 2s"), "{line}");
    assert!(began.elapsed() < 4 * patience, "{:?}", began.elapsed());
}

#[test]
fn a_health_check_takes_nothing_but_200_for_well() {
    for answer in [
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n",
        "SSH-2.0-x\r\n",
        "",
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it is connected");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a head arrives");
                request.push(byte[0]);
            }
            stream.write_all(answer.as_bytes()).expect("it is read");
            request
        });
        let line = refused(&mut healthcheck("localhost", port), 1);
        assert!(line.contains("a status other than 200"), "{line}");
        let request = server.join().expect("it was asked");
        assert!(request.starts_with(b"GET /health HTTP/1.1\r\n"));
    }
}
