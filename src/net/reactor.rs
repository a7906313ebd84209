//! One core's event loop: accept, read, write, wait. Knows no bytes' meaning.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::sleep::{Alarm, Time};
use super::slots::{GENERATIONS, Live, Slot, enqueue, live, token};
use super::timer::Timer;
use crate::conn::kit::Kit;
use crate::conn::{Conn, Wish};
use crate::{Nanos, SECOND};

/// How many events one look at readiness takes at most; more are there at the next look.
const EVENTS: usize = 256;

/// How many bytes are read and written between two looks at readiness, so that uploads and big
/// answers keep nobody waiting for long: with the read that exceeds it, at most 256 KiB of one
/// connection's input. How many answers are given, the kit knows.
const BYTES_A_LOOK: isize = 240 * 1024;

/// How many connections are accepted between two looks at readiness.
const ACCEPTS_A_LOOK: u32 = 64;

/// How long accepting pauses after it failed, as it does without free descriptors.
const ACCEPT_PAUSE: Nanos = SECOND / 10;

/// How long answers in flight may take once the server is ending.
const DRAIN: Nanos = 5 * SECOND;

/// The token of the waker that says: look whether the server is ending.
pub const WAKER: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);
const FIRST_LISTENER: usize = usize::MAX - 1024;

/// One core's loop and all that it owns.
pub struct Reactor {
    poll: Poll,
    listeners: Vec<TcpListener>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    open: usize,
    timer: Timer,
    /// Who has something to do that no event will tell of again.
    ready: VecDeque<Token>,
    kit: Kit,
    time: Time,
    alarm: Alarm,
    now: Nanos,
    /// When the wall clock is to be read again: its next second.
    next_tick: Nanos,
    /// When accepting goes on after a pause.
    accept_again: Option<Nanos>,
    ending: Arc<AtomicBool>,
    drain_ends: Option<Nanos>,
    accepts_left: u32,
    /// Below 0 by what the last read or write exceeded it.
    bytes_left: isize,
}

impl Reactor {
    /// A loop over these listeners. It ends after `ending` was set and the waker woken.
    pub fn new(
        poll: Poll,
        mut listeners: Vec<TcpListener>,
        kit: Kit,
        time: Time,
        ending: Arc<AtomicBool>,
    ) -> io::Result<Reactor> {
        for (at, listener) in listeners.iter_mut().enumerate() {
            poll.registry()
                .register(listener, Token(FIRST_LISTENER + at), Interest::READABLE)?;
        }
        let alarm = Alarm::new(poll.registry(), ALARM, time)?;
        Ok(Reactor {
            poll,
            listeners,
            slots: Vec::new(),
            free: Vec::new(),
            open: 0,
            timer: Timer::default(),
            ready: VecDeque::new(),
            kit,
            time,
            alarm,
            now: 0,
            next_tick: 0,
            accept_again: None,
            ending,
            drain_ends: None,
            accepts_left: 0,
            bytes_left: 0,
        })
    }

    /// Serves until the server ends.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.is_done() {
            let patience = self.patience();
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result.expect("epoll_wait fails only for wrong arguments"),
            }
            self.woken();
            events.iter().for_each(|event| self.note(event));
            self.serve();
        }
        // What could not end in time is at least told to the raw log.
        for slot in 0..self.slots.len() as u32 {
            if self.slots[slot as usize].live.is_some() {
                self.close(self.token(slot));
            }
        }
    }

    fn is_done(&self) -> bool {
        self.drain_ends
            .is_some_and(|end| self.open == 0 || self.now >= end)
    }

    /// How long to wait for events.
    fn patience(&mut self) -> Option<Duration> {
        if !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = [self.timer.next(), self.accept_again, self.drain_ends];
        let next = next.into_iter().flatten().min();
        self.alarm.patience(next, self.now)
    }

    fn woken(&mut self) {
        self.now = self.time.now();
        if self.now >= self.next_tick {
            let wall = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            self.kit.tick(wall.as_secs() as i64);
            self.next_tick = self.now + SECOND - Nanos::from(wall.subsec_nanos());
        }
        if self.accept_again.is_some_and(|at| at <= self.now) {
            self.accept_again = None;
            (0..self.listeners.len()).for_each(|at| self.ready.push_back(listener_token(at)));
        }
        self.kit.looked();
        self.accepts_left = ACCEPTS_A_LOOK;
        self.bytes_left = BYTES_A_LOOK;
    }

    fn note(&mut self, event: &mio::event::Event) {
        let token = event.token();
        match token {
            WAKER => return self.begin_drain(),
            ALARM => return self.alarm.rang(),
            _ => {}
        }
        if token.0 >= FIRST_LISTENER {
            return self.ready.push_back(token);
        }
        let Some(live) = live(&mut self.slots, token) else {
            return;
        };
        if event.is_error() {
            // It was reset: what is still to be sent has no reader. (That both sides have closed
            // is no reset: there may be bytes to read, and closing before would reset it.)
            return self.close(token);
        }
        live.readable |= event.is_readable();
        live.half_closed |= event.is_read_closed();
        live.writable |= event.is_writable();
        enqueue(live, token, &mut self.ready);
    }

    /// Gives turns to those who are due and those who are ready, one of each after the other, until
    /// nobody is or it is time to look at readiness again.
    fn serve(&mut self) {
        while self.kit.answers_left > 0 && self.bytes_left > 0 && self.accepts_left > 0 {
            let due = self.timer.due(self.now);
            if let Some(slot) = due {
                self.fire(slot);
            }
            match self.next_ready() {
                Some(token) => match token.0.checked_sub(FIRST_LISTENER) {
                    Some(listener) => self.accept(listener),
                    None => self.turn(token),
                },
                None if due.is_none() => return,
                None => {}
            }
        }
    }

    fn next_ready(&mut self) -> Option<Token> {
        let token = self.ready.pop_front()?;
        if token.0 < FIRST_LISTENER
            && let Some(live) = live(&mut self.slots, token)
        {
            live.queued = false;
        }
        Some(token)
    }

    /// The deadline that the timer had for a connection has passed. Its own may have moved on.
    fn fire(&mut self, slot: u32) {
        let token = self.token(slot);
        let live = live(&mut self.slots, token).expect("a closed connection has no deadline");
        live.armed = Nanos::MAX;
        if live.conn.deadline() <= self.now {
            live.conn.timeout(&mut self.kit, self.now);
        }
        self.turn(token);
    }

    fn accept(&mut self, listener: usize) {
        while self.accepts_left > 0 {
            self.accepts_left -= 1;
            let Some(socket) = self.listeners.get(listener) else {
                return;
            };
            match socket.accept() {
                Ok((stream, _)) => self.accepted(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The client has gone already, or a signal came: the next may be fine.
                Err(error) if is_passing(&error) => {}
                Err(_) => {
                    self.accept_again = Some(self.now + ACCEPT_PAUSE);
                    return;
                }
            }
        }
        self.ready.push_back(listener_token(listener));
    }

    fn accepted(&mut self, mut stream: TcpStream) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() as u32 - 1
        });
        let token = self.token(slot);
        // Both can fail only for a connection that has ended; it is dropped then.
        let both = Interest::READABLE | Interest::WRITABLE;
        if stream.set_nodelay(true).is_err()
            || self
                .poll
                .registry()
                .register(&mut stream, token, both)
                .is_err()
        {
            self.free.push(slot);
            return;
        }
        let conn = Conn::new(&self.kit, self.now);
        let armed = conn.deadline();
        self.timer.set(slot, armed);
        self.open += 1;
        self.slots[slot as usize].live = Some(Live {
            stream,
            conn,
            readable: false,
            writable: true,
            half_closed: false,
            queued: false,
            armed,
        });
    }

    /// Does for one connection what can be done now: write, then read, until neither goes on or
    /// others must be looked at. By plain system calls: the C library's are points where a thread
    /// can be cancelled, which costs a process of several threads some 3 % of a request's time
    /// (`scripts/load`).
    fn turn(&mut self, token: Token) {
        let Some(live) = live(&mut self.slots, token) else {
            return;
        };
        let (kit, mut now, mut has_read) = (&mut self.kit, self.now, false);
        if live.conn.wish() == Wish::Again {
            live.conn.resume(kit, now);
        }
        let wish = loop {
            if !live.conn.outgoing().is_empty() {
                if !live.writable || self.bytes_left <= 0 {
                    break Wish::Read;
                }
                match send(&live.stream, live.conn.outgoing(), SendFlags::NOSIGNAL) {
                    Ok(sent) => {
                        live.writable = sent == live.conn.outgoing().len();
                        self.bytes_left -= sent as isize;
                        // The next answer's delay begins when this one has left.
                        if kit.paced {
                            now = self.time.now();
                        }
                        live.conn.sent(sent, kit, now);
                    }
                    Err(Errno::AGAIN) => live.writable = false,
                    Err(Errno::INTR) => {}
                    Err(_) => break Wish::Close,
                }
                continue;
            }
            match live.conn.wish() {
                Wish::Read if live.readable && self.bytes_left > 0 => {}
                Wish::ShutDown => {
                    if live.stream.shutdown(Shutdown::Write).is_err() {
                        break Wish::Close;
                    }
                    live.conn.shut_down(now);
                    continue;
                }
                wish => break wish,
            }
            let space = live.conn.recv_space(kit);
            let room = space.len();
            match recv(&live.stream, space, RecvFlags::empty()) {
                Ok((_, 0)) => {
                    live.readable = false;
                    live.conn.peer_closed(kit, now);
                }
                Ok((_, len)) => {
                    // A short read has emptied the socket, unless its end is waiting behind.
                    live.readable = len == room || live.half_closed;
                    self.bytes_left -= len as isize;
                    // What a later read brings may have arrived after the wake-up; with delays to
                    // keep also what the first does, while others had their turns.
                    if std::mem::replace(&mut has_read, true) || kit.paced {
                        now = self.time.now();
                    }
                    live.conn.received(len, kit, now);
                }
                Err(Errno::AGAIN) => {
                    live.readable = false;
                    live.conn.received(0, kit, now);
                }
                Err(Errno::INTR) => {}
                Err(_) => break Wish::Close,
            }
        };
        // Not with bytes unread: they may be a request, and closing on them resets the connection,
        // which takes from the client what of the answer before it has not read yet.
        if kit.draining && !live.readable {
            live.conn.drain(now);
        }
        if wish == Wish::Close || live.conn.wish() == Wish::Close && live.conn.outgoing().is_empty()
        {
            return self.close(token);
        }
        let goes_on = match live.conn.outgoing().is_empty() {
            true => wish == Wish::Again || (wish == Wish::Read && live.readable),
            false => live.writable,
        };
        if goes_on {
            enqueue(live, token, &mut self.ready);
        }
        let deadline = live.conn.deadline();
        if deadline < live.armed {
            live.armed = deadline;
            self.timer.set(token.0 as u32, deadline);
        }
    }

    fn close(&mut self, token: Token) {
        let slot = &mut self.slots[token.0 & 0xffff_ffff];
        let mut live = slot.live.take().expect("only what is open is closed");
        live.conn.release(&mut self.kit);
        slot.generation = slot.generation.wrapping_add(1) & GENERATIONS;
        self.timer.remove(token.0 as u32);
        self.free.push(token.0 as u32);
        self.open -= 1;
    }

    /// Accepts what is queued, then stops listening; answers in flight get their time.
    fn begin_drain(&mut self) {
        if !self.ending.load(Ordering::Relaxed) || self.kit.draining {
            return;
        }
        self.kit.draining = true;
        self.drain_ends = Some(self.now + DRAIN);
        for listener in std::mem::take(&mut self.listeners) {
            // Closing a listener resets what is queued at it.
            loop {
                match listener.accept() {
                    Ok((stream, _)) => self.accepted(stream),
                    Err(error) if is_passing(&error) => {}
                    Err(_) => break,
                }
            }
        }
        for (slot, place) in self.slots.iter_mut().enumerate() {
            let token = token(slot as u32, place.generation);
            if let Some(live) = &mut place.live {
                live.readable = true;
                enqueue(live, token, &mut self.ready);
            }
        }
    }

    fn token(&self, slot: u32) -> Token {
        token(slot, self.slots[slot as usize].generation)
    }
}

fn listener_token(at: usize) -> Token {
    Token(FIRST_LISTENER + at)
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
