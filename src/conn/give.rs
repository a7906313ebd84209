//! What a connection does with a reply: waits until it is due, writes it, goes on or ends. Knows
//! nothing of how a request is read.

use super::kit::Kit;
use super::plan::Plan;
use super::writer::{Manner, Written};
use super::{Conn, Phase};
use crate::Nanos;
use crate::http::Refusal;
use crate::http::answer::Persistence;
use crate::mock::book::stream::Stream;
use crate::mock::problem::Problem;
use crate::mock::reply::Reply;
use crate::mock::route::NOWHERE;
use crate::watch::metrics::Close;
use crate::watch::rawlog::RETRY;

impl Conn {
    pub(super) fn request_complete(
        &mut self,
        reply: Reply,
        plan: &Plan,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        if self.record.is_some() {
            self.end_record(kit);
        }
        let manner = plan.manner(kit.draining);
        if reply.treatment.delay > 0 {
            let due = now + reply.treatment.delay;
            self.phase_ends = due;
            self.wait(reply, manner, due, 0);
            return true;
        }
        // What of the next request is there already has come with the end of this one.
        self.phase_ends = now + kit.limits.read;
        self.answer(reply, manner, now, 0, kit, now)
    }

    #[inline(never)]
    pub(super) fn waited(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        if self.phase_ends > now {
            return false;
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Head { scanned: 0 });
        let Phase::Waiting {
            reply,
            mut manner,
            due,
            size,
        } = phase
        else {
            unreachable!("advance looked")
        };
        if kit.draining {
            manner.persistence = Persistence::Close;
        }
        self.phase_ends = now + kit.limits.read;
        // A stream's times count from when it was due, not from when it was woken.
        self.answer(reply, manner, due, size, kit, now)
    }

    /// Answers a request whose body is not read: the connection can't serve another.
    pub(super) fn answer_early(
        &mut self,
        reply: Reply,
        plan: &Plan,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        self.end_record(kit);
        self.release_ask(kit);
        let early = true;
        let manner = Manner {
            early,
            ..plan.manner(true)
        };
        self.answer(reply, manner, now, 0, kit, now)
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
        self.answer(reply, manner, now, 0, kit, now)
    }

    /// Gives back the reader of a body that is read no further.
    pub(super) fn release_ask(&mut self, kit: &mut Kit) {
        if let Phase::Body(request) = &mut self.phase
            && let Some(ask) = request.ask.take()
        {
            kit.rest(ask);
        }
    }

    fn wait(&mut self, reply: Reply, manner: Manner, due: Nanos, size: u64) {
        self.phase = Phase::Waiting {
            reply,
            manner,
            due,
            size,
        };
    }

    fn answer(
        &mut self,
        mut reply: Reply,
        mut manner: Manner,
        due: Nanos,
        mut size: u64,
        kit: &mut Kit,
        now: Nanos,
    ) -> bool {
        if manner.old && reply.streams().is_some() {
            manner.persistence = Persistence::Close;
        }
        if kit.log.is_some() && !self.log_answer(&mut reply, &mut size, kit) {
            self.phase_ends = now + RETRY;
            self.wait(reply, manner, due, size);
            return true;
        }
        kit.core.answered(reply.endpoint, reply.shape.status());
        if reply.treatment.delay > 0 {
            kit.core.delayed(reply.treatment.delay);
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
    pub(super) fn write_item(&mut self, kit: &mut Kit) -> bool {
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
        if *next < kit.mock.book.items(reply) {
            kit.mock.book.item(reply, *next, out);
            *next += 1;
            self.log_content(at);
            return true;
        }
        kit.mock.book.closing(reply, kit.clock.unix, out, None);
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
