//! Tests of the running program's shutdown: no request in flight is lost, and the wait is bounded.

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::server::{Client, HEALTH, Server, affordable, chat, embeddings, mocker, wait_for};
use crate::watched::terminal;

/// The time that requests in flight have to finish.
const DRAIN: Duration = Duration::from_secs(5);

/// Waits until the server has handled a signal, that is, until it no longer listens.
fn wait_until_it_ends(server: &Server) {
    let address = (Ipv4Addr::LOCALHOST, server.port);
    wait_for("the server to stop listening", || {
        TcpStream::connect(address).is_err()
    });
}

/// Asserts that the server exits successfully, before it would abandon requests in flight.
fn assert_ends_in_order(server: Server, since: Instant) {
    let ended = server.process.ended();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(since.elapsed() < DRAIN, "it took {:?}", since.elapsed());
    assert_eq!(ended.stderr, "");
}

#[test]
fn an_idle_server_exits_at_once_and_cleanly() {
    for signal in ["TERM", "INT", "HUP"] {
        let server = Server::start(&[]);
        let mut clients: Vec<Client> = (0..10).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.ask(HEALTH);
        }
        let began = Instant::now();
        server.process.signal(signal);
        for client in &mut clients {
            client.assert_ends();
        }
        assert_ends_in_order(server, began);
    }
}

#[test]
fn a_silent_connection_has_a_moment_to_send() {
    let server = Server::start(&[]);
    let (mut silent, mut late) = (server.connect(), server.connect());
    server.connect().ask(HEALTH);
    let began = Instant::now();
    server.process.signal("TERM");
    wait_until_it_ends(&server);
    let answer = late.ask(chat("late"));
    answer.assert_chat("late");
    assert_eq!(answer.field("connection"), Some("close"));
    late.assert_ends();
    silent.assert_ends();
    assert_ends_in_order(server, began);
}

#[test]
fn a_request_that_has_begun_gets_a_response() {
    let request = chat("half");
    let body = request.find("\r\n\r\n").expect("it has a head") + 4;
    for signal in ["TERM", "INT", "HUP"] {
        let server = Server::start(&[]);
        let cuts = [1, body - 1, body, request.len() - 1];
        let mut clients: Vec<(usize, Client)> =
            cuts.map(|at| (at, server.connect())).into_iter().collect();
        for (at, client) in &mut clients {
            // A request before ensures that the server has accepted this connection.
            client.ask(HEALTH);
            client.send(&request[..*at]);
        }
        sleep(Duration::from_millis(50));
        let began = Instant::now();
        server.process.signal(signal);
        sleep(Duration::from_millis(300));
        for (at, mut client) in clients {
            let answer = client.ask(&request[at..]);
            answer.assert_chat("half");
            assert_eq!(answer.field("connection"), Some("close"), "cut at {at}");
            client.assert_ends();
        }
        assert_ends_in_order(server, began);
    }
}

#[test]
fn a_response_that_has_begun_is_finished() {
    // Some of these lengths end exactly where the server stops writing between two polls, before it
    // has seen the next request.
    for inputs in 500..516 {
        let server = Server::start(&["-threads", "1"]);
        let mut client = server.connect();
        client.send(embeddings("", inputs, 3200));
        let answer = client.head();
        client.send(chat("next"));
        let began = Instant::now();
        server.process.signal("TERM");
        wait_until_it_ends(&server);
        client.body(answer);
        let next = client.answer();
        next.assert_chat("next");
        assert_eq!(next.field("connection"), Some("close"));
        client.assert_ends();
        drop(client);
        assert_ends_in_order(server, began);
    }
}

#[test]
fn connections_in_the_backlog_are_served() {
    for threads in ["1", "3"] {
        let server = Server::start(&["-threads", threads]);
        let mut kept = server.connect();
        kept.ask(HEALTH);
        let began = Instant::now();
        server.process.signal("STOP");
        // More than are accepted before the signal is handled.
        let queued = affordable(1000);
        let mut clients: Vec<Client> = (0..queued).map(|_| server.connect()).collect();
        clients.push(kept);
        for client in &mut clients {
            client.send(chat("queued"));
        }
        server.process.signal("TERM");
        server.process.signal("CONT");
        for client in &mut clients {
            client.answer().assert_chat("queued");
            client.assert_ends();
        }
        drop(clients);
        assert_ends_in_order(server, began);
    }
}

/// Starts a server with a request that never becomes complete.
fn stuck(command: &mut Command) -> (Server, Client) {
    let server = Server::spawn(command.stdin(Stdio::null()));
    let mut client = server.connect();
    client.ask(HEALTH);
    client.send("POST /v1/responses HTTP/1.1\r\n");
    sleep(Duration::from_millis(50));
    (server, client)
}

#[test]
fn a_second_signal_exits_at_once() {
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let (server, _client) = stuck(&mut mocker(&["-quiet", "-port", "0"]));
        let began = Instant::now();
        server.process.signal(signal);
        wait_until_it_ends(&server);
        server.process.signal(signal);
        let status = server.process.ended().status;
        assert_eq!(status.signal(), Some(number), "{status}");
        assert!(began.elapsed() < DRAIN, "it took {:?}", began.elapsed());
    }
}

#[test]
fn a_request_that_never_ends_is_abandoned() {
    let (server, _client) = stuck(&mut mocker(&["-quiet", "-port", "0"]));
    let began = Instant::now();
    server.process.signal("TERM");
    let status = server.process.ended().status;
    assert_eq!(status.code(), Some(0), "{status}");
    let took = began.elapsed();
    assert!(took >= DRAIN && took < DRAIN * 2, "it took {took:?}");
}

/// A closing terminal sends SIGHUP both through its shell and directly: the second one must not
/// abandon requests in flight, or the report.
#[test]
fn a_terminal_that_hangs_up_twice_causes_a_clean_exit() {
    let (_terminal, end) = terminal();
    let mut command = mocker(&["-quiet", "-port", "0"]);
    let server = Server::spawn(command.stdin(end));
    let mut client = server.connect();
    client.ask(HEALTH);
    let request = chat("late");
    client.send(&request[..10]);
    sleep(Duration::from_millis(50));
    let began = Instant::now();
    server.process.signal("HUP");
    wait_until_it_ends(&server);
    server.process.signal("HUP");
    sleep(Duration::from_millis(100));
    client.ask(&request[10..]).assert_chat("late");
    client.assert_ends();
    assert_ends_in_order(server, began);
}

#[test]
fn a_server_under_nohup_outlives_its_terminal() {
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" HUP; exec "$0" "$@""#]);
    let program = mocker(&["-quiet", "-port", "0"]);
    command.arg(program.get_program()).args(program.get_args());
    let server = Server::spawn(&mut command);
    server.process.signal("HUP");
    sleep(Duration::from_millis(200));
    server.assert_serves();
    let began = Instant::now();
    server.process.signal("TERM");
    assert_ends_in_order(server, began);
}
