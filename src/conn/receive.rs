//! Receiving: heads and bodies, in order and within the bounds of a turn.

use super::{Closing, Conn, EMPTY_LINES_MAX, Request, Stage, core::Core, matched::Matched};
use crate::api::json_string::JsonString;
use crate::exchange::planner::{Plan, Planning, Subject};
use crate::exchange::request::{Call, FIELDS};
use crate::exchange::response::Response;
use crate::http::{Refusal, answer::CONTINUE, body::Body, head, line};
use crate::meter;
use crate::scenario::Outcome;

/// The bytes of a body that are scanned in one step.
const SCANNED_AT_ONCE: usize = 8 * 1024;

const ENDS_EARLY: Refusal = Refusal::bad(
    "incomplete_request",
    "The connection's sending side was closed before the request was complete.",
);

const MANY_LINES: Refusal = Refusal::bad(
    "invalid_request",
    "At most 8 empty lines may precede a request.",
);

impl Conn {
    /// Does everything that can be done with the bytes that are there, in order, until the units
    /// are spent. Code that most turns do not need is not inlined here: its addresses would be
    /// computed in every turn, 3 % of the instructions (`scripts/measure instructions`).
    pub fn advance(&mut self, core: &mut Core) {
        self.again = false;
        while !self.outbox.is_full() {
            let moved = match &self.stage {
                Stage::Head { .. } if core.meter.is_spent() && !self.inbox.is_empty() => {
                    self.again = true;
                    false
                }
                // A pipelined request starts when the response before it has left.
                Stage::Head { .. } if core.paced && !self.outbox.is_empty() => false,
                Stage::Head { .. } => self.head_arrived(core),
                Stage::Body(_) => self.body_arrived(core),
                Stage::Respond(_) => self.respond(core),
                Stage::Close(_) => false,
            };
            if !moved {
                break;
            }
        }
        self.settle(core);
    }

    /// Releases everything that is not needed while the connection waits.
    pub(super) fn settle(&mut self, core: &mut Core) {
        if let Stage::Close(Closing::Flush { .. } | Closing::Now) = self.stage {
            self.inbox.clear();
        }
        // A connection that goes on after the next poll keeps its buffer until then.
        if !self.again {
            self.inbox.release(&mut core.buffers);
        }
        if let Stage::Close(Closing::Now) = self.stage {
            self.outbox.clear(&mut core.outboxes);
        }
        let waits = matches!(&self.stage, Stage::Respond(responding) if responding.waits());
        if waits != self.in_flight {
            self.in_flight = waits;
            match waits {
                true => core.metrics.counters.in_flight.add(1),
                false => core.metrics.counters.in_flight.sub(1),
            }
        }
    }

    fn head_arrived(&mut self, core: &mut Core) -> bool {
        let input = self.inbox.bytes();
        if input.is_empty() {
            if self.peer_ended {
                self.stage = Stage::Close(Closing::Flush { linger: false });
            }
            return false;
        }
        if let Some((len, matched)) = core.heads.find(input) {
            return self.begin_request(len, &matched, None, core);
        }
        self.new_head_arrived(core)
    }

    /// Parses a head that differs from the previous request's.
    #[inline(never)]
    fn new_head_arrived(&mut self, core: &mut Core) -> bool {
        let Stage::Head { scanned } = &mut self.stage else {
            unreachable!("the stage is a head")
        };
        core.meter.charge(meter::NEW_HEAD);
        let input = self.inbox.bytes();
        if input.starts_with(b"\r\n") {
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES_MAX {
                return self.refuse(MANY_LINES, core);
            }
            // An empty line before a request is ignored (RFC 9112, 2.2); some old clients end a
            // body with one.
            self.inbox.used(2);
            *scanned = 0;
            let limits = &core.limits;
            let rests = self.inbox.is_empty();
            self.stage_ends = core.now + if rests { limits.idle } else { limits.read };
            return true;
        }
        // A head can only be complete, or a line of it wrong, where a line ends; so a head that
        // comes byte by byte is parsed once per line and not once per byte. When no more can come,
        // its errors are reported even so.
        let unseen = &input[*scanned..];
        *scanned = input.len();
        if !head::can_begin(input[0]) {
            return self.refuse(line::NO_REQUEST, core);
        }
        let all = self.peer_ended || input.len() == head::HEAD_MAX;
        let parsed = match all || unseen.contains(&b'\n') {
            true => head::parse(input, FIELDS),
            false => Ok(None),
        };
        // Errors in an incomplete line are not reported yet: the cuts between reads must not show.
        let parsed = match parsed {
            Err(_) if !all => head::parse(whole_lines(input), FIELDS),
            parsed => parsed,
        };
        match parsed {
            Err(refusal) => self.refuse(refusal, core),
            Ok(None) if self.peer_ended => self.refuse(ENDS_EARLY, core),
            Ok(None) => false,
            Ok(Some(head)) => {
                let (matched, named) = Matched::of(&head, &core.mock);
                let len = head.len;
                if named.is_none() && matched.call.route.is_ok() {
                    core.heads.keep(&input[..len], matched);
                }
                self.begin_request(len, &matched, named, core)
            }
        }
    }

    /// Begins a request whose head of `len` bytes was read.
    fn begin_request(
        &mut self,
        len: usize,
        matched: &Matched,
        named: Option<JsonString>,
        core: &mut Core,
    ) -> bool {
        if core.log.is_some() && !self.log_request(len, matched, core) {
            return false;
        }
        self.inbox.used(len);
        self.fresh = false;
        self.empty_lines = 0;
        let received = self.inbox.bytes().len();
        if let Body::Length(length) = matched.body
            && length <= core.limits.body.min(received.min(SCANNED_AT_ONCE) as u64)
        {
            return self.short_body_arrived(length as usize, matched, named, core);
        }
        self.stage = Stage::Body(Request::new(*matched, named, core));
        if matches!(matched.body, Body::Length(length) if length > core.limits.body) {
            return self.too_large(&matched.call, core);
        }
        if matched.expects && received == 0 {
            if let Some(response) = core.mock.refuse_early(&matched.call, core.now) {
                return self.respond_early(response, core);
            }
            let out = self.outbox.end(&mut core.outboxes);
            out.extend_from_slice(CONTINUE);
            self.write_ends = core.now + core.limits.write;
        }
        true
    }

    /// Handles a request whose body is at the front of the inbox.
    #[inline]
    fn short_body_arrived(
        &mut self,
        len: usize,
        matched: &Matched,
        named: Option<JsonString>,
        core: &mut Core,
    ) -> bool {
        let body = &self.inbox.bytes()[..len];
        if let Some(record) = &mut self.record {
            record.body(body);
        }
        if let Some(endpoint) = matched.asks {
            core.meter.charge_scanned(len);
            if named.is_none()
                && let Some(content) = core.bodies.find(endpoint, body)
            {
                self.inbox.used(len);
                let endpoint = matched.call.endpoint;
                return match core.mock.decide(&matched.call, content.streams(), core.now) {
                    Ok(outcome) => {
                        let response = core.mock.response(content, outcome, endpoint);
                        self.request_complete(response, matched, core)
                    }
                    Err(response) => self.request_complete(response, matched, core),
                };
            }
        }
        let mut request = Request::new(*matched, named, core);
        request.feed(body, core);
        let planned = request.plan(core);
        if let (Some(endpoint), None) = (matched.asks, &request.named)
            && let Ok((_, Plan::Ready(content))) = &planned
        {
            core.bodies.keep(body, (endpoint, content.clone()));
        }
        self.inbox.used(len);
        self.planned(request, planned, core)
    }

    #[inline(never)]
    fn body_arrived(&mut self, core: &mut Core) -> bool {
        let is_complete = matches!(&self.stage, Stage::Body(request) if request.planning.is_some());
        if self.inbox.is_empty() && !is_complete {
            return self.peer_ended && self.refuse(ENDS_EARLY, core);
        }
        if core.meter.is_spent() {
            self.again = true;
            return false;
        }
        if is_complete {
            return self.body_complete(core);
        }
        if !self.log_has_room(core) || !self.may_hold_more(core) {
            return false;
        }
        let Stage::Body(request) = &mut self.stage else {
            unreachable!("the stage is a body")
        };
        let input = self.inbox.bytes();
        let input = &input[..input.len().min(SCANNED_AT_ONCE)];
        let piece = match request.matched.body.read(input) {
            Ok(piece) => piece,
            Err(refusal) => return self.refuse(refusal, core),
        };
        let framing = piece.used - piece.content.len();
        core.meter.charge(meter::FRAMING * framing as i64);
        core.meter.charge_scanned(piece.content.len());
        request.feed(piece.content, core);
        request.content += piece.content.len() as u64;
        let is_within = request.content <= core.limits.body;
        if let Some(record) = &mut self.record
            && is_within
        {
            record.body(piece.content);
        }
        let (used, done) = (piece.used, piece.done);
        self.inbox.used(used);
        if !is_within {
            let call = request.matched.call;
            return self.too_large(&call, core);
        }
        request.account_held(core);
        !done || self.body_complete(core)
    }

    /// Responds to a request whose body exceeds the limit.
    fn too_large(&mut self, call: &Call, core: &mut Core) -> bool {
        let response = core.mock.too_large(call, core.limits.body, core.now);
        self.respond_early(response, core)
    }

    /// Handles a request whose body has ended: plans its response, or goes on with the plan.
    fn body_complete(&mut self, core: &mut Core) -> bool {
        let stage = std::mem::replace(&mut self.stage, Stage::Head { scanned: 0 });
        let Stage::Body(mut request) = stage else {
            unreachable!("the stage is a body")
        };
        let planned = request.plan(core);
        self.planned(request, planned, core)
    }

    fn planned(&mut self, mut request: Request, planned: Planned, core: &mut Core) -> bool {
        request.release_held(core);
        let response = match planned {
            Err(response) => response,
            Ok((outcome, Plan::Ready(content))) => {
                let endpoint = request.matched.call.endpoint;
                core.mock.response(content, outcome, endpoint)
            }
            Ok((outcome, Plan::Pending(making))) => {
                request.planning = Some(Box::new(Planning { outcome, making }));
                request.account_held(core);
                self.stage = Stage::Body(request);
                return true;
            }
        };
        if let Some(ask) = request.ask {
            core.recycle(ask);
        }
        self.request_complete(response, &request.matched, core)
    }
}

/// The decision on a request and the plan of its response; or the response, if it does not succeed.
type Planned = Result<(Outcome, Plan), Response>;

impl Request {
    fn new(matched: Matched, named: Option<JsonString>, core: &mut Core) -> Request {
        Request {
            matched,
            named,
            ask: matched.asks.map(|endpoint| core.ask(endpoint)),
            content: 0,
            held: 0,
            is_exempt: false,
            planning: None,
        }
    }

    /// Reads content of the body.
    fn feed(&mut self, content: &[u8], core: &mut Core) {
        if let Some(ask) = &mut self.ask {
            ask.feed(content);
            core.meter.charge(ask.take_work());
        }
    }

    /// Decides on a complete request and begins the plan of its response, or goes on with the plan.
    fn plan(&mut self, core: &mut Core) -> Planned {
        let (call, asks) = (&self.matched.call, self.matched.asks);
        if let Some(planning) = self.planning.take() {
            let Planning { outcome, making } = *planning;
            let subject = asks.zip(self.ask.as_ref());
            let subject = subject.map(|(endpoint, ask)| Subject {
                endpoint,
                named: self.named.as_ref(),
                facts: ask.facts(),
            });
            let plan = core.mock.planner.go_on(making, subject, &mut core.meter);
            return Ok((outcome, plan));
        }
        let Some((endpoint, ask)) = asks.zip(self.ask.as_mut()) else {
            let outcome = core.mock.decide(call, false, core.now)?;
            let endpoint = call.route.expect("a request that succeeds has one");
            let (planner, named) = (&mut core.mock.planner, self.named.take());
            let plan = planner.document(endpoint, named, core.now, &mut core.meter);
            return Ok((outcome, plan));
        };
        let facts = ask.finish();
        let streams = facts.is_ok_and(|facts| facts.stream);
        let outcome = core.mock.decide(call, streams, core.now)?;
        let subject = facts.map(|facts| Subject {
            endpoint,
            named: self.named.as_ref(),
            facts,
        });
        let plan = core.mock.planner.plan(subject, &mut core.meter);
        Ok((outcome, plan))
    }
}

/// Returns the lines that are complete.
fn whole_lines(input: &[u8]) -> &[u8] {
    let end = input.iter().rposition(|&byte| byte == b'\n');
    &input[..end.map_or(0, |end| end + 1)]
}
