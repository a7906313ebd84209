//! A core's loop that is moved on by hand.

use std::io::{Read, Write};
use std::net::{self, SocketAddr};
use std::sync::Arc;

use rustix::process::{Resource, getrlimit, setrlimit};
use socket2::SockRef;

use super::*;
use crate::api::text::Words;
use crate::conn::Want;
use crate::exchange;
use crate::meter::TURN;
use crate::net::mailbox::{CommandSender, mailboxes};
use crate::scenario::Scenario;
use crate::settings::Settings;

/// A loop that is moved on by hand, and the address that it listens on.
fn reactor(settings: &Settings) -> (Reactor, SocketAddr) {
    let (reactor, address, _) = commanded(settings);
    (reactor, address)
}

/// The same with the sending side of its mailbox.
fn commanded(settings: &Settings) -> (Reactor, SocketAddr, Arc<[CommandSender]>) {
    let poll = Poll::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Room for more than is read between two looks; accepted sockets inherit it.
    SockRef::from(&listener)
        .set_recv_buffer_size(1 << 20)
        .unwrap();
    let address = listener.local_addr().unwrap();
    let core = Core::new(
        Scenario::first(settings),
        Words::new(settings).unwrap(),
        1,
        0,
        &exchange::watch(1, 0),
    );
    let time = Time::since(std::time::Instant::now());
    let (senders, mut inboxes) = mailboxes(std::slice::from_ref(&poll)).unwrap();
    let alone = Balancer::of(usize::MAX, true, &senders).remove(0);
    let mailbox = inboxes.remove(0);
    let reactor = Reactor::new(poll, vec![listener], core, time, alone, mailbox).unwrap();
    (reactor, address, senders)
}

/// Looks at readiness once.
fn look(reactor: &mut Reactor) {
    let mut events = Events::with_capacity(EVENTS);
    reactor
        .poll
        .poll(&mut events, Some(Duration::from_millis(20)))
        .unwrap();
    reactor.woken();
    events.iter().for_each(|event| reactor.note(event));
}

/// Looks at readiness once, and then serves once.
fn look_and_serve(reactor: &mut Reactor) {
    look(reactor);
    reactor.serve();
}

#[test]
fn between_two_looks_an_upload_is_read_only_so_far() {
    let (mut reactor, address) = reactor(&Settings::default());
    let mut upload = net::TcpStream::connect(address).unwrap();
    upload.set_nonblocking(true).unwrap();
    SockRef::from(&upload)
        .set_send_buffer_size(1 << 20)
        .unwrap();
    let mut neighbour = net::TcpStream::connect(address).unwrap();
    neighbour.set_nonblocking(true).unwrap();
    let head = "POST /v1/responses HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n\"";
    upload.write_all(head.as_bytes()).unwrap();
    let (mut most, mut answers) = (0, 0);
    for _ in 0..200 {
        // The socket is full at every look: more is there than may be read.
        while upload.write(&[b'x'; 65_536]).is_ok() {}
        neighbour
            .write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        look_and_serve(&mut reactor);
        most = most.max(TURN - reactor.machine.core.meter.left());
        answers += usize::from(neighbour.read(&mut [0; 1024]).is_ok());
    }
    let exceeded = most - TURN;
    assert!((0..10_000).contains(&exceeded), "{most} units in a turn");
    // The upload's turn comes first at every second look, and then uses the look up.
    assert!(
        answers >= 95,
        "the neighbour was answered {answers} times in 200 looks"
    );
}

/// The number of connections of a burst: 10,000, or what the limit of descriptors allows.
fn burst() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    // The other tests of this process have theirs beside it.
    let most = limit.current.map_or(usize::MAX, |most| most as usize);
    (most - 300).min(10_000)
}

#[test]
fn a_burst_of_due_answers_keeps_nobody_waiting() {
    let (burst, latency) = (burst(), Duration::from_secs(3600));
    let (mut reactor, address) = reactor(&Settings {
        latency,
        idle_timeout: 24 * latency,
        ..Settings::default()
    });
    let mut neighbour = net::TcpStream::connect(address).unwrap();
    neighbour
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut watched = Vec::new();
    for at in 0..burst {
        let mut client = net::TcpStream::connect(address).unwrap();
        client
            .write_all(b"POST /v1/responses HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        // A client that ends is answered and then closed, so that who is open still waits. Most
        // are gone at once, or each would need a second descriptor.
        if at % 100 == 0 {
            client.shutdown(Shutdown::Write).unwrap();
            watched.push(client);
        }
        look_and_serve(&mut reactor);
    }
    look_and_serve(&mut reactor);
    let mut left = burst;
    while left > 0 {
        neighbour
            .write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        look(&mut reactor);
        reactor.machine.core.now += latency.as_nanos() as Nanos;
        reactor.serve();
        let len = neighbour.read(&mut [0; 1024]);
        assert!(len.is_ok(), "the neighbour waited, when {left} were due");
        // One of the connections is the neighbour's.
        let answered = left + 1 - reactor.machine.open;
        assert!(
            (1..500).contains(&answered),
            "{answered} responses in a turn"
        );
        left -= answered;
    }
    for mut client in watched {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn a_delay_counts_from_the_read_and_not_from_the_look() {
    let latency = Duration::from_secs(1);
    let (mut reactor, address) = reactor(&Settings {
        latency,
        ..Settings::default()
    });
    let mut client = net::TcpStream::connect(address).unwrap();
    look_and_serve(&mut reactor);
    client
        .write_all(b"POST /v1/responses HTTP/1.1\r\n")
        .unwrap();
    let mut events = Events::with_capacity(EVENTS);
    let patience = Some(Duration::from_secs(20));
    reactor.poll.poll(&mut events, patience).unwrap();
    reactor.woken();
    events.iter().for_each(|event| reactor.note(event));
    // As when others have their turns first.
    std::thread::sleep(Duration::from_millis(20));
    let written = reactor.machine.system.now();
    client.write_all(b"Host: a\r\n\r\n").unwrap();
    reactor.serve();
    let live = reactor.machine.slots[0].live.as_ref().unwrap();
    assert_eq!(live.conn.want(), Want::Wait);
    assert!(live.conn.deadline() >= written + SECOND);
}

#[test]
fn a_flood_of_connections_is_accepted_look_by_look() {
    let (mut reactor, address) = reactor(&Settings::default());
    // Fewer than the backlog of this listener.
    let clients: Vec<_> = (0..120)
        .map(|_| net::TcpStream::connect(address).unwrap())
        .collect();
    let in_a_turn = (meter::TURN as usize).div_ceil(meter::ACCEPT as usize);
    for turns in 1..6 {
        look_and_serve(&mut reactor);
        assert_eq!(reactor.machine.open, clients.len().min(turns * in_a_turn));
    }
    drop(clients);
}

#[test]
fn polling_busily_looks_at_readiness_though_something_is_due() {
    let (mut reactor, address) = reactor(&Settings::default());
    reactor.busy_poll = SECOND;
    reactor.drain_ends = Some(0);
    let mut events = Events::with_capacity(EVENTS);
    for _ in 0..2 {
        let _client = net::TcpStream::connect(address).unwrap();
        let now = reactor.machine.system.now();
        reactor.wait(&mut events, now);
        assert_eq!(events.iter().count(), 1, "a client waits");
        let now = reactor.machine.system.now();
        reactor.wait(&mut events, now);
        assert!(events.is_empty(), "that is known already");
    }
}

#[test]
fn a_core_serves_by_the_newest_snapshot() {
    let (mut reactor, address, senders) = commanded(&Settings::default());
    let mut client = net::TcpStream::connect(address).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    look_and_serve(&mut reactor);
    for (generation, key, status) in [
        (0, "", "200"),
        (2, "a", "403"),
        // It is older than the one that is served by.
        (1, "", "403"),
        (3, "", "200"),
    ] {
        let settings = Arc::new(Settings {
            auth: key.into(),
            ..Settings::default()
        });
        let scenario = Scenario {
            generation,
            settings,
        };
        let command = Command::Scenario(Arc::new(scenario));
        senders[0].queue(command).unwrap();
        senders[0].wake();
        look_and_serve(&mut reactor);
        client
            .write_all(b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        look_and_serve(&mut reactor);
        let mut answer = [0; 4096];
        let len = client.read(&mut answer).unwrap();
        let head = String::from_utf8_lossy(&answer[..len]);
        assert_eq!(&head[9..12], status, "generation {generation}");
    }
}
