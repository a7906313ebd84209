//! The places of a core's connections, and the tokens that name them. Knows no events.

use std::collections::VecDeque;

use mio::Token;

use crate::Nanos;
use crate::conn::Conn;

/// A place for a connection. Its generation tells a connection from the ones before it, so a stale
/// event never touches a new one.
pub struct Slot<S> {
    /// Counts the connections that were here, below [`GENERATIONS`].
    pub generation: u32,
    /// The connection that is here now.
    pub live: Option<Live<S>>,
}

impl<S> Default for Slot<S> {
    fn default() -> Slot<S> {
        Slot {
            generation: 0,
            live: None,
        }
    }
}

/// An open connection.
pub struct Live<S> {
    /// Its socket.
    pub socket: S,
    /// What it is without.
    pub conn: Conn,
    /// No read has found the socket empty since the last event that said it has bytes.
    pub readable: bool,
    /// No write has found the socket full since the last event that said it has room.
    pub writable: bool,
    /// The peer's sending side was seen closed: a short read is not the end then.
    pub half_closed: bool,
    /// It stands in `ready`.
    pub queued: bool,
    /// The deadline that the timer has; never after the connection's own.
    pub armed: Nanos,
}

/// Generations end before the tokens of the listeners begin.
pub const GENERATIONS: u32 = 0x7fff_ffff;

/// The token of a connection: its place and generation.
pub fn token(slot: u32, generation: u32) -> Token {
    Token((generation as usize) << 32 | slot as usize)
}

/// The place that a token names.
pub fn place_of(token: Token) -> u32 {
    token.0 as u32
}

/// The connection that a token stands for, if it is still open.
pub fn live<S>(slots: &mut [Slot<S>], token: Token) -> Option<&mut Live<S>> {
    let slot = &mut slots[place_of(token) as usize];
    slot.live
        .as_mut()
        .filter(|_| slot.generation as usize == token.0 >> 32)
}

/// Puts a connection among those who have something to do, once.
pub fn enqueue<S>(live: &mut Live<S>, token: Token, ready: &mut VecDeque<Token>) {
    if !std::mem::replace(&mut live.queued, true) {
        ready.push_back(token);
    }
}
