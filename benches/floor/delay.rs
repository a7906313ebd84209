//! Every answer a fixed time after its request was read. Because the time is the same for all, the
//! answers that wait stand in the order in which they fall due: one queue, no heap.
//!
//! A timerfd wakes the poll. It is never read: it is registered edge-triggered, and setting it anew
//! makes the next edge. It is set to absolute times, so one that has passed rings at once.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use mio::net::{TcpListener, TcpStream};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

use crate::{Answers, BUFFER, Connection, Counted, LISTENER, Requests, accept, listen, place};

const TIMER: Token = Token(usize::MAX - 1);
const SECOND: u64 = 1_000_000_000;

/// Answers to what one read brought.
struct Waiting {
    due: u64,
    slot: u32,
    /// Which connection of that slot: the answers of one that has closed are not its successor's.
    number: u32,
    bytes: usize,
}

struct Numbered {
    connection: Connection<Counted>,
    number: u32,
}

/// The poll and the clock of a floor that delays its responses.
pub struct Clocked {
    pub poll: Poll,
    pub timer: OwnedFd,
    listener: TcpListener,
    request_bytes: usize,
    accepted: u32,
}

impl Clocked {
    pub fn new(request_bytes: usize) -> io::Result<Clocked> {
        let poll = Poll::new()?;
        Ok(Clocked {
            timer: timer(&poll)?,
            listener: listen(&poll)?,
            poll,
            request_bytes,
            accepted: 0,
        })
    }

    /// Takes an event that is no connection's, and tells whether it was such a one. Who is accepted
    /// is made a connection with a number of its own.
    #[inline]
    pub fn takes<T>(
        &mut self,
        token: Token,
        connections: &mut Vec<Option<T>>,
        connection: impl Fn(TcpStream, Counted, u32) -> T,
    ) -> io::Result<bool> {
        match token {
            // What is due is looked for after every wake-up.
            TIMER => Ok(true),
            LISTENER => {
                accept(&self.poll, &self.listener, |slot, stream| {
                    self.accepted += 1;
                    let requests = Counted {
                        request_bytes: self.request_bytes,
                        begun: 0,
                    };
                    place(
                        connections,
                        slot,
                        connection(stream, requests, self.accepted),
                    );
                })?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

/// Serves, `delay` nanoseconds late. Reads also while answers wait; only a client that sends
/// without end and reads nothing within the delay costs memory here.
pub fn run(answer: &[u8], request_bytes: usize, delay: u64) -> io::Result<()> {
    let answers = Answers::new(answer, BUFFER / request_bytes + 1);
    let mut buffer = vec![0; BUFFER];
    let mut events = Events::with_capacity(1024);
    let mut clocked = Clocked::new(request_bytes)?;
    let mut connections: Vec<Option<Numbered>> = Vec::new();
    let mut queue: VecDeque<Waiting> = VecDeque::new();
    let mut rings = 0;

    loop {
        match clocked.poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let connection = |stream, requests, number| Numbered {
                connection: Connection {
                    stream,
                    requests,
                    owed: 0,
                },
                number,
            };
            if clocked.takes(event.token(), &mut connections, connection)? {
                continue;
            }
            let slot = event.token().0;
            let Some(Numbered { connection, number }) = &mut connections[slot] else {
                continue;
            };
            let ending = event.is_read_closed();
            let received = receive(connection, &answers, &mut buffer, ending, |bytes| {
                queue.push_back(Waiting {
                    due: now() + delay,
                    slot: slot as u32,
                    number: *number,
                    bytes,
                });
            });
            if ended(received) {
                connections[slot] = None;
            }
        }

        let now = now();
        while queue.front().is_some_and(|waiting| waiting.due <= now)
            && let Some(waiting) = queue.pop_front()
        {
            let slot = waiting.slot as usize;
            let Some(Numbered { connection, number }) = &mut connections[slot] else {
                continue;
            };
            if *number != waiting.number {
                continue;
            }
            connection.owed += waiting.bytes;
            if ended(connection.write(&answers)) {
                connections[slot] = None;
            }
        }
        // While its time is still to come, it rings before the queue's first is due, or with it.
        if rings <= now
            && let Some(first) = queue.front()
        {
            rings = first.due;
            set(&clocked.timer, rings)?;
        }
    }
}

/// Reads what is there; tells how many bytes of answers each read is worth.
#[inline]
fn receive(
    connection: &mut Connection<Counted>,
    answers: &Answers,
    buffer: &mut [u8],
    ending: bool,
    mut request: impl FnMut(usize),
) -> io::Result<()> {
    connection.write(answers)?;
    loop {
        let read = connection.stream.read(buffer)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let completed = connection.requests.take(&buffer[..read]);
        if completed > 0 {
            request(completed * answers.one);
        }
        // As in `Connection::turn`.
        if read < buffer.len() && !ending {
            return Ok(());
        }
    }
}

pub fn ended(result: io::Result<()>) -> bool {
    result.is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

/// A timer that the poll knows as `TIMER`.
fn timer(poll: &Poll) -> io::Result<OwnedFd> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    poll.registry()
        .register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
    Ok(timer)
}

pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * SECOND + time.tv_nsec as u64
}

pub fn set(timer: &impl AsFd, at: u64) -> io::Result<()> {
    let once = Itimerspec {
        it_interval: Timespec::default(),
        it_value: Timespec {
            tv_sec: (at / SECOND) as i64,
            tv_nsec: (at % SECOND) as i64,
        },
    };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &once)?;
    Ok(())
}
