//! Work, counted in units of about a nanosecond, and the charge for each kind of it. Counting
//! bounds the time between two polls without reading a clock, and tests can count it too.

/// The units that a core may spend between two polls for readiness. A unit takes up to two
/// nanoseconds (bench `charges`), and twice that while another process uses the same physical core.
pub const TURN: i64 = 80_000;

/// The units for the first piece of a response. A response that is complete by then has a
/// `Content-Length`, so this may depend on nothing but the response.
pub const FIRST_PIECE: i64 = 50_000;

// The charges. `cargo bench --bench charges` holds each to the real clock.

/// A read from a socket, without its bytes.
pub const RECV: i64 = 2_500;

/// A write to a socket, without its bytes; on loopback it includes the peer's side of TCP.
pub const SEND: i64 = 4_000;

/// An attempt to accept a connection, with its registration.
pub const ACCEPT: i64 = 6_000;

/// A connection that is closed.
pub const CLOSE: i64 = 5_000;

/// The bytes that a socket receives or sends for one unit.
pub const MOVED: usize = 8;

/// The bytes of a body that are scanned for one unit.
pub const SCANNED: usize = 16;

/// The bytes of a response that are copied for one unit.
pub const COPIED: usize = 32;

/// A request's head that is not the same as the last one and has to be parsed.
pub const NEW_HEAD: i64 = 500;

/// A response: deciding, planning and beginning it; and the head of its request.
pub const RESPONSE: i64 = 100;

/// A byte of the framing of chunks.
pub const FRAMING: i64 = 4;

/// A transition of the JSON scanner.
pub const SCAN: i64 = 3;

/// A value of a request body that is kept.
pub const HELD: i64 = 20;

/// A frame of a response, short values included.
pub const FRAME: i64 = 45;

/// A token of generated text.
pub const WORD: i64 = 5;

/// A token's log probability, or that of one of its alternatives.
pub const LOGPROB: i64 = 250;

/// A token that is cut off a text.
pub const CUT: i64 = 80;

/// A number of an embedding, when the first request for its size is served.
pub const EMBEDDED: i64 = 100;

/// A tool that is checked.
pub const TOOL: i64 = 150;

/// A step of the generator of JSON values.
pub const SCHEMA_STEP: i64 = 25;

/// A byte of a JSON text that a response repeats, escapes included.
pub const JSON_BYTE: i64 = 1;

/// A part of a view of the server, without its bytes; or the counters of a core.
pub const VIEW_PART: i64 = 1_000;

/// A byte of such a part.
pub const VIEW_BYTE: i64 = 1;

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

    /// Spends the units for the bytes that a socket moved.
    #[inline]
    pub fn charge_moved(&mut self, bytes: usize) {
        self.left -= (bytes / MOVED) as i64;
    }

    /// Spends the units for scanning bytes.
    #[inline]
    pub fn charge_scanned(&mut self, bytes: usize) {
        self.left -= (bytes / SCANNED) as i64;
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
