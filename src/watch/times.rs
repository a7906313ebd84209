//! The times of a core: what is measured, each in a histogram, and under what names they are told.
//! Knows neither who measures nor in what format they are told.

use crate::{Nanos, SECOND};

/// What a core measures; each has a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// How late the first bytes of answers left.
    Service,
    /// How late the chunks of streams left.
    Chunk,
    /// The delays that answers were given.
    Delay,
    /// How long a turn of the event loop took.
    Turn,
}

impl Time {
    /// How many there are; [`Time::Turn`] stays the last.
    pub const COUNT: usize = Time::Turn as usize + 1;

    /// How late frames left: answers and chunks.
    pub(super) const LATENESS: &[Time] = &[Time::Service, Time::Chunk];
}

/// Times as they are told.
pub(super) struct Told {
    /// Their name in JSON; in Prometheus it has `mocker_` before it.
    pub(super) name: &'static str,
    /// What they are.
    pub(super) help: &'static str,
    /// What they are the sum of.
    pub(super) of: &'static [Time],
}

/// The table of all times that are told.
pub(super) const TIMES: &[Told] = &[
    Told {
        name: "lateness_seconds",
        help: "How long after their due time answers and chunks of streams were written.",
        of: Time::LATENESS,
    },
    Told {
        name: "service_time_seconds",
        help: "From the last byte of a request to the first of its answer, less the delay \
               asked for.",
        of: &[Time::Service],
    },
    Told {
        name: "delay_seconds",
        help: "The delays that answers were given, those without left out.",
        of: &[Time::Delay],
    },
    Told {
        name: "turn_seconds",
        help: "How long the turns of the event loops took, from one wait to the next.",
        of: &[Time::Turn],
    },
];

/// A time as it is told to programs.
pub(super) fn seconds(time: Nanos) -> f64 {
    time as f64 / SECOND as f64
}
