//! A server that sends each response a fixed time after it read the request. Since that time is the
//! same for all, responses are due in the order of their requests, so a queue suffices and no heap
//! is needed.
//!
//! A timerfd wakes the poll. It need not be read, because it is registered edge-triggered, and
//! setting it again causes the next edge. It is set to absolute times, so it fires at once if the
//! time has passed.

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

use crate::{BUFFER, Connection, Counted, LISTENER, Requests, Responses, accept, listen, store};

const TIMER: Token = Token(usize::MAX - 1);
const SECOND: u64 = 1_000_000_000;

/// The responses to the requests that one read completed.
struct Waiting {
    due: u64,
    slot: u32,
    /// The number of the connection, because another one may be in that slot by then.
    number: u32,
    bytes: usize,
}

struct Numbered {
    connection: Connection<Counted>,
    number: u32,
}

/// The poll and the timer of a floor that delays its responses.
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

    /// Handles an event of the timer or the listener; returns false for one of a connection. New
    /// connections are made with `connection` and numbered.
    #[inline]
    pub fn handle<T>(
        &mut self,
        token: Token,
        connections: &mut Vec<Option<T>>,
        connection: impl Fn(TcpStream, Counted, u32) -> T,
    ) -> io::Result<bool> {
        match token {
            // The caller checks the queue after every wake-up.
            TIMER => Ok(true),
            LISTENER => {
                accept(&self.poll, &self.listener, |slot, stream| {
                    self.accepted += 1;
                    let requests = Counted {
                        request_bytes: self.request_bytes,
                        begun: 0,
                    };
                    store(
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

/// Responds `delay` nanoseconds after each request. Reads even while responses wait; they take
/// memory only for a client that keeps sending within the delay.
pub fn run(response: &[u8], request_bytes: usize, delay: u64) -> io::Result<()> {
    let responses = Responses::new(response, BUFFER / request_bytes + 1);
    let mut buffer = vec![0; BUFFER];
    let mut events = Events::with_capacity(1024);
    let mut clocked = Clocked::new(request_bytes)?;
    let mut connections: Vec<Option<Numbered>> = Vec::new();
    let mut queue: VecDeque<Waiting> = VecDeque::new();
    let mut set_for = 0;

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
            if clocked.handle(event.token(), &mut connections, connection)? {
                continue;
            }
            let slot = event.token().0;
            let Some(Numbered { connection, number }) = &mut connections[slot] else {
                continue;
            };
            let ending = event.is_read_closed();
            let received = receive(connection, &responses, &mut buffer, ending, |bytes| {
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
            if ended(connection.write(&responses)) {
                connections[slot] = None;
            }
        }
        // A timer that has not fired yet will fire no later than the first response is due.
        if set_for <= now
            && let Some(first) = queue.front()
        {
            set_for = first.due;
            set(&clocked.timer, set_for)?;
        }
    }
}

/// Reads all available data, and reports the bytes of responses that each read is due.
#[inline]
fn receive(
    connection: &mut Connection<Counted>,
    responses: &Responses,
    buffer: &mut [u8],
    ending: bool,
    mut request: impl FnMut(usize),
) -> io::Result<()> {
    connection.write(responses)?;
    loop {
        let read = connection.stream.read(buffer)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let completed = connection.requests.take(&buffer[..read]);
        if completed > 0 {
            request(completed * responses.one);
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

/// Returns a timer that is registered with the poll as `TIMER`.
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
