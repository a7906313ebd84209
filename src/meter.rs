//! Work, counted in units of about a nanosecond, and the charge for each kind of it. Counting
//! bounds the time between two polls without reading a clock, and tests can count it too.

/// The units that a core may spend between two polls for readiness.
pub const TURN: i64 = 200_000;

/// The units for the first piece of a response. A response that is complete by then has a
/// `Content-Length`, so this may depend on nothing but the response.
pub const FIRST_PIECE: i64 = 50_000;

/// A read from a socket, without its bytes.
pub const RECV: i64 = 900;

/// A write to a socket, without its bytes; on loopback it includes the peer's side of TCP.
pub const SEND: i64 = 3_500;

/// An attempt to accept a connection, with its registration.
pub const ACCEPT: i64 = 10_000;

/// A connection that is closed.
pub const CLOSE: i64 = 5_000;

/// A request's head that is the same as the last one.
pub const KNOWN_HEAD: i64 = 150;

/// A request's head that has to be parsed.
pub const NEW_HEAD: i64 = 900;

/// A response: deciding, planning and beginning it.
pub const RESPONSE: i64 = 300;

/// The bytes that are copied for one unit.
pub const COPIED: usize = 4;

/// A byte of the framing of chunks.
pub const FRAMING: i64 = 8;

/// A transition of the JSON scanner.
pub const SCAN: i64 = 10;

/// A value of a request body that is kept.
pub const HELD: i64 = 100;

/// A frame of a response, short values included.
pub const FRAME: i64 = 60;

/// A random word.
pub const WORD: i64 = 8;

/// A token's log probability, or that of one of its alternatives.
pub const LOGPROB: i64 = 250;

/// A number of an embedding, when the first request for its size is served.
pub const EMBEDDED: i64 = 100;

/// A step of the generator of JSON values.
pub const SCHEMA_STEP: i64 = 50;

/// A part of a view of the server, without its bytes; or the counters of a core.
pub const VIEW_PART: i64 = 3_000;

/// A byte of such a part.
pub const VIEW_BYTE: i64 = 4;

/// Counts units down.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    left: i64,
}

impl Meter {
    /// Makes a meter with this many units left.
    pub fn new(units: i64) -> Meter {
        Meter { left: units }
    }

    /// Spends units; the last charge may exceed what is left.
    #[inline]
    pub fn charge(&mut self, units: i64) {
        self.left -= units;
    }

    /// Spends the units for copying bytes.
    #[inline]
    pub fn charge_bytes(&mut self, bytes: usize) {
        self.left -= (bytes / COPIED) as i64;
    }

    /// Returns true if no units are left.
    #[inline]
    pub fn is_spent(&self) -> bool {
        self.left <= 0
    }

    /// The units that are left; negative if the last charge exceeded them.
    pub fn left(&self) -> i64 {
        self.left
    }
}
