//! The connections of one core and the order in which they are served, independent of the operating
//! system: sockets and the clock are those of a [`System`].

use std::collections::VecDeque;

use mio::Token;

use super::slots::{GENERATIONS, Live, SlotEntry, enqueue, live, place_of, token};
use super::timer::Timer;
use super::turn::{System, Turn};
use crate::conn::{Conn, Want, core::Core};
use crate::watch::metrics::Close;
use crate::{Nanos, meter};

/// The connections of one core and the state that they share.
pub struct Machine<S: System> {
    /// The operating system.
    pub system: S,
    /// The state that the connections share.
    pub core: Core,
    /// The number of open connections.
    pub open: usize,
    /// The deadlines.
    pub timer: Timer,
    /// The connections with work that no further event will report.
    pub ready: VecDeque<Token>,
    pub(super) slots: Vec<SlotEntry<S::Socket>>,
    free: Vec<u32>,
}

/// The news about a socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Readiness {
    /// There are bytes to read, or their end.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// The peer sends no more.
    pub half_closed: bool,
    /// It was reset: nobody reads what is still to be sent. (If both sides have closed, it is not
    /// reset: there may be bytes to read, and closing it earlier would reset it.)
    pub failed: bool,
}

impl<S: System> Machine<S> {
    /// Makes a machine without connections.
    pub fn new(system: S, core: Core) -> Machine<S> {
        Machine {
            system,
            core,
            open: 0,
            timer: Timer::default(),
            ready: VecDeque::new(),
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Returns the token of the next connection, which `admit` takes.
    pub fn place(&mut self) -> Token {
        let slot = match self.free.last() {
            Some(slot) => *slot,
            None => {
                self.free.push(self.slots.len() as u32);
                self.slots.push(SlotEntry {
                    generation: 0,
                    live: None,
                });
                self.slots.len() as u32 - 1
            }
        };
        self.token(slot)
    }

    /// Takes a connection, whose token `place` has returned.
    pub fn admit(&mut self, socket: S::Socket) {
        let slot = self.free.pop().expect("`place` was called");
        let conn = Conn::new(&self.core);
        let armed = conn.deadline();
        self.timer.set(slot, armed);
        self.open += 1;
        self.core.metrics.counters.accepted.add(1);
        self.core.metrics.counters.open_connections.add(1);
        self.slots[slot as usize].live = Some(Live {
            socket,
            conn,
            readable: false,
            writable: true,
            half_closed: false,
            failed: false,
            queued: false,
            armed,
        });
    }

    /// Begins a turn: readiness was polled at `now`.
    pub fn begin_turn(&mut self, now: Nanos) {
        self.core.now = now;
        self.core.begin_turn();
    }

    /// Returns true if more may be done before the next poll.
    pub fn may_go_on(&self) -> bool {
        !self.core.meter.is_spent()
    }

    /// Notes news about a connection, which may be closed by now.
    pub fn note(&mut self, token: Token, readiness: Readiness) {
        let Some(live) = live(&mut self.slots, token) else {
            return;
        };
        // It is closed in its turn, so that many that fail at once are no exception to its bounds.
        live.failed |= readiness.failed;
        live.readable |= readiness.readable;
        live.half_closed |= readiness.half_closed;
        live.writable |= readiness.writable;
        enqueue(live, token, &mut self.ready);
    }

    /// Serves the connection with the earliest deadline, if that has passed. Returns true if so.
    pub fn fire(&mut self) -> bool {
        let Some(slot) = self.timer.due(self.core.now) else {
            return false;
        };
        let token = self.token(slot);
        let live = live(&mut self.slots, token).expect("a closed connection has no deadline");
        live.armed = Nanos::MAX;
        // Its own may have moved on.
        if live.conn.deadline() <= self.core.now && !live.failed {
            live.conn.timeout(&mut self.core);
            // Otherwise it would fire again at once, without end.
            debug_assert!(live.conn.deadline() > self.core.now || live.conn.want() != Want::Wait);
        }
        self.turn(token);
        true
    }

    /// Gives a turn to a connection that was ready, if it is still open.
    pub fn serve(&mut self, token: Token) {
        if let Some(live) = live(&mut self.slots, token) {
            live.queued = false;
            self.turn(token);
        }
    }

    /// Does everything that can be done for a connection now, and arranges its next turn.
    fn turn(&mut self, token: Token) {
        let Some(live) = live(&mut self.slots, token) else {
            return;
        };
        if live.failed {
            live.conn.ends = Close::Reset;
            return self.close(token);
        }
        let core = &mut self.core;
        let polled = core.now;
        if live.conn.want() == Want::Again {
            live.conn.advance(core);
        }
        let turn = Turn {
            system: &mut self.system,
            core: &mut *core,
            live: &mut *live,
            has_read: false,
        };
        let want = turn.go_on();
        if !live.writable && !live.conn.outgoing().is_empty() {
            live.conn.held_back(core);
        }
        // Not with unread bytes: they may be a request, and closing resets the connection then,
        // which takes the unread part of the response before it from the client.
        if core.draining && !live.readable {
            live.conn.drain(core);
        }
        // The next turn begins at the time of the poll again.
        core.now = polled;
        if want == Want::Close || live.conn.want() == Want::Close && live.conn.outgoing().is_empty()
        {
            return self.close(token);
        }
        let goes_on = match live.conn.outgoing().is_empty() {
            true => want == Want::Again || (want == Want::Read && live.readable),
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

    /// Gives a turn to every connection.
    pub fn queue_all(&mut self) {
        for (slot, place) in self.slots.iter_mut().enumerate() {
            let token = token(slot as u32, place.generation);
            if let Some(live) = &mut place.live {
                live.readable = true;
                enqueue(live, token, &mut self.ready);
            }
        }
    }

    /// Closes every connection: the raw log gets at least what could not end in time.
    pub fn close_all(&mut self) {
        for slot in 0..self.slots.len() as u32 {
            if let Some(live) = &mut self.slots[slot as usize].live {
                live.conn.ends = Close::Shutdown;
                self.close(self.token(slot));
            }
        }
    }

    fn close(&mut self, token: Token) {
        self.core.meter.charge(meter::CLOSE);
        let place = place_of(token);
        let slot = &mut self.slots[place as usize];
        let mut live = slot.live.take().expect("only what is open is closed");
        live.conn.release(&mut self.core);
        slot.generation = slot.generation.wrapping_add(1) & GENERATIONS;
        self.timer.remove(place);
        self.free.push(place);
        self.open -= 1;
        self.core.metrics.counters.open_connections.sub(1);
    }

    fn token(&self, slot: u32) -> Token {
        token(slot, self.slots[slot as usize].generation)
    }
}
