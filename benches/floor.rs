//! The floor that the server is compared with: the least work for the same bytes that a correct
//! program can do on the same event loop. `floor serve` parses nothing: it counts bytes, and for
//! each complete request it sends a recorded response, with one write per read. `floor drop` reads
//! and discards the bodies of uploads. `floor delay` is `floor serve` with each response a fixed
//! time after its request. `floor stream` replays a recorded stream chunk by chunk.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

#[cfg(target_os = "linux")]
#[path = "floor/delay.rs"]
mod delay;
#[cfg(target_os = "linux")]
#[path = "floor/stream.rs"]
mod stream;

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const USAGE: &str = "usage: floor serve --request-bytes N --response FILE, \
    floor delay --request-bytes N --response FILE --millis M, \
    floor stream --request-bytes N --response FILE --millis TTFT --itl MS or \
    floor drop [--buffer BYTES]; a server, not a benchmark; run by scripts/measure";

/// The size of a read in bytes.
const BUFFER: usize = 16 * 1024;

/// The response to an upload.
const DROP_RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench` to whatever it runs as a benchmark.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let command = args.next().unwrap_or_default();
    if !["serve", "drop", "delay", "stream"].contains(&command.as_str()) {
        // `cargo bench` runs every bench target with the same name filter, and none may fail.
        println!("{USAGE}");
        return Ok(());
    }

    let mut request_bytes = 0;
    let mut response = Vec::new();
    let mut buffer = BUFFER;
    let mut millis = 0.0;
    let mut itl = 0.0;
    while let Some(option) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
        match (command.as_str(), option.as_str()) {
            ("serve" | "delay" | "stream", "--request-bytes") => request_bytes = value.parse()?,
            ("serve" | "delay" | "stream", "--response") => response = std::fs::read(value)?,
            ("delay" | "stream", "--millis") => millis = value.parse()?,
            ("stream", "--itl") => itl = value.parse()?,
            ("drop", "--buffer") => buffer = value.parse()?,
            _ => return Err(format!("unknown option {option}; {USAGE}").into()),
        }
    }

    if command == "drop" {
        if buffer == 0 {
            return Err("--buffer must be above 0".into());
        }
        return Ok(run(DROP_RESPONSE, 1, buffer, Dropped::default)?);
    }
    if request_bytes == 0 || response.is_empty() {
        return Err(format!(
            "{command} needs --request-bytes above 0 and a --response that is not empty"
        )
        .into());
    }
    if command == "delay" || command == "stream" {
        let itl = (command == "stream").then_some(itl);
        return timed(&response, request_bytes, millis, itl);
    }
    // The most requests that one read can complete, including one that an earlier read began.
    let at_once = buffer / request_bytes + 1;
    Ok(run(&response, at_once, buffer, || Counted {
        request_bytes,
        begun: 0,
    })?)
}

/// Responds some milliseconds after each request. With `itl`, the milliseconds between chunks, the
/// response is a stream.
#[cfg(target_os = "linux")]
fn timed(
    response: &[u8],
    request_bytes: usize,
    millis: f64,
    itl: Option<f64>,
) -> Result<(), Box<dyn Error>> {
    let allowed = 0.0..=3_600_000.0;
    if !allowed.contains(&millis) || !allowed.contains(&itl.unwrap_or(0.0)) {
        return Err("--millis and --itl must be from 0 to 3600000".into());
    }
    let nanos = |millis: f64| (millis * 1e6) as u64;
    match itl {
        None => delay::run(response, request_bytes, nanos(millis))?,
        Some(itl) => stream::run(response, request_bytes, nanos(millis), nanos(itl))?,
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn timed(_: &[u8], _: usize, _: f64, _: Option<f64>) -> Result<(), Box<dyn Error>> {
    Err("floor delay and floor stream need Linux's timerfd".into())
}

/// The state of the requests on a connection.
trait Requests {
    /// Counts the requests that these bytes complete.
    fn take(&mut self, bytes: &[u8]) -> usize;
}

/// Requests that all have the same length.
struct Counted {
    request_bytes: usize,
    /// The bytes read of an incomplete request.
    begun: usize,
}

impl Requests for Counted {
    #[inline]
    fn take(&mut self, bytes: &[u8]) -> usize {
        let bytes = self.begun + bytes.len();
        self.begun = bytes % self.request_bytes;
        bytes / self.request_bytes
    }
}

/// Requests with a Content-Length, whose bodies are discarded.
#[derive(Default)]
struct Dropped {
    /// The bytes read of the head; empty within a body.
    head: Vec<u8>,
    /// The bytes of the body that have not arrived; 0 within a head.
    body_remaining: usize,
}

impl Requests for Dropped {
    fn take(&mut self, mut bytes: &[u8]) -> usize {
        let mut completed = 0;
        while !bytes.is_empty() {
            if self.body_remaining == 0 {
                let before = self.head.len();
                self.head.extend_from_slice(bytes);
                let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else {
                    break;
                };
                let end = end + 4;
                self.body_remaining = content_length(&self.head[..end]);
                self.head.clear();
                bytes = &bytes[end - before..];
            }
            let dropped = self.body_remaining.min(bytes.len());
            bytes = &bytes[dropped..];
            self.body_remaining -= dropped;
            completed += usize::from(self.body_remaining == 0);
        }
        completed
    }
}

fn content_length(head: &[u8]) -> usize {
    String::from_utf8_lossy(head)
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

struct Connection<R> {
    stream: TcpStream,
    requests: R,
    /// The bytes of responses that remain to be written.
    owed: usize,
}

/// One response, repeated as often as a single write may need it.
struct Responses {
    bytes: Vec<u8>,
    one: usize,
}

impl Responses {
    fn new(response: &[u8], at_once: usize) -> Responses {
        Responses {
            bytes: response.repeat(at_once),
            one: response.len(),
        }
    }

    /// Returns the bytes to write if this many are owed. They end where a response ends, so their
    /// number determines where in a response they begin.
    #[inline]
    fn owed(&self, owed: usize) -> &[u8] {
        let begin = (self.one - owed % self.one) % self.one;
        let end = self.bytes.len().min(begin + owed);
        &self.bytes[begin..end]
    }
}

impl<R> Connection<R> {
    /// Writes everything that is owed.
    #[inline]
    fn write(&mut self, responses: &Responses) -> io::Result<()> {
        while self.owed > 0 {
            self.owed -= self.stream.write(responses.owed(self.owed))?;
        }
        Ok(())
    }
}

impl<R: Requests> Connection<R> {
    /// Reads and responds until an operation would block. Any other error ends the connection.
    #[inline]
    fn turn(&mut self, responses: &Responses, buffer: &mut [u8], ending: bool) -> io::Result<()> {
        let mut drained = false;
        loop {
            // Nothing is read while responses are owed, so a client that does not read them takes
            // no memory here.
            self.write(responses)?;
            if drained {
                return Ok(());
            }
            let read = self.stream.read(buffer)?;
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.owed = self.requests.take(&buffer[..read]) * responses.one;
            // A read that did not fill the buffer took everything, and more data is a new event.
            // An end that had already arrived causes no further event, so read up to it.
            drained = read < buffer.len() && !ending;
        }
    }
}

const LISTENER: Token = Token(usize::MAX);

/// Listens on a port that the kernel chooses, and prints it.
fn listen(poll: &Poll) -> io::Result<TcpListener> {
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("floor listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Accepts all pending connections, and passes each on with its slot: the file descriptor, which is
/// the lowest free one, so that the slots stay dense.
fn accept(
    poll: &Poll,
    listener: &TcpListener,
    mut accepted: impl FnMut(usize, TcpStream),
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        stream.set_nodelay(true)?;
        let slot = stream.as_raw_fd() as usize;
        // Registered once for both, since events are edge-triggered: a connection that stays
        // writable causes none.
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(slot), both)?;
        accepted(slot, stream);
    }
}

/// Stores a connection in its slot.
fn store<T>(slots: &mut Vec<Option<T>>, slot: usize, connection: T) {
    if slots.len() <= slot {
        slots.resize_with(slot + 1, || None);
    }
    slots[slot] = Some(connection);
}

fn run<R: Requests>(
    response: &[u8],
    at_once: usize,
    buffer: usize,
    requests: impl Fn() -> R,
) -> io::Result<()> {
    let responses = Responses::new(response, at_once);
    let mut buffer = vec![0; buffer];
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let listener = listen(&poll)?;
    // An event of a connection that was closed earlier in the same batch finds an empty slot, or
    // the next connection in that slot, whose read then at worst would block.
    let mut connections: Vec<Option<Connection<R>>> = Vec::new();

    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&poll, &listener, |slot, stream| {
                    let connection = Connection {
                        stream,
                        requests: requests(),
                        owed: 0,
                    };
                    store(&mut connections, slot, connection);
                })?;
                continue;
            }
            let slot = event.token().0;
            let Some(connection) = &mut connections[slot] else {
                continue;
            };
            match connection.turn(&responses, &mut buffer, event.is_read_closed()) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => connections[slot] = None,
                _ => {}
            }
        }
    }
}
