//! What a connection tells the raw log. Does nothing without one; knows no file and no thread.

use super::kit::Kit;
use super::plan::Plan;
use super::{Conn, Phase};
use crate::Nanos;
use crate::http::body::Body;
use crate::http::inbox::BUFFER;
use crate::mock::problem::Problem;
use crate::mock::reply::{Reply, Shape};
use crate::watch::rawlog::{BUDGET, Kind, RETRY};

/// What a request of unknown length is given room for at first, in bytes: any head, and a body as
/// most have. It is more than one read brings.
const OPEN: u64 = 2 * BUFFER as u64;

/// More than the head of any answer has, in bytes.
const ANSWER_HEAD: u64 = 1024;

/// The longest content of an answer that can be logged, in bytes: half of the budget, so that it
/// finds room while others come and go.
const LOGGED_MAX: u64 = BUDGET / 2;

impl Conn {
    /// A request's head is at the front of the inbox. False when the log has no room for the
    /// request: it is looked at again in a moment.
    pub(super) fn log_request(&mut self, head: usize, plan: &Plan, kit: &Kit, now: Nanos) -> bool {
        let Some(log) = &kit.log else { return true };
        let record = match plan.body {
            Body::Length(length) => {
                log.begin(Kind::Request, head as u64 + length.min(kit.limits.body))
            }
            Body::Chunked(_) => log.begin_open(Kind::Request, OPEN, kit.limits.body),
        };
        let Some(mut record) = record else {
            self.phase = Phase::Head { scanned: 0 };
            return self.stall(now);
        };
        self.unstall(kit, now);
        record.head(&self.inbox.bytes()[..head]);
        self.record = Some(Box::new(record));
        true
    }

    /// What is in the inbox may be content of a request. False when the log has no room for it: it
    /// is looked at again in a moment.
    pub(super) fn log_has_room(&mut self, kit: &Kit, now: Nanos) -> bool {
        // A body that said its length has room for all of it.
        let open = matches!(&self.phase, Phase::Body(request) if !request.plan.body.is_sized());
        let Some(record) = self.record.as_mut().filter(|_| open) else {
            return true;
        };
        let content = self.inbox.bytes().len();
        if !record.has_room(content) && !record.grow(kit.limits.body) {
            return self.stall(now);
        }
        self.unstall(kit, now);
        true
    }

    fn stall(&mut self, now: Nanos) -> bool {
        self.stalled = true;
        self.phase_ends = now + RETRY;
        false
    }

    fn unstall(&mut self, kit: &Kit, now: Nanos) {
        if std::mem::take(&mut self.stalled) {
            self.phase_ends = now + kit.limits.read;
        }
    }

    /// What is in the inbox is no request, or what came of one is all that will.
    pub(super) fn log_refused(&mut self, kit: &Kit) {
        match (&kit.log, &self.phase) {
            (Some(log), Phase::Head { .. }) => log.refused(self.inbox.bytes()),
            _ => self.end_record(kit),
        }
    }

    /// An answer is to be written, for which the log needs room of `size` bytes, or of as many as
    /// are measured now. False when it has no room for it. One that it never can have room for
    /// becomes an error that says so.
    pub(super) fn log_answer(&mut self, reply: &mut Reply, size: &mut u64, kit: &mut Kit) -> bool {
        let unix = kit.clock.unix;
        // What tells how the server fares grows while it waits.
        if *size == 0 || matches!(*reply.shape, Shape::View(_)) {
            *size = ANSWER_HEAD + kit.mock.length(reply, unix, LOGGED_MAX);
        }
        if *size > ANSWER_HEAD + LOGGED_MAX {
            let problem = Problem::TOO_LONG_TO_LOG.with_number(LOGGED_MAX >> 20);
            *reply = kit.mock.refusal(problem, reply.endpoint);
            *size = ANSWER_HEAD + kit.mock.length(reply, unix, LOGGED_MAX);
        }
        let Some(log) = &kit.log else { return true };
        // Room for all of it at once: two that grow could wait for each other without end.
        self.record = log.begin(Kind::Response, *size).map(Box::new);
        self.record.is_some()
    }

    /// The head of an answer, and possibly content, was written from `at` on in the outbox.
    pub(super) fn log_answer_head(&mut self, at: usize) {
        let Some(record) = &mut self.record else {
            return;
        };
        let written = self.outbox.written(at);
        let end = written.windows(4).position(|end| end == b"\r\n\r\n");
        let (head, content) = written.split_at(end.map_or(written.len(), |end| end + 4));
        record.head(head);
        record.body(content);
    }

    /// More content was written from `at` on in the outbox.
    pub(super) fn log_content(&mut self, at: usize) {
        if let Some(record) = &mut self.record {
            record.body(self.outbox.written(at));
        }
    }

    /// Nothing is to be added to the record.
    pub(super) fn end_record(&mut self, kit: &Kit) {
        if let (Some(log), Some(record)) = (&kit.log, self.record.take()) {
            log.end(*record);
        }
    }
}
