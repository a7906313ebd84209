//! One stream on each connection, and when each of its tokens came.
//!
//! Lateness is the time from just before the request was written until the token's event was read,
//! less the token's time in the stream: what the client itself adds counts against the server, so
//! no token looks early that is not.

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
    /// Over how long the requests are spread; zero sends them one right after another.
    pub spread: Duration,
    /// This server is stopped while they are sent, so that it finds them all at once. Sent one
    /// after another they reach it about as fast as it writes tokens, and then chance decides
    /// whether it sleeps between tokens, which costs more than a token.
    pub burst: Option<Pid>,
}

impl Pacing {
    fn due(&self, token: usize) -> Duration {
        self.ttft + self.itl * token as u32
    }
}

/// The event before the first token's has the role.
const BEFORE: usize = 1;
/// The events after the last token's: the finish reason and the `[DONE]`.
const AFTER: usize = 2;

struct Stream {
    connection: Connection,
    asked: Instant,
    /// Events that came whole.
    events: usize,
    /// True if the last byte may be the first of an event's two line feeds.
    line_ended: bool,
    done: bool,
}

/// Asks for all streams while the server is stopped.
fn burst(streams: &mut [Stream], request: &[u8], server: Pid) -> io::Result<()> {
    kill_process(server, Signal::STOP)?;
    for stream in &mut *streams {
        stream.connection.ask(request)?;
    }
    let asked = Instant::now();
    for stream in streams {
        stream.asked = asked;
    }
    kill_process(server, Signal::CONT)?;
    Ok(())
}

/// Runs all streams to their ends, and reports.
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
    // Room for all samples at once: growing would hold the loop up.
    let mut late = vec![Vec::with_capacity(connections); pacing.tokens];
    let mut buffer = vec![0; 64 * 1024];
    let (mut started, mut left, mut errors, mut bytes) = (0, connections, 0, 0);

    std::thread::sleep(Duration::from_millis(50)); // for the server to have accepted all
    if let Some(server) = pacing.burst {
        burst(&mut streams, request, server)?;
        started = connections;
    }
    let begin = Instant::now();
    let gives_up = begin + pacing.spread + pacing.due(pacing.tokens) + PATIENCE;
    while left > 0 && Instant::now() < gives_up {
        while started < connections
            && begin.elapsed() >= pacing.spread.mul_f64(started as f64 / connections as f64)
        {
            let stream = &mut streams[started];
            stream.asked = Instant::now();
            stream.connection.ask(request)?;
            started += 1;
        }
        // It must not sleep by a timeout, which is too coarse: until all have started it looks
        // again and again. Afterwards events wake it; only if none comes, the second does.
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
                    left -= usize::from(stream.done);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) if stream.done => errors += 1,
                Err(_) => {
                    stream.done = true;
                    left -= 1;
                    errors += 1;
                }
            }
        }
    }
    let mut report = report(late, pacing);
    report["streams"] = json!(connections);
    report["errors"] = json!(errors + left);
    report["bytes"] = json!(bytes);
    report["seconds"] = json!(begin.elapsed().as_secs_f64());
    Ok(report)
}

impl Stream {
    fn new(connection: Connection) -> Stream {
        Stream {
            connection,
            asked: Instant::now(),
            events: 0,
            line_ended: false,
            done: false,
        }
    }

    /// Reads what is there and notes the tokens in it; gives how many bytes it was.
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
            // After the read: a later token may have come between the wake-up and the read.
            let since = self.asked.elapsed().as_nanos() as i64;
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

    /// Counts the events that end in these bytes. Two line feeds in a row occur nowhere else: lines
    /// of HTTP end with CR LF.
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
