//! Receiving: heads and bodies, in order and within the bounds of a turn.

use super::core::Core;
use super::matched::Matched;
use super::{Closing, Conn, EMPTY_LINES_MAX, Request, Stage};
use crate::Nanos;
use crate::api::json_string::JsonString;
use crate::api::provider::Endpoint;
use crate::exchange::body::BodyReader;
use crate::exchange::planner::{Plan, Planning, Subject};
use crate::exchange::request::FIELDS;
use crate::exchange::response::Response;
use crate::http::Refusal;
use crate::http::answer::CONTINUE;
use crate::http::body::Body;
use crate::http::{head, line};
use crate::meter;
use crate::scenario::outcome::Outcome;

/// The bytes of a body that are scanned in one step.
const SCANNED_AT_ONCE: usize = 8 * 1024;

const ENDS_EARLY: Refusal = Refusal::bad(
    "incomplete_request",
    "The connection's sending side was closed before the request was complete.",
);

const MANY_LINES: Refusal = Refusal::bad(
    "invalid_request",
    "At most 8 empty lines may stand before a request.",
);

impl Conn {
    /// Does everything that can be done with the bytes that are there, in order, until the units
    /// are spent. Code that most turns do not need is not inlined here: its addresses would be
    /// computed in every turn, 3 % of the instructions (`scripts/measure instructions`).
    pub(super) fn advance(&mut self, core: &mut Core, now: Nanos) {
        self.again = false;
        while !self.outbox.is_full() {
            let moved = match &self.stage {
                Stage::Head { .. } if core.meter.is_spent() && !self.inbox.is_empty() => {
                    self.again = true;
                    false
                }
                // A pipelined request starts when the response before it has left.
                Stage::Head { .. } if core.paced && !self.outbox.is_empty() => false,
                Stage::Head { .. } => self.head_arrived(core, now),
                Stage::Body(_) => self.body_arrived(core, now),
                Stage::Respond(_) => self.respond(core, now),
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

    fn head_arrived(&mut self, core: &mut Core, now: Nanos) -> bool {
        let input = self.inbox.bytes();
        if input.is_empty() {
            if self.peer_ended {
                self.stage = Stage::Close(Closing::Flush { linger: false });
            }
            return false;
        }
        if let Some((len, matched)) = core.heads.find(input) {
            if core.log.is_some() && !self.log_request(len, &matched, core, now) {
                return false;
            }
            self.inbox.used(len);
            return self.begin_request(&matched, None, core, now);
        }
        self.new_head_arrived(core, now)
    }

    /// Reads a head that is not the last one.
    #[inline(never)]
    fn new_head_arrived(&mut self, core: &mut Core, now: Nanos) -> bool {
        let Stage::Head { scanned } = &mut self.stage else {
            unreachable!("the stage is a head")
        };
        core.meter.charge(meter::NEW_HEAD);
        let input = self.inbox.bytes();
        if input.starts_with(b"\r\n") {
            self.empty_lines += 1;
            if self.empty_lines > EMPTY_LINES_MAX {
                return self.refuse(MANY_LINES, core, now);
            }
            // An empty line before a request is ignored (RFC 9112, 2.2); some old clients end a
            // body with one.
            self.inbox.used(2);
            *scanned = 0;
            let limits = &core.limits;
            let rests = self.inbox.is_empty();
            self.stage_ends = now + if rests { limits.idle } else { limits.read };
            return true;
        }
        // A head can only be complete, or a line of it wrong, where a line ends; so a head that
        // comes byte by byte is parsed once per line and not once per byte. When no more can come,
        // its errors are reported even so.
        let unseen = &input[*scanned..];
        *scanned = input.len();
        if !head::can_begin(input[0]) {
            return self.refuse(line::NO_REQUEST, core, now);
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
            Err(refusal) => self.refuse(refusal, core, now),
            Ok(None) if self.peer_ended => self.refuse(ENDS_EARLY, core, now),
            Ok(None) => false,
            Ok(Some(head)) => {
                let (matched, named) = Matched::of(&head, &core.mock);
                let len = head.len;
                if named.is_none() && matched.call.route.is_ok() {
                    core.heads.keep(&input[..len], matched);
                }
                if core.log.is_some() && !self.log_request(len, &matched, core, now) {
                    return false;
                }
                self.inbox.used(len);
                self.begin_request(&matched, named, core, now)
            }
        }
    }

    /// Begins a request whose head was read.
    fn begin_request(
        &mut self,
        matched: &Matched,
        named: Option<JsonString>,
        core: &mut Core,
        now: Nanos,
    ) -> bool {
        self.fresh = false;
        self.empty_lines = 0;
        if let Body::Length(length) = matched.body
            && length > core.limits.body
        {
            let response = core.mock.too_large(&matched.call, core.limits.body, now);
            return self.respond_early(response, matched, core, now);
        }
        if matched.expects && !matched.body.is_empty() && self.inbox.is_empty() {
            if let Some(response) = core.mock.refuse_early(&matched.call, now) {
                return self.respond_early(response, matched, core, now);
            }
            let out = self.outbox.end(&mut core.outboxes);
            out.extend_from_slice(CONTINUE);
            self.write_ends = now + core.limits.write;
        }
        if let Body::Length(length) = matched.body
            && length <= self.inbox.bytes().len().min(SCANNED_AT_ONCE) as u64
        {
            return self.short_body_arrived(length as usize, matched, named, core, now);
        }
        let ask = matched.asks.map(|endpoint| core.ask(endpoint));
        self.stage = Stage::Body(Request {
            matched: *matched,
            named,
            ask,
            content: 0,
            held: 0,
            is_exempt: false,
            planning: None,
        });
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
        now: Nanos,
    ) -> bool {
        let body = &self.inbox.bytes()[..len];
        if let Some(record) = &mut self.record {
            record.body(body);
        }
        let Some(endpoint) = matched.asks else {
            self.inbox.used(len);
            return self.bodiless_complete(matched, named, core, now);
        };
        core.meter.charge_scanned(len);
        if named.is_none()
            && let Some(content) = core.bodies.find(endpoint, body)
        {
            self.inbox.used(len);
            let endpoint = matched.call.endpoint;
            return match core.mock.decide(&matched.call, content.streams(), now) {
                Ok(outcome) => {
                    let response = core.mock.response(content, outcome, endpoint);
                    self.request_complete(response, matched, core, now)
                }
                Err(response) => self.request_complete(response, matched, core, now),
            };
        }
        let mut ask = core.ask(endpoint);
        ask.feed(body);
        core.meter.charge(ask.take_work());
        let planned = plan(endpoint, matched, named.as_ref(), &mut ask, core, now);
        if let (Planned::Plan(_, plan), None) = (&planned, &named) {
            core.bodies.keep(endpoint, body, plan);
        }
        self.inbox.used(len);
        self.planned(planned, *matched, named, Some(ask), core, now)
    }

    #[inline(never)]
    fn body_arrived(&mut self, core: &mut Core, now: Nanos) -> bool {
        if let Stage::Body(request) = &self.stage
            && request.planning.is_some()
        {
            return self.plan_on(core, now);
        }
        if self.inbox.is_empty() {
            return self.peer_ended && self.refuse(ENDS_EARLY, core, now);
        }
        if core.meter.is_spent() {
            self.again = true;
            return false;
        }
        if core.log.is_some() && !self.log_has_room(core, now) || !self.may_hold_more(core, now) {
            return false;
        }
        let Stage::Body(request) = &mut self.stage else {
            unreachable!("the stage is a body")
        };
        let input = self.inbox.bytes();
        let input = &input[..input.len().min(SCANNED_AT_ONCE)];
        let piece = match request.matched.body.read(input) {
            Ok(piece) => piece,
            Err(refusal) => return self.refuse(refusal, core, now),
        };
        let framing = piece.used - piece.content.len();
        core.meter.charge(meter::FRAMING * framing as i64);
        core.meter.charge_scanned(piece.content.len());
        if let Some(ask) = &mut request.ask {
            ask.feed(piece.content);
            core.meter.charge(ask.take_work());
        }
        request.content += piece.content.len() as u64;
        if let Some(record) = &mut self.record
            && request.content <= core.limits.body
        {
            record.body(piece.content);
        }
        let (used, done) = (piece.used, piece.done);
        self.inbox.used(used);
        if request.content > core.limits.body {
            let matched = request.matched;
            let response = core.mock.too_large(&matched.call, core.limits.body, now);
            return self.respond_early(response, &matched, core, now);
        }
        self.account_held(core);
        !done || self.body_complete(core, now)
    }

    /// Handles the end of a body.
    fn body_complete(&mut self, core: &mut Core, now: Nanos) -> bool {
        let Stage::Body(request) = &mut self.stage else {
            unreachable!("the stage is a body")
        };
        let (matched, named) = (request.matched, request.named.take());
        let Some((endpoint, mut ask)) = matched.asks.zip(request.ask.take()) else {
            return self.bodiless_complete(&matched, named, core, now);
        };
        let planned = plan(endpoint, &matched, named.as_ref(), &mut ask, core, now);
        self.planned(planned, matched, named, Some(ask), core, now)
    }

    /// Handles the end of a request whose body means nothing.
    fn bodiless_complete(
        &mut self,
        matched: &Matched,
        named: Option<JsonString>,
        core: &mut Core,
        now: Nanos,
    ) -> bool {
        let planned = match core.mock.decide(&matched.call, false, now) {
            Ok(outcome) => {
                let endpoint = matched.call.route.expect("a request that succeeds has one");
                let planner = &mut core.mock.planner;
                let plan = planner.document(endpoint, named, now, &mut core.meter);
                Planned::Plan(outcome, plan)
            }
            Err(response) => Planned::Refused(response),
        };
        self.planned(planned, *matched, None, None, core, now)
    }

    fn planned(
        &mut self,
        planned: Planned,
        matched: Matched,
        named: Option<JsonString>,
        ask: Option<Box<BodyReader>>,
        core: &mut Core,
        now: Nanos,
    ) -> bool {
        let response = match planned {
            Planned::Refused(response) => response,
            Planned::Plan(outcome, Plan::Ready(content)) => {
                core.mock.response(content, outcome, matched.call.endpoint)
            }
            Planned::Plan(outcome, Plan::Pending(making)) => {
                self.release_held(core);
                self.stage = Stage::Body(Request {
                    matched,
                    named,
                    ask,
                    content: 0,
                    held: 0,
                    is_exempt: false,
                    planning: Some(Box::new(Planning { outcome, making })),
                });
                self.account_held(core);
                return true;
            }
        };
        self.release_held(core);
        if let Some(ask) = ask {
            core.recycle(ask);
        }
        self.request_complete(response, &matched, core, now)
    }

    /// Goes on with the plan of a response.
    fn plan_on(&mut self, core: &mut Core, now: Nanos) -> bool {
        if core.meter.is_spent() {
            self.again = true;
            return false;
        }
        let Stage::Body(request) = &mut self.stage else {
            unreachable!("the stage is a body")
        };
        let planning = request.planning.take().expect("the plan is not complete");
        let Planning { outcome, making } = *planning;
        let (matched, named) = (request.matched, request.named.take());
        let ask = request.ask.take();
        let subject = matched
            .asks
            .zip(ask.as_ref())
            .map(|(endpoint, ask)| Subject {
                endpoint,
                named: named.as_ref(),
                facts: ask.facts(),
            });
        let planner = &mut core.mock.planner;
        let plan = planner.go_on(making, subject, &mut core.meter);
        self.planned(Planned::Plan(outcome, plan), matched, named, ask, core, now)
    }
}

/// The result of planning a response.
enum Planned {
    /// The request does not succeed.
    Refused(Response),
    Plan(Outcome, Plan),
}

/// Decides on a complete request, and begins the plan of its response.
fn plan(
    endpoint: &'static Endpoint,
    matched: &Matched,
    named: Option<&JsonString>,
    ask: &mut BodyReader,
    core: &mut Core,
    now: Nanos,
) -> Planned {
    let facts = ask.finish();
    let streams = facts.is_ok_and(|facts| facts.stream);
    match core.mock.decide(&matched.call, streams, now) {
        Ok(outcome) => {
            let subject = facts.map(|facts| Subject {
                endpoint,
                named,
                facts,
            });
            let plan = core.mock.planner.plan(subject, &mut core.meter);
            Planned::Plan(outcome, plan)
        }
        Err(response) => Planned::Refused(response),
    }
}

/// Returns the lines that are complete.
fn whole_lines(input: &[u8]) -> &[u8] {
    let end = input.iter().rposition(|&byte| byte == b'\n');
    &input[..end.map_or(0, |end| end + 1)]
}
