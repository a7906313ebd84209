//! A server that replays one recorded stream to every request. The times between chunks are the
//! same for all streams, so two queues suffice and no heap is needed: one of first chunks, and one
//! of all others.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use mio::Events;
use mio::net::TcpStream;

use crate::delay::{Clocked, ended, now, set};
use crate::{BUFFER, Counted, Requests};

/// The next chunk of a stream.
#[derive(Clone, Copy)]
struct Due {
    at: u64,
    slot: u32,
    /// The number of the connection, because another one may be in that slot by then.
    number: u32,
    chunk: u32,
}

struct Connection {
    socket: TcpStream,
    requests: Counted,
    number: u32,
}

/// A recorded stream, with the ranges of its chunks and the nanoseconds between them.
struct Recording<'a> {
    bytes: &'a [u8],
    chunks: Vec<Range<usize>>,
    itl: u64,
}

/// The chunks that are not due yet: the first of each stream, and the others.
#[derive(Default)]
struct Queues {
    first: VecDeque<Due>,
    others: VecDeque<Due>,
}

/// Replays `recorded`: the first chunk `ttft` nanoseconds after the request was read, and the
/// others `itl` nanoseconds apart. If a client reads so slowly that a chunk can't be written at
/// once, its connection is closed.
pub fn run(recorded: &[u8], request_bytes: usize, ttft: u64, itl: u64) -> io::Result<()> {
    let recording = Recording {
        bytes: recorded,
        chunks: cut(recorded).ok_or(ErrorKind::InvalidData)?,
        itl,
    };
    let mut buffer = vec![0; BUFFER];
    let mut events = Events::with_capacity(1024);
    let mut clocked = Clocked::new(request_bytes)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut queues = Queues::default();
    let mut set_for = 0;

    loop {
        match clocked.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let connection = |socket, requests, number| Connection {
                socket,
                requests,
                number,
            };
            if clocked.handle(event.token(), &mut connections, connection)? {
                continue;
            }
            let slot = event.token().0;
            let Some(connection) = &mut connections[slot] else {
                continue;
            };
            let received = connection.receive(&mut buffer, event.is_read_closed(), |number| {
                queues.first.push_back(Due {
                    at: now() + ttft,
                    slot: slot as u32,
                    number,
                    chunk: 0,
                });
            });
            if ended(received) {
                connections[slot] = None;
            }
        }

        let now = now();
        let next = recording.play(&mut queues, &mut connections, now);
        if let Some(next) = next
            && (set_for <= now || next < set_for)
        {
            set_for = next;
            set(&clocked.timer, set_for)?;
        }
    }
}

impl Queues {
    /// Returns the queue whose first chunk is due earlier.
    #[inline]
    fn earlier(&mut self) -> &mut VecDeque<Due> {
        match (self.first.front(), self.others.front()) {
            (Some(one), Some(other)) if one.at <= other.at => &mut self.first,
            (_, Some(_)) => &mut self.others,
            _ => &mut self.first,
        }
    }
}

impl Recording<'_> {
    /// Sends all chunks that are due, and returns when the next one is.
    #[inline]
    fn play(
        &self,
        queues: &mut Queues,
        connections: &mut [Option<Connection>],
        now: u64,
    ) -> Option<u64> {
        loop {
            let queue = queues.earlier();
            let &due = queue.front()?;
            if due.at > now {
                return Some(due.at);
            }
            queue.pop_front();
            let slot = &mut connections[due.slot as usize];
            let Some(connection) = slot else {
                continue;
            };
            if connection.number != due.number {
                continue;
            }
            let chunk = &self.bytes[self.chunks[due.chunk as usize].clone()];
            if !matches!(connection.socket.write(chunk), Ok(written) if written == chunk.len()) {
                *slot = None;
            } else if due.chunk as usize + 1 < self.chunks.len() {
                queues.others.push_back(Due {
                    at: due.at + self.itl,
                    chunk: due.chunk + 1,
                    ..due
                });
            }
        }
    }
}

impl Connection {
    /// Reads all available data, and calls `request` for every completed request.
    fn receive(
        &mut self,
        buffer: &mut [u8],
        ending: bool,
        mut request: impl FnMut(u32),
    ) -> io::Result<()> {
        loop {
            let read = self.socket.read(buffer)?;
            if read == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            for _ in 0..self.requests.take(&buffer[..read]) {
                request(self.number);
            }
            // As in `Connection::turn` of the other floors.
            if read < buffer.len() && !ending {
                return Ok(());
            }
        }
    }
}

/// Splits the recorded bytes into ranges that are each written at once: the head with the first
/// chunk, and the empty chunk with the one before it. Returns `None` if they are not a chunked
/// stream.
fn cut(recorded: &[u8]) -> Option<Vec<Range<usize>>> {
    let head = recorded.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut at = head;
    loop {
        let rest = &recorded[at..];
        let line = rest.iter().position(|&byte| byte == b'\n')? + 1;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        let begin = if pieces.is_empty() { 0 } else { at };
        at = (at + line).checked_add(size)?.checked_add(2)?;
        if at > recorded.len() {
            return None;
        }
        if size == 0 {
            pieces.last_mut()?.end = at;
            return Some(pieces);
        }
        pieces.push(begin..at);
    }
}
