//! The times that a core measures, each in a histogram, and the names under which they are
//! exported.

use crate::{Nanos, SECOND};

/// A time that a core measures in a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// The lateness of the first byte of a response.
    Service,
    /// The lateness of a chunk of a stream.
    Chunk,
    /// The configured delay of a response.
    Delay,
    /// The duration of a turn of the event loop.
    Turn,
}

impl TimeKind {
    /// The number of kinds; [`TimeKind::Turn`] is the last one.
    pub const COUNT: usize = TimeKind::Turn as usize + 1;

    /// The kinds that make up the lateness of frames: responses and chunks.
    pub(super) const LATENESS: &[TimeKind] = &[TimeKind::Service, TimeKind::Chunk];
}

/// Times as they are exported.
pub(super) struct ReportedTime {
    /// The name in JSON; in Prometheus, `mocker_` precedes it.
    pub(super) name: &'static str,
    /// The help text.
    pub(super) help: &'static str,
    /// The kinds of which they are the sum.
    pub(super) of: &'static [TimeKind],
}

/// The table of all exported times.
pub(super) const TIMES: &[ReportedTime] = &[
    ReportedTime {
        name: "lateness_seconds",
        help: "Time from when a response or stream chunk was due until it was written.",
        of: TimeKind::LATENESS,
    },
    ReportedTime {
        name: "service_time_seconds",
        help: "Time from the last byte of a request to the first byte of its response, minus the \
               configured delay.",
        of: &[TimeKind::Service],
    },
    ReportedTime {
        name: "delay_seconds",
        help: "Configured delays of responses, excluding responses without one.",
        of: &[TimeKind::Delay],
    },
    ReportedTime {
        name: "turn_seconds",
        help: "How long the turns of the event loops took, from one wait to the next.",
        of: &[TimeKind::Turn],
    },
];

/// Returns a time in seconds, as it is exported.
pub(super) fn seconds(time: Nanos) -> f64 {
    time as f64 / SECOND as f64
}
