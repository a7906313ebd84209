//! Attacks on the running program. It must keep serving other clients, and afterwards hold no more
//! file descriptors and hardly any more memory than before.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::server::{Client, HEALTH, Server, chat, embeddings, raise_descriptors, wait_for};

/// The most by which resident memory may have grown afterwards, in KiB.
const MEMORY_MAX: u64 = 8 * 1024;

/// A server, with its descriptors and memory before the attack.
struct Survivor {
    server: Server,
    descriptors: usize,
    memory: u64,
}

impl Survivor {
    fn start(args: &[&str]) -> Survivor {
        raise_descriptors();
        let server = Server::start(args);
        // Buffers and cached responses exist after the first use.
        let mut client = server.connect();
        client.ask(HEALTH);
        drop(client);
        sleep(Duration::from_millis(50));
        Survivor {
            descriptors: server.process.descriptors(),
            memory: resident(&server),
            server,
        }
    }

    /// Asserts that the server responds and has released its resources.
    fn assert_survived(&self) {
        self.server.assert_serves();
        wait_for("all connections to be closed", || {
            self.server.process.descriptors() == self.descriptors
        });
        let (before, after) = (self.memory, resident(&self.server));
        assert!(
            after <= before + MEMORY_MAX,
            "{before} KiB before, {after} KiB after"
        );
    }
}

/// Returns the resident memory in KiB.
fn resident(server: &Server) -> u64 {
    server.process.memory("VmRSS")
}

/// Asserts that a client is served during the attack.
fn assert_prompt(client: &mut Client) {
    let began = Instant::now();
    assert_eq!(client.ask(HEALTH).status(), 200);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_thousand_slow_senders_delay_no_other_client() {
    let survivor = Survivor::start(&["-read-timeout", "2", "-threads", "1"]);
    let request = chat("slow");
    let mut slow: Vec<Client> = (0..1000).map(|_| survivor.server.connect()).collect();
    let mut other = survivor.server.connect();
    for at in 0..20 {
        for client in &mut slow {
            client.send(&request[at..=at]);
        }
        assert_prompt(&mut other);
    }
    for client in &mut slow {
        assert_eq!(client.answer().status(), 408);
        client.assert_ends();
    }
    drop((slow, other));
    survivor.assert_survived();
}

#[test]
fn thousands_of_connections_come_and_go() {
    let survivor = Survivor::start(&[]);
    for at in 0..12_000 {
        let mut client = survivor.server.connect();
        match at % 6 {
            0 => {}
            1 => client.reset(),
            2 => {
                client.send(chat("gone"));
                client.reset();
            }
            3 => client.send(chat("unread")),
            // The server closes first.
            4 => {
                client.ask("GET /health HTTP/1.1\r\nHost: mocker\r\nConnection: close\r\n\r\n");
                client.assert_ends();
            }
            _ => assert_eq!(client.ask(HEALTH).status(), 200),
        }
    }
    survivor.assert_survived();
}

#[test]
fn resets_at_every_point_of_a_request_and_of_a_response() {
    let survivor = Survivor::start(&[]);
    let request = chat("gone");
    for at in 0..=request.len() {
        let mut client = survivor.server.connect();
        client.send(&request[..at]);
        client.reset();
    }
    let mut client = survivor.server.connect();
    let length = client.ask(&request).head.len() + 600;
    for read in (0..length).step_by(7) {
        let mut client = survivor.server.connect();
        client.send(&request);
        let mut space = vec![0; read];
        let _ = client.stream().read_exact(&mut space);
        client.reset();
    }
    drop(client);
    survivor.assert_survived();
}

#[test]
fn clients_that_read_nothing_take_little_memory_and_are_disconnected() {
    let survivor = Survivor::start(&["-write-timeout", "1", "-threads", "1"]);
    let big = embeddings("", 2048, 4096);
    let mut clients: Vec<Client> = (0..50).map(|_| survivor.server.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(&big));
    sleep(Duration::from_millis(500));
    survivor.server.assert_serves();
    // Each may take one full outbox, plus one item.
    let held = resident(&survivor.server) - survivor.memory;
    assert!(held < 50 * 256, "{held} KiB");
    wait_for("them to be let go", || {
        survivor.server.process.descriptors() == survivor.descriptors
    });
    drop(clients);
    survivor.assert_survived();
}

#[test]
fn endless_pipelines_delay_no_other_client() {
    let survivor = Survivor::start(&["-write-timeout", "1", "-threads", "1"]);
    let many = HEALTH.repeat(1000);
    // Some read their responses, and some never do.
    for reads in [true, false] {
        let clients: Vec<Client> = (0..5).map(|_| survivor.server.connect()).collect();
        let until = Instant::now() + Duration::from_secs(1);
        thread::scope(|scope| {
            for client in &clients {
                let mut stream = client.stream();
                stream.set_nonblocking(true).expect("it is open");
                let many = many.as_bytes();
                scope.spawn(move || {
                    let mut space = vec![0; 1 << 16];
                    while Instant::now() < until {
                        let _ = stream.write(many);
                        if reads {
                            let _ = stream.read(&mut space);
                        }
                    }
                });
            }
            let mut other = survivor.server.connect();
            while Instant::now() < until {
                assert_prompt(&mut other);
            }
        });
        let held = resident(&survivor.server).saturating_sub(survivor.memory);
        assert!(held < 2 * MEMORY_MAX, "{held} KiB, reading: {reads}");
    }
    survivor.assert_survived();
}

#[test]
fn a_full_backlog_is_served_when_the_server_resumes() {
    let survivor = Survivor::start(&["-threads", "1"]);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, survivor.server.port));
    survivor.server.process.signal("STOP");
    // More than the backlog of 4096: further connects would block.
    let connect = || {
        let socket = socket2::Socket::new(
            socket2::Domain::IPV4,
            socket2::Type::STREAM.nonblocking(),
            None,
        )?;
        match socket.connect(&socket2::SockAddr::from(address)) {
            Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => Err(error),
            _ => Ok(socket),
        }
    };
    let sockets: Vec<socket2::Socket> = (0..5000)
        .map(|_| connect().expect("a connection begins"))
        .collect();
    sleep(Duration::from_millis(200));
    survivor.server.process.signal("CONT");
    for socket in sockets {
        let stream: std::net::TcpStream = socket.into();
        wait_for("a connection", || {
            match stream.take_error().expect("it is a socket") {
                None => stream.peer_addr().is_ok(),
                Some(error) => panic!("{error}"),
            }
        });
        stream.set_nonblocking(false).expect("it is open");
        assert_eq!(Client::over(stream).ask(HEALTH).status(), 200);
    }
    survivor.assert_survived();
}

#[test]
fn a_thousand_delayed_responses_are_sent_before_the_exit() {
    let survivor = Survivor::start(&["-latency", "1500"]);
    let mut clients: Vec<Client> = (0..1000).map(|_| survivor.server.connect()).collect();
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(chat(&format!("model-{at}")));
        if at % 10 == 0 {
            // It has closed its sending side, and waits like the others.
            client.finish();
        }
    }
    sleep(Duration::from_millis(100));
    survivor.server.process.signal("TERM");
    for (at, client) in clients.iter_mut().enumerate() {
        let answer = client.answer();
        answer.assert_chat(&format!("model-{at}"));
        assert_eq!(answer.field("connection"), Some("close"));
        client.assert_ends();
    }
    assert_eq!(survivor.server.process.ended().status.code(), Some(0));
}

#[test]
fn connections_with_responses_due_after_the_exit_are_closed_cleanly() {
    let survivor = Survivor::start(&["-latency", "60000"]);
    let mut clients: Vec<Client> = (0..100).map(|_| survivor.server.connect()).collect();
    clients
        .iter_mut()
        .for_each(|client| client.send(chat("late")));
    sleep(Duration::from_millis(100));
    survivor.server.process.signal("TERM");
    clients.iter_mut().for_each(Client::assert_ends);
    let ended = survivor.server.process.ended();
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));
}

/// The limit of file descriptors is lowered at run time.
#[test]
fn a_server_without_descriptors_pauses_and_recovers() {
    let survivor = Survivor::start(&["-threads", "1"]);
    let process = &survivor.server.process;
    let mut known = survivor.server.connect();
    known.ask(HEALTH);
    let pid = rustix::process::Pid::from_raw(process.0.id() as i32).expect("it has one");
    let allow = |most: usize| {
        let limit = rustix::process::Rlimit {
            current: Some(most as u64),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        rustix::process::prlimit(Some(pid), Resource::Nofile, limit).expect("it is ours")
    };
    let before = allow(process.descriptors() + 3);
    let mut clients: Vec<Client> = (0..20).map(|_| survivor.server.connect()).collect();
    clients
        .iter_mut()
        .for_each(|client| client.send(chat("patient")));
    // Existing connections are not affected.
    for _ in 0..100 {
        assert_prompt(&mut known);
        sleep(Duration::from_millis(3));
    }
    // A descriptor number below the limit may be free too.
    let accepted = process.descriptors() - survivor.descriptors - 1;
    assert!(
        (1..=5).contains(&accepted),
        "{accepted} of 20 were accepted"
    );
    for mut client in clients {
        client.answer().assert_chat("patient");
    }
    allow(before.current.expect("there was a limit") as usize);
    drop(known);
    survivor.assert_survived();
}

#[test]
fn connections_beyond_the_maximum_wait() {
    let survivor = Survivor::start(&["-max-connections", "5", "-threads", "2"]);
    // The previous connection may still count for a moment.
    sleep(Duration::from_millis(200));
    let mut clients: Vec<Client> = (0..8).map(|_| survivor.server.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(HEALTH));
    let timeout = |client: &Client, time| {
        let stream = client.stream();
        stream.set_read_timeout(Some(time)).expect("it is open");
    };
    sleep(Duration::from_millis(500));
    let (mut served, mut waiting) = (Vec::new(), Vec::new());
    for client in clients {
        timeout(&client, Duration::from_millis(50));
        match client.stream().peek(&mut [0]) {
            Ok(1) => served.push(client),
            Err(error) if is_timeout(&error) => waiting.push(client),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((served.len(), waiting.len()), (5, 3));
    // Each closed connection makes room for one of those that wait, on whichever core.
    while !waiting.is_empty() {
        drop(served.pop());
        let has_answer = |client: &Client| client.stream().peek(&mut [0]).is_ok();
        wait_for("one who waited to be served", || {
            waiting.iter().any(has_answer)
        });
        sleep(Duration::from_millis(300));
        let (mut now_served, still_waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(has_answer);
        assert_eq!(now_served.len(), 1);
        let mut client = now_served.remove(0);
        assert_eq!(client.answer().status(), 200);
        served.push(client);
        waiting = still_waiting;
    }
    drop(served);
    survivor.assert_survived();
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// An HTTP/1.0 client may send an empty line after a body, and others may send unexpected bytes,
/// which are still unread when the response is due.
#[test]
fn bytes_that_arrive_during_a_delay_do_not_lose_the_response() {
    let survivor = Survivor::start(&["-latency", "100"]);
    for more in ["\r\n", HEALTH, &"x".repeat(100_000)] {
        for _ in 0..5 {
            let mut client = survivor.server.connect();
            client.send(chat("last").replace("HTTP/1.1", "HTTP/1.0"));
            sleep(Duration::from_millis(20));
            client.send(more);
            sleep(Duration::from_millis(150));
            client.answer().assert_chat("last");
            client.assert_ends();
        }
    }
    survivor.assert_survived();
}
