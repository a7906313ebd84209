//! The counters of one core, with one writer, without locks and on cache lines of their own.
//! Readers add up those of all cores.

use super::counters::{Counter, add_to, subtract};
use super::histogram::{Histogram, Tally};
use crate::status::column;
use crate::{Nanos, SECOND};

pub use super::counters::{Counters, Counts};
pub use crate::status::STATUSES;

/// Responses by endpoint and status, in the order of the endpoints and of [`STATUSES`].
pub type Answers = Vec<[u64; STATUSES.len()]>;

/// The counters of an endpoint, one for each status. They fill whole cache lines, so that no core
/// writes to a line of another one.
#[derive(Debug, Default)]
#[repr(align(128))]
struct ByStatus([Counter; STATUSES.len()]);

/// The reason why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The client closed it between two requests.
    Client,
    /// The last response was sent: the client requested the close, or spoke HTTP/1.0.
    Answered,
    /// The client sent something that is not HTTP, and received an error.
    Refused,
    /// No request arrived within the idle timeout.
    IdleTimeout,
    /// A request did not arrive in time.
    ReadTimeout,
    /// The client did not read a response in time.
    WriteTimeout,
    /// The connection was reset, or the client went away while a response was written.
    Reset,
    /// The server shut down.
    Shutdown,
}

impl Close {
    /// Every reason with its name, in order.
    pub const ALL: [(Close, &str); 8] = [
        (Close::Client, "client"),
        (Close::Answered, "answered"),
        (Close::Refused, "refused"),
        (Close::IdleTimeout, "idle_timeout"),
        (Close::ReadTimeout, "read_timeout"),
        (Close::WriteTimeout, "write_timeout"),
        (Close::Reset, "reset"),
        (Close::Shutdown, "shutdown"),
    ];
}

/// The counters of one core, written by that core alone.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct CoreMetrics {
    /// The named counters.
    pub counters: Counters,
    answers: Box<[ByStatus]>,
    closes: [Counter; Close::ALL.len()],
    times: [Histogram; TimeKind::COUNT],
    /// The total time of all turns.
    busy: Counter,
    /// The total time of busy-polling.
    spun: Counter,
}

impl CoreMetrics {
    /// Creates the counters of a core for a number of endpoints.
    pub fn new(endpoints: usize) -> CoreMetrics {
        CoreMetrics {
            answers: (0..endpoints).map(|_| ByStatus::default()).collect(),
            ..CoreMetrics::default()
        }
    }

    /// Counts a response to a request to an endpoint, by its number.
    #[inline]
    pub fn answered(&self, endpoint: u8, status: u16) {
        self.answers[usize::from(endpoint)].0[column(status)].add(1);
    }

    /// Records the configured delay of a response.
    pub fn delayed(&self, delay: Nanos) {
        self.time(TimeKind::Delay).record(delay, 1);
    }

    /// Records that frames have left by `now`. They leave as soon as they are due, so their
    /// lateness is time that the mock took.
    #[inline]
    pub fn record_sent(&self, frames: &mut Unsent, now: Nanos) {
        if frames.is_empty() {
            return;
        }
        let late = now.saturating_sub(frames.due);
        // Frames that leave together either begin responses or continue a stream.
        let (histogram, number) = match frames.answers {
            0 => (self.time(TimeKind::Chunk), frames.chunks),
            answers => (self.time(TimeKind::Service), answers),
        };
        histogram.record(late, number.into());
        (frames.answers, frames.chunks) = (0, 0);
    }

    /// Records that frames cannot leave because the client has not read what came before.
    pub fn held_back(&self, frames: &mut Unsent) {
        let held = std::mem::take(frames);
        let number = u64::from(held.answers + held.chunks);
        self.counters.held_back.add(number);
    }

    /// Records that a connection was closed.
    pub fn closed(&self, why: Close) {
        self.closes[why as usize].add(1);
    }

    /// Records a turn of the event loop: from the end of its wait to the start of the next.
    pub fn turned(&self, time: Nanos) {
        self.busy.add(time);
        self.time(TimeKind::Turn).record(time, 1);
    }

    /// Records time that the event loop spent busy-polling.
    pub fn spun(&self, time: Nanos) {
        self.spun.add(time);
    }

    /// Adds the counters of this core to those of others.
    pub fn read(&self, totals: &mut Totals) {
        self.counters.read(&mut totals.counts);
        self.read_responses(&mut totals.answers);
        add_to(&mut totals.closes, &self.closes);
        for (tally, histogram) in totals.times.iter_mut().zip(&self.times) {
            histogram.read(tally);
        }
        totals.busy.push(self.busy.get());
        totals.spun.push(self.spun.get());
        let open = self.counters.open_connections.get();
        totals.connections.push(open);
    }

    /// Adds the responses alone, which is cheap enough to be done often.
    pub fn read_responses(&self, answers: &mut Answers) {
        answers.resize(self.answers.len(), Default::default());
        for (sums, counters) in answers.iter_mut().zip(&self.answers) {
            add_to(sums, &counters.0);
        }
    }

    #[inline]
    fn time(&self, time: TimeKind) -> &Histogram {
        &self.times[time as usize]
    }
}

/// The counters of all cores, at one moment or between two.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// The named counters.
    pub counts: Counts,
    /// The responses by endpoint and status.
    pub answers: Answers,
    /// The connections that were closed, in the order of [`Close::ALL`].
    pub closes: [u64; Close::ALL.len()],
    /// The measured times, in the order of [`TimeKind`].
    pub times: [Tally; TimeKind::COUNT],
    /// The time that each core spent in turns.
    pub busy: Vec<Nanos>,
    /// The time that each core spent busy-polling.
    pub spun: Vec<Nanos>,
    /// The number of connections of each core.
    pub connections: Vec<u64>,
}

impl Totals {
    /// Returns the times of one kind.
    pub fn time(&self, time: TimeKind) -> &Tally {
        &self.times[time as usize]
    }

    /// Returns the times of several kinds together.
    pub(super) fn times_of(&self, times: &[TimeKind]) -> Tally {
        let mut sum = Tally::default();
        times.iter().for_each(|&time| sum.add(self.time(time)));
        sum
    }

    /// Returns what was counted since `earlier`; gauges stay as they are.
    pub fn since(&self, earlier: &Totals) -> Totals {
        let mut between = self.clone();
        between.counts = self.counts.since(&earlier.counts);
        for (counts, before) in between.answers.iter_mut().zip(&earlier.answers) {
            subtract(counts, before);
        }
        for (tally, before) in between.times.iter_mut().zip(&earlier.times) {
            tally.subtract(before);
        }
        subtract(&mut between.closes, &earlier.closes);
        subtract(&mut between.busy, &earlier.busy);
        subtract(&mut between.spun, &earlier.spun);
        between
    }
}

/// The frames of one connection that are rendered and have not left. A frame is a response, or the
/// events of a stream that are due together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsent {
    /// The time at which the first of them was due.
    pub due: Nanos,
    /// The number of frames that begin a response.
    pub answers: u32,
    /// The number of frames that continue a stream.
    pub chunks: u32,
}

impl Unsent {
    /// Adds a response that is due at `due`.
    #[inline]
    pub fn answer(&mut self, due: Nanos) {
        if self.is_empty() {
            self.due = due;
        }
        self.answers += 1;
    }

    /// Adds the next part of a stream, due at `due`, unless a frame is there that it leaves with.
    pub fn chunk(&mut self, due: Nanos) {
        if self.is_empty() {
            self.due = due;
            self.chunks = 1;
        }
    }

    /// Returns true if there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.answers | self.chunks == 0
    }
}

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
