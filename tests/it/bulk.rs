//! Socket tests of the running program: large bodies, and many connections.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::{self, sleep};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::server::{Client, HEALTH, Server, affordable, chat, embeddings};

/// The largest body that is accepted without a setting, in bytes.
const MAX_BODY: usize = 52_428_800;

/// The framing of a request body.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunked,
}

/// Sends a chat request with a JSON body of this size, which ends with the model.
fn send_large(mut stream: &TcpStream, framing: Framing, length: usize) -> std::io::Result<()> {
    let (before, after) = (r#"{"filler":""#, r#"","model":"last"}"#);
    let field = match framing {
        Framing::Length => format!("Content-Length: {length}"),
        Framing::Chunked => "Transfer-Encoding: chunked".to_owned(),
    };
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: mocker\r\n{field}\r\n\r\n"
    )?;
    let mut send = |content: &[u8]| match framing {
        Framing::Length => stream.write_all(content),
        Framing::Chunked => {
            let size = format!("{:x}\r\n", content.len());
            stream.write_all(&[size.as_bytes(), content, b"\r\n"].concat())
        }
    };
    send(before.as_bytes())?;
    let mut left = length - before.len() - after.len();
    while left > 0 {
        let take = left.min(1 << 18);
        send(&vec![b'f'; take])?;
        left -= take;
    }
    send(after.as_bytes())?;
    match framing {
        Framing::Length => Ok(()),
        Framing::Chunked => stream.write_all(b"0\r\n\r\n"),
    }
}

#[test]
fn a_body_of_50_mb_is_accepted() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for framing in [Framing::Length, Framing::Chunked] {
        send_large(client.stream(), framing, MAX_BODY).expect("it is read");
        client.answer().assert_chat("last");
    }
}

#[test]
fn a_body_of_50_mb_and_one_byte_is_refused_while_it_is_sent() {
    let server = Server::start(&[]);
    for framing in [Framing::Length, Framing::Chunked] {
        let mut client = server.connect();
        let stream = client.stream().try_clone().expect("it is open");
        let sender = thread::spawn(move || send_large(&stream, framing, MAX_BODY + 1));
        let answer = client.answer();
        assert_eq!(answer.status(), 413, "{framing:?}");
        assert!(answer.text().contains("52428800"), "{}", answer.text());
        assert_eq!(answer.field("connection"), Some("close"));
        // It depends on timing whether all of it is still accepted.
        let _ = sender.join().expect("sending does not panic");
    }
    server.assert_serves();
}

#[test]
fn a_client_that_keeps_sending_after_a_rejection_is_disconnected() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let stream = client.stream().try_clone().expect("it is open");
    let sender = thread::spawn(move || send_large(&stream, Framing::Length, 1 << 40));
    assert_eq!(client.answer().status(), 413);
    let sent = sender.join().expect("sending does not panic");
    let kind = sent.expect_err("the server has closed").kind();
    let closed = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
    assert!(closed.contains(&kind), "{kind:?}");
    server.assert_serves();
}

#[test]
fn the_rest_of_a_rejected_body_is_read_if_it_is_short() {
    // Closing a socket with unread bytes resets it, which may lose the response.
    let server = Server::start(&["-max-body", "1k"]);
    for length in [2_000, 200_000, 900_000] {
        let mut client = server.connect();
        // The server sees the whole request and the end of input at once.
        server.process.signal("STOP");
        let stream = client.stream().try_clone().expect("it is open");
        let sender = thread::spawn(move || {
            send_large(&stream, Framing::Length, length).expect("it is read");
            let _ = stream.shutdown(std::net::Shutdown::Write);
        });
        sleep(Duration::from_millis(50));
        server.process.signal("CONT");
        sender.join().expect("all of it is taken");
        assert_eq!(client.answer().status(), 413, "{length} bytes");
        client.assert_ends();
    }
}

#[test]
fn a_slow_reader_gets_a_complete_response_and_delays_no_other_client() {
    const INPUTS: usize = 450;
    let server = Server::start(&["-threads", "1"]);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
    // Before connecting, since the window can't be reduced later.
    socket.set_recv_buffer_size(32 * 1024).expect("it is open");
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, server.port).into();
    socket.connect(&address.into()).expect("it listens");
    let mut slow = Client::over(socket.into());
    slow.send(embeddings("", INPUTS, 4096));
    let length = slow.head().length();
    assert!(length > 20_000_000, "it is big: {length}");
    let mut content = Vec::with_capacity(length);
    let mut space = vec![0; 256 * 1024];
    let mut other = server.connect();
    for _ in 0..10 {
        let len = slow.some(&mut space[..1024]).expect("it is open");
        content.extend_from_slice(&space[..len]);
        // There is a response only if the single thread does not wait for the slow reader.
        assert_eq!(other.ask(HEALTH).status(), 200);
        sleep(Duration::from_millis(20));
    }
    while content.len() < length {
        let room = space.len().min(length - content.len());
        let len = slow.some(&mut space[..room]).expect("it is open");
        assert!(len > 0, "the answer ends after {}", content.len());
        content.extend_from_slice(&space[..len]);
    }
    let content = String::from_utf8(content).expect("it is UTF-8");
    let indices = content.matches(r#""object":"embedding","index":"#).count();
    assert_eq!(indices, INPUTS);
    assert!(content.starts_with('{') && content.trim_end().ends_with('}'));
    // The next response follows, so the length was correct.
    slow.ask(chat("after")).assert_chat("after");
}

#[test]
fn the_last_response_survives_bytes_after_its_request() {
    let server = Server::start(&[]);
    let request = embeddings("Connection: close\r\n", 400, 4096);
    // Some old clients send an empty line after a body, beyond its length.
    for after in ["", "\r\n", HEALTH] {
        let mut client = server.connect();
        client.send(&request);
        let answer = client.head();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.field("connection"), Some("close"));
        client.send(after);
        client.body(answer);
        client.assert_ends();
    }
}

#[test]
fn a_thousand_connections_are_served_concurrently() {
    let server = Server::start(&[]);
    let mut clients: Vec<Client> = (0..affordable(1000)).map(|_| server.connect()).collect();
    // Open all connections before sending any request, and send all requests before reading.
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(chat(&format!("model-{at}")));
    }
    for (at, client) in clients.iter_mut().enumerate() {
        client.answer().assert_chat(&format!("model-{at}"));
    }
}

#[test]
fn connections_wait_while_there_are_no_free_descriptors() {
    let command = r#"ulimit -n 40 && exec "$0" "$@""#;
    let server = Server::spawn(
        std::process::Command::new("sh")
            .args(["-c", command])
            .args([env!("CARGO_BIN_EXE_mocker"), "-port", "0", "-threads", "1"]),
    );
    let mut clients: Vec<Client> = (0..100).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(chat("patient"));
    }
    // Each connection is closed after its response, which frees a descriptor for another.
    for mut client in clients {
        client.answer().assert_chat("patient");
    }
    server.assert_serves();
}
