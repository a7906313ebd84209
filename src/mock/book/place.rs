//! How far a generated answer is, and what of it is being written. Knows no template.

use std::ops::Range;

use crate::mock::reply::{Generated, Reply};
use crate::mock::template::Slot;

/// What of a generated answer is being written.
pub(super) struct Place<'a> {
    pub reply: &'a Reply,
    pub generated: &'a Generated,
    /// Unix time in seconds.
    pub created: i64,
    pub choice: u32,
    pub tokens: Range<u32>,
    pub sequence: u32,
    pub stage: Stage,
}

/// How far a generated answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No token has left.
    Begun,
    /// Tokens leave.
    Going,
    /// All have left, or leave at once.
    Done,
}

impl<'a> Place<'a> {
    /// The whole of an answer at once.
    pub fn whole(reply: &'a Reply, generated: &'a Generated, created: i64) -> Place<'a> {
        Place {
            reply,
            generated,
            created,
            choice: 0,
            tokens: 0..reply.numbers.tokens,
            sequence: 0,
            stage: Stage::Done,
        }
    }

    /// What the slots say that tell how an answer ended.
    pub fn ending(&self, slot: Slot) -> &'static str {
        let cut = self.reply.numbers.cut;
        match (slot, self.stage) {
            (Slot::FinishReason, Stage::Done) => match self.generated.function() {
                _ if cut => "\"length\"",
                Some(_) => "\"tool_calls\"",
                None => "\"stop\"",
            },
            (Slot::Status, Stage::Done) if cut => "\"incomplete\"",
            (Slot::Status, Stage::Done) => "\"completed\"",
            (Slot::Status, _) => "\"in_progress\"",
            (Slot::IncompleteDetails, Stage::Done) if cut => "{\"reason\":\"max_output_tokens\"}",
            _ => "null",
        }
    }
}
