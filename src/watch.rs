//! What the mock knows of itself, and tells: metrics, the verdict on each second, the report, the
//! raw log. The cores count, each for itself; a thread of its own looks once a second; whoever asks
//! gets sums.

mod counter;
mod counters;
mod frames;
pub mod histogram;
pub mod history;
pub mod line;
pub mod metrics;
mod prometheus;
pub mod rawlog;
pub mod report;
mod stats;
mod times;
pub mod window;

use std::sync::{Arc, Mutex, MutexGuard};

use crate::Nanos;
use history::History;
use metrics::{Core, ENDPOINTS, STATUSES, Totals};
use window::{Moment, Schedule, Window};

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

    /// How many requests to the API were answered so far.
    pub fn requests(&self) -> u64 {
        self.requests_in(&self.totals())
    }

    /// How many of the answers were to requests to the API.
    pub fn requests_in(&self, totals: &Totals) -> u64 {
        self.api(totals).flatten().sum()
    }

    /// The answers to requests to the API.
    fn api<'a>(
        &'a self,
        totals: &'a Totals,
    ) -> impl Iterator<Item = &'a [u64; STATUSES.len()]> + use<'a> {
        let rows = self.endpoints.iter().zip(&totals.answers);
        rows.filter_map(|(endpoint, row)| endpoint.api.then_some(row))
    }

    /// The first window begins. `now` is in nanoseconds since the process started, `schedules` what
    /// the kernel says of each core.
    pub fn begin(&self, now: Nanos, schedules: Vec<Option<Schedule>>) {
        self.history().begin(self.moment(now, schedules));
    }

    /// Looks at what the cores have done since the last look, as at the
    /// beginning.
    pub fn look(&self, now: Nanos, schedules: Vec<Option<Schedule>>) -> Window {
        let moment = self.moment(now, schedules);
        let mut history = self.history();
        let window = Window::between(&history.last, &moment);
        let requests = self.requests_in(&window.totals);
        let told = stats::window(self, &window);
        history.add(moment, &window, requests, told);
        window
    }

    /// Appends all metrics in Prometheus's text format, version 0.0.4.
    pub fn write_metrics(&self, out: &mut Vec<u8>) {
        prometheus::write(self, out);
    }

    /// Appends all that is known as JSON; `now` is Unix time in seconds.
    pub fn write_stats(&self, now: i64, out: &mut Vec<u8>) {
        stats::write(self, now, out);
    }

    fn moment(&self, at: Nanos, schedules: Vec<Option<Schedule>>) -> Moment {
        Moment {
            at,
            totals: self.totals(),
            schedules,
        }
    }

    /// Held by the thread that looks once a second, and by who asks for all of it: no request of
    /// the API waits for it.
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().expect("a panic ends the process")
    }
}
