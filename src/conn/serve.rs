//! What a connection does with the bytes that are there: heads and bodies, in order and within one
//! turn's bounds. Knows no endings and no deadlines but those that it sets.

use super::kit::Kit;
use super::plan::Plan;
use super::{Conn, EMPTY_LINES_MAX, Phase, Request};
use crate::Nanos;
use crate::http::Refusal;
use crate::http::answer::CONTINUE;
use crate::http::body::Body;
use crate::http::{head, line};
use crate::mock::call::FIELDS;
use crate::mock::name::Name;

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
            return self.refuse(line::NO_REQUEST, kit, now);
        }
        let all = self.peer_ended || input.len() == head::HEAD_MAX;
        let parsed = match all || unseen.contains(&b'\n') {
            true => head::parse(input, FIELDS),
            false => Ok(None),
        };
        // Of a line that has not ended nothing is said yet: how the bytes are cut must not show.
        let parsed = match parsed {
            Err(_) if !all => head::parse(whole_lines(input), FIELDS),
            parsed => parsed,
        };
        match parsed {
            Err(refusal) => self.refuse(refusal, kit, now),
            Ok(None) if self.peer_ended => self.refuse(ENDS_EARLY, kit, now),
            Ok(None) => false,
            Ok(Some(head)) => {
                let (plan, named) = Plan::of(&head, &kit.mock);
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
                Ok(treatment) => admitted = Some(treatment),
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
                None => mock.unasked(&plan.call, named, now),
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
                    None => kit.mock.unasked(&plan.call, named, now),
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
}

/// The lines that have ended.
fn whole_lines(input: &[u8]) -> &[u8] {
    let end = input.iter().rposition(|&byte| byte == b'\n');
    &input[..end.map_or(0, |end| end + 1)]
}
