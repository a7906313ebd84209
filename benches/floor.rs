//! The floor to measure the server against: the least that a correct program on the same event loop
//! can do for the same bytes. `floor serve` parses nothing: it counts bytes, and for every whole
//! request of a read it writes one recorded answer, all of them in one write. `floor drop` reads
//! bodies and keeps nothing of them, for uploads. `floor delay` is `floor serve` with every answer
//! a fixed time after its request; `floor stream` plays a recorded stream chunk by chunk. What the
//! server costs above it is the server's own.

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

const USAGE: &str = "floor: a yardstick, not a benchmark; run by scripts/load, scripts/delay, \
    scripts/streams, scripts/upload, scripts/verdict and scripts/compare as \
    `floor serve --request-bytes N --answer FILE`, \
    `floor delay --request-bytes N --answer FILE --millis M`, \
    `floor stream --request-bytes N --answer FILE --millis TTFT --itl MS` or \
    `floor drop [--buffer BYTES]`";

const BUFFER: usize = 16 * 1024;

const DROP_ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench` to whatever it runs as a benchmark.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let command = args.next().unwrap_or_default();
    if !["serve", "drop", "delay", "stream"].contains(&command.as_str()) {
        // `cargo bench` runs every bench target, with the name filter meant for the others if there
        // is one: neither may fail here.
        println!("{USAGE}");
        return Ok(());
    }

    let mut request_bytes = 0;
    let mut answer = Vec::new();
    let mut buffer = BUFFER;
    let mut millis = 0.0;
    let mut itl = 0.0;
    while let Some(option) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
        match (command.as_str(), option.as_str()) {
            ("serve" | "delay" | "stream", "--request-bytes") => request_bytes = value.parse()?,
            ("serve" | "delay" | "stream", "--answer") => answer = std::fs::read(value)?,
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
        return Ok(run(DROP_ANSWER, 1, buffer, Dropped::default)?);
    }
    if request_bytes == 0 || answer.is_empty() {
        return Err(
            format!("{command} needs --request-bytes above 0 and --answer with bytes").into(),
        );
    }
    if command == "delay" || command == "stream" {
        let itl = (command == "stream").then_some(itl);
        return timed(&answer, request_bytes, millis, itl);
    }
    // One read completes at most this many requests: what it holds, and one begun before.
    let at_once = buffer / request_bytes + 1;
    Ok(run(&answer, at_once, buffer, || Counted {
        request_bytes,
        begun: 0,
    })?)
}

/// Answers some milliseconds after each request; with `itl`, the milliseconds from chunk to chunk,
/// the answer is a stream.
#[cfg(target_os = "linux")]
fn timed(
    answer: &[u8],
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
        None => delay::run(answer, request_bytes, nanos(millis))?,
        Some(itl) => stream::run(answer, request_bytes, nanos(millis), nanos(itl))?,
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn timed(_: &[u8], _: usize, _: f64, _: Option<f64>) -> Result<(), Box<dyn Error>> {
    Err("floor delay and floor stream need Linux's timerfd".into())
}

/// The state of the requests on a connection.
trait Requests {
    /// Takes what was read; gives how many requests it completed.
    fn take(&mut self, bytes: &[u8]) -> usize;
}

/// Requests of one known length.
struct Counted {
    request_bytes: usize,
    /// Bytes of the request begun and not complete.
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

/// Requests with a Content-Length, whose bodies nobody keeps.
#[derive(Default)]
struct Dropped {
    /// The head as far as it was read; empty in a body.
    head: Vec<u8>,
    /// Bytes of the body still to come; 0 in a head.
    body_left: usize,
}

impl Requests for Dropped {
    fn take(&mut self, mut bytes: &[u8]) -> usize {
        let mut completed = 0;
        while !bytes.is_empty() {
            if self.body_left == 0 {
                let before = self.head.len();
                self.head.extend_from_slice(bytes);
                let Some(end) = self.head.windows(4).position(|four| four == b"\r\n\r\n") else {
                    break;
                };
                let end = end + 4;
                self.body_left = content_length(&self.head[..end]);
                self.head.clear();
                bytes = &bytes[end - before..];
            }
            let dropped = self.body_left.min(bytes.len());
            bytes = &bytes[dropped..];
            self.body_left -= dropped;
            completed += usize::from(self.body_left == 0);
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
    /// Bytes of answers still to be written.
    owed: usize,
}

/// One answer, repeated as often as one write may need it.
struct Answers {
    bytes: Vec<u8>,
    one: usize,
}

impl Answers {
    fn new(answer: &[u8], at_once: usize) -> Answers {
        Answers {
            bytes: answer.repeat(at_once),
            one: answer.len(),
        }
    }

    /// The bytes to write when this many are owed. They end with an answer's end, so the count
    /// alone says where in an answer they begin.
    #[inline]
    fn owed(&self, owed: usize) -> &[u8] {
        let begin = (self.one - owed % self.one) % self.one;
        let end = self.bytes.len().min(begin + owed);
        &self.bytes[begin..end]
    }
}

impl<R> Connection<R> {
    /// Writes what is owed.
    #[inline]
    fn write(&mut self, answers: &Answers) -> io::Result<()> {
        while self.owed > 0 {
            self.owed -= self.stream.write(answers.owed(self.owed))?;
        }
        Ok(())
    }
}

impl<R: Requests> Connection<R> {
    /// Answers what can be read and written now. An error is the connection's end.
    #[inline]
    fn turn(&mut self, answers: &Answers, buffer: &mut [u8], ending: bool) -> io::Result<()> {
        let mut drained = false;
        loop {
            // Nothing more is read while answers are owed, so a client that does not read its
            // answers costs no memory here.
            self.write(answers)?;
            if drained {
                return Ok(());
            }
            let read = self.stream.read(buffer)?;
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.owed = self.requests.take(&buffer[..read]) * answers.one;
            // Less than there was room for is all there was, and more will be a new event. Only an
            // end that was there already makes none: then read on to it.
            drained = read < buffer.len() && !ending;
        }
    }
}

const LISTENER: Token = Token(usize::MAX);

/// Listens on a port of the kernel's choice, and says on which.
fn listen(poll: &Poll) -> io::Result<TcpListener> {
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("floor listening on http://{}", listener.local_addr()?);
    Ok(listener)
}

/// Accepts whoever waits, and gives each with its place. By file descriptor: the kernel gives the
/// lowest free one, so this stays dense.
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
        // Both at once and for good: a connection that can write makes no events of it.
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(slot), both)?;
        accepted(slot, stream);
    }
}

/// Puts a connection into its place.
fn place<T>(places: &mut Vec<Option<T>>, slot: usize, connection: T) {
    if places.len() <= slot {
        places.resize_with(slot + 1, || None);
    }
    places[slot] = Some(connection);
}

fn run<R: Requests>(
    answer: &[u8],
    at_once: usize,
    buffer: usize,
    requests: impl Fn() -> R,
) -> io::Result<()> {
    let answers = Answers::new(answer, at_once);
    let mut buffer = vec![0; buffer];
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let listener = listen(&poll)?;
    // An event of a connection closed earlier in the same batch finds nothing, or its successor,
    // which then reads or is told that it would block.
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
                    place(&mut connections, slot, connection);
                })?;
                continue;
            }
            let slot = event.token().0;
            let Some(connection) = &mut connections[slot] else {
                continue;
            };
            match connection.turn(&answers, &mut buffer, event.is_read_closed()) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => connections[slot] = None,
                _ => {}
            }
        }
    }
}
