//! What one core counts while it serves: one writer, no locks, cache lines of its own. Whoever asks
//! adds up what the cores have. Knows no clock, no connection and no endpoint by name.

use super::counter::Counter;
use super::histogram::{Histogram, Tally};
use crate::Nanos;

pub use super::counters::{Counters, Counts};
pub use super::frames::Frames;
pub use super::times::Time;

/// How many endpoints there is room for.
pub const ENDPOINTS: usize = 16;

/// Answers by endpoint and status, in the order of [`STATUSES`].
pub type Answers = [[u64; STATUSES.len()]; ENDPOINTS];

/// Every status that an answer can have, in the order of their columns; 0 stands for others.
pub const STATUSES: [u16; 17] = [
    200, 204, 400, 403, 404, 405, 408, 413, 414, 415, 417, 429, 431, 500, 501, 505, 0,
];

/// The column of the statuses that have none.
const OTHER: usize = STATUSES.len() - 1;

/// The column of each status.
const COLUMNS: [u8; 600] = {
    let mut columns = [OTHER as u8; 600];
    let mut at = 0;
    while at < STATUSES.len() {
        columns[STATUSES[at] as usize] = at as u8;
        at += 1;
    }
    columns
};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The client closed it between two requests.
    Client,
    /// Its last answer was given: the client had asked for the end, or spoke HTTP/1.0.
    Answered,
    /// What the client sent could not be read on, and was answered with an error.
    Refused,
    /// No request came for the idle timeout.
    IdleTimeout,
    /// A request did not arrive in time.
    ReadTimeout,
    /// The client did not read an answer in time.
    WriteTimeout,
    /// It broke: a reset, or a client that went away while an answer was written.
    Reset,
    /// The server ended.
    Shutdown,
}

impl Close {
    /// Every reason and its name, in order.
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

/// What one core counts; the core alone writes it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Core {
    /// Numbers.
    pub counters: Counters,
    answers: [[Counter; STATUSES.len()]; ENDPOINTS],
    closes: [Counter; Close::ALL.len()],
    times: [Histogram; Time::COUNT],
    /// How long all turns were together.
    busy: Counter,
    /// How long it looked for events in vain instead of sleeping.
    spun: Counter,
}

impl Core {
    /// An answer was written for an endpoint, whose number is below [`ENDPOINTS`].
    #[inline]
    pub fn answered(&self, endpoint: u8, status: u16) {
        // Most are 200: the first column.
        let column = match status {
            200 => 0,
            status => COLUMNS
                .get(usize::from(status))
                .map_or(OTHER, |c| (*c).into()),
        };
        self.answers[usize::from(endpoint) % ENDPOINTS][column].add(1);
    }

    /// An answer is given after a delay that was asked for.
    pub fn delayed(&self, delay: Nanos) {
        self.time(Time::Delay).record(delay, 1);
    }

    /// Frames have left by `now`. What they are late by is time that the mock took: they leave as
    /// soon as they are due.
    #[inline]
    pub fn left(&self, frames: &mut Frames, now: Nanos) {
        if frames.is_empty() {
            return;
        }
        let late = now.saturating_sub(frames.due);
        // What leaves together either begins answers or goes on with a stream.
        let (histogram, number) = match frames.answers {
            0 => (self.time(Time::Chunk), frames.chunks),
            answers => (self.time(Time::Service), answers),
        };
        histogram.record(late, number.into());
        (frames.answers, frames.chunks) = (0, 0);
    }

    /// Frames can't leave, since the client has not read what came before.
    pub fn held_back(&self, frames: &mut Frames) {
        let Frames {
            answers, chunks, ..
        } = std::mem::take(frames);
        self.counters.held_back.add(u64::from(answers + chunks));
    }

    /// A connection has ended.
    pub fn closed(&self, why: Close) {
        self.closes[why as usize].add(1);
    }

    /// The event loop has made a turn: from the end of its wait to the beginning of the next.
    pub fn turned(&self, time: Nanos) {
        self.busy.add(time);
        self.time(Time::Turn).record(time, 1);
    }

    /// The event loop has looked for events for so long instead of sleeping.
    pub fn spun(&self, time: Nanos) {
        self.spun.add(time);
    }

    /// Adds what this core has counted to what others have.
    pub fn read(&self, totals: &mut Totals) {
        self.counters.read(&mut totals.counts);
        self.read_answers(&mut totals.answers);
        for (sum, count) in totals.closes.iter_mut().zip(&self.closes) {
            *sum += count.get();
        }
        for (tally, histogram) in totals.times.iter_mut().zip(&self.times) {
            histogram.read(tally);
        }
        totals.busy.push(self.busy.get());
        totals.spun.push(self.spun.get());
        totals
            .connections
            .push(self.counters.open_connections.get());
    }

    /// Adds the answers alone, for who looks often.
    pub fn read_answers(&self, answers: &mut Answers) {
        let answers = answers.iter_mut().flatten();
        for (sum, count) in answers.zip(self.answers.iter().flatten()) {
            *sum += count.get();
        }
    }

    #[inline]
    fn time(&self, time: Time) -> &Histogram {
        &self.times[time as usize]
    }
}

/// What all cores have counted, at one moment or in between two.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Numbers.
    pub counts: Counts,
    /// Answers by endpoint and status.
    pub answers: Answers,
    /// Connections that ended, in the order of [`Close::ALL`].
    pub closes: [u64; Close::ALL.len()],
    /// Times, in the order of [`Time`].
    pub times: [Tally; Time::COUNT],
    /// How long each core was in its turns.
    pub busy: Vec<Nanos>,
    /// How long each core looked for events instead of sleeping.
    pub spun: Vec<Nanos>,
    /// How many connections each core has.
    pub connections: Vec<u64>,
}

impl Totals {
    /// The times of a kind.
    pub fn time(&self, time: Time) -> &Tally {
        &self.times[time as usize]
    }

    /// The times of several kinds together.
    pub(super) fn times_of(&self, times: &[Time]) -> Tally {
        let mut sum = Tally::default();
        times.iter().for_each(|&time| sum.add(self.time(time)));
        sum
    }

    /// What was counted since `earlier`; gauges stay as they are.
    pub fn since(&self, earlier: &Totals) -> Totals {
        let mut between = self.clone();
        between.counts = self.counts.since(&earlier.counts);
        let answers = between.answers.iter_mut().flatten();
        for (count, before) in answers.zip(earlier.answers.iter().flatten()) {
            *count -= before;
        }
        for (count, before) in between.closes.iter_mut().zip(&earlier.closes) {
            *count -= before;
        }
        for (tally, before) in between.times.iter_mut().zip(&earlier.times) {
            *tally = tally.since(before);
        }
        let busy = between.busy.iter_mut().zip(&earlier.busy);
        let spun = between.spun.iter_mut().zip(&earlier.spun);
        for (time, before) in busy.chain(spun) {
            *time -= before;
        }
        between
    }
}
