//! The decision on a request, and everything that was drawn for its response.

use super::problem::Problem;
use super::route::Methods;
use crate::Nanos;

/// The decision on a request.
#[derive(Clone, Copy, Debug)]
pub enum Decision {
    /// The request succeeds, in this way.
    Respond(Outcome),
    /// The request is for the methods of its target.
    Allowed(Methods),
    /// The request fails.
    Refuse(Problem),
}

/// Everything that was drawn for a response.
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
