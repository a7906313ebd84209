//! The raw log of a connection: its requests and responses, on their way to the log's thread.

use super::{Conn, Responding, Stage, core::Core, matched::Matched};
use crate::Nanos;
use crate::api::problem::Problem;
use crate::http::{body::Body, inbox::BUFFER};
use crate::watch::rawlog::{BUDGET, Direction, RETRY};

/// The first room for a request of unknown length, in bytes: any head, and a usual body. It is more
/// than one read brings.
const OPEN: u64 = 2 * BUFFER as u64;

/// More than the length of the head of any response, in bytes.
const RESPONSE_HEAD: u64 = 1024;

/// The longest content of a response that can be logged, in bytes: half of the budget, so that it
/// finds room while others come and go.
const LOGGED_MAX: u64 = BUDGET / 2;

impl Conn {
    /// Logs a request whose head is at the front of the inbox. Returns false if the log has no room
    /// for the request; it is tried again in a moment.
    #[cold]
    pub(super) fn log_request(&mut self, head: usize, matched: &Matched, core: &Core) -> bool {
        let Some(log) = &core.log else { return true };
        let most = core.limits.body;
        let (bytes, most) = match matched.body {
            Body::Length(length) => (head as u64 + length.min(most), 0),
            Body::Chunked(_) => (OPEN, most),
        };
        let Some(mut record) = log.begin(Direction::Request, bytes, most) else {
            self.stage = Stage::Head { scanned: 0 };
            return self.stall(RETRY, core);
        };
        self.unstall(core);
        record.head(&self.inbox.bytes()[..head]);
        self.record = Some(Box::new(record));
        true
    }

    /// Makes room for content of a request in the inbox. Returns false if the log has none; it is
    /// tried again in a moment.
    pub(super) fn log_has_room(&mut self, core: &Core) -> bool {
        // A body of known length has room for all of it.
        let open = matches!(&self.stage, Stage::Body(request)
            if matches!(request.matched.body, Body::Chunked(_)));
        let Some(record) = self.record.as_mut().filter(|_| open) else {
            return true;
        };
        let content = self.inbox.bytes().len();
        if !record.has_room(content) && !record.grow(core.limits.body) {
            return self.stall(RETRY, core);
        }
        self.unstall(core);
        true
    }

    /// Stops for a time; always returns false.
    pub(super) fn stall(&mut self, time: Nanos, core: &Core) -> bool {
        self.stalled = true;
        self.stage_ends = core.now + time;
        false
    }

    /// Goes on reading.
    pub(super) fn unstall(&mut self, core: &Core) {
        if std::mem::take(&mut self.stalled) {
            self.stage_ends = core.now + core.limits.read;
        }
    }

    /// Logs the bytes in the inbox, which are not a request, or ends the record of a partial one.
    pub(super) fn log_refused(&mut self, core: &Core) {
        match (&core.log, &self.stage) {
            (Some(log), Stage::Head { .. }) => log.refused(self.inbox.bytes()),
            _ => self.end_record(core),
        }
    }

    /// Makes room for a response. Returns false if the log has none at present. A response that can
    /// never have room becomes an error that says so.
    #[cold]
    pub(super) fn log_response(&mut self, responding: &mut Responding, core: &mut Core) -> bool {
        let (response, size) = (&mut responding.response, &mut responding.logged);
        let unix = core.clock.unix;
        if *size == 0 {
            *size = RESPONSE_HEAD + core.mock.length(response, unix, LOGGED_MAX);
        }
        if *size > RESPONSE_HEAD + LOGGED_MAX {
            let problem = Problem::TOO_LONG_TO_LOG.with_number(LOGGED_MAX >> 20);
            *response = core.mock.refusal(problem, response.endpoint, core.now);
            *size = RESPONSE_HEAD + core.mock.length(response, unix, LOGGED_MAX);
        }
        let Some(log) = &core.log else { return true };
        // Room for all of it at once: two that grow could wait for each other without end.
        self.record = log.begin(Direction::Response, *size, 0).map(Box::new);
        self.record.is_some()
    }

    /// Logs the head of a response, and content behind it, from `at` on in the outbox.
    pub(super) fn log_head(&mut self, at: usize) {
        let Some(record) = &mut self.record else {
            return;
        };
        let written = self.outbox.written(at);
        let end = written.windows(4).position(|end| end == b"\r\n\r\n");
        let (head, content) = written.split_at(end.map_or(written.len(), |end| end + 4));
        record.head(head);
        record.body(content);
    }

    /// Ends the record.
    #[cold]
    pub(super) fn end_record(&mut self, core: &Core) {
        if let (Some(log), Some(record)) = (&core.log, self.record.take()) {
            log.end(*record);
        }
    }
}
