//! A client that checks every response under full load, for `scripts/measure soak`. A tenth of the
//! requests use new connections; some are reset before they are complete, some are malformed, and
//! some are for streams.
//!
//! `soak ADDRESS SECONDS CONNECTIONS` prints the numbers of requests, and reports wrong responses
//! on standard error.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fastrand::Rng;
use socket2::SockRef;

/// The time that a response may take before the server counts as dead.
const PATIENCE: Duration = Duration::from_secs(30);

/// The number of chunks of the fixed sentence: one for each word, and two around them.
const CHUNKS: usize = 17;

/// The most bytes of a wrong response that are printed.
const SHOWN: usize = 500;

/// A connection and the response that it expects.
struct Client {
    stream: TcpStream,
    wanted: Wanted,
}

#[derive(Clone, Copy)]
enum Wanted {
    /// A chat completion of the model with this number.
    Chat(u64),
    /// The same as a stream.
    Stream(u64),
    /// A 400, and then the end of the connection.
    Rejection,
}

#[derive(Debug, Default)]
struct Counts {
    responses: u64,
    connections: u64,
    resets: u64,
    rejections: u64,
    wrong: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    let [address, seconds, connections] = &arguments[..] else {
        // `cargo bench` runs every bench target without arguments.
        return eprintln!("usage: soak ADDRESS SECONDS CONNECTIONS; run by scripts/measure soak");
    };
    let seconds: u64 = seconds.parse().expect("SECONDS is a number");
    let connections: usize = connections.parse().expect("CONNECTIONS is a number");
    let connect = || {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("it is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is open");
        stream
    };
    let mut rng = Rng::with_seed(1);
    let mut counts = Counts::default();
    let mut streams: Vec<TcpStream> = (0..connections).map(|_| connect()).collect();
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut space = vec![0; 1 << 16];
    while Instant::now() < until {
        // All clients send before any of them reads, so that the server always has work.
        let mut clients = Vec::with_capacity(connections);
        for mut stream in streams.drain(..) {
            if rng.u8(0..10) == 0 {
                stream = connect();
                counts.connections += 1;
            }
            if rng.u8(0..100) == 0 {
                reset(stream, &mut rng);
                counts.resets += 1;
                stream = connect();
            }
            let wanted = choose(&mut rng);
            stream
                .write_all(request(wanted).as_bytes())
                .expect("the server reads");
            clients.push(Client { stream, wanted });
        }
        for client in clients {
            match read(client, &mut space) {
                Ok(Some(stream)) => {
                    counts.responses += 1;
                    streams.push(stream);
                }
                Ok(None) => {
                    counts.rejections += 1;
                    streams.push(connect());
                }
                Err(error) => {
                    counts.wrong += 1;
                    if counts.wrong <= 10 {
                        eprintln!("{error}");
                    }
                    streams.push(connect());
                }
            }
        }
    }
    println!("{counts:?}");
    std::process::exit(i32::from(counts.wrong > 0));
}

fn choose(rng: &mut Rng) -> Wanted {
    let model = rng.u64(..);
    match rng.u8(0..100) {
        0 => Wanted::Rejection,
        1..5 => Wanted::Stream(model),
        _ => Wanted::Chat(model),
    }
}

fn request(wanted: Wanted) -> String {
    let body = match wanted {
        Wanted::Rejection => return "GET /health HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n".into(),
        Wanted::Chat(model) => format!(r#"{{"model":"m{model:020}","n":2}}"#),
        Wanted::Stream(model) => format!(r#"{{"model":"m{model:020}","stream":true}}"#),
    };
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Resets a connection within a request, like a client that crashes.
fn reset(mut stream: TcpStream, rng: &mut Rng) {
    let whole = request(Wanted::Chat(0));
    let _ = stream.write_all(&whole.as_bytes()[..rng.usize(..=whole.len())]);
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

/// Reads the expected response. Returns the connection, or `None` if it ended as expected.
fn read(client: Client, space: &mut [u8]) -> io::Result<Option<TcpStream>> {
    let Client { mut stream, wanted } = client;
    let mut len = 0;
    loop {
        let got = stream.read(&mut space[len..])?;
        len += got;
        let text = &space[..len];
        match wanted {
            Wanted::Rejection if got == 0 => {
                return match is_rejection(text) {
                    true => Ok(None),
                    false => Err(wrong("not rejected", text)),
                };
            }
            Wanted::Rejection => continue,
            _ if got == 0 => return Err(wrong("cut short", text)),
            Wanted::Chat(model) => match whole(text) {
                Some(length) if length == len && is_response(text, model, 1) => {
                    return Ok(Some(stream));
                }
                Some(_) => return Err(wrong("unexpected response", text)),
                None => {}
            },
            Wanted::Stream(model) if text.ends_with(b"data: [DONE]\n\n\r\n0\r\n\r\n") => {
                return match is_response(text, model, CHUNKS) {
                    true => Ok(Some(stream)),
                    false => Err(wrong("unexpected stream", text)),
                };
            }
            Wanted::Stream(_) => {}
        }
    }
}

/// Returns the length of the response that the bytes begin with, if it is complete.
fn whole(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, content) = text.split_once("\r\n\r\n")?;
    let (_, length) = head.split_once("Content-Length: ")?;
    let length: usize = length.lines().next()?.parse().ok()?;
    (content.len() >= length).then_some(head.len() + 4 + length)
}

/// Returns whether the bytes are a response to the request for this model, with its name in the
/// expected number of places.
fn is_response(bytes: &[u8], model: u64, times: usize) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let model = format!("\"model\":\"m{model:020}\"");
    text.starts_with("HTTP/1.1 200 OK\r\n")
        && text.matches("HTTP/1.1 ").count() == 1
        && text.matches("\"model\":").count() == text.matches(&model).count()
        && text.matches(&model).count() == times
}

fn is_rejection(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.starts_with("HTTP/1.1 400 Bad Request\r\n")
        && text.contains("\r\nConnection: close\r\n")
        && text.matches("HTTP/1.1 ").count() == 1
        && text.ends_with('}')
}

fn wrong(what: &str, bytes: &[u8]) -> io::Error {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    io::Error::other(format!("{what}: {}", shown.escape_ascii()))
}
