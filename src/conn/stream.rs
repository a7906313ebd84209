//! What a connection does in a stream: write what is due. Knows neither what an event says nor
//! when it is due.

use super::kit::Kit;
use super::outbox::OUTBOX_FULL;
use super::{Conn, Phase};
use crate::Nanos;
use crate::http::answer;

impl Conn {
    /// Writes what of a stream is due, all in one chunk.
    #[inline(never)]
    pub(super) fn stream_on(&mut self, kit: &mut Kit, now: Nanos) -> bool {
        let Phase::Streaming { stream, manner } = &mut self.phase else {
            unreachable!("advance looked")
        };
        if stream.due > now {
            return false;
        }
        if kit.answers_left == 0 {
            self.again = true;
            return false;
        }
        kit.answers_left -= 1;
        if self.outbox.is_empty() {
            self.write_ends = now + kit.limits.write;
        }
        let mut events = std::mem::take(&mut kit.events);
        events.clear();
        let room = OUTBOX_FULL - self.outbox.bytes().len();
        let tokens = stream.tokens;
        self.frames.chunk(stream.due);
        let ended = kit.mock.go_on(stream, now, room, &mut events);
        kit.core
            .counters
            .tokens
            .add(u64::from(stream.tokens - tokens));
        if let Some(record) = &mut self.record {
            record.body(&events);
        }
        let (due, manner) = (stream.due, *manner);
        let out = self.outbox.end(&mut kit.outboxes);
        match manner.old {
            true => out.extend_from_slice(&events),
            false => answer::chunk(out, &events),
        }
        if ended && !manner.old {
            out.extend_from_slice(answer::LAST_CHUNK);
        }
        kit.events = events;
        self.phase_ends = match ended {
            true => now + kit.limits.read,
            false => due,
        };
        if ended {
            self.answered(manner, true, kit);
        }
        true
    }
}
