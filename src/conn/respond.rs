//! Responding: waits until a response is due, writes it piece by piece, then goes on or closes.

use super::core::Core;
use super::matched::Matched;
use super::outbox::OUTBOX_FULL;
use super::writer::{Begun, WireOptions};
use super::{Closing, Conn, Responding, Stage};
use crate::Nanos;
use crate::api::problem::Problem;
use crate::api::render::Room;
use crate::api::table::UNROUTED;
use crate::exchange::response::Progress;
use crate::exchange::response::Response;
use crate::http::Refusal;
use crate::http::answer::{self, Framing, Persistence};
use crate::meter;
use crate::watch::metrics::Close;
use crate::watch::rawlog::RETRY;

impl Conn {
    /// Takes the response to a complete request.
    #[inline]
    pub(super) fn request_complete(
        &mut self,
        response: Response,
        matched: &Matched,
        core: &mut Core,
        now: Nanos,
    ) -> bool {
        if self.record.is_some() {
            self.end_record(core);
        }
        let wire = matched.wire_options(core.draining);
        if response.cursor.due > now {
            self.wait(response, wire, 0);
            return true;
        }
        // The bytes of the next request that are there already came with the end of this one.
        self.stage_ends = now + core.limits.read;
        self.begin(response, wire, 0, core, now)
    }

    /// Goes on with a response: waits for its time, or writes what is due.
    #[inline(never)]
    pub(super) fn respond(&mut self, core: &mut Core, now: Nanos) -> bool {
        let Stage::Respond(responding) = &mut self.stage else {
            unreachable!("the stage is a response")
        };
        let waits_until = match self.stalled {
            true => self.stage_ends,
            false if responding.waits() => responding.response.cursor.due,
            false => 0,
        };
        if waits_until > now {
            return false;
        }
        if core.meter.is_spent() {
            self.again = true;
            return false;
        }
        if let Some(framing) = responding.begun {
            return self.write_on(framing, core, now);
        }
        self.stalled = false;
        let stage = std::mem::replace(&mut self.stage, Stage::Head { scanned: 0 });
        let Stage::Respond(Responding {
            response,
            mut wire,
            logged,
            ..
        }) = stage
        else {
            unreachable!("the stage is a response")
        };
        if core.draining {
            wire.persistence = Persistence::Close;
        }
        self.stage_ends = now + core.limits.read;
        self.begin(response, wire, logged, core, now)
    }

    /// Responds to a request whose body is not read: the connection cannot serve another.
    pub(super) fn respond_early(
        &mut self,
        response: Response,
        matched: &Matched,
        core: &mut Core,
        now: Nanos,
    ) -> bool {
        self.end_record(core);
        self.release_ask(core);
        let wire = WireOptions {
            unread_body: true,
            ..matched.wire_options(true)
        };
        self.begin(response, wire, 0, core, now)
    }

    /// Reports an error in bytes that are not a request, and closes the connection.
    pub(super) fn refuse(&mut self, refusal: Refusal, core: &mut Core, now: Nanos) -> bool {
        let Refusal {
            status,
            code,
            message,
        } = refusal;
        let (is_head, endpoint) = match &self.stage {
            Stage::Body(request) => (request.matched.is_head, request.matched.call.endpoint),
            _ => (false, UNROUTED),
        };
        let problem = Problem::invalid(status, code, message);
        let response = core.mock.refusal(problem, endpoint, now);
        core.metrics.counters.refused.add(1);
        let wire = WireOptions {
            persistence: Persistence::Close,
            is_head,
            http10: false,
            unread_body: true,
        };
        self.log_refused(core);
        self.release_ask(core);
        self.begin(response, wire, 0, core, now)
    }

    /// Returns the reader of a body that is not read any further.
    pub(super) fn release_ask(&mut self, core: &mut Core) {
        self.release_held(core);
        if let Stage::Body(request) = &mut self.stage
            && let Some(ask) = request.ask.take()
        {
            core.recycle(ask);
        }
    }

    #[inline(never)]
    fn wait(&mut self, response: Response, wire: WireOptions, logged: u64) {
        self.stage = Stage::Respond(Responding {
            response,
            wire,
            begun: None,
            logged,
        });
    }

    /// Writes the beginning of a response that is due.
    fn begin(
        &mut self,
        mut response: Response,
        mut wire: WireOptions,
        mut logged: u64,
        core: &mut Core,
        now: Nanos,
    ) -> bool {
        if core.log.is_some() && !self.log_response(&mut response, &mut logged, core, now) {
            self.stalled = true;
            self.stage_ends = now + RETRY;
            self.wait(response, wire, logged);
            return true;
        }
        core.meter.charge(meter::RESPONSE);
        let Core {
            mock,
            writer,
            clock,
            meter,
            ..
        } = core;
        let out = self.outbox.end(&mut core.outboxes);
        let at = out.len();
        let begun = writer.begin(&mut response, &mut wire, mock, clock, meter, out);
        if begun == Begun::Unprepared {
            self.again = true;
            self.wait(response, wire, logged);
            return false;
        }
        core.metrics
            .answered(response.endpoint, response.content.status());
        if response.outcome.delay > 0 {
            core.metrics.delayed(response.outcome.delay);
        }
        self.frames.answer(response.outcome.due);
        self.write_ends = now + core.limits.write;
        if self.record.is_some() {
            self.log_head(at);
        }
        let Begun::Head(framing) = begun else {
            core.metrics.counters.tokens.add(response.tokens());
            self.finished(wire, false, core);
            return true;
        };
        match response.content.streams() {
            true => core.metrics.counters.streams.add(1),
            false => core.metrics.counters.tokens.add(response.tokens()),
        }
        self.stage = Stage::Respond(Responding {
            response,
            wire,
            begun: Some(framing),
            logged,
        });
        true
    }

    /// Writes what is due of a response that has begun, as far as there is room.
    fn write_on(&mut self, framing: Framing, core: &mut Core, now: Nanos) -> bool {
        let Stage::Respond(responding) = &mut self.stage else {
            unreachable!("the stage is a response")
        };
        let Responding { response, wire, .. } = responding;
        let wire = *wire;
        let streams = response.content.streams();
        let (due, tokens) = (response.cursor.due, response.cursor.tokens);
        core.writer.piece.clear();
        let room = Room {
            out: &mut core.writer.piece,
            sites: None,
            end: OUTBOX_FULL - self.outbox.bytes().len(),
            meter: &mut core.meter,
        };
        let progress = core.mock.render(response, now, room);
        if streams {
            if self.outbox.is_empty() {
                self.write_ends = now + core.limits.write;
            }
            self.frames.chunk(due);
            let tokens = response.cursor.tokens - tokens;
            core.metrics.counters.tokens.add(u64::from(tokens));
        }
        self.write_piece(framing, core);
        if progress == Progress::Done {
            if framing == Framing::Chunked {
                let out = self.outbox.end(&mut core.outboxes);
                out.extend_from_slice(answer::LAST_CHUNK);
            }
            self.stage_ends = now + core.limits.read;
            self.finished(wire, true, core);
        }
        true
    }

    /// Appends a piece of content to the outbox.
    fn write_piece(&mut self, framing: Framing, core: &mut Core) {
        let piece = &core.writer.piece;
        if piece.is_empty() {
            return;
        }
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

    /// Goes on after a response is in the outbox. After the last one, the connection lingers if the
    /// client may send more: it has done so already, or nothing told it to stop (RFC 9112, 9.6), or
    /// it has the time while a long response leaves. To linger always would cost a sixth of a
    /// connection's cost.
    fn finished(&mut self, wire: WireOptions, long: bool, core: &Core) {
        if self.record.is_some() {
            self.end_record(core);
        }
        if wire.persistence != Persistence::Close {
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
