//! The simulated environment: sockets, their clients, and the clock.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use fastrand::Rng;
use mio::Token;
use mocker::internals::Nanos;
use mocker::internals::net::machine::Readiness;
use mocker::internals::net::turn::System;
use rustix::io::Errno;

/// The number of bytes from the server that a socket buffers until the client reads them.
const SOCKET: usize = 20_000;

/// A socket: the bytes that each side has written and the other has not read yet.
#[derive(Default)]
pub struct Wire {
    pub to_server: Vec<u8>,
    pub to_client: Vec<u8>,
    pub client_ended: bool,
    pub server_ended: bool,
    pub reset: bool,
    /// True if a write of the server found no space, so that it waits for an event.
    pub full: bool,
    /// The events that have not been delivered to the server yet.
    pub news: Readiness,
}

/// The server's end of a socket. Like the kernel, it resets the connection if it is dropped with
/// unread bytes.
pub struct Socket(pub Rc<RefCell<Wire>>);

impl Drop for Socket {
    fn drop(&mut self) {
        let mut wire = self.0.borrow_mut();
        wire.server_ended = true;
        wire.reset |= !wire.to_server.is_empty();
    }
}

/// The clock, and the random behaviour of the sockets.
pub struct World {
    pub now: Rc<Cell<Nanos>>,
    pub rng: Rng,
}

impl World {
    fn interrupted(&mut self) -> Result<(), Errno> {
        match self.rng.u8(..) {
            0..4 => Err(Errno::INTR),
            _ => Ok(()),
        }
    }
}

impl System for World {
    type Socket = Socket;

    fn now(&self) -> Nanos {
        self.now.get()
    }

    fn recv(&mut self, socket: &mut Socket, space: &mut [u8]) -> Result<usize, Errno> {
        self.interrupted()?;
        let mut wire = socket.0.borrow_mut();
        assert!(!space.is_empty(), "a read of nothing looks like the end");
        match wire.to_server.len().min(space.len()) {
            _ if wire.reset => Err(Errno::CONNRESET),
            0 if wire.client_ended => Ok(0),
            0 => Err(Errno::AGAIN),
            len => {
                space[..len].copy_from_slice(&wire.to_server[..len]);
                wire.to_server.drain(..len);
                Ok(len)
            }
        }
    }

    fn send(&mut self, socket: &mut Socket, bytes: &[u8]) -> Result<usize, Errno> {
        self.interrupted()?;
        let mut wire = socket.0.borrow_mut();
        assert!(!wire.server_ended && !bytes.is_empty());
        let room = SOCKET - wire.to_client.len();
        let len = bytes.len().min(room);
        wire.full = len < bytes.len();
        match len {
            _ if wire.reset => Err(Errno::PIPE),
            0 => Err(Errno::AGAIN),
            len => {
                wire.to_client.extend_from_slice(&bytes[..len]);
                Ok(len)
            }
        }
    }

    fn shut_down(&mut self, socket: &mut Socket) -> io::Result<()> {
        socket.0.borrow_mut().server_ended = true;
        Ok(())
    }
}

/// A client: the bytes that it has not sent yet, and those that it has received.
pub struct Client {
    pub wire: Rc<RefCell<Wire>>,
    pub token: Token,
    pub script: usize,
    pub unsent: Vec<u8>,
    pub got: Vec<u8>,
    /// True if it reset its connection.
    pub gave_up: bool,
    /// True if it exceeded a timeout of the server, by sending or reading too slowly.
    pub idled: bool,
}

impl Client {
    /// Performs one random action.
    pub fn act(&mut self, rng: &mut Rng) {
        let mut wire = self.wire.borrow_mut();
        if wire.reset {
            return;
        }
        match rng.u8(0..100) {
            0 if rng.u8(0..4) == 0 => {
                wire.reset = true;
                wire.news.failed = true;
                self.gave_up = true;
            }
            1..50 if !self.unsent.is_empty() => {
                // Send long bodies in longer pieces, because of the limited time.
                let most = [self.unsent.len().div_ceil(500), 100, 100_000][rng.usize(0..3)];
                let len = rng.usize(1..=most).min(self.unsent.len());
                wire.to_server.extend(self.unsent.drain(..len));
                wire.news.readable = true;
            }
            50..55 if self.unsent.is_empty() && !wire.client_ended => {
                wire.client_ended = true;
                wire.news.readable = true;
                wire.news.half_closed = true;
            }
            _ => {
                let most = [10, 1000, SOCKET][rng.usize(0..3)];
                let len = wire.to_client.len().min(rng.usize(1..=most));
                self.got.extend(wire.to_client.drain(..len));
                if len > 0 && std::mem::take(&mut wire.full) {
                    wire.news.writable = true;
                }
            }
        }
    }

    /// Returns whether the client has finished.
    pub fn is_done(&self) -> bool {
        let wire = self.wire.borrow();
        wire.reset || wire.server_ended && wire.to_client.is_empty() && wire.client_ended
    }
}
