//! One connection without its socket: bytes, time and endings go in; bytes, one deadline and a
//! wish come out. Joins `http` and `mock`, which don't know each other.

pub mod kit;
pub mod outbox;
pub mod writer;

use crate::http::answer::{CONTINUE, Persistence};
use crate::http::body::Body;
use crate::http::head::{self, Head};
use crate::http::inbox::Inbox;
use crate::http::{Refusal, inbox};
use crate::mock::ask::Ask;
use crate::mock::name::Name;
use crate::mock::policy::Call;
use crate::mock::problem::Problem;
use crate::mock::reply::Reply;
use crate::mock::route::Endpoint;
use kit::Kit;
use outbox::Outbox;
use writer::{Manner, Written};

/// A point in time, in nanoseconds since the process started; or a duration.
pub type Nanos = u64;

/// A second.
pub const SECOND: Nanos = 1_000_000_000;

/// How many requests of one connection are answered in a turn, so that one who pipelines without
/// end doesn't keep the others waiting.
pub const REQUESTS_MAX: u32 = 64;

/// After an answer that the client may not expect yet, its bytes are read and dropped for so long,
/// and so many of them: closing a socket with unread bytes resets it, and the answer would be lost.
pub const LINGER: Nanos = SECOND;
/// See [`LINGER`]. Node's client reads an answer only between its own writes: with 1 MiB it lost
/// one 413 in four to a broken pipe. A body a little over the usual cap fits.
pub const LINGER_MAX: u64 = 64 << 20;

/// How long a server that ends waits for the first request of a connection that has sent none.
pub const FRESH_DRAIN: Nanos = SECOND;

/// What a connection wants next, once everything outgoing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To receive.
    Read,
    /// To go on with what it has, after others had their turn: `resume`.
    Again,
    /// That its sending side is closed: `shut_down`.
    ShutDown,
    /// To be closed.
    Close,
}

/// One connection.
pub struct Conn {
    inbox: Inbox,
    outbox: Outbox,
    phase: Phase,
    /// When the phase takes too long.
    phase_ends: Nanos,
    /// When the answer that was begun last takes too long; counts while bytes wait to be sent.
    write_ends: Nanos,
    /// The peer has closed its sending side.
    peer_ended: bool,
    /// No request has come yet.
    fresh: bool,
    /// The turn ended with work left.
    again: bool,
}

enum Phase {
    /// Before or in a request's head. So many bytes of it were looked at in vain.
    Head { scanned: usize },
    /// In a request's body.
    Body(Request),
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

/// What a request's head says, as far as it still counts.
#[derive(Clone, Copy, Debug)]
struct Plan {
    call: Call,
    /// The endpoint whose facts the body is asked for.
    asks: Option<Endpoint>,
    body: Body,
    persistent: bool,
    old: bool,
    bodiless: bool,
    expects: bool,
}

/// A request whose head was read.
struct Request {
    plan: Plan,
    deployment: Option<Name>,
    ask: Option<Box<Ask>>,
    /// How much content there was so far, in bytes.
    content: u64,
}

/// The fields that the mock reads, in the order in which `Mock::call` takes them.
const WANTED: [&str; 3] = ["authorization", "api-key", "content-encoding"];

const ENDS_EARLY: Refusal = Refusal::bad(
    "incomplete_request",
    "The connection's sending side was closed before the request was complete.",
);
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
            peer_ended: false,
            fresh: true,
            again: false,
        }
    }

    /// Where received bytes go; never empty when the wish is to read.
    pub fn recv_space(&mut self, kit: &mut Kit) -> &mut [u8] {
        self.inbox.space(&mut kit.buffers)
    }

    /// `len` bytes of the space were filled; 0 when it turned out that there are none now.
    pub fn received(&mut self, len: usize, kit: &mut Kit, now: Nanos) {
        self.inbox.received(len);
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

    /// The first `len` outgoing bytes left.
    pub fn sent(&mut self, len: usize, kit: &mut Kit, now: Nanos) {
        let was_full = self.outbox.is_full();
        self.outbox.sent(len, &mut kit.outboxes);
        if was_full || matches!(self.phase, Phase::Items { .. }) {
            self.advance(kit, now);
        }
        if self.outbox.is_empty() && self.at_rest() {
            self.phase_ends = now + kit.limits.idle;
        }
    }

    /// Goes on after [`Wish::Again`].
    pub fn resume(&mut self, kit: &mut Kit, now: Nanos) {
        self.advance(kit, now);
    }

    /// The sending side was closed, as [`Wish::ShutDown`] asked for.
    pub fn shut_down(&mut self, now: Nanos) {
        self.phase = Phase::Lingering { left: LINGER_MAX };
        self.phase_ends = now + LINGER;
    }

    /// When `timeout` is to be called.
    pub fn deadline(&self) -> Nanos {
        if self.outbox.is_empty() {
            self.phase_ends
        } else {
            self.write_ends
        }
    }

    /// The deadline has passed.
    pub fn timeout(&mut self, kit: &mut Kit, now: Nanos) {
        let reading = !self.inbox.is_empty() || matches!(self.phase, Phase::Body(_));
        match self.phase {
            Phase::Head { .. } | Phase::Body(_) if reading && self.outbox.is_empty() => {
                self.refuse(TIMED_OUT, kit, now);
            }
            _ => self.phase = Phase::Closed,
        }
        self.settle(kit);
    }

    /// The server is ending. A connection without a request closes; one that has never had any is
    /// given a moment, since its first may be on its way.
    pub fn drain(&mut self, now: Nanos) {
        if self.at_rest() && self.inbox.is_empty() && self.outbox.is_empty() {
            match self.fresh {
                true => self.phase_ends = self.phase_ends.min(now + FRESH_DRAIN),
                false => self.phase = Phase::Closed,
            }
        }
    }

    /// What it wants next, once everything outgoing was sent.
    pub fn wish(&self) -> Wish {
        match self.phase {
            Phase::Closed => Wish::Close,
            Phase::Ending { linger: true } => Wish::ShutDown,
            Phase::Ending { linger: false } => Wish::Close,
            _ if self.again => Wish::Again,
            _ => Wish::Read,
        }
    }

    /// Gives back what it holds of the kit, before it is dropped.
    pub fn release(&mut self, kit: &mut Kit) {
        self.inbox.clear();
        self.inbox.rest(&mut kit.buffers);
        self.outbox.clear(&mut kit.outboxes);
        if let Phase::Body(Request { ask: Some(_), .. }) = self.phase
            && let Phase::Body(request) = std::mem::replace(&mut self.phase, Phase::Closed)
        {
            kit.asks.extend(request.ask);
        }
    }

    /// Whether no byte of a request is being waited for but its first.
    fn at_rest(&self) -> bool {
        matches!(self.phase, Phase::Head { scanned: 0 })
    }

    /// Does all that can be done with the bytes that are there, in order, within one turn's bounds.
    fn advance(&mut self, kit: &mut Kit, now: Nanos) {
        let last = kit.answers + u64::from(REQUESTS_MAX);
        self.again = false;
        while !self.outbox.is_full() {
            let moved = match &self.phase {
                _ if kit.answers >= last => {
                    self.again = true;
                    false
                }
                Phase::Head { .. } => self.head_arrived(kit, now),
                Phase::Body(_) => self.body_arrived(kit, now),
                Phase::Items { .. } => self.write_item(kit),
                Phase::Ending { .. } | Phase::Lingering { .. } | Phase::Closed => false,
            };
            if !moved {
                break;
            }
        }
        self.settle(kit);
    }

    /// Leaves nothing held that isn't needed while the connection waits.
    fn settle(&mut self, kit: &mut Kit) {
        if matches!(self.phase, Phase::Ending { .. } | Phase::Closed) {
            self.inbox.clear();
        }
        self.inbox.rest(&mut kit.buffers);
        if let Phase::Closed = self.phase {
            self.outbox.clear(&mut kit.outboxes);
        }
    }

    fn head_arrived(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        let Phase::Head { scanned } = &mut self.phase else {
            unreachable!("advance looked")
        };
        let input = self.inbox.bytes();
        if input.is_empty() {
            if self.peer_ended {
                self.phase = Phase::Ending { linger: false };
            }
            return false;
        }
        if let Some((len, plan)) = kit.seen.find(input) {
            self.inbox.used(len);
            return self.begin_request(plan, None, kit, now);
        }
        // A head can only be complete, or a line of it wrong, where a line ends; so a head that
        // comes byte by byte is parsed once a line and not once a byte.
        let unseen = &input[*scanned..];
        *scanned = input.len();
        if !head::can_begin(input[0]) {
            return self.refuse(head::NO_REQUEST, kit, now);
        }
        let parsed = match unseen.contains(&b'\n') || input.len() == inbox::BUFFER {
            true => head::parse(input, WANTED),
            false => Ok(None),
        };
        match parsed {
            Err(refusal) => self.refuse(refusal, kit, now),
            Ok(None) if self.peer_ended => self.refuse(ENDS_EARLY, kit, now),
            Ok(None) => false,
            Ok(Some(head)) => {
                let (plan, deployment) = plan(&head, kit);
                let len = head.len;
                if deployment.is_none() {
                    kit.seen.keep(&input[..len], plan);
                }
                self.inbox.used(len);
                self.begin_request(plan, deployment, kit, now)
            }
        }
    }

    /// The head was read: a body is waited for, unless the verdict is known and can't wait.
    fn begin_request(
        &mut self,
        plan: Plan,
        deployment: Option<Name>,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        self.fresh = false;
        if let Body::Length(length) = plan.body
            && length > kit.limits.body
        {
            return self.answer_early(&plan, Err(too_large(kit)), kit, now);
        }
        let awaited = plan.expects && !plan.body.is_empty() && self.inbox.is_empty();
        if awaited {
            if plan.asks.is_none() {
                return self.answer_early(&plan, Ok(()), kit, now);
            }
            self.outbox
                .end(&mut kit.outboxes)
                .extend_from_slice(CONTINUE);
            self.write_ends = now + kit.limits.write;
        }
        if let Body::Length(length) = plan.body
            && length <= self.inbox.bytes().len() as u64
        {
            let body = &self.inbox.bytes()[..length as usize];
            let facts = plan.asks.map(|endpoint| kit.heard.facts(endpoint, body));
            let facts = facts.map(|facts| facts.map_err(Problem::from));
            let reply = kit.mock.reply(&plan.call, deployment, facts);
            self.inbox.used(length as usize);
            return self.request_complete(reply, &plan, kit, now);
        }
        let ask = plan.asks.map(|endpoint| {
            let mut ask = kit.asks.pop().unwrap_or_else(|| Box::new(Ask::new()));
            ask.begin(endpoint);
            ask
        });
        self.phase = Phase::Body(Request {
            plan,
            deployment,
            ask,
            content: 0,
        });
        true
    }

    fn body_arrived(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        let Phase::Body(request) = &mut self.phase else {
            unreachable!("advance looked")
        };
        loop {
            let piece = match request.plan.body.read(self.inbox.bytes()) {
                Ok(piece) => piece,
                Err(refusal) => return self.refuse(refusal, kit, now),
            };
            if let Some(ask) = &mut request.ask {
                ask.feed(piece.content);
            }
            request.content += piece.content.len() as u64;
            let (used, done) = (piece.used, piece.done);
            self.inbox.used(used);
            if request.content > kit.limits.body {
                let plan = request.plan;
                return self.answer_early(&plan, Err(too_large(kit)), kit, now);
            }
            if done {
                let mut ask = request.ask.take();
                let facts = ask.as_mut().map(|ask| ask.finish().map_err(Problem::from));
                let reply = kit
                    .mock
                    .reply(&request.plan.call, request.deployment.take(), facts);
                kit.asks.extend(ask);
                let plan = request.plan;
                return self.request_complete(reply, &plan, kit, now);
            }
            if self.inbox.is_empty() {
                return self.peer_ended && self.refuse(ENDS_EARLY, kit, now);
            }
        }
    }

    fn request_complete(&mut self, reply: Reply, plan: &Plan, kit: &mut Kit, now: Nanos) -> bool {
        // What of the next request is there already has come with the end of this one.
        self.phase_ends = now + kit.limits.read;
        self.answer(reply, manner(plan, kit.draining), kit, now)
    }

    /// Answers a request whose body is not read: the connection can't serve another.
    fn answer_early(
        &mut self,
        plan: &Plan,
        body: Result<(), Problem>,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        let reply = kit.mock.reply_unread(&plan.call, body);
        self.release_ask(kit);
        let manner = Manner {
            persistence: Persistence::Close,
            ..manner(plan, true)
        };
        self.answer(reply, manner, kit, now);
        self.phase = Phase::Ending { linger: true };
        true
    }

    /// Says what is wrong with bytes that are no request, and ends the connection.
    fn refuse(&mut self, refusal: Refusal, kit: &mut Kit, now: Nanos) -> bool {
        let Refusal {
            status,
            code,
            message,
        } = refusal;
        let reply = kit.mock.refusal(Problem::invalid(status, code, message));
        self.release_ask(kit);
        let manner = Manner {
            persistence: Persistence::Close,
            bodiless: false,
        };
        self.answer(reply, manner, kit, now);
        self.phase = Phase::Ending { linger: true };
        true
    }

    fn release_ask(&mut self, kit: &mut Kit) {
        if let Phase::Body(request) = &mut self.phase {
            kit.asks.extend(request.ask.take());
        }
    }

    fn answer(&mut self, reply: Reply, manner: Manner, kit: &mut Kit, now: Nanos) -> bool {
        kit.answers += 1;
        self.write_ends = now + kit.limits.write;
        let out = self.outbox.end(&mut kit.outboxes);
        match kit
            .writer
            .begin(&reply, manner, &mut kit.mock.book, &kit.clock, out)
        {
            Written::All => self.answered(manner),
            Written::Opening => {
                self.phase = Phase::Items {
                    reply,
                    manner,
                    next: 0,
                }
            }
        }
        true
    }

    fn write_item(&mut self, kit: &mut Kit) -> bool {
        let Phase::Items {
            reply,
            manner,
            next,
        } = &mut self.phase
        else {
            unreachable!("advance looked")
        };
        let out = self.outbox.end(&mut kit.outboxes);
        if *next < reply.shape.items() {
            kit.mock.book.item(reply, *next, out);
            *next += 1;
            return true;
        }
        kit.mock
            .book
            .closing(reply, kit.clock.unix, out, &mut Vec::new());
        let manner = *manner;
        self.answered(manner);
        true
    }

    fn answered(&mut self, manner: Manner) {
        self.phase = match manner.persistence {
            Persistence::Close => Phase::Ending {
                linger: !self.inbox.is_empty(),
            },
            Persistence::Open | Persistence::KeepAlive => Phase::Head { scanned: 0 },
        };
    }
}

fn plan(head: &Head<'_, 3>, kit: &Kit) -> (Plan, Option<Name>) {
    let [authorization, api_key, coding] = head.wanted;
    let (call, deployment) =
        kit.mock
            .call(head.method, head.target, authorization, api_key, coding);
    let plan = Plan {
        call,
        asks: kit.mock.asks(&call),
        body: head.body,
        persistent: head.persistent,
        old: head.old,
        bodiless: head.method == "HEAD",
        expects: head.expects,
    };
    (plan, deployment)
}

fn manner(plan: &Plan, ending: bool) -> Manner {
    let persistence = match plan.persistent && !ending {
        true if plan.old => Persistence::KeepAlive,
        true => Persistence::Open,
        false => Persistence::Close,
    };
    Manner {
        persistence,
        bodiless: plan.bodiless,
    }
}

fn too_large(kit: &Kit) -> Problem {
    Problem::TOO_LARGE.with_number(kit.limits.body)
}
