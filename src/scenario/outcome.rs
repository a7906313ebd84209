//! The outcome of a request that succeeds: when its response is due, and the seed of its pacing.

use crate::Nanos;

/// The timing drawn for a response. Its id and token counts are in `api::number::Numbers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The time at which the response is due, or the first token of a stream.
    pub due: Nanos,
    /// The time from the last byte of the request until then.
    pub delay: Nanos,
    /// The seed of the times between the chunks of a stream; 0 if they do not vary.
    pub seed: u64,
}

impl Outcome {
    /// Returns the outcome without delay.
    pub fn at(now: Nanos) -> Outcome {
        Outcome {
            due: now,
            ..Outcome::default()
        }
    }
}
