//! One recorded stream, played to every request. The times between chunks are the same for all, so
//! those that wait stand in the order in which they fall due: one queue of first chunks, one of the
//! others, no heap.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use mio::net::TcpStream;
use mio::{Events, Poll};

use crate::delay::{TIMER, ended, now, set, timer};
use crate::{BUFFER, Counted, LISTENER, Requests, accept, listen, place};

/// The chunk of a stream that comes next.
#[derive(Clone, Copy)]
struct Due {
    at: u64,
    slot: u32,
    /// Which connection of that slot: the stream of one that has closed is not its successor's.
    number: u32,
    chunk: u32,
}

struct Connection {
    socket: TcpStream,
    requests: Counted,
    number: u32,
}

/// Plays `recorded`, its first chunk `ttft` nanoseconds after the request was read and the others
/// `itl` nanoseconds apart. A client that reads so little that a chunk cannot be written whole is
/// dropped.
pub fn run(recorded: &[u8], request_bytes: usize, ttft: u64, itl: u64) -> io::Result<()> {
    let chunks = cut(recorded).ok_or(ErrorKind::InvalidData)?;
    let mut buffer = vec![0; BUFFER];
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let timer = timer(&poll)?;
    let listener = listen(&poll)?;
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut accepted = 0;
    let mut first: VecDeque<Due> = VecDeque::new();
    let mut others: VecDeque<Due> = VecDeque::new();
    let mut rings = 0;

    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                // What is due is looked for after every wake-up.
                TIMER => continue,
                LISTENER => {
                    accept(&poll, &listener, |slot, socket| {
                        accepted += 1;
                        let connection = Connection {
                            socket,
                            requests: Counted {
                                request_bytes,
                                begun: 0,
                            },
                            number: accepted,
                        };
                        place(&mut connections, slot, connection);
                    })?;
                    continue;
                }
                _ => {}
            }
            let slot = event.token().0;
            let Some(connection) = &mut connections[slot] else {
                continue;
            };
            let received = connection.receive(&mut buffer, event.is_read_closed(), |number| {
                first.push_back(Due {
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
        let next = loop {
            let queue = match (first.front(), others.front()) {
                (Some(one), Some(other)) if one.at <= other.at => &mut first,
                (_, Some(_)) => &mut others,
                _ => &mut first,
            };
            let Some(&due) = queue.front() else {
                break None;
            };
            if due.at > now {
                break Some(due.at);
            }
            queue.pop_front();
            let slot = due.slot as usize;
            let Some(connection) = &mut connections[slot] else {
                continue;
            };
            if connection.number != due.number {
                continue;
            }
            let chunk = &recorded[chunks[due.chunk as usize].clone()];
            if !matches!(connection.socket.write(chunk), Ok(written) if written == chunk.len()) {
                connections[slot] = None;
            } else if due.chunk as usize + 1 < chunks.len() {
                others.push_back(Due {
                    at: due.at + itl,
                    chunk: due.chunk + 1,
                    ..due
                });
            }
        };
        if let Some(next) = next
            && (rings <= now || next < rings)
        {
            rings = next;
            set(&timer, rings)?;
        }
    }
}

impl Connection {
    /// Reads what is there; hands out its number for every request completed.
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

/// Where to cut the recorded bytes, each piece for one write: the head goes with the first chunk,
/// the chunk of no bytes with the one before it. None where this is no stream in chunks.
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
