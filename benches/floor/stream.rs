//! One recorded stream, played to every request. The times between chunks are the same for all, so
//! those that wait stand in the order in which they fall due: one queue of first chunks, one of the
//! others, no heap.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use mio::Events;
use mio::net::TcpStream;

use crate::delay::{Clocked, ended, now, set};
use crate::{BUFFER, Counted, Requests};

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

/// A recorded stream: the bytes, the places to cut them, and the time between chunks.
struct Recording<'a> {
    bytes: &'a [u8],
    chunks: Vec<Range<usize>>,
    itl: u64,
}

/// The chunks that wait: the first of each stream, and the others.
#[derive(Default)]
struct Queues {
    first: VecDeque<Due>,
    others: VecDeque<Due>,
}

/// Plays `recorded`, its first chunk `ttft` nanoseconds after the request was read and the others
/// `itl` nanoseconds apart. A client that reads so little that a chunk cannot be written whole is
/// dropped.
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
    let mut rings = 0;

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
            if clocked.takes(event.token(), &mut connections, connection)? {
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
            && (rings <= now || next < rings)
        {
            rings = next;
            set(&clocked.timer, rings)?;
        }
    }
}

impl Queues {
    /// The one whose first chunk is due first.
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
    /// Plays all that is due; gives when the next chunk is.
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
            let place = &mut connections[due.slot as usize];
            let Some(connection) = place else {
                continue;
            };
            if connection.number != due.number {
                continue;
            }
            let chunk = &self.bytes[self.chunks[due.chunk as usize].clone()];
            if !matches!(connection.socket.write(chunk), Ok(written) if written == chunk.len()) {
                *place = None;
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

/// Cuts the recorded bytes into pieces, each for one write: the head goes with the first chunk, and
/// the empty chunk with the one before it. Returns `None` if they are not a chunked stream.
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
