//! One connection's turn at its socket: write, then read, until neither goes on.

use std::io;

use rustix::io::Errno;

use super::slots::Live;
use crate::Nanos;
use crate::conn::Wish;
use crate::conn::kit::Kit;
use crate::meter;
use crate::watch::metrics::Close;

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

/// A turn of a connection that begins at `now`.
pub(super) struct Turn<'a, S: System> {
    pub system: &'a mut S,
    pub kit: &'a mut Kit,
    pub live: &'a mut Live<S::Socket>,
    pub now: Nanos,
    pub has_read: bool,
}

impl<S: System> Turn<'_, S> {
    /// Writes, then reads, until neither goes on or the units are spent. Returns the connection's
    /// wish then, and the time of the last write or read.
    #[inline]
    pub fn go_on(mut self) -> (Wish, Nanos) {
        loop {
            let end = match self.live.conn.outgoing() {
                [] => self.follow(),
                _ => self.write(),
            };
            if let Some(wish) = end {
                return (wish, self.now);
            }
        }
    }

    /// Fulfils the connection's wish when nothing is outgoing. Returns the wish that ends the turn.
    #[inline]
    fn follow(&mut self) -> Option<Wish> {
        match self.live.conn.wish() {
            Wish::Read if self.live.readable && !self.kit.meter.is_spent() => self.read(),
            // Bytes that came while the response waited would reset the connection.
            Wish::Close if self.live.readable && self.live.conn.linger() => None,
            Wish::ShutDown => {
                if self.system.shut_down(&mut self.live.socket).is_err() {
                    return Some(Wish::Close);
                }
                self.live.conn.shut_down(self.now);
                None
            }
            wish => Some(wish),
        }
    }

    /// Writes outgoing bytes once. Returns the wish that ends the turn.
    #[inline]
    fn write(&mut self) -> Option<Wish> {
        let live = &mut *self.live;
        if !live.writable {
            return Some(Wish::Wait);
        }
        match self.system.send(&mut live.socket, live.conn.outgoing()) {
            Ok(sent) => {
                live.writable = sent == live.conn.outgoing().len();
                self.kit.meter.charge(meter::SEND);
                self.kit.meter.charge_bytes(sent);
                // Its lateness is recorded, and the next response's delay begins now.
                self.now = self.system.now();
                live.conn.sent(sent, self.kit, self.now);
            }
            Err(Errno::AGAIN) => live.writable = false,
            Err(Errno::INTR) => {}
            Err(_) => return Some(self.broken()),
        }
        None
    }

    /// Reads available bytes once. Returns the wish that ends the turn.
    #[inline]
    fn read(&mut self) -> Option<Wish> {
        let live = &mut *self.live;
        let space = live.conn.recv_space(self.kit);
        let room = space.len();
        // Into an empty space, 0 bytes are read, as at the peer's end.
        debug_assert!(room > 0, "a connection that wishes to read has room");
        match self.system.recv(&mut live.socket, space) {
            Ok(0) => {
                live.readable = false;
                live.conn.peer_closed(self.kit, self.now);
            }
            Ok(len) => {
                // A short read has emptied the socket, unless its end is waiting behind.
                live.readable = len == room || live.half_closed;
                self.kit.meter.charge(meter::RECV);
                self.kit.meter.charge_bytes(len);
                // The bytes of a later read may have arrived after the wake-up. So may those of the
                // first, while others had their turns, which matters if there are delays to keep.
                if std::mem::replace(&mut self.has_read, true) || self.kit.paced {
                    self.now = self.system.now();
                }
                live.conn.received(len, self.kit, self.now);
            }
            Err(Errno::AGAIN) => {
                live.readable = false;
                live.conn.received(0, self.kit, self.now);
            }
            Err(Errno::INTR) => {}
            Err(_) => return Some(self.broken()),
        }
        None
    }

    /// Closes the connection because its socket fails: the peer has reset it, or is gone.
    #[cold]
    fn broken(&mut self) -> Wish {
        self.live.conn.ends = Close::Reset;
        Wish::Close
    }
}
