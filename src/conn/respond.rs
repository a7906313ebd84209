//! Responding: waits until a response is due, writes it piece by piece, then goes on or closes.

use super::writer::{Begun, WireOptions};
use super::{Closing, Conn, Responding, Stage, core::Core, matched::Matched, outbox::OUTBOX_FULL};
use crate::api::{problem::Problem, render::Room, table::UNROUTED};
use crate::exchange::response::{Progress, Response};
use crate::http::Refusal;
use crate::http::answer::{self, Framing};
use crate::meter;
use crate::watch::{metrics::Close, rawlog::RETRY};

impl Responding {
    fn new(response: Response, wire: WireOptions) -> Responding {
        Responding {
            response,
            wire,
            begun: None,
            logged: 0,
        }
    }
}

impl Conn {
    /// Takes the response to a complete request.
    #[inline]
    pub(super) fn request_complete(
        &mut self,
        response: Response,
        matched: &Matched,
        core: &mut Core,
    ) -> bool {
        if self.record.is_some() {
            self.end_record(core);
        }
        let responding = Responding::new(response, matched.wire);
        if responding.response.cursor.due > core.now {
            return self.wait(responding);
        }
        // The bytes of the next request that are there already came with the end of this one.
        self.stage_ends = core.now + core.limits.read;
        self.begin(responding, core)
    }

    /// Goes on with a response: waits for its time, or writes what is due.
    #[inline(never)]
    pub(super) fn respond(&mut self, core: &mut Core) -> bool {
        let Stage::Respond(responding) = &self.stage else {
            unreachable!("the stage is a response")
        };
        let waits = self.stalled || responding.waits();
        if waits && self.stage_deadline().1 > core.now {
            return false;
        }
        if core.meter.is_spent() {
            self.again = true;
            return false;
        }
        if let Some(framing) = responding.begun {
            return self.write_on(framing, core);
        }
        self.stalled = false;
        self.stage_ends = core.now + core.limits.read;
        match std::mem::replace(&mut self.stage, Stage::Head { scanned: 0 }) {
            Stage::Respond(responding) => self.begin(responding, core),
            _ => unreachable!("the stage is a response"),
        }
    }

    /// Reports an error in bytes that are not a request.
    pub(super) fn refuse(&mut self, refusal: Refusal, core: &mut Core) -> bool {
        core.metrics.counters.refused.add(1);
        let endpoint = match &self.stage {
            Stage::Body(request) => request.matched.call.endpoint,
            _ => UNROUTED,
        };
        let problem = Problem::invalid(refusal.status, refusal.code, refusal.message);
        let response = core.mock.refusal(problem, endpoint, core.now);
        self.respond_early(response, core)
    }

    /// Responds to a request that is not read to its end: the connection cannot serve another.
    pub(super) fn respond_early(&mut self, response: Response, core: &mut Core) -> bool {
        let head = match &self.stage {
            Stage::Body(request) => request.matched.wire,
            _ => WireOptions::default(),
        };
        let wire = WireOptions {
            closes: true,
            unread_body: true,
            ..head
        };
        self.log_refused(core);
        self.release_ask(core);
        self.begin(Responding::new(response, wire), core)
    }

    /// Returns the reader of a body that is not read any further.
    pub(super) fn release_ask(&mut self, core: &mut Core) {
        if let Stage::Body(request) = &mut self.stage {
            request.release_held(core);
            if let Some(ask) = request.ask.take() {
                core.recycle(ask);
            }
        }
    }

    #[inline(never)]
    fn wait(&mut self, responding: Responding) -> bool {
        self.stage = Stage::Respond(responding);
        true
    }

    /// Writes the beginning of a response that is due.
    fn begin(&mut self, mut responding: Responding, core: &mut Core) -> bool {
        if core.log.is_some() && !self.log_response(&mut responding, core) {
            self.stall(RETRY, core);
            return self.wait(responding);
        }
        let Responding { response, wire, .. } = &mut responding;
        wire.closes |= core.draining;
        core.meter.charge(meter::RESPONSE);
        let (mock, clock, meter) = (&mut core.mock, &core.clock, &mut core.meter);
        let out = self.outbox.end(&mut core.outboxes);
        let at = out.len();
        let begun = core.writer.begin(response, wire, mock, clock, meter, out);
        if begun == Begun::Unprepared {
            self.again = true;
            self.wait(responding);
            return false;
        }
        core.metrics
            .answered(response.endpoint, response.content.status());
        if response.outcome.delay > 0 {
            core.metrics.delayed(response.outcome.delay);
        }
        self.frames.answer(response.outcome.due);
        self.write_ends = core.now + core.limits.write;
        if self.record.is_some() {
            self.log_head(at);
        }
        let Begun::Head(framing) = begun else {
            core.metrics.counters.tokens.add(response.tokens());
            self.finished(*wire, false, core);
            return true;
        };
        match response.content.streams() {
            true => core.metrics.counters.streams.add(1),
            false => core.metrics.counters.tokens.add(response.tokens()),
        }
        responding.begun = Some(framing);
        self.wait(responding)
    }

    /// Writes what is due of a response that has begun, as far as there is room.
    fn write_on(&mut self, framing: Framing, core: &mut Core) -> bool {
        let Stage::Respond(Responding { response, wire, .. }) = &mut self.stage else {
            unreachable!("the stage is a response")
        };
        let wire = *wire;
        let (due, tokens) = (response.cursor.due, response.cursor.tokens);
        core.writer.piece.clear();
        let room = Room {
            out: &mut core.writer.piece,
            sites: None,
            end: OUTBOX_FULL - self.outbox.bytes().len(),
            meter: &mut core.meter,
        };
        let progress = core.mock.render(response, core.now, room);
        if response.content.streams() {
            if self.outbox.is_empty() {
                self.write_ends = core.now + core.limits.write;
            }
            self.frames.chunk(due);
            let tokens = response.cursor.tokens - tokens;
            core.metrics.counters.tokens.add(u64::from(tokens));
        }
        let piece = &core.writer.piece;
        if !piece.is_empty() {
            if let Some(record) = &mut self.record {
                record.body(piece);
            }
            let out = self.outbox.end(&mut core.outboxes);
            match framing {
                Framing::Chunked => answer::chunk(out, piece),
                _ => out.extend_from_slice(piece),
            }
            core.meter.charge_bytes(piece.len());
        }
        if progress == Progress::Done {
            if framing == Framing::Chunked {
                let out = self.outbox.end(&mut core.outboxes);
                out.extend_from_slice(answer::LAST_CHUNK);
            }
            self.stage_ends = core.now + core.limits.read;
            self.finished(wire, true, core);
        }
        true
    }

    /// Continues once a whole response is in the outbox. After the last response, the connection
    /// lingers (RFC 9112, 9.6) if the client may still send: it already has, it could not know
    /// that the connection would close, or a long response leaves it the time. Always lingering
    /// would add a sixth to the cost of a connection.
    fn finished(&mut self, wire: WireOptions, long: bool, core: &Core) {
        if self.record.is_some() {
            self.end_record(core);
        }
        if !wire.closes {
            self.stage = Stage::Head { scanned: 0 };
            return;
        }
        self.ends = match (wire.unread_body, core.draining) {
            (true, _) => Close::Refused,
            (false, true) => Close::Shutdown,
            (false, false) => Close::Answered,
        };
        let more_may_come = wire.unread_body || !self.inbox.is_empty();
        let linger = more_may_come || !self.peer_ended && (long || core.draining);
        self.stage = Stage::Close(Closing::Flush { linger });
    }
}
