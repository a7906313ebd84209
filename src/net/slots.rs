//! The table of a core's connections, and the tokens that name its slots.

use std::collections::VecDeque;

use mio::Token;

use crate::Nanos;
use crate::conn::Conn;

/// A slot for a connection. Its generation distinguishes the connection from earlier ones in the
/// same slot, so a stale event never reaches a new connection.
pub struct SlotEntry<S> {
    /// The number of earlier connections in the slot, below [`GENERATIONS`].
    pub generation: u32,
    /// The open connection.
    pub live: Option<Live<S>>,
}

/// An open connection.
pub struct Live<S> {
    /// Its socket.
    pub socket: S,
    /// Its protocol state, without the socket.
    pub conn: Conn,
    /// True until a read finds the socket empty, from an event that says it has bytes.
    pub readable: bool,
    /// True until a write finds the socket full, from an event that says it has room.
    pub writable: bool,
    /// True once the peer has closed its sending side: a short read does not mean empty then.
    pub half_closed: bool,
    /// True once the connection was reset.
    pub failed: bool,
    /// True while it is in `ready`.
    pub queued: bool,
    /// The deadline in the timer, which is never after the connection's own.
    pub armed: Nanos,
}

/// The number of generations: their tokens end before those of the listeners begin.
pub const GENERATIONS: u32 = 0x7fff_ffff;

/// Returns the token of a connection, made of its slot and generation.
pub fn token(slot: u32, generation: u32) -> Token {
    Token((generation as usize) << 32 | slot as usize)
}

/// Returns the slot that a token names.
pub fn place_of(token: Token) -> u32 {
    token.0 as u32
}

/// Returns the connection that a token names, if it is still open.
pub fn live<S>(slots: &mut [SlotEntry<S>], token: Token) -> Option<&mut Live<S>> {
    let slot = &mut slots[place_of(token) as usize];
    slot.live
        .as_mut()
        .filter(|_| slot.generation as usize == token.0 >> 32)
}

/// Adds a connection to the queue of those that have something to do, once.
pub fn enqueue<S>(live: &mut Live<S>, token: Token, ready: &mut VecDeque<Token>) {
    if !std::mem::replace(&mut live.queued, true) {
        ready.push_back(token);
    }
}
