//! The snapshot that the cores serve by. It never changes: a newer one, with a higher generation,
//! takes its place.

pub mod policy;

use std::sync::Arc;

use crate::{Nanos, settings::Settings};

/// An immutable snapshot of everything that decides about responses; so far, the settings.
pub struct Scenario {
    /// The number of snapshots before this one in the life of the server.
    pub generation: u64,
    /// The settings.
    pub settings: Arc<Settings>,
}

impl Scenario {
    /// Returns the snapshot that a server starts with.
    pub fn first(settings: &Settings) -> Arc<Scenario> {
        Arc::new(Scenario {
            generation: 0,
            settings: Arc::new(settings.clone()),
        })
    }
}

/// Without the settings, which hold the secret of `-auth`.
impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scenario({})", self.generation)
    }
}

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
