//! One connection without its socket: bytes, time and endings go in; bytes, one deadline and a
//! wish come out. Joins `http` and `mock`; knows no clock and no other connection.

mod give;
pub mod kit;
mod logged;
pub mod outbox;
mod plan;
mod serve;
mod stream;
pub mod writer;

use crate::http::Refusal;
use crate::http::inbox::Inbox;
use crate::mock::ask::Ask;
use crate::mock::book::stream::Stream;
use crate::mock::call::Treatment;
use crate::mock::name::Name;
use crate::mock::reply::Reply;
use crate::watch::metrics::{Close, Frames};
use crate::watch::rawlog::Record;
use crate::{Nanos, SECOND};
use kit::Kit;
use outbox::Outbox;
use plan::Plan;
use writer::Manner;

/// After a connection's last answer, what the client still sends is read and dropped for so long,
/// and so much of it: closing a socket with unread bytes resets it, and the answer would be lost.
pub const LINGER: Nanos = SECOND;
/// See [`LINGER`]. Node's client may read an answer only when its own writes are done: with 1 MiB
/// it lost some of its 413s to a broken pipe (`scripts/check-clients`). A body a little over the
/// usual cap fits.
pub const LINGER_MAX: u64 = 64 << 20;

/// How long a server that ends waits for the first request of a connection that has sent none.
pub const FRESH_DRAIN: Nanos = SECOND;

/// What a connection wants next, once everything outgoing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To receive.
    Read,
    /// Nothing before its deadline.
    Wait,
    /// To go on with what it has, after the next look at readiness: `resume`.
    Again,
    /// That its sending side is closed: `shut_down`.
    ShutDown,
    /// To be closed.
    Close,
}

/// One connection.
///
/// Who drives it calls, in any order, what has happened: [`Conn::received`] with what was put into
/// [`Conn::recv_space`], [`Conn::sent`] with how much of [`Conn::outgoing`] left,
/// [`Conn::peer_closed`], [`Conn::timeout`] once [`Conn::deadline`] has passed. After each of these
/// there may be more outgoing, and the deadline may have moved either way. The [`Conn::wish`]
/// counts once nothing is outgoing. [`Conn::release`] comes last. `now` is a time of one clock; it
/// may step back by what a turn of another connection took.
pub struct Conn {
    inbox: Inbox,
    outbox: Outbox,
    phase: Phase,
    /// When the phase goes on by itself or takes too long; with `stalled`, when it is tried again.
    /// What it means for each phase, `deadline` and `timeout` say.
    phase_ends: Nanos,
    /// When the answer that was begun last takes too long; counts while bytes wait to be sent.
    write_ends: Nanos,
    /// What was rendered and has not left.
    frames: Frames,
    /// Why it ends, once it does.
    pub ends: Close,
    /// It is counted among those with an answer that waits for its time.
    in_flight: bool,
    /// The peer has closed its sending side.
    peer_ended: bool,
    /// No request has come yet.
    fresh: bool,
    /// How many empty lines stood before the next request so far.
    empty_lines: u8,
    /// The turn ended with work left.
    again: bool,
    /// The raw log has no room for the next request yet.
    stalled: bool,
    /// The request that comes in, or the answer that goes out, on its way to the raw log.
    record: Option<Box<Record>>,
}

/// How far a connection is.
///
/// | from | to | by |
/// |---|---|---|
/// | Head | Body | a head that has a body to come |
/// | Head, Body | Waiting | the last byte, where the answer is late |
/// | Head, Body, Waiting | Streaming, Items, Head or Ending | the answer, whole or begun |
/// | Streaming, Items | Head or Ending | its last bytes in the outbox |
/// | Head, Body | Ending | what is refused |
/// | Ending | Lingering | the sending side closed |
/// | any | Closed | a timeout, the peer's end, a drain |
///
/// Its tag is a byte of its own: packed into a variant's spare values it costs each look at the
/// phase some instructions, 2 % of a turn (`scripts/instructions`).
#[repr(u8)]
enum Phase {
    /// Before or in a request's head. So many bytes of it were looked at in vain.
    Head { scanned: usize },
    /// In a request's body.
    Body(Request),
    /// In the delay before an answer, which ends at `due`, or before the raw log has room for it;
    /// that ends when the phase does.
    Waiting {
        reply: Reply,
        manner: Manner,
        due: Nanos,
        /// How many bytes of the raw log it takes, once that is known; 0 before.
        size: u64,
    },
    /// In a stream, whose next events are due when the phase ends.
    Streaming { stream: Stream, manner: Manner },
    /// In an answer that is written item by item.
    Items {
        reply: Reply,
        manner: Manner,
        next: u32,
    },
    /// The last answer is in the outbox; the client's bytes may still be on their way.
    Ending { linger: bool },
    /// The sending side is closed; so many bytes may still be read and dropped.
    Lingering { left: u64 },
    /// Nothing is to be sent or received.
    Closed,
}

/// A request whose head was read.
struct Request {
    plan: Plan,
    /// The model that the path named.
    named: Option<Name>,
    ask: Option<Box<Ask>>,
    /// How much content there was so far, in bytes.
    content: u64,
    /// How it is to be answered, where that was decided before its body came.
    admitted: Option<Treatment>,
}

/// How many empty lines may stand before a request: a few are ignored (RFC 9112, 2.2), and who
/// sends nothing else does not stay for ever.
pub const EMPTY_LINES_MAX: u8 = 8;

const TIMED_OUT: Refusal = Refusal::new(
    408,
    "request_timeout",
    "The request did not arrive in time; the server's read-timeout says how long it may take.",
);

impl Conn {
    /// A connection that was accepted at `now`.
    pub fn new(kit: &Kit, now: Nanos) -> Conn {
        let patience = if kit.draining {
            FRESH_DRAIN
        } else {
            kit.limits.idle
        };
        Conn {
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            phase: Phase::Head { scanned: 0 },
            phase_ends: now + patience,
            write_ends: Nanos::MAX,
            frames: Frames::default(),
            ends: Close::Client,
            in_flight: false,
            peer_ended: false,
            fresh: true,
            empty_lines: 0,
            again: false,
            stalled: false,
            record: None,
        }
    }

    /// Where received bytes go; never empty when the wish is to read.
    pub fn recv_space(&mut self, kit: &mut Kit) -> &mut [u8] {
        self.inbox.space(&mut kit.buffers)
    }

    /// `len` bytes of the space were filled; 0 when it turned out that there are none now.
    pub fn received(&mut self, len: usize, kit: &mut Kit, now: Nanos) {
        self.inbox.received(len);
        kit.core.counters.received_bytes.add(len as u64);
        if let Phase::Lingering { left } = &mut self.phase {
            *left = left.saturating_sub(len as u64);
            self.inbox.clear();
            if *left == 0 {
                self.phase = Phase::Closed;
            }
        } else if len > 0 && self.at_rest() {
            self.phase_ends = now + kit.limits.read;
        }
        self.advance(kit, now);
    }

    /// The peer has closed its sending side; what it asked for before is still answered.
    pub fn peer_closed(&mut self, kit: &mut Kit, now: Nanos) {
        self.peer_ended = true;
        if let Phase::Lingering { .. } = self.phase {
            self.phase = Phase::Closed;
        }
        self.advance(kit, now);
    }

    /// What is to be sent.
    pub fn outgoing(&self) -> &[u8] {
        self.outbox.bytes()
    }

    /// The first `len` outgoing bytes left, by `now`.
    pub fn sent(&mut self, len: usize, kit: &mut Kit, now: Nanos) {
        kit.core.counters.sent_bytes.add(len as u64);
        kit.core.left(&mut self.frames, now);
        let was_long = match self.phase {
            Phase::Streaming { .. } => {
                // A stream may take its time; that its client reads at all is what is asked.
                self.write_ends = now + kit.limits.write;
                true
            }
            Phase::Items { .. } => true,
            _ => self.outbox.is_full(),
        };
        self.outbox.sent(len, &mut kit.outboxes);
        if was_long || (kit.paced && self.outbox.is_empty() && !self.inbox.is_empty()) {
            self.advance(kit, now);
        }
        if !self.outbox.is_empty() {
            return;
        }
        match self.phase {
            Phase::Head { scanned: 0 } if self.inbox.is_empty() => {
                self.phase_ends = now + kit.limits.idle;
            }
            // What came behind an answer that was long in leaving was not read meanwhile.
            Phase::Head { .. } | Phase::Body(_) if was_long && !self.stalled => {
                self.phase_ends = self.phase_ends.max(now + kit.limits.read);
            }
            // What else a turn left over is a request that has begun: it is not idle.
            _ => {}
        }
    }

    /// The socket takes nothing more before its client reads: what is to be sent is not the mock's
    /// to be late with.
    pub fn held_back(&mut self, kit: &Kit) {
        kit.core.held_back(&mut self.frames);
    }

    /// Goes on after [`Wish::Again`].
    pub fn resume(&mut self, kit: &mut Kit, now: Nanos) {
        self.advance(kit, now);
    }

    /// There may be bytes that were not read, where it wishes to be closed. Whether it lingers for
    /// them instead, so that its last answer is not lost.
    pub fn linger(&mut self) -> bool {
        match &mut self.phase {
            Phase::Ending { linger } if !self.peer_ended => !std::mem::replace(linger, true),
            _ => false,
        }
    }

    /// The sending side was closed, as [`Wish::ShutDown`] asked for.
    pub fn shut_down(&mut self, now: Nanos) {
        debug_assert!(matches!(self.phase, Phase::Ending { linger: true }));
        self.phase = Phase::Lingering { left: LINGER_MAX };
        self.phase_ends = now + LINGER;
    }

    /// When `timeout` is to be called.
    pub fn deadline(&self) -> Nanos {
        match self.phase {
            _ if self.outbox.is_empty() => self.phase_ends,
            // Nothing is added to a full outbox, whatever is due.
            Phase::Streaming { .. } if self.outbox.is_full() => self.write_ends,
            Phase::Waiting { .. } | Phase::Streaming { .. } => self.phase_ends.min(self.write_ends),
            _ if self.stalled => self.phase_ends.min(self.write_ends),
            _ => self.write_ends,
        }
    }

    /// The deadline has passed.
    pub fn timeout(&mut self, kit: &mut Kit, now: Nanos) {
        if self.again {
            // Whole requests wait for their turn: it is not the client that is late.
            return self.advance(kit, now);
        }
        let reading = !self.inbox.is_empty() || matches!(self.phase, Phase::Body(_));
        let written = self.outbox.is_empty() || self.write_ends > now;
        match self.phase {
            Phase::Waiting { .. } | Phase::Streaming { .. } if written => {
                return self.advance(kit, now);
            }
            _ if self.stalled && written => return self.advance(kit, now),
            Phase::Head { .. } | Phase::Body(_) if reading && written => {
                self.refuse(TIMED_OUT, kit, now);
                self.ends = Close::ReadTimeout;
            }
            // Why it ends was known before it lingered.
            Phase::Ending { .. } | Phase::Lingering { .. } if written => {
                self.phase = Phase::Closed;
            }
            _ => {
                self.phase = Phase::Closed;
                self.ends = match written {
                    true => Close::IdleTimeout,
                    false => Close::WriteTimeout,
                };
            }
        }
        self.settle(kit);
    }

    /// The server is ending. A connection without a request closes; one that has never had any is
    /// given a moment, since its first may be on its way.
    pub fn drain(&mut self, now: Nanos) {
        if self.at_rest() && self.inbox.is_empty() && self.outbox.is_empty() {
            match self.fresh {
                true => self.phase_ends = self.phase_ends.min(now + FRESH_DRAIN),
                false => {
                    self.phase = Phase::Closed;
                    self.ends = Close::Shutdown;
                }
            }
        }
    }

    /// What it wants next, once everything outgoing was sent.
    pub fn wish(&self) -> Wish {
        match self.phase {
            Phase::Closed => Wish::Close,
            // From a peer that has ended nothing can come that would reset the socket.
            Phase::Ending { linger: true } if !self.peer_ended => Wish::ShutDown,
            Phase::Ending { .. } => Wish::Close,
            _ if self.again => Wish::Again,
            Phase::Waiting { .. } | Phase::Streaming { .. } => Wish::Wait,
            _ if self.stalled => Wish::Wait,
            _ => Wish::Read,
        }
    }

    /// Gives back what it holds of the kit, before it is dropped.
    pub fn release(&mut self, kit: &mut Kit) {
        self.end_record(kit);
        self.inbox.clear();
        self.inbox.rest(&mut kit.buffers);
        self.outbox.clear(&mut kit.outboxes);
        self.release_ask(kit);
        // Whatever waits has no reader any more.
        self.held_back(kit);
        if self.in_flight {
            kit.core.counters.in_flight.sub(1);
        }
        kit.core.closed(self.ends);
    }

    /// Whether no byte of a request is being waited for but its first.
    fn at_rest(&self) -> bool {
        matches!(self.phase, Phase::Head { scanned: 0 })
    }
}
