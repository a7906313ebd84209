//! What a connection does with the bytes that are there: heads, bodies, answers, in order and
//! within one turn's bounds. Knows no endings and no deadlines but those that it sets.

use super::kit::Kit;
use super::writer::{Manner, Written};
use super::{Conn, EMPTY_LINES_MAX, Phase, Plan, Request};
use crate::Nanos;
use crate::http::answer::{CONTINUE, Persistence};
use crate::http::body::Body;
use crate::http::head::{self, Head};
use crate::http::{Refusal, inbox};
use crate::mock::book::event::Stream;
use crate::mock::name::Name;
use crate::mock::problem::Problem;
use crate::mock::reply::Reply;
use crate::mock::route::NOWHERE;
use crate::watch::metrics::Close;
use crate::watch::rawlog::RETRY;

/// The fields that the mock reads, in the order in which `Mock::call` takes them.
const WANTED: [&str; 3] = ["authorization", "api-key", "content-encoding"];

const ENDS_EARLY: Refusal = Refusal::bad(
    "incomplete_request",
    "The connection's sending side was closed before the request was complete.",
);

const MANY_LINES: Refusal = Refusal::bad(
    "invalid_request",
    "At most 8 empty lines may stand before a request.",
);

impl Conn {
    /// Does all that can be done with the bytes that are there, in order, within one turn's bounds.
    /// What most turns don't need is not inlined here: its addresses would be computed at every
    /// turn, 3 % of the instructions (`scripts/instructions`).
    pub(super) fn advance(&mut self, kit: &mut Kit, now: Nanos) {
        self.again = false;
        while !self.outbox.is_full() {
            let moved = match &self.phase {
                Phase::Head { .. } if kit.answers_left == 0 && !self.inbox.is_empty() => {
                    self.again = true;
                    false
                }
                // A pipelined request starts when the answer before it has left.
                Phase::Head { .. } if kit.paced && !self.outbox.is_empty() => false,
                Phase::Head { .. } => self.head_arrived(kit, now),
                Phase::Body(_) => self.body_arrived(kit, now),
                Phase::Waiting { .. } => self.waited(kit, now),
                Phase::Items { .. } => self.write_item(kit),
                Phase::Streaming { .. } => self.stream_on(kit, now),
                Phase::Ending { .. } | Phase::Lingering { .. } | Phase::Closed => false,
            };
            if !moved {
                break;
            }
        }
        self.settle(kit);
    }

    /// Leaves nothing held that isn't needed while the connection waits.
    pub(super) fn settle(&mut self, kit: &mut Kit) {
        if matches!(self.phase, Phase::Ending { .. } | Phase::Closed) {
            self.inbox.clear();
        }
        // What goes on after the next look keeps its buffer until then.
        if !self.again {
            self.inbox.rest(&mut kit.buffers);
        }
        if let Phase::Closed = self.phase {
            self.outbox.clear(&mut kit.outboxes);
        }
        let waits = matches!(self.phase, Phase::Waiting { .. } | Phase::Streaming { .. });
        if waits != self.in_flight {
            self.in_flight = waits;
            match waits {
                true => kit.core.counters.in_flight.add(1),
                false => kit.core.counters.in_flight.sub(1),
            }
        }
    }

    fn head_arrived(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        let input = self.inbox.bytes();
        if input.is_empty() {
            if self.peer_ended {
                self.phase = Phase::Ending { linger: false };
            }
            return false;
        }
        if let Some((len, plan)) = kit.seen.find(input) {
            if kit.log.is_some() && !self.log_request(len, &plan, kit, now) {
                return false;
            }
            self.inbox.used(len);
            return self.begin_request(plan, None, kit, now);
        }
        self.new_head_arrived(kit, now)
    }

    /// What is there begins with no head that is known.
    #[inline(never)]
    fn new_head_arrived(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        let Phase::Head { scanned } = &mut self.phase else {
            unreachable!("advance looked")
        };
        let input = self.inbox.bytes();
        if input.starts_with(b"\r\n") {
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES_MAX {
                return self.refuse(MANY_LINES, kit, now);
            }
            // An empty line before a request is nothing (RFC 9112, 2.2); some old clients end a
            // body with one.
            self.inbox.used(2);
            *scanned = 0;
            let limits = &kit.limits;
            let rests = self.inbox.is_empty();
            self.phase_ends = now + if rests { limits.idle } else { limits.read };
            return true;
        }
        // A head can only be complete, or a line of it wrong, where a line ends; so a head that
        // comes byte by byte is parsed once a line and not once a byte. When no more can come, what
        // is wrong with it is said even so.
        let unseen = &input[*scanned..];
        *scanned = input.len();
        if !head::can_begin(input[0]) {
            return self.refuse(head::NO_REQUEST, kit, now);
        }
        let all = self.peer_ended || input.len() == inbox::BUFFER;
        let parsed = match all || unseen.contains(&b'\n') {
            true => head::parse(input, WANTED),
            false => Ok(None),
        };
        // Of a line that has not ended nothing is said yet: how the bytes are cut must not show.
        let parsed = match parsed {
            Err(_) if !all => head::parse(whole_lines(input), WANTED),
            parsed => parsed,
        };
        match parsed {
            Err(refusal) => self.refuse(refusal, kit, now),
            Ok(None) if self.peer_ended => self.refuse(ENDS_EARLY, kit, now),
            Ok(None) => false,
            Ok(Some(head)) => {
                let (plan, named) = plan(&head, kit);
                let len = head.len;
                if named.is_none() && plan.call.route().is_ok() {
                    kit.seen.keep(&input[..len], plan);
                }
                if kit.log.is_some() && !self.log_request(len, &plan, kit, now) {
                    return false;
                }
                self.inbox.used(len);
                self.begin_request(plan, named, kit, now)
            }
        }
    }

    /// The head was read: a body is waited for, unless the verdict is known and can't wait.
    fn begin_request(
        &mut self,
        plan: Plan,
        named: Option<Name>,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        self.fresh = false;
        self.empty_lines = 0;
        if let Body::Length(length) = plan.body
            && length > kit.limits.body
        {
            let reply = kit.mock.too_large(&plan.call, None, kit.limits.body, now);
            return self.answer_early(reply, &plan, kit, now);
        }
        let mut admitted = None;
        if plan.expects && !plan.body.is_empty() && self.inbox.is_empty() {
            match kit.mock.admit(&plan.call, now) {
                Ok(delay) => admitted = Some(delay),
                Err(reply) => return self.answer_early(reply, &plan, kit, now),
            }
            let out = self.outbox.end(&mut kit.outboxes);
            out.extend_from_slice(CONTINUE);
            self.write_ends = now + kit.limits.write;
        }
        if let Body::Length(length) = plan.body
            && length <= self.inbox.bytes().len() as u64
        {
            let body = &self.inbox.bytes()[..length as usize];
            if let Some(record) = &mut self.record {
                record.body(body);
            }
            let (heard, mock) = (&mut kit.heard, &mut kit.mock);
            let shape = match plan.asks {
                Some(endpoint) => Some(heard.shape(mock, endpoint, named, body)),
                None => mock.unasked(&plan.call, named),
            };
            let reply = mock.reply(&plan.call, shape, None, now);
            self.inbox.used(length as usize);
            return self.request_complete(reply, &plan, kit, now);
        }
        let ask = plan.asks.map(|endpoint| kit.ask(endpoint));
        self.phase = Phase::Body(Request {
            plan,
            named,
            ask,
            content: 0,
            admitted,
        });
        true
    }

    #[inline(never)]
    fn body_arrived(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        if kit.log.is_some() && !self.log_has_room(kit, now) {
            return false;
        }
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
            if let Some(record) = &mut self.record
                && request.content <= kit.limits.body
            {
                record.body(piece.content);
            }
            let (used, done) = (piece.used, piece.done);
            self.inbox.used(used);
            if request.content > kit.limits.body {
                let (plan, admitted) = (request.plan, request.admitted);
                let cap = kit.limits.body;
                let reply = kit.mock.too_large(&plan.call, admitted, cap, now);
                return self.answer_early(reply, &plan, kit, now);
            }
            if done {
                let (plan, admitted) = (request.plan, request.admitted);
                let named = request.named.take();
                let mut ask = request.ask.take();
                let shape = match plan.asks.zip(ask.as_mut()) {
                    Some((endpoint, ask)) => Some(kit.mock.shape(endpoint, named, ask.finish())),
                    None => kit.mock.unasked(&plan.call, named),
                };
                let reply = kit.mock.reply(&plan.call, shape, admitted, now);
                if let Some(ask) = ask {
                    kit.rest(ask);
                }
                return self.request_complete(reply, &plan, kit, now);
            }
            if self.inbox.is_empty() {
                return self.peer_ended && self.refuse(ENDS_EARLY, kit, now);
            }
        }
    }

    fn request_complete(&mut self, reply: Reply, plan: &Plan, kit: &mut Kit, now: Nanos) -> bool {
        if self.record.is_some() {
            self.end_record(kit);
        }
        let manner = manner(plan, kit.draining);
        if reply.delay > 0 {
            let due = now + reply.delay;
            self.phase_ends = due;
            self.phase = Phase::Waiting { reply, manner, due };
            return true;
        }
        // What of the next request is there already has come with the end of this one.
        self.phase_ends = now + kit.limits.read;
        self.answer(reply, manner, now, kit, now)
    }

    #[inline(never)]
    fn waited(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        if self.phase_ends > now {
            return false;
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Head { scanned: 0 });
        let Phase::Waiting {
            reply,
            mut manner,
            due,
        } = phase
        else {
            unreachable!("advance looked")
        };
        if kit.draining {
            manner.persistence = Persistence::Close;
        }
        self.phase_ends = now + kit.limits.read;
        // A stream's times count from when it was due, not from when it was woken.
        self.answer(reply, manner, due, kit, now)
    }

    /// Answers a request whose body is not read: the connection can't serve another.
    fn answer_early(&mut self, reply: Reply, plan: &Plan, kit: &mut Kit, now: Nanos) -> bool {
        self.end_record(kit);
        self.release_ask(kit);
        let early = true;
        let manner = Manner {
            early,
            ..manner(plan, true)
        };
        self.answer(reply, manner, now, kit, now)
    }

    /// Says what is wrong with bytes that are no request, and ends the connection.
    pub(super) fn refuse(&mut self, refusal: Refusal, kit: &mut Kit, now: Nanos) -> bool {
        let Refusal {
            status,
            code,
            message,
        } = refusal;
        let (bodiless, endpoint) = match &self.phase {
            Phase::Body(request) => (request.plan.bodiless, request.plan.call.endpoint),
            _ => (false, NOWHERE),
        };
        let problem = Problem::invalid(status, code, message);
        let reply = kit.mock.refusal(problem, endpoint);
        kit.core.counters.refused.add(1);
        let manner = Manner {
            persistence: Persistence::Close,
            bodiless,
            old: false,
            early: true,
        };
        self.log_refused(kit);
        self.release_ask(kit);
        self.answer(reply, manner, now, kit, now)
    }

    /// Gives back the reader of a body that is read no further.
    pub(super) fn release_ask(&mut self, kit: &mut Kit) {
        if let Phase::Body(request) = &mut self.phase
            && let Some(ask) = request.ask.take()
        {
            kit.rest(ask);
        }
    }

    fn answer(
        &mut self,
        reply: Reply,
        mut manner: Manner,
        due: Nanos,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        if manner.old && reply.streams().is_some() {
            manner.persistence = Persistence::Close;
        }
        if kit.log.is_some() && !self.log_answer(&reply, kit) {
            self.phase_ends = now + RETRY;
            self.phase = Phase::Waiting { reply, manner, due };
            return true;
        }
        kit.core.answered(reply.endpoint, reply.shape.status());
        if reply.delay > 0 {
            kit.core.delayed(reply.delay);
        }
        self.frames.answer(due);
        kit.answers_left = kit.answers_left.saturating_sub(1);
        self.write_ends = now + kit.limits.write;
        let out = self.outbox.end(&mut kit.outboxes);
        let at = out.len();
        let book = &mut kit.mock.book;
        let written = kit.writer.begin(&reply, manner, book, &kit.clock, out);
        if self.record.is_some() {
            self.log_answer_head(at);
        }
        match written {
            Written::All => {
                kit.core.counters.tokens.add(reply.tokens());
                self.answered(manner, false, kit);
            }
            Written::Opening => {
                kit.core.counters.tokens.add(reply.tokens());
                self.phase = Phase::Items {
                    reply,
                    manner,
                    next: 0,
                }
            }
            Written::Head => {
                kit.core.counters.streams.add(1);
                let stream = Stream::new(reply, due, kit.clock.unix);
                self.phase = Phase::Streaming { stream, manner };
                self.phase_ends = due;
            }
        }
        true
    }

    #[inline(never)]
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
        let at = out.len();
        if *next < kit.mock.book.items(&reply.shape) {
            kit.mock.book.item(reply, *next, out);
            *next += 1;
            self.log_content(at);
            return true;
        }
        kit.mock
            .book
            .closing(reply, kit.clock.unix, out, &mut Vec::new());
        let manner = *manner;
        self.log_content(at);
        self.answered(manner, true, kit);
        true
    }

    /// An answer is in the outbox. The connection of the last one lingers when more may come from
    /// the client: it has come already, or nobody asked the client to send no more (RFC 9112, 9.6),
    /// or it has the time while a long answer leaves. To linger always would cost a sixth of what a
    /// connection costs.
    pub(super) fn answered(&mut self, manner: Manner, long: bool, kit: &Kit) {
        if self.record.is_some() {
            self.end_record(kit);
        }
        if manner.persistence != Persistence::Close {
            self.phase = Phase::Head { scanned: 0 };
            return;
        }
        self.ends = match (manner.early, kit.draining) {
            (true, _) => Close::Refused,
            (false, true) => Close::Shutdown,
            (false, false) => Close::Answered,
        };
        let more_may_come = manner.early || !self.inbox.is_empty();
        let linger = more_may_come || !self.peer_ended && (long || kit.draining);
        self.phase = Phase::Ending { linger };
    }
}

/// The lines that have ended.
fn whole_lines(input: &[u8]) -> &[u8] {
    let end = input.iter().rposition(|&byte| byte == b'\n');
    &input[..end.map_or(0, |end| end + 1)]
}

fn plan(head: &Head<'_, 3>, kit: &Kit) -> (Plan, Option<Name>) {
    let [authorization, api_key, coding] = head.wanted;
    let (call, named) = kit
        .mock
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
    (plan, named)
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
        old: plan.old,
        early: false,
    }
}
