//! One connection's turn at its socket: write, then read, until neither goes on.

use std::io;

use rustix::io::Errno;

use super::slots::Live;
use crate::conn::{Want, core::Core};
use crate::watch::metrics::Close;
use crate::{Nanos, meter};

/// The operating system: the kernel, or a test's imitation of it.
pub trait System {
    /// A connection's socket.
    type Socket;
    /// Returns the time.
    fn now(&self) -> Nanos;
    /// Reads available bytes into the space, and returns their number; 0 at the peer's end.
    fn recv(&mut self, socket: &mut Self::Socket, space: &mut [u8]) -> Result<usize, Errno>;
    /// Writes the first of the bytes, and returns their number.
    fn send(&mut self, socket: &mut Self::Socket, bytes: &[u8]) -> Result<usize, Errno>;
    /// Closes the sending side.
    fn shut_down(&mut self, socket: &mut Self::Socket) -> io::Result<()>;
}

/// A turn of a connection.
pub(super) struct Turn<'a, S: System> {
    pub system: &'a mut S,
    pub core: &'a mut Core,
    pub live: &'a mut Live<S::Socket>,
    pub has_read: bool,
}

impl<S: System> Turn<'_, S> {
    /// Writes, then reads, until neither goes on or the units are spent. Returns the operation
    /// that the connection wants then.
    #[inline]
    pub fn go_on(mut self) -> Want {
        loop {
            let end = match self.live.conn.outgoing() {
                [] => self.follow(),
                _ => self.write(),
            };
            if let Some(want) = end {
                return want;
            }
        }
    }

    /// Does what the connection wants once nothing is outgoing. Returns the operation that ends the
    /// turn.
    #[inline]
    fn follow(&mut self) -> Option<Want> {
        match self.live.conn.want() {
            Want::Read if self.live.readable && !self.core.meter.is_spent() => self.read(),
            // Bytes that came while the response waited would reset the connection.
            Want::Close if self.live.readable && self.live.conn.linger() => None,
            Want::ShutDown => {
                if self.system.shut_down(&mut self.live.socket).is_err() {
                    return Some(Want::Close);
                }
                self.live.conn.shut_down(self.core);
                None
            }
            want => Some(want),
        }
    }

    /// Writes outgoing bytes once. Returns the operation that ends the turn.
    #[inline]
    fn write(&mut self) -> Option<Want> {
        let live = &mut *self.live;
        if !live.writable {
            return Some(Want::Wait);
        }
        match self.system.send(&mut live.socket, live.conn.outgoing()) {
            Ok(sent) => {
                live.writable = sent == live.conn.outgoing().len();
                self.core.meter.charge(meter::SEND);
                self.core.meter.charge_moved(sent);
                // Its lateness is recorded, and the next response's delay begins now.
                self.core.now = self.system.now();
                live.conn.sent(sent, self.core);
            }
            Err(Errno::AGAIN) => live.writable = false,
            Err(Errno::INTR) => {}
            Err(_) => return Some(self.broken()),
        }
        None
    }

    /// Reads available bytes once. Returns the operation that ends the turn.
    #[inline]
    fn read(&mut self) -> Option<Want> {
        let live = &mut *self.live;
        let space = live.conn.recv_space(self.core);
        let room = space.len();
        // Into an empty space, 0 bytes are read, as at the peer's end.
        debug_assert!(room > 0, "a connection that wants to read has room");
        match self.system.recv(&mut live.socket, space) {
            Ok(0) => {
                live.readable = false;
                live.conn.peer_closed(self.core);
            }
            Ok(len) => {
                // A short read has emptied the socket, unless its end is waiting behind.
                live.readable = len == room || live.half_closed;
                self.core.meter.charge(meter::RECV);
                self.core.meter.charge_moved(len);
                // The bytes of a later read may have arrived after the wake-up. So may those of the
                // first, while others had their turns, which matters if there are delays to keep.
                if std::mem::replace(&mut self.has_read, true) || self.core.paced {
                    self.core.now = self.system.now();
                }
                live.conn.received(len, self.core);
            }
            Err(Errno::AGAIN) => {
                live.readable = false;
                live.conn.received(0, self.core);
            }
            Err(Errno::INTR) => {}
            Err(_) => return Some(self.broken()),
        }
        None
    }

    /// Closes the connection because its socket fails: the peer has reset it, or is gone.
    #[cold]
    fn broken(&mut self) -> Want {
        self.live.conn.ends = Close::Reset;
        Want::Close
    }
}
