//! A client that requests chat streams on many connections and reads them on one thread, for
//! `scripts/measure stream-pacing` and `scripts/measure stream-throughput`. `stream pace` records
//! when each token arrived, and `stream drain` counts complete streams. It finds the ends of events
//! and streams without parsing their content.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

mod client;
#[path = "stream/drain.rs"]
mod drain;
#[path = "stream/pace.rs"]
mod pace;

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::Poll;
use mio::net::TcpStream;
use rustix::process::Pid;

use client::{OK, connect};

const USAGE: &str = "usage: stream pace --url URL --request FILE --connections C --tokens N \
    --ttft MS --itl MS [--spread MS | --burst PID] or stream drain --url URL --request FILE \
    --connections C --seconds S; a client, not a benchmark; run by scripts/measure";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench` to whatever it runs as a benchmark.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let command = args.next().unwrap_or_default();
    if !["pace", "drain"].contains(&command.as_str()) {
        // `cargo bench` runs every bench target with the same name filter.
        println!("{USAGE}");
        return Ok(());
    }
    let mut url = String::new();
    let mut request = Vec::new();
    let mut connections = 0;
    let mut pacing = pace::Pacing::default();
    let mut counted = Duration::ZERO;
    while let Some(option) = args.next() {
        let value = args
            .next()
            .ok_or_else(|| format!("{option} needs a value"))?;
        match (command.as_str(), option.as_str()) {
            (_, "--url") => url = value,
            (_, "--request") => request = std::fs::read(value)?,
            (_, "--connections") => connections = value.parse()?,
            ("pace", "--tokens") => pacing.tokens = value.parse()?,
            ("pace", "--ttft") => pacing.ttft = millis(&value)?,
            ("pace", "--itl") => pacing.itl = millis(&value)?,
            ("pace", "--spread") => pacing.spread = millis(&value)?,
            ("pace", "--burst") => pacing.burst = Pid::from_raw(value.parse()?),
            ("drain", "--seconds") => counted = Duration::try_from_secs_f64(value.parse()?)?,
            _ => return Err(format!("unknown option {option}; {USAGE}").into()),
        }
    }
    let missing = match command.as_str() {
        "pace" => pacing.tokens == 0,
        _ => counted.is_zero(),
    };
    if missing || request.is_empty() || connections == 0 {
        return Err(format!("an option is missing or 0; {USAGE}").into());
    }
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let address = address.parse()?;
    let report = match command.as_str() {
        "pace" => pace::run(address, &request, connections, &pacing)?,
        _ => drain::run(address, &request, connections, counted)?,
    };
    println!("{report}");
    Ok(())
}

fn millis(text: &str) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::try_from_secs_f64(text.parse::<f64>()? / 1e3)?)
}

/// A connection with at most one unfinished stream.
struct Connection {
    socket: TcpStream,
    /// True once bytes of the stream have arrived.
    begun: bool,
    /// The last bytes read, because the end of a stream may be split between reads.
    tail: [u8; LAST_CHUNK.len()],
}

/// The end of a chunk, and the last chunk, which is empty. Events contain no CR, so this occurs
/// only at the end of a stream.
const LAST_CHUNK: &[u8; 7] = b"\r\n0\r\n\r\n";

impl Connection {
    /// Opens a connection and registers it with the poll under the token `at`.
    fn open(address: SocketAddr, poll: &Poll, at: usize) -> io::Result<Connection> {
        Ok(Connection {
            socket: connect(address, poll, at)?,
            begun: false,
            tail: [0; LAST_CHUNK.len()],
        })
    }

    /// Sends the request. It is small and nothing else is sent, so a partial write is an error.
    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.begun = false;
        self.tail = [0; LAST_CHUNK.len()];
        match self.socket.write(request)? == request.len() {
            true => Ok(()),
            false => Err(ErrorKind::WriteZero.into()),
        }
    }

    /// Reads once. Returns the number of bytes, and whether they completed the stream.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
        let len = self.socket.read(buffer)?;
        let begins = !std::mem::replace(&mut self.begun, true);
        // The end of the connection, or another response than a 200.
        if len == 0 || begins && !buffer[..len].starts_with(OK) {
            return Err(ErrorKind::InvalidData.into());
        }
        let kept = self.tail.len();
        let new = len.min(kept);
        self.tail.rotate_left(new);
        self.tail[kept - new..].copy_from_slice(&buffer[len - new..len]);
        Ok((len, self.tail == *LAST_CHUNK))
    }
}
