//! Requests streams one after another on each connection, and reads them only to find their ends.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll};
use serde_json::{Value, json};

use crate::Connection;
use crate::client::{PATIENCE, WARM_UP};

/// The size of a read in bytes: large, so that the client makes few system calls, but small enough
/// for the second-level cache of its core.
const BUFFER: usize = 256 * 1024;

/// Runs for the warm-up and the counted time, and then until the unfinished streams end.
pub fn run(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    counted: Duration,
) -> io::Result<Value> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(connections.clamp(16, 4096));
    let mut open = Vec::new();
    for at in 0..connections {
        open.push(Some(Connection::open(address, &poll, at)?));
    }
    let mut buffer = vec![0; BUFFER];
    let (mut streams, mut all_streams, mut all_bytes, mut errors) = (0, 0, 0, 0);

    let begin = Instant::now();
    let counts = begin + WARM_UP;
    let end = counts + counted;
    for connection in open.iter_mut().flatten() {
        connection.send(request)?;
    }
    let mut remaining = connections;
    while remaining > 0 && Instant::now() < end + PATIENCE {
        match poll.poll(&mut events, Some(Duration::from_secs(1))) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let slot = &mut open[event.token().0];
            let Some(connection) = slot else { continue };
            let gone = loop {
                let (len, ended) = match connection.read(&mut buffer) {
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break false,
                    Err(_) => {
                        errors += 1;
                        break true;
                    }
                };
                all_bytes += len;
                if ended {
                    let now = Instant::now();
                    all_streams += 1;
                    streams += usize::from(now >= counts && now < end);
                    if now >= end {
                        break true;
                    }
                    connection.send(request)?;
                }
                // A read that did not fill the buffer took everything; more data is a new event.
                if len < buffer.len() {
                    break false;
                }
            };
            if gone {
                *slot = None;
                remaining -= 1;
            }
        }
    }
    Ok(json!({
        "streams": streams,
        "all_streams": all_streams,
        "all_bytes": all_bytes,
        "errors": errors + remaining,
        "counted": counted.as_secs_f64(),
        "seconds": begin.elapsed().as_secs_f64(),
    }))
}
