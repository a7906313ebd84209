//! A core's loop that is moved on by hand.

use std::io::{Read, Write};
use std::net::{self, SocketAddr};

use socket2::SockRef;

use super::*;
use crate::conn::kit::ANSWERS_A_LOOK;
use crate::mock::text::Words;
use crate::settings::Settings;

/// A loop that is moved on by hand, and where it listens.
fn reactor(settings: &Settings) -> (Reactor, SocketAddr) {
    let poll = Poll::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Room for more than is read between two looks; accepted sockets inherit it.
    SockRef::from(&listener)
        .set_recv_buffer_size(1 << 20)
        .unwrap();
    let address = listener.local_addr().unwrap();
    let kit = Kit::new(settings, Words::new(settings).unwrap(), 1, 0);
    let time = Time::since(std::time::Instant::now());
    let reactor = Reactor::new(poll, vec![listener], kit, time, Arc::default()).unwrap();
    (reactor, address)
}

/// Looks at readiness once, and then serves once.
fn look_and_serve(reactor: &mut Reactor) {
    let mut events = Events::with_capacity(EVENTS);
    reactor
        .poll
        .poll(&mut events, Some(Duration::from_millis(20)))
        .unwrap();
    reactor.woken();
    events.iter().for_each(|event| reactor.note(event));
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
        most = most.max(BYTES_A_LOOK - reactor.bytes_left);
        answers += usize::from(neighbour.read(&mut [0; 1024]).is_ok());
    }
    assert!(
        (240 * 1024..=256 * 1024).contains(&most),
        "{most} bytes between two looks"
    );
    // The upload's turn comes first at every second look, and then uses the look up.
    assert!(
        answers >= 95,
        "the neighbour was answered {answers} times in 200 looks"
    );
}

/// A client that never blocks.
fn client(address: SocketAddr) -> net::TcpStream {
    let client = net::TcpStream::connect(address).unwrap();
    client.set_nonblocking(true).unwrap();
    client
}

/// How many of these clients have an answer to read, and now have read it.
fn answers(clients: &mut [net::TcpStream]) -> usize {
    let read = |client: &mut net::TcpStream| usize::from(client.read(&mut [0; 4096]).is_ok());
    clients.iter_mut().map(read).sum()
}

#[test]
fn a_burst_of_due_answers_keeps_nobody_waiting() {
    const BURST: usize = 250;
    let latency = Duration::from_millis(500);
    let (mut reactor, address) = reactor(&Settings {
        latency,
        ..Settings::default()
    });
    let mut neighbour = client(address);
    let mut late = Vec::new();
    while late.len() < BURST {
        let mut client = client(address);
        client
            .write_all(b"POST /v1/responses HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        late.push(client);
        look_and_serve(&mut reactor);
    }
    look_and_serve(&mut reactor);
    // On a busy machine some may have been due already.
    let mut come = answers(&mut late);
    std::thread::sleep(latency);
    while come < BURST {
        neighbour
            .write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        look_and_serve(&mut reactor);
        let len = neighbour.read(&mut [0; 1024]);
        assert!(len.is_ok(), "the neighbour waited, when {come} had come");
        let answers = answers(&mut late);
        assert!(
            answers < ANSWERS_A_LOOK as usize,
            "{answers} answers between two looks, and the neighbour's"
        );
        come += answers;
    }
}

#[test]
fn a_delay_counts_from_the_read_and_not_from_the_look() {
    let latency = Duration::from_secs(1);
    let (mut reactor, address) = reactor(&Settings {
        latency,
        ..Settings::default()
    });
    let mut client = client(address);
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
    let written = reactor.time.now();
    client.write_all(b"Host: a\r\n\r\n").unwrap();
    reactor.serve();
    let live = reactor.slots[0].live.as_ref().unwrap();
    assert_eq!(live.conn.wish(), Wish::Wait);
    assert!(live.conn.deadline() >= written + SECOND);
}

#[test]
fn a_flood_of_connections_is_accepted_look_by_look() {
    let (mut reactor, address) = reactor(&Settings::default());
    // Fewer than the backlog of this listener.
    let clients: Vec<_> = (0..120)
        .map(|_| net::TcpStream::connect(address).unwrap())
        .collect();
    for accepted in [64, 120, 120] {
        look_and_serve(&mut reactor);
        assert_eq!(reactor.open, accepted);
    }
    drop(clients);
}
