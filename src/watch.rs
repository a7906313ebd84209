//! What the mock knows of itself, and tells: metrics, the verdict on each second, the report, the
//! raw log. The cores count, each for itself; a thread of its own looks once a second; whoever asks
//! gets sums. Knows nothing of how it is judged or told.

mod counter;
mod counters;
mod frames;
pub mod histogram;
mod history;
pub mod line;
mod look;
pub mod metrics;
mod policy;
mod prometheus;
pub mod rawlog;
pub mod report;
mod stats;
mod times;
pub mod window;

use std::sync::{Arc, Mutex, MutexGuard};

use history::History;
use metrics::{Answers, Core, ENDPOINTS, STATUSES, Totals};
pub use policy::page_policy;

/// The page that shows `/stats` as it changes.
pub const PAGE: &str = include_str!("watch/page.html");

/// What requests are counted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What it is called: its path.
    pub label: String,
    /// Whether it is part of the API that is mocked. The others, such as `/metrics`, are counted
    /// too but are no part of a load.
    pub api: bool,
}

/// What all cores count, and what became of the seconds so far.
#[derive(Debug)]
pub struct Watch {
    cores: Vec<Arc<Core>>,
    endpoints: Vec<Endpoint>,
    /// Unix time in seconds.
    started: i64,
    history: Mutex<History>,
}

impl Watch {
    /// A watch over so many cores, started at Unix time `started` in seconds, that tells requests
    /// apart by the endpoints, of which there are at most [`ENDPOINTS`].
    pub fn new(cores: usize, endpoints: Vec<Endpoint>, started: i64) -> Watch {
        assert!(endpoints.len() <= ENDPOINTS, "there is room for all");
        let cores: Vec<Arc<Core>> = (0..cores).map(|_| Arc::default()).collect();
        Watch {
            cores,
            endpoints,
            started,
            history: Mutex::default(),
        }
    }

    /// What core number `core` counts.
    pub fn core(&self, core: usize) -> Arc<Core> {
        self.cores[core].clone()
    }

    /// What all cores have counted so far.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.cores.iter().for_each(|core| core.read(&mut totals));
        totals
    }

    /// How many requests to the API were answered so far. It reads no more than that needs.
    pub fn requests(&self) -> u64 {
        let mut answers = Answers::default();
        for core in &self.cores {
            core.read_answers(&mut answers);
        }
        self.statuses(&answers).iter().sum()
    }

    /// How many of the answers were to requests to the API.
    fn requests_in(&self, totals: &Totals) -> u64 {
        self.statuses(&totals.answers).iter().sum()
    }

    /// The answers to requests to the API by status, in the order of [`STATUSES`].
    fn statuses(&self, answers: &Answers) -> [u64; STATUSES.len()] {
        let mut sums = [0; STATUSES.len()];
        let rows = self.endpoints.iter().zip(answers);
        for (_, row) in rows.filter(|(endpoint, _)| endpoint.api) {
            sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
        }
        sums
    }

    /// A core that answers `/metrics` or `/stats` takes it, and its other connections wait as long
    /// as it does. So it is held for adding and for copying, not while a window is made.
    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().expect("a panic ends the process")
    }
}

#[cfg(test)]
mod tests {
    use super::report::percent;
    use super::*;

    #[test]
    fn the_page_and_the_documents_tell_the_limits_as_they_are() {
        let busy = format!("busy for more than {} of it", percent(window::BUSY_MAX));
        let wait = format!("for a CPU for more than {}", percent(window::WAIT_MAX));
        let late = format!(
            "over {} ms and over a tenth of",
            window::LATE_MIN / 1_000_000
        );
        assert_eq!(
            (window::LATE_SHARE, history::BOUND_MAX),
            (0.1, 0.1),
            "tenths"
        );
        for text in [PAGE, include_str!("../docs/verdict.md")] {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for limit in [&busy, &wait, &late] {
                assert!(text.contains(limit), "{limit}");
            }
        }
    }
}
