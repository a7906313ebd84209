//! The server's account of itself: counters, the verdict on each second, the exports, the report
//! and the raw log. Each core counts for itself, and a separate thread evaluates the counters once
//! a second.

#![expect(
    clippy::disallowed_types,
    reason = "requests do not access the history, which has a lock"
)]

mod counters;
pub mod histogram;
mod history;
pub mod metrics;
mod prometheus;
pub mod rawlog;
pub mod report;
mod sample;
mod stats;
pub mod view;
pub mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use history::History;
use metrics::{Answers, CoreMetrics, STATUSES, Totals};

/// The page that shows `/stats` as it changes.
pub const PAGE: &str = include_str!("watch/page.html");

/// The Content-Security-Policy of the page (CSP Level 3): its own script and style, by the hashes
/// of their content, and requests to its own server. The icon is an empty `data:` URI, so that
/// browsers don't request one. Everything besides is forbidden.
pub const PAGE_POLICY: &str = "default-src 'none'; \
    script-src 'sha256-2qg9HxBOniJWc3WZ1sbUmW76c3DaZfCMzdX2bDF9uxA='; \
    style-src 'sha256-VehNkvIrxstrQ7SX9f+sSbjt9hR7xqVdBOyPNbXrnXE='; img-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A label by which requests are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedEndpoint {
    /// The path.
    pub label: String,
    /// True if it belongs to the mocked API. The others, such as `/metrics`, are counted as well
    /// but are not load.
    pub api: bool,
}

/// The counters of all cores, and the history of the seconds so far.
#[derive(Debug)]
pub struct Watch {
    cores: Vec<Arc<CoreMetrics>>,
    endpoints: Vec<CountedEndpoint>,
    /// Unix time in seconds.
    started: i64,
    history: Mutex<History>,
}

impl Watch {
    /// Creates the counters of a number of cores, by endpoint. `started` is Unix time in seconds.
    pub fn new(cores: usize, endpoints: Vec<CountedEndpoint>, started: i64) -> Watch {
        let core = |_| Arc::new(CoreMetrics::new(endpoints.len()));
        let cores = (0..cores).map(core).collect();
        Watch {
            cores,
            endpoints,
            started,
            history: Mutex::default(),
        }
    }

    /// Returns the counters of core number `core`.
    pub fn core(&self, core: usize) -> Arc<CoreMetrics> {
        self.cores[core].clone()
    }

    /// Returns the sums of what all cores have counted so far.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        self.cores.iter().for_each(|core| core.read(&mut totals));
        totals
    }

    /// Returns the number of responses to requests to the API so far, without reading other
    /// counters.
    pub fn requests(&self) -> u64 {
        let mut answers = Answers::default();
        let cores = self.cores.iter();
        cores.for_each(|core| core.read_responses(&mut answers));
        self.statuses(&answers).iter().sum()
    }

    /// Returns the number of responses to requests to the API.
    fn requests_in(&self, totals: &Totals) -> u64 {
        self.statuses(&totals.answers).iter().sum()
    }

    /// Returns the responses to requests to the API by status, in the order of [`STATUSES`].
    fn statuses(&self, answers: &Answers) -> [u64; STATUSES.len()] {
        let mut sums = [0; STATUSES.len()];
        let rows = self.endpoints.iter().zip(answers);
        for (_, row) in rows.filter(|(endpoint, _)| endpoint.api) {
            sums.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
        }
        sums
    }

    /// Locks the history. A core that responds to `/metrics` or `/stats` does so, while its other
    /// connections wait. So the lock is held for adding and copying, but not while a window is
    /// computed.
    fn history(&self) -> MutexGuard<'_, History> {
        // A panic while it was held ends the server; the numbers remain readable.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use sha2::{Digest, Sha256};

    use super::report::percent;
    use super::*;

    /// A change to the page needs the hash that this reports.
    #[test]
    fn the_policy_of_the_page_allows_its_script_and_its_style() {
        for element in ["script", "style"] {
            let (open, close) = (format!("<{element}>"), format!("</{element}>"));
            let (_, rest) = PAGE.split_once(&open).expect("the page has this element");
            let (content, rest) = rest.split_once(&close).expect("the element ends");
            assert!(!rest.contains(&open), "the page has one {element}");
            let hash = BASE64_STANDARD.encode(Sha256::digest(content));
            let source = format!("{element}-src 'sha256-{hash}';");
            assert!(PAGE_POLICY.contains(&source), "{source}");
        }
    }

    /// A browser would report these only at run time.
    #[test]
    fn the_page_has_nothing_that_its_policy_forbids() {
        for forbidden in [
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
            "eval(",
            "src=",
        ] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        assert!(!PAGE_POLICY.contains("unsafe"), "{PAGE_POLICY}");
    }

    #[test]
    fn the_page_and_the_documents_state_the_limits() {
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
