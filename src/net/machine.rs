//! One core's connections and who of them is served next, without the system below: sockets and
//! the clock are what a [`System`] says. Knows no listener and no event queue.

use std::collections::VecDeque;

use mio::Token;

use super::slots::{GENERATIONS, Live, Slot, enqueue, live, place_of, token};
use super::timer::Timer;
use super::turn::{System, Turn};
use crate::Nanos;
use crate::conn::kit::Kit;
use crate::conn::{Conn, Wish};
use crate::watch::metrics::Close;

/// How many bytes are read and written between two looks at readiness, so that uploads and big
/// answers keep nobody waiting for long: with the read that exceeds it, at most 256 KiB of one
/// connection's input. How many answers are given, the kit knows.
pub const BYTES_A_LOOK: isize = 240 * 1024;

/// One core's connections and all that they share.
pub struct Machine<S: System> {
    /// What lies below.
    pub system: S,
    /// What the connections share.
    pub kit: Kit,
    /// The time at the last look at readiness.
    pub now: Nanos,
    /// How many connections are open.
    pub open: usize,
    /// Below 0 by what the last read or write exceeded it.
    pub bytes_left: isize,
    /// The deadlines.
    pub timer: Timer,
    /// Who has something to do that no event will tell of again.
    pub ready: VecDeque<Token>,
    pub(super) slots: Vec<Slot<S::Socket>>,
    free: Vec<u32>,
}

/// What became known of a socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Readiness {
    /// There are bytes to read, or their end.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The peer sends no more.
    pub half_closed: bool,
    /// It was reset: what is still to be sent has no reader. (That both sides have closed is no
    /// reset: there may be bytes to read, and closing before would reset it.)
    pub failed: bool,
}

impl<S: System> Machine<S> {
    /// A machine without connections.
    pub fn new(system: S, kit: Kit) -> Machine<S> {
        Machine {
            system,
            kit,
            now: 0,
            open: 0,
            bytes_left: 0,
            timer: Timer::default(),
            ready: VecDeque::new(),
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The place of the next connection: its token. It is taken by `admit`.
    pub fn place(&mut self) -> Token {
        let slot = match self.free.last() {
            Some(slot) => *slot,
            None => {
                self.free.push(self.slots.len() as u32);
                self.slots.push(Slot::default());
                self.slots.len() as u32 - 1
            }
        };
        self.token(slot)
    }

    /// Takes a connection into the place that `place` has named.
    pub fn admit(&mut self, socket: S::Socket) {
        let slot = self.free.pop().expect("it has been named");
        let conn = Conn::new(&self.kit, self.now);
        let armed = conn.deadline();
        self.timer.set(slot, armed);
        self.open += 1;
        self.kit.core.counters.accepted.add(1);
        self.kit.core.counters.open_connections.add(1);
        self.slots[slot as usize].live = Some(Live {
            socket,
            conn,
            readable: false,
            writable: true,
            half_closed: false,
            queued: false,
            armed,
        });
    }

    /// Readiness was looked at, at `now`: who is served may use so much of the core again.
    pub fn looked(&mut self, now: Nanos) {
        self.now = now;
        self.kit.looked();
        self.bytes_left = BYTES_A_LOOK;
    }

    /// Whether more may be done before the next look at readiness.
    pub fn may_go_on(&self) -> bool {
        self.kit.answers_left > 0 && self.bytes_left > 0
    }

    /// Something became known of a connection, which may be closed by now.
    pub fn note(&mut self, token: Token, readiness: Readiness) {
        let Some(live) = live(&mut self.slots, token) else {
            return;
        };
        if readiness.failed {
            live.conn.ends = Close::Reset;
            return self.close(token);
        }
        live.readable |= readiness.readable;
        live.half_closed |= readiness.half_closed;
        live.writable |= readiness.writable;
        enqueue(live, token, &mut self.ready);
    }

    /// Serves the connection whose deadline is the earliest, if it has passed; whether one had.
    pub fn fire(&mut self) -> bool {
        let Some(slot) = self.timer.due(self.now) else {
            return false;
        };
        let token = self.token(slot);
        let live = live(&mut self.slots, token).expect("a closed connection has no deadline");
        live.armed = Nanos::MAX;
        // Its own may have moved on.
        if live.conn.deadline() <= self.now {
            live.conn.timeout(&mut self.kit, self.now);
            // Else it would fire again at once, and never end.
            debug_assert!(live.conn.deadline() > self.now || live.conn.wish() != Wish::Wait);
        }
        self.turn(token);
        true
    }

    /// A connection that was ready has its turn, if it is still open.
    pub fn serve(&mut self, token: Token) {
        if let Some(live) = live(&mut self.slots, token) {
            live.queued = false;
            self.turn(token);
        }
    }

    /// Does for one connection what can be done now, and sees to it that it comes back.
    fn turn(&mut self, token: Token) {
        let Some(live) = live(&mut self.slots, token) else {
            return;
        };
        let (kit, now) = (&mut self.kit, self.now);
        if live.conn.wish() == Wish::Again {
            live.conn.resume(kit, now);
        }
        let turn = Turn::new(&mut self.system, kit, live, &mut self.bytes_left, now);
        let (wish, now) = turn.go_on();
        if !live.writable && !live.conn.outgoing().is_empty() {
            live.conn.held_back(kit);
        }
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
            self.timer.set(place_of(token), deadline);
        }
    }

    /// Every connection is to be served, whatever is known of it.
    pub fn look_at_all(&mut self) {
        for (slot, place) in self.slots.iter_mut().enumerate() {
            let token = token(slot as u32, place.generation);
            if let Some(live) = &mut place.live {
                live.readable = true;
                enqueue(live, token, &mut self.ready);
            }
        }
    }

    /// Closes every connection: what could not end in time is at least told to the raw log.
    pub fn close_all(&mut self) {
        for slot in 0..self.slots.len() as u32 {
            if let Some(live) = &mut self.slots[slot as usize].live {
                live.conn.ends = Close::Shutdown;
                self.close(self.token(slot));
            }
        }
    }

    fn close(&mut self, token: Token) {
        let place = place_of(token);
        let slot = &mut self.slots[place as usize];
        let mut live = slot.live.take().expect("only what is open is closed");
        live.conn.release(&mut self.kit);
        slot.generation = slot.generation.wrapping_add(1) & GENERATIONS;
        self.timer.remove(place);
        self.free.push(place);
        self.open -= 1;
        self.kit.core.counters.open_connections.sub(1);
    }

    fn token(&self, slot: u32) -> Token {
        token(slot, self.slots[slot as usize].generation)
    }
}
