//! The client of scripts/delay, scripts/verdict and scripts/compare: measures how late the answers
//! of a server with a fixed delay are. C connections in a closed loop; one thread, which sleeps in
//! the kernel between answers. Or, with a rate, an open loop: requests are due at even times,
//! whatever the answers do, and the thread never sleeps.
//!
//! Lateness is the time from just before a request was written, or from when it was due in an open
//! loop, until its answer was seen, less the delay: what the client itself adds counts against the
//! server, so no answer looks early that is not.

mod client;

use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Poll};

use client::{ANSWER_BEGINS, PATIENCE, WARM_UP, connect, quantile};

const USAGE: &str = "late: a client, not a benchmark; run by scripts/delay, scripts/verdict and \
    scripts/compare as `late --url URL --request FILE --answer-bytes N --connections C \
    --seconds S --millis M [--rate R]`";

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo passes `--bench` to whatever it runs as a benchmark.
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let mut client = Client {
        request: Vec::new(),
        answer_bytes: 0,
        delay: Duration::ZERO,
        gap: None,
        counted: Duration::ZERO,
        open: Vec::new(),
        outstanding: 0,
        sent: 0,
        errors: 0,
        late: Vec::new(),
    };
    let mut url = String::new();
    let mut connections: usize = 0;
    while let Some(option) = args.next() {
        let Some(value) = args.next().filter(|_| option.starts_with("--")) else {
            // `cargo bench` runs every bench target, with the name filter meant for the others.
            break;
        };
        match option.as_str() {
            "--url" => url = value,
            "--request" => client.request = std::fs::read(value)?,
            "--answer-bytes" => client.answer_bytes = value.parse()?,
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
        || client.answer_bytes < ANSWER_BEGINS.len()
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
    /// When the outstanding request was about to be written.
    asked: Instant,
    /// Bytes of its answer still to come; 0 without a request outstanding.
    left: usize,
}

struct Client {
    request: Vec<u8>,
    answer_bytes: usize,
    delay: Duration,
    /// From one request to the next, in an open loop.
    gap: Option<Duration>,
    counted: Duration,
    /// None has failed.
    open: Vec<Option<Connection>>,
    outstanding: usize,
    /// All requests, those of the warm-up too.
    sent: usize,
    errors: usize,
    /// Of each counted answer, in nanoseconds.
    late: Vec<i64>,
}

impl Client {
    fn run(&mut self, address: SocketAddr, connections: usize) -> io::Result<()> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(connections.clamp(16, 4096));
        for at in 0..connections {
            self.open.push(Some(Connection {
                stream: connect(address, &poll, at)?,
                asked: Instant::now(),
                left: 0,
            }));
        }
        // Room for all samples at once: growing would hold the loop up.
        let seconds = self.counted.as_secs_f64();
        let most = connections as f64 * seconds / self.delay.as_secs_f64().max(1e-4);
        self.late.reserve((most * 1.1) as usize + connections);
        let mut buffer = vec![0; 64 * 1024];
        if let Some(gap) = self.gap {
            return self.arrive(gap, &mut poll, &mut events, &mut buffer);
        }
        let begin = Instant::now();
        let counts = begin + WARM_UP;
        let end = counts + self.counted;
        let gives_up = end + self.delay + PATIENCE;
        let mut started = 0;
        loop {
            // Spread over the delay, so that not all answers fall due at once.
            while started < connections
                && begin.elapsed() >= self.delay.mul_f64(started as f64 / connections as f64)
            {
                self.ask(started);
                started += 1;
            }
            // It must not sleep by a timeout, which is too coarse: until all have started it looks
            // again and again. Afterwards answers wake it; only if none comes, the second does.
            let timeout = match started < connections {
                true => Duration::ZERO,
                false => Duration::from_secs(1),
            };
            match poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            // What there is an event of was here by now. A request has no event of its answer
            // before it is sent, and an answer is one segment, so none is left over either.
            let now = Instant::now();
            for event in &events {
                let at = event.token().0;
                match self.read(at, now, now >= counts && now < end, &mut buffer) {
                    Ok(true) if now < end => self.ask(at),
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

    /// The open loop: requests are due one gap after the other, and wait where no connection is
    /// free.
    fn arrive(
        &mut self,
        gap: Duration,
        poll: &mut Poll,
        events: &mut Events,
        buffer: &mut [u8],
    ) -> io::Result<()> {
        let mut free: Vec<usize> = (0..self.open.len()).collect();
        let begin = Instant::now();
        let counts = begin + WARM_UP;
        let end = counts + self.counted;
        let gives_up = end + self.delay + PATIENCE;
        let mut due = begin;
        loop {
            let now = Instant::now();
            while due <= now && due < end {
                let Some(at) = free.pop() else { break };
                self.ask_for(at, due);
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

    /// Sends a request, if the connection still lives.
    fn ask(&mut self, at: usize) {
        self.ask_for(at, Instant::now());
    }

    /// The same; its answer's time counts from when it was due.
    fn ask_for(&mut self, at: usize, due: Instant) {
        let Some(connection) = &mut self.open[at] else {
            return;
        };
        connection.asked = due;
        connection.left = self.answer_bytes;
        self.outstanding += 1;
        self.sent += 1;
        // It is small and the connection has nothing else to send: a part only is an error.
        if !matches!(connection.stream.write(&self.request), Ok(sent) if sent == self.request.len())
        {
            self.fail(at);
        }
    }

    /// Reads what is there; true if it completed the answer.
    fn read(
        &mut self,
        at: usize,
        now: Instant,
        counts: bool,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        let Some(connection) = &mut self.open[at] else {
            return Ok(false);
        };
        loop {
            let read = connection.stream.read(buffer)?;
            let begins = connection.left == self.answer_bytes;
            // The end of the connection, or bytes that nobody asked for, or another answer.
            if read == 0
                || read > connection.left
                || begins && !buffer[..read].starts_with(ANSWER_BEGINS)
            {
                return Err(ErrorKind::InvalidData.into());
            }
            if begins && counts {
                let latency = now.duration_since(connection.asked).as_nanos() as i64;
                self.late.push(latency - self.delay.as_nanos() as i64);
            }
            connection.left -= read;
            if connection.left == 0 {
                self.outstanding -= 1;
                return Ok(true);
            }
        }
    }

    fn fail(&mut self, at: usize) {
        self.errors += 1;
        if self.open[at].take().is_some_and(|gone| gone.left > 0) {
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
