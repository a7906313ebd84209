//! The types of settings that are not just numbers, texts or times.

use std::path::PathBuf;
use std::time::Duration;

/// The pinning of threads to CPUs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pin {
    /// Pinned if there is a thread for each CPU in the affinity mask, or if CPUs are listed.
    Auto,
    /// Pinned; startup fails if that is impossible.
    On,
    /// Not pinned.
    Off,
}

/// The condition for the server to exit on its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExitAfter {
    /// Never.
    Never,
    /// After responding to this many API requests.
    Requests(u64),
    /// This long after the server was ready.
    Time(Duration),
}

/// The condition for an otherwise successful run to exit with a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailOn {
    /// Never.
    Never,
    /// If mocker was the bottleneck.
    MockBound,
    /// If mocker was the bottleneck, or if there were no requests.
    NotOk,
}

/// The source of response texts.
#[derive(Clone, Debug, PartialEq)]
pub enum ContentMode {
    /// A fixed sentence.
    Fixed,
    /// The last user message.
    Echo,
    /// Random words.
    Random,
    /// The text of this file, which is read at startup.
    File(PathBuf),
}

/// A fraction in millionths, from 0 to 1,000,000: 1 % is 10,000.
pub type Millionths = u32;
