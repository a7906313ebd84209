//! What a connection tells the raw log. Does nothing without one.

use super::kit::Kit;
use super::{Conn, Phase, Plan};
use crate::Nanos;
use crate::http::body::Body;
use crate::mock::reply::Reply;
use crate::watch::rawlog::{Kind, RETRY};

/// More than the head of any answer has, in bytes.
const ANSWER_HEAD: u64 = 1024;

impl Conn {
    /// A request's head is at the front of the inbox. False when the log has no room for the
    /// request: it is looked at again in a moment.
    pub(super) fn log_request(&mut self, head: usize, plan: &Plan, kit: &Kit, now: Nanos) -> bool {
        let Some(log) = &kit.log else { return true };
        let body = match plan.body {
            Body::Length(length) => length.min(kit.limits.body),
            Body::Chunked(_) => kit.limits.body,
        };
        let Some(mut record) = log.begin(Kind::Request, head as u64 + body) else {
            self.stalled = true;
            self.phase = Phase::Head { scanned: 0 };
            self.phase_ends = now + RETRY;
            return false;
        };
        if std::mem::take(&mut self.stalled) {
            self.phase_ends = now + kit.limits.read;
        }
        record.head(&self.inbox.bytes()[..head]);
        self.record = Some(Box::new(record));
        true
    }

    /// What is in the inbox is no request, or what came of one is all that will.
    pub(super) fn log_refused(&mut self, kit: &Kit) {
        match (&kit.log, &self.phase) {
            (Some(log), Phase::Head { .. }) => log.refused(self.inbox.bytes()),
            _ => self.end_record(kit),
        }
    }

    /// An answer is to be written. False when the log has no room for it.
    pub(super) fn log_answer(&mut self, reply: &Reply, kit: &mut Kit) -> bool {
        let Some(log) = &kit.log else { return true };
        let content = kit.mock.book.length(reply, kit.clock.unix, &mut Vec::new());
        let record = log.begin(Kind::Response, ANSWER_HEAD + content);
        self.record = record.map(Box::new);
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
