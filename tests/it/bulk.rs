//! Sockets against the started program: what is large, and what is many.

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread::{self, sleep};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::server::{Client, HEALTH, Server, affordable, chat, embeddings};

/// The largest body that is accepted without a setting, in bytes.
const MAX_BODY: usize = 52_428_800;

/// How a request says where its body ends.
#[derive(Clone, Copy, Debug)]
enum Framing {
    Length,
    Chunked,
}

/// Sends a chat request with a body of so many bytes, which is JSON. The model stands at its end.
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
        // Whether all of it is still taken is a matter of time.
        let _ = sender.join().expect("sending does not panic");
    }
    server.assert_serves();
}

#[test]
fn a_client_that_sends_on_after_a_refusal_is_cut_off() {
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
fn a_refused_body_that_is_not_much_longer_is_read_to_its_end() {
    // Closing a socket that holds unread bytes resets it, which can take the answer with it.
    let server = Server::start(&["-max-body", "1k"]);
    for length in [2_000, 200_000, 900_000] {
        let mut client = server.connect();
        // The server finds the whole request and its end at once.
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
fn a_slow_reader_gets_a_big_answer_whole_and_keeps_nobody_waiting() {
    const INPUTS: usize = 450;
    let server = Server::start(&["-threads", "1"]);
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
    // Before connecting, or the window would be as large as ever.
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
        // It is answered at all only if the one thread does not wait for the slow reader.
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
    // What comes next is the next answer, so the length was right.
    slow.ask(chat("after")).assert_chat("after");
}

#[test]
fn a_last_answer_survives_what_comes_after_its_request() {
    let server = Server::start(&[]);
    let request = embeddings("Connection: close\r\n", 400, 4096);
    // Some old clients end a body with an empty line that its length does not count.
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
fn a_thousand_connections_are_served_at_once() {
    let server = Server::start(&[]);
    let mut clients: Vec<Client> = (0..affordable(1000)).map(|_| server.connect()).collect();
    // All are open before the first request is sent, and all are sent before an answer is read.
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(chat(&format!("model-{at}")));
    }
    for (at, client) in clients.iter_mut().enumerate() {
        client.answer().assert_chat(&format!("model-{at}"));
    }
}

#[test]
fn a_server_without_free_descriptors_serves_the_others_later() {
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
    // Each that has its answer goes, and makes room for another.
    for mut client in clients {
        client.answer().assert_chat("patient");
    }
    server.assert_serves();
}
