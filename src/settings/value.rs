//! The values of settings that are neither numbers nor texts nor times. Knows neither how they are
//! written nor what is done with them.

use std::path::PathBuf;
use std::time::Duration;

/// Whether each thread is kept on a core of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pin {
    /// Kept when the threads fill the affinity mask or their CPUs are given.
    Auto,
    /// Kept; the start fails where that can't be.
    On,
    /// Left to the scheduler.
    Off,
}

/// When the server ends by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum After {
    /// It does not.
    Never,
    /// Once so many requests to the API were answered.
    Requests(u64),
    /// So long after it was ready.
    Time(Duration),
}

/// What makes a run that ended in order fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailOn {
    /// Nothing.
    Never,
    /// That the mock was the bottleneck.
    MockBound,
    /// That, and that nothing was asked.
    NotOk,
}

/// What answers say.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One sentence, always the same.
    Fixed,
    /// What the user said last.
    Echo,
    /// Random words.
    Random,
    /// The text of this file, read at the start.
    File(PathBuf),
}

/// A share of the whole in millionths, from 0 to 1,000,000: 1 % is 10,000.
pub type Millionths = u32;
