//! One connection without its socket: bytes, time and endings go in; bytes, a deadline and the
//! next operation come out.

mod budget;
mod capture;
pub mod core;
mod matched;
pub mod memory;
pub mod outbox;
mod receive;
mod respond;
pub mod writer;

use crate::api::json_string::JsonString;
use crate::exchange::{body::BodyReader, planner::Planning, response::Response};
use crate::http::{Refusal, answer::Framing, inbox::Inbox};
use crate::watch::metrics::{Close, Unsent};
use crate::watch::rawlog::Record;
use crate::{Nanos, SECOND};
use core::Core;
use matched::Matched;
use outbox::Outbox;
use writer::WireOptions;

/// The time for which a connection reads and drops what the client still sends after the last
/// response: closing a socket with unread bytes resets it, and the response would be lost.
pub const LINGER: Nanos = SECOND;
/// The most bytes that are dropped. Node's client may read a response only when its own writes are
/// done: with 1 MiB it lost some of its 413s to a broken pipe (`scripts/check-clients`). A body a
/// little over the usual cap fits.
pub const LINGER_MAX: u64 = 64 << 20;

/// The time that a server that shuts down waits for the first request of a connection.
pub const FRESH_DRAIN: Nanos = SECOND;

/// The operation that a connection wants next, once everything outgoing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// To receive.
    Read,
    /// Nothing before its deadline.
    Wait,
    /// To go on with what it has, after the next poll: `advance`.
    Again,
    /// To have its sending side closed: `shut_down`.
    ShutDown,
    /// To be closed.
    Close,
}

/// One connection.
///
/// Its driver reports events in any order: [`Conn::received`] for bytes in [`Conn::recv_space`],
/// [`Conn::sent`] for bytes of [`Conn::outgoing`], [`Conn::peer_closed`], and [`Conn::timeout`]
/// once [`Conn::deadline`] has passed. After each of these there may be more outgoing, and the
/// deadline may have moved either way. The [`Conn::want`] counts once nothing is outgoing.
/// [`Conn::release`] comes last. The core's `now` is the time of the event; it may step back by the
/// length of another connection's turn.
pub struct Conn {
    inbox: Inbox,
    outbox: Outbox,
    stage: Stage,
    /// The time of the stage's own deadline, unless that is the time at which its response is due.
    stage_ends: Nanos,
    /// The time of the write deadline, which counts while bytes wait to be sent.
    write_ends: Nanos,
    /// The frames that were rendered and have not been sent.
    frames: Unsent,
    /// The reason why it ends, once it does.
    pub ends: Close,
    /// True if it is counted among the connections with a response that is not due yet.
    in_flight: bool,
    /// True if the peer has closed its sending side.
    peer_ended: bool,
    /// True until the first request.
    fresh: bool,
    /// The number of empty lines before the next request so far.
    empty_lines: u8,
    /// True if the turn ended with work left.
    again: bool,
    /// True if the raw log has no room at present, or the held parts of bodies no memory.
    stalled: bool,
    /// The request that is arriving or the response that is leaving, on its way to the raw log.
    record: Option<Box<Record>>,
}

/// The stage of a connection.
///
/// | from | to | by |
/// |---|---|---|
/// | Head | Body | a head whose body is still to arrive |
/// | Head, Body | Respond | the last byte of a request |
/// | Head, Body | Close | a request that cannot be read any further |
/// | Respond | Head, Close | the last byte of the response in the outbox |
/// | any | Close | a timeout, the peer's end, a shutdown |
///
/// Its tag is a byte of its own: packed into a variant's spare values, it costs each match on the
/// stage some instructions, 2 % of a turn (`scripts/measure instructions`).
#[repr(u8)]
enum Stage {
    /// Before or in a request's head.
    Head {
        /// The number of bytes already scanned without finding the end of the head.
        scanned: usize,
    },
    /// In a request's body, or between its last byte and the plan of the response.
    Body(Request),
    /// Before or in a response.
    Respond(Responding),
    /// After the last response.
    Close(Closing),
}

/// A request whose head was read.
struct Request {
    matched: Matched,
    /// The model that the path names.
    named: Option<JsonString>,
    ask: Option<Box<BodyReader>>,
    /// The length of its content so far, in bytes.
    content: u64,
    /// The memory that its held parts take, in bytes.
    held: usize,
    /// True if it may hold more than all connections together.
    is_exempt: bool,
    /// The unfinished plan of the response, once the request is complete.
    planning: Option<Box<Planning>>,
}

/// A response that has not left as a whole.
struct Responding {
    response: Response,
    wire: WireOptions,
    /// The framing of its content, once its head was written.
    begun: Option<Framing>,
    /// The room that it needs in the raw log, in bytes, once that is known; 0 before.
    logged: u64,
}

impl Responding {
    /// Returns true if it waits for its time.
    fn waits(&self) -> bool {
        self.begun.is_none() || self.response.content.streams()
    }
}

/// The steps of closing a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// The outbox is being sent; if `linger` is set, the client may still be sending.
    Flush { linger: bool },
    /// The sending side is closed; at most `left` more bytes are read and dropped.
    Linger { left: u64 },
    /// Nothing is to be sent or received.
    Now,
}

/// The deadlines of a connection, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deadline {
    /// The first byte of a request must have arrived.
    Idle,
    /// The last byte of a request must have arrived.
    Read,
    /// The next frame of the response is due.
    Due,
    /// There may be room again: in the raw log, or for held parts of bodies.
    Room,
    /// The client must have stopped sending.
    Linger,
    /// The client must have read the response.
    Write,
}

/// The number of empty lines that may precede a request: a few are ignored (RFC 9112, 2.2), but a
/// client that sends nothing else must not stay for ever.
pub const EMPTY_LINES_MAX: u8 = 8;

const TIMED_OUT: Refusal = Refusal::new(
    408,
    "request_timeout",
    "The request did not arrive in time; the server's read-timeout says how long it may take.",
);

impl Conn {
    /// Makes a connection that was accepted now.
    pub fn new(core: &Core) -> Conn {
        let idle = match core.draining {
            true => FRESH_DRAIN,
            false => core.limits.idle,
        };
        Conn {
            inbox: Inbox::default(),
            outbox: Outbox::default(),
            stage: Stage::Head { scanned: 0 },
            stage_ends: core.now + idle,
            write_ends: Nanos::MAX,
            frames: Unsent::default(),
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

    /// Returns the space for received bytes; it is not empty when it wants to read.
    pub fn recv_space(&mut self, core: &mut Core) -> &mut [u8] {
        self.inbox.space(&mut core.buffers)
    }

    /// Takes `len` bytes in the space; 0 if there turned out to be none.
    pub fn received(&mut self, len: usize, core: &mut Core) {
        self.inbox.received(len);
        core.metrics.counters.received_bytes.add(len as u64);
        if let Stage::Close(Closing::Linger { left }) = &mut self.stage {
            *left = left.saturating_sub(len as u64);
            self.inbox.clear();
            if *left == 0 {
                self.stage = Stage::Close(Closing::Now);
            }
        } else if len > 0 && self.at_rest() {
            self.stage_ends = core.now + core.limits.read;
        }
        self.advance(core);
    }

    /// Notes that the peer has closed its sending side; its earlier requests still get responses.
    pub fn peer_closed(&mut self, core: &mut Core) {
        self.peer_ended = true;
        if let Stage::Close(Closing::Linger { .. }) = self.stage {
            self.stage = Stage::Close(Closing::Now);
        }
        self.advance(core);
    }

    /// The bytes that are to be sent.
    pub fn outgoing(&self) -> &[u8] {
        self.outbox.bytes()
    }

    /// Notes that the first `len` outgoing bytes left.
    pub fn sent(&mut self, len: usize, core: &mut Core) {
        core.metrics.counters.sent_bytes.add(len as u64);
        core.metrics.record_sent(&mut self.frames, core.now);
        let was_long = match &self.stage {
            Stage::Respond(responding) if responding.begun.is_some() => {
                if responding.response.content.streams() {
                    // A stream may take its time, as long as its client reads at all.
                    self.write_ends = core.now + core.limits.write;
                }
                true
            }
            Stage::Respond(_) => false,
            _ => self.outbox.is_full(),
        };
        self.outbox.sent(len, &mut core.outboxes);
        if was_long || (core.paced && self.outbox.is_empty() && !self.inbox.is_empty()) {
            self.advance(core);
        }
        if !self.outbox.is_empty() {
            return;
        }
        match self.stage {
            Stage::Head { scanned: 0 } if self.inbox.is_empty() => {
                self.stage_ends = core.now + core.limits.idle;
            }
            // Requests behind a response that took long to leave were not read meanwhile.
            Stage::Head { .. } | Stage::Body(_) if was_long && !self.stalled => {
                self.stage_ends = self.stage_ends.max(core.now + core.limits.read);
            }
            // A request that is left over from a turn has begun: the connection is not idle.
            _ => {}
        }
    }

    /// Notes that the socket takes no more until the client reads: bytes that leave late from now
    /// on are not the mock's fault.
    pub fn held_back(&mut self, core: &Core) {
        core.metrics.held_back(&mut self.frames);
    }

    /// Lingers instead of closing, because there may be unread bytes. Returns false if it cannot.
    pub fn linger(&mut self) -> bool {
        match &mut self.stage {
            Stage::Close(Closing::Flush { linger }) if !self.peer_ended => {
                !std::mem::replace(linger, true)
            }
            _ => false,
        }
    }

    /// Notes that the sending side was closed, as [`Want::ShutDown`] asked for.
    pub fn shut_down(&mut self, core: &Core) {
        debug_assert_eq!(self.want(), Want::ShutDown);
        self.stage = Stage::Close(Closing::Linger { left: LINGER_MAX });
        self.stage_ends = core.now + LINGER;
    }

    /// The time at which `timeout` is to be called.
    pub fn deadline(&self) -> Nanos {
        self.stage_deadline().1.min(self.write_deadline())
    }

    /// The deadline of the stage, by name.
    fn stage_deadline(&self) -> (Deadline, Nanos) {
        match &self.stage {
            _ if self.stalled => (Deadline::Room, self.stage_ends),
            // Nothing is added to a full outbox, whatever is due.
            Stage::Respond(responding) if responding.waits() && !self.outbox.is_full() => {
                (Deadline::Due, responding.response.cursor.due)
            }
            Stage::Respond(_) => (Deadline::Due, Nanos::MAX),
            // The request or the end waits until the response before it was sent.
            _ if !self.outbox.is_empty() => (Deadline::Read, Nanos::MAX),
            Stage::Head { .. } if self.inbox.is_empty() => (Deadline::Idle, self.stage_ends),
            Stage::Head { .. } | Stage::Body(_) => (Deadline::Read, self.stage_ends),
            Stage::Close(_) => (Deadline::Linger, self.stage_ends),
        }
    }

    /// The write deadline.
    fn write_deadline(&self) -> Nanos {
        match self.outbox.is_empty() {
            true => Nanos::MAX,
            false => self.write_ends,
        }
    }

    /// Handles a deadline that has passed.
    pub fn timeout(&mut self, core: &mut Core) {
        if self.again {
            // Complete requests wait for their turn: it is not the client that is late.
            return self.advance(core);
        }
        let passed = match self.write_deadline() <= core.now {
            true => Deadline::Write,
            false => self.stage_deadline().0,
        };
        match passed {
            Deadline::Due | Deadline::Room => return self.advance(core),
            Deadline::Read => {
                self.refuse(TIMED_OUT, core);
                self.ends = Close::ReadTimeout;
            }
            Deadline::Idle => self.close(Close::IdleTimeout),
            Deadline::Write => {
                self.release_ask(core);
                self.close(Close::WriteTimeout);
            }
            // The reason was known before it lingered.
            Deadline::Linger => self.close(self.ends),
        }
        self.settle(core);
    }

    /// Begins to shut down. A connection without a request closes; one that has never had any gets
    /// a moment, since its first may be on its way.
    pub fn drain(&mut self, core: &Core) {
        if self.at_rest() && self.inbox.is_empty() && self.outbox.is_empty() {
            match self.fresh {
                true => self.stage_ends = self.stage_ends.min(core.now + FRESH_DRAIN),
                false => self.close(Close::Shutdown),
            }
        }
    }

    /// The operation that it wants next, once everything outgoing was sent.
    pub fn want(&self) -> Want {
        match &self.stage {
            Stage::Close(Closing::Now) => Want::Close,
            // A peer that has ended sends nothing that would reset the socket.
            Stage::Close(Closing::Flush { linger: true }) if !self.peer_ended => Want::ShutDown,
            Stage::Close(Closing::Flush { .. }) => Want::Close,
            _ if self.again => Want::Again,
            Stage::Respond(responding) if responding.waits() => Want::Wait,
            _ if self.stalled => Want::Wait,
            _ => Want::Read,
        }
    }

    /// Returns what it holds of the core, before it is dropped.
    pub fn release(&mut self, core: &mut Core) {
        self.end_record(core);
        self.inbox.clear();
        self.inbox.release(&mut core.buffers);
        self.outbox.clear(&mut core.outboxes);
        self.release_ask(core);
        // Nobody reads what waits.
        self.held_back(core);
        if self.in_flight {
            core.metrics.counters.in_flight.sub(1);
        }
        core.metrics.closed(self.ends);
    }

    fn close(&mut self, ends: Close) {
        self.stage = Stage::Close(Closing::Now);
        self.ends = ends;
    }

    /// Returns true between requests.
    fn at_rest(&self) -> bool {
        matches!(self.stage, Stage::Head { scanned: 0 })
    }
}
