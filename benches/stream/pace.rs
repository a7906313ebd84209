//! Reads one stream on each connection and records when each of its tokens arrived.
//!
//! Lateness is the time from just before the request was written until the token's event was read,
//! minus the token's time in the stream. Any time that the client adds counts as lateness of the
//! server, so a token can't seem early unless it is.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::Connection;
use crate::client::{PATIENCE, quantile};

/// The pace of the server's streams, and the way in which requests are sent.
#[derive(Default)]
pub struct Pacing {
    pub tokens: usize,
    pub ttft: Duration,
    pub itl: Duration,
    /// The time over which the requests are spread; zero sends them one right after another.
    pub spread: Duration,
    /// The process id of a server to stop while the requests are sent, so that it receives them all
    /// at once. Without that, requests arrive about as fast as the server writes tokens, and it is
    /// up to chance whether it sleeps between tokens, which costs more than a token.
    pub burst: Option<Pid>,
}

impl Pacing {
    fn due(&self, token: usize) -> Duration {
        self.ttft + self.itl * token as u32
    }
}

/// The number of events before that of the first token: one with the role.
const BEFORE: usize = 1;
/// The number of events after that of the last token: the finish reason and `[DONE]`.
const AFTER: usize = 2;

struct Stream {
    connection: Connection,
    sent: Instant,
    /// The number of complete events.
    events: usize,
    /// True if the last byte may be the first of the two line feeds that end an event.
    line_ended: bool,
    done: bool,
}

/// Sends all requests while the server is stopped.
fn burst(streams: &mut [Stream], request: &[u8], server: Pid) -> io::Result<()> {
    kill_process(server, Signal::STOP)?;
    for stream in &mut *streams {
        stream.connection.send(request)?;
    }
    let sent = Instant::now();
    for stream in streams {
        stream.sent = sent;
    }
    kill_process(server, Signal::CONT)?;
    Ok(())
}

/// Runs all streams to their ends, and returns the report.
pub fn run(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    pacing: &Pacing,
) -> io::Result<Value> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(connections.clamp(16, 4096));
    let mut streams = Vec::new();
    for at in 0..connections {
        streams.push(Stream::new(Connection::open(address, &poll, at)?));
    }
    // Reserve space for all samples, because growing would stall the loop.
    let mut late = vec![Vec::with_capacity(connections); pacing.tokens];
    let mut buffer = vec![0; 64 * 1024];
    let (mut started, mut remaining, mut errors, mut bytes) = (0, connections, 0, 0);

    std::thread::sleep(Duration::from_millis(50)); // until the server has accepted all
    if let Some(server) = pacing.burst {
        burst(&mut streams, request, server)?;
        started = connections;
    }
    let begin = Instant::now();
    let gives_up = begin + pacing.spread + pacing.due(pacing.tokens) + PATIENCE;
    while remaining > 0 && Instant::now() < gives_up {
        while started < connections
            && begin.elapsed() >= pacing.spread.mul_f64(started as f64 / connections as f64)
        {
            let stream = &mut streams[started];
            stream.sent = Instant::now();
            stream.connection.send(request)?;
            started += 1;
        }
        // A timeout of the poll is too coarse for the start times, so poll without sleeping until
        // all have started. After that, events wake the thread.
        let timeout = match started < connections {
            true => Duration::ZERO,
            false => Duration::from_secs(1),
        };
        match poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let stream = &mut streams[event.token().0];
            match stream.read(&mut buffer, pacing, &mut late) {
                Ok(read) => {
                    bytes += read;
                    remaining -= usize::from(stream.done);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) if stream.done => errors += 1,
                Err(_) => {
                    stream.done = true;
                    remaining -= 1;
                    errors += 1;
                }
            }
        }
    }
    let mut report = report(late, pacing);
    report["streams"] = json!(connections);
    report["errors"] = json!(errors + remaining);
    report["bytes"] = json!(bytes);
    report["seconds"] = json!(begin.elapsed().as_secs_f64());
    Ok(report)
}

impl Stream {
    fn new(connection: Connection) -> Stream {
        Stream {
            connection,
            sent: Instant::now(),
            events: 0,
            line_ended: false,
            done: false,
        }
    }

    /// Reads all available data and records the tokens in it. Returns the number of bytes.
    fn read(
        &mut self,
        buffer: &mut [u8],
        pacing: &Pacing,
        late: &mut [Vec<i64>],
    ) -> io::Result<usize> {
        let mut bytes = 0;
        loop {
            let (len, ended) = match self.connection.read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && bytes > 0 => {
                    return Ok(bytes);
                }
                read => read?,
            };
            // Taken after the read, because a later token may arrive between wake-up and read.
            let since = self.sent.elapsed().as_nanos() as i64;
            bytes += len;
            for _ in 0..self.events_in(&buffer[..len]) {
                let token = self.events.wrapping_sub(BEFORE);
                if let Some(late) = late.get_mut(token) {
                    late.push(since - pacing.due(token).as_nanos() as i64);
                }
                self.events += 1;
            }
            if self.done || ended && self.events != BEFORE + pacing.tokens + AFTER {
                return Err(ErrorKind::InvalidData.into());
            }
            self.done = ended;
            if len < buffer.len() {
                return Ok(bytes);
            }
        }
    }

    /// Counts the events that end in these bytes. Two consecutive line feeds occur nowhere else,
    /// since lines of HTTP end with CR LF.
    fn events_in(&mut self, bytes: &[u8]) -> usize {
        let mut found = 0;
        for &byte in bytes {
            let ends = byte == b'\n';
            found += usize::from(ends && self.line_ended);
            self.line_ended = ends && !self.line_ended;
        }
        found
    }
}

fn report(mut late: Vec<Vec<i64>>, pacing: &Pacing) -> Value {
    for late in &mut late {
        late.sort_unstable();
    }
    let tokens = pacing.tokens;
    let drift = match (
        quantile(&late[tokens / 10], 0.5),
        quantile(&late[tokens - 1], 0.5),
    ) {
        (Some(early), Some(last)) => Some(last - early),
        _ => None,
    };
    let mut marks = vec![0, tokens / 10, tokens / 2, tokens - 1];
    marks.dedup();
    let marks: Vec<Value> = marks
        .into_iter()
        .map(|token| {
            let mut mark = spread(&late[token]);
            mark["token"] = json!(token);
            mark
        })
        .collect();
    let mut all = late.concat();
    all.sort_unstable();
    let mut report = spread(&all);
    report["tokens"] = json!(all.len());
    report["drift_us"] = json!(drift);
    report["marks"] = json!(marks);
    report
}

fn spread(sorted: &[i64]) -> Value {
    json!({
        "min_us": quantile(sorted, 0.0),
        "p50_us": quantile(sorted, 0.5),
        "p99_us": quantile(sorted, 0.99),
        "max_us": quantile(sorted, 1.0),
    })
}
