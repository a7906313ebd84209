//! Servers within the process of their user: the library's public interface, and nothing else of
//! it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use mocker::{Server, ServerOptions, StartError, Verdict};
use serde_json::Value;

use crate::server::{Client, HEALTH, chat, wait_for};

fn start(options: ServerOptions) -> mocker::Handle {
    Server::start(options).unwrap_or_else(|error| panic!("{error}"))
}

fn stats(server: &mocker::Handle) -> Value {
    serde_json::from_str(&server.stats()).expect("it is JSON")
}

#[test]
fn ten_servers_work_side_by_side() {
    let servers: Vec<_> = (1..=10)
        .map(|number| {
            let mut options = ServerOptions::default();
            options.settings.auth = format!("Bearer {number}");
            start(options)
        })
        .collect();
    let mut clients: Vec<_> = servers.iter().map(|s| Client::to(s.addr())).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        let key = format!("HTTP/1.1\r\nAuthorization: Bearer {}", number + 1);
        let request = chat("side").replacen("HTTP/1.1", &key, 1);
        // Each has settings and counters of its own.
        (0..=number).for_each(|_| client.ask(&request).assert_chat("side"));
        assert_eq!(client.ask(chat("side")).status(), 403);
    }
    for (number, server) in servers.into_iter().enumerate() {
        let requests = number as u64 + 2;
        assert_eq!(
            server.base_url(),
            format!("http://127.0.0.1:{}", server.addr().port())
        );
        assert_eq!(server.cpus(), [None]);
        wait_for("the counters", || stats(&server)["requests"] == requests);
        let report = server.shutdown().expect("no thread panics");
        let json: Value = serde_json::from_str(&report.json).expect("it is JSON");
        assert_eq!(json["requests"], requests);
        assert!(report.table.contains(&format!(" {requests} requests, ")));
        assert_ne!(report.verdict, Verdict::Idle);
    }
    for client in &mut clients {
        client.assert_ends();
    }
}

#[test]
fn a_server_ends_when_its_handle_is_dropped() {
    let server = start(ServerOptions::default());
    let address = server.addr();
    let mut client = Client::to(address);
    assert_eq!(client.ask(HEALTH).status(), 200);
    drop(server);
    client.assert_ends();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_shutdown_waits_for_the_responses_in_flight() {
    let mut options = ServerOptions::default();
    options.settings.latency = Duration::from_millis(300);
    let server = start(options);
    let mut client = Client::to(server.addr());
    client.send(chat("late"));
    wait_for("the request", || stats(&server)["in_flight"] == 1);
    server.shutdown().expect("no thread panics");
    client.answer().assert_chat("late");
    client.assert_ends();
}

#[test]
fn a_server_ends_by_itself_where_its_settings_say_so() {
    let mut options = ServerOptions::default();
    options.settings.exit_after = mocker::ExitAfter::Time(Duration::from_millis(100));
    let began = Instant::now();
    let report = start(options).wait().expect("no thread panics");
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(report.verdict, Verdict::Idle);
}

#[test]
fn a_mistake_is_told_from_what_the_machine_refuses() {
    let mut options = ServerOptions::default();
    options.settings.cores = vec![1_000_000];
    match Server::start(options) {
        Err(StartError::Usage(line)) => assert!(line.starts_with("-cores: "), "{line}"),
        other => panic!("{other:?}"),
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let mut options = ServerOptions::default();
    options.settings.port = port;
    match Server::start(options) {
        Err(error @ StartError::Machine(_)) => {
            let error: Box<dyn std::error::Error> = error.into();
            let find = format!("ss -ltnp 'sport = :{port}'");
            assert!(error.to_string().contains(&find), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_process_around_a_server_keeps_its_signals() {
    let _server = start(ServerOptions::default());
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.expect("it has one").trim();
    let caught = u64::from_str_radix(mask, 16).expect("it is a mask");
    // SIGHUP, SIGINT and SIGTERM.
    for signal in [1, 2, 15] {
        assert_eq!(caught & (1 << (signal - 1)), 0, "signal {signal}");
    }
}
