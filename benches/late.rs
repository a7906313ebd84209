//! A client that measures the lateness of responses with a fixed delay, for the cases `delay`,
//! `verdict` and `compare` of `scripts/measure`. By default each connection is a closed loop, and
//! the only thread sleeps in the kernel between responses. With a rate it is an open loop: requests
//! are due at regular times regardless of the responses, and the thread never sleeps.
//!
//! Lateness is the time from just before a request was written (in an open loop, from its due time)
//! until its response was seen, minus the delay. Any time that the client adds counts as lateness
//! of the server, so a response can't seem early unless it is.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

mod client;

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll};

use client::{OK, PATIENCE, WARM_UP, connect, quantile};

const USAGE: &str = "usage: late --url URL --request FILE --response-bytes N --connections C \
    --seconds S --millis M [--rate R]; a client, not a benchmark; run by scripts/measure";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench` to whatever it runs as a benchmark.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let mut client = Client {
        request: Vec::new(),
        response_bytes: 0,
        delay: Duration::ZERO,
        gap: None,
        counted: Duration::ZERO,
        connections: Vec::new(),
        outstanding: 0,
        sent: 0,
        errors: 0,
        late: Vec::new(),
    };
    let mut url = String::new();
    let mut connections: usize = 0;
    while let Some(option) = args.next() {
        let Some(value) = args.next().filter(|_| option.starts_with("--")) else {
            // `cargo bench` runs every bench target with the same name filter.
            break;
        };
        match option.as_str() {
            "--url" => url = value,
            "--request" => client.request = std::fs::read(value)?,
            "--response-bytes" => client.response_bytes = value.parse()?,
            "--connections" => connections = value.parse()?,
            "--rate" => {
                client.gap = Some(Duration::try_from_secs_f64(1.0 / value.parse::<f64>()?)?)
            }
            "--seconds" => client.counted = Duration::try_from_secs_f64(value.parse()?)?,
            "--millis" => client.delay = Duration::try_from_secs_f64(value.parse::<f64>()? / 1e3)?,
            _ => return Err(format!("unknown option {option}; {USAGE}").into()),
        }
    }
    if url.is_empty() {
        println!("{USAGE}");
        return Ok(());
    }
    if client.request.is_empty()
        || client.response_bytes < OK.len()
        || connections == 0
        || client.counted.is_zero()
    {
        return Err(format!("an option is missing or 0; {USAGE}").into());
    }
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    client.run(address.parse()?, connections)?;
    client.report();
    Ok(())
}

struct Connection {
    stream: TcpStream,
    /// The time from which the latency of the outstanding request counts.
    sent: Instant,
    /// The bytes of its response that have not arrived; 0 if no request is outstanding.
    remaining: usize,
}

struct Client {
    request: Vec<u8>,
    response_bytes: usize,
    delay: Duration,
    /// The time from one request to the next, in an open loop.
    gap: Option<Duration>,
    counted: Duration,
    /// `None` if the connection has failed.
    connections: Vec<Option<Connection>>,
    outstanding: usize,
    /// All requests, including those of the warm-up.
    sent: usize,
    errors: usize,
    /// The lateness of each counted response, in nanoseconds.
    late: Vec<i64>,
}

impl Client {
    fn run(&mut self, address: SocketAddr, connections: usize) -> io::Result<()> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(connections.clamp(16, 4096));
        for at in 0..connections {
            self.connections.push(Some(Connection {
                stream: connect(address, &poll, at)?,
                sent: Instant::now(),
                remaining: 0,
            }));
        }
        // Reserve space for all samples, because growing would stall the loop.
        let seconds = self.counted.as_secs_f64();
        let most = connections as f64 * seconds / self.delay.as_secs_f64().max(1e-4);
        self.late.reserve((most * 1.1) as usize + connections);
        let mut buffer = vec![0; 64 * 1024];
        if let Some(gap) = self.gap {
            return self.run_open_loop(gap, &mut poll, &mut events, &mut buffer);
        }
        let begin = Instant::now();
        let counts = begin + WARM_UP;
        let end = counts + self.counted;
        let gives_up = end + self.delay + PATIENCE;
        let mut started = 0;
        loop {
            // Spread over the delay, so that the responses are not all due at the same time.
            while started < connections
                && begin.elapsed() >= self.delay.mul_f64(started as f64 / connections as f64)
            {
                self.send(started, Instant::now());
                started += 1;
            }
            // A timeout of the poll is too coarse for the start times, so poll without sleeping
            // until all have started. After that, responses wake the thread.
            let timeout = match started < connections {
                true => Duration::ZERO,
                false => Duration::from_secs(1),
            };
            match poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            // The data of all events has arrived by now. No event can be about the response to a
            // request that is sent below, and a response is one segment, so no event remains of it.
            let now = Instant::now();
            for event in &events {
                let at = event.token().0;
                match self.read(at, now, now >= counts && now < end, &mut buffer) {
                    Ok(true) if now < end => self.send(at, Instant::now()),
                    Err(error) if error.kind() != ErrorKind::WouldBlock => self.fail(at),
                    _ => {}
                }
            }
            let done = started == connections && self.outstanding == 0;
            if done || now >= gives_up {
                self.errors += self.outstanding;
                return Ok(());
            }
        }
    }

    /// Sends requests at regular times. One that is due waits if no connection is free.
    fn run_open_loop(
        &mut self,
        gap: Duration,
        poll: &mut Poll,
        events: &mut Events,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        let mut free: Vec<usize> = (0..self.connections.len()).collect();
        let begin = Instant::now();
        let counts = begin + WARM_UP;
        let end = counts + self.counted;
        let gives_up = end + self.delay + PATIENCE;
        let mut due = begin;
        loop {
            let now = Instant::now();
            while due <= now && due < end {
                let Some(at) = free.pop() else { break };
                self.send(at, due);
                due += gap;
            }
            poll.poll(events, Some(Duration::ZERO))?;
            let now = Instant::now();
            for event in &*events {
                let at = event.token().0;
                match self.read(at, now, now >= counts && now < end, buffer) {
                    Ok(true) => free.push(at),
                    Err(error) if error.kind() != ErrorKind::WouldBlock => self.fail(at),
                    _ => {}
                }
            }
            if now >= end && self.outstanding == 0 || now >= gives_up {
                self.errors += self.outstanding;
                return Ok(());
            }
        }
    }

    /// Sends a request, unless the connection has failed. Its latency counts from `due`.
    fn send(&mut self, at: usize, due: Instant) {
        let Some(connection) = &mut self.connections[at] else {
            return;
        };
        connection.sent = due;
        connection.remaining = self.response_bytes;
        self.outstanding += 1;
        self.sent += 1;
        // The request is small and nothing else is sent, so a partial write is an error.
        if !matches!(connection.stream.write(&self.request), Ok(sent) if sent == self.request.len())
        {
            self.fail(at);
        }
    }

    /// Reads all available data. Returns whether it completed the response.
    fn read(
        &mut self,
        at: usize,
        now: Instant,
        counts: bool,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        let Some(connection) = &mut self.connections[at] else {
            return Ok(false);
        };
        loop {
            let read = connection.stream.read(buffer)?;
            let begins = connection.remaining == self.response_bytes;
            // The end of the connection, unexpected bytes, or another response than a 200.
            if read == 0 || read > connection.remaining || begins && !buffer[..read].starts_with(OK)
            {
                return Err(ErrorKind::InvalidData.into());
            }
            if begins && counts {
                let latency = now.duration_since(connection.sent).as_nanos() as i64;
                self.late.push(latency - self.delay.as_nanos() as i64);
            }
            connection.remaining -= read;
            if connection.remaining == 0 {
                self.outstanding -= 1;
                return Ok(true);
            }
        }
    }

    fn fail(&mut self, at: usize) {
        self.errors += 1;
        if self.connections[at]
            .take()
            .is_some_and(|gone| gone.remaining > 0)
        {
            self.outstanding -= 1;
        }
    }

    fn report(&mut self) {
        self.late.sort_unstable();
        let requests = self.late.len();
        let us = |share: f64| quantile(&self.late, share);
        let report = serde_json::json!({
            "requests": requests,
            "sent": self.sent,
            "errors": self.errors,
            "rps": requests as f64 / self.counted.as_secs_f64(),
            "min_us": us(0.0),
            "p50_us": us(0.5),
            "p90_us": us(0.9),
            "p99_us": us(0.99),
            "p999_us": us(0.999),
            "max_us": us(1.0),
        });
        println!("{report}");
    }
}
