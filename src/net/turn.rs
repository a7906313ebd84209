//! One connection's turn at its socket: write, then read, until neither goes on. Knows neither the
//! other connections nor what the bytes mean.

use std::io;

use rustix::io::Errno;

use super::slots::Live;
use crate::Nanos;
use crate::conn::Wish;
use crate::conn::kit::Kit;
use crate::watch::metrics::Close;

/// What lies below the connections: the kernel, or a test's imitation of it.
pub trait System {
    /// A connection's socket.
    type Socket;
    /// The time now.
    fn now(&self) -> Nanos;
    /// Reads what is there into the space; 0 is the end of what the peer sends.
    fn recv(&mut self, socket: &mut Self::Socket, space: &mut [u8]) -> Result<usize, Errno>;
    /// Writes the front of the bytes; how many.
    fn send(&mut self, socket: &mut Self::Socket, bytes: &[u8]) -> Result<usize, Errno>;
    /// Closes the sending side.
    fn shut_down(&mut self, socket: &mut Self::Socket) -> io::Result<()>;
}

/// A turn, and what it may use.
pub(super) struct Turn<'a, S: System> {
    system: &'a mut S,
    kit: &'a mut Kit,
    live: &'a mut Live<S::Socket>,
    /// How many bytes may still be read and written; below 0 by what the last exceeded it.
    bytes_left: &'a mut isize,
    now: Nanos,
    has_read: bool,
}

impl<'a, S: System> Turn<'a, S> {
    /// The turn of a connection that begins at `now`.
    #[inline]
    pub fn new(
        system: &'a mut S,
        kit: &'a mut Kit,
        live: &'a mut Live<S::Socket>,
        bytes_left: &'a mut isize,
        now: Nanos,
    ) -> Turn<'a, S> {
        Turn {
            system,
            kit,
            live,
            bytes_left,
            now,
            has_read: false,
        }
    }

    /// Writes, then reads, until neither goes on or others must be looked at. What the connection
    /// wishes then, and the time of the last write or read.
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

    /// Nothing is outgoing: does what the connection wishes. The wish that ends the turn.
    #[inline]
    fn follow(&mut self) -> Option<Wish> {
        match self.live.conn.wish() {
            Wish::Read if self.live.readable && *self.bytes_left > 0 => self.read(),
            // What came while the answer waited would reset the connection.
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

    /// Writes what is outgoing, once. The wish that ends the turn.
    #[inline]
    fn write(&mut self) -> Option<Wish> {
        let live = &mut *self.live;
        if !live.writable || *self.bytes_left <= 0 {
            return Some(Wish::Wait);
        }
        match self.system.send(&mut live.socket, live.conn.outgoing()) {
            Ok(sent) => {
                live.writable = sent == live.conn.outgoing().len();
                *self.bytes_left -= sent as isize;
                // How late it left is counted, and the next answer's delay begins now.
                self.now = self.system.now();
                live.conn.sent(sent, self.kit, self.now);
            }
            Err(Errno::AGAIN) => live.writable = false,
            Err(Errno::INTR) => {}
            Err(_) => return Some(self.broken()),
        }
        None
    }

    /// Reads what is there, once. The wish that ends the turn.
    #[inline]
    fn read(&mut self) -> Option<Wish> {
        let live = &mut *self.live;
        let space = live.conn.recv_space(self.kit);
        let room = space.len();
        // Of an empty space 0 bytes are read, as at the peer's end.
        debug_assert!(room > 0, "who wishes to read has room");
        match self.system.recv(&mut live.socket, space) {
            Ok(0) => {
                live.readable = false;
                live.conn.peer_closed(self.kit, self.now);
            }
            Ok(len) => {
                // A short read has emptied the socket, unless its end is waiting behind.
                live.readable = len == room || live.half_closed;
                *self.bytes_left -= len as isize;
                // What a later read brings may have arrived after the wake-up; with delays to
                // keep also what the first does, while others had their turns.
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

    /// The socket fails: its peer has reset the connection, or is gone.
    #[cold]
    fn broken(&mut self) -> Wish {
        self.live.conn.ends = Close::Reset;
        Wish::Close
    }
}
