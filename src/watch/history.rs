//! The history of a run: how many seconds were mock-bound and why, and the last minutes in detail.

use std::{collections::VecDeque, sync::Arc};

use super::window::{Moment, REASONS, Reasons, Verdict, Window};
use crate::{Nanos, SECOND};

/// The number of windows that are kept: 5 minutes.
const KEPT: usize = 300;

/// The number of windows from which the headroom is estimated.
const HEADROOM_WINDOWS: usize = 10;

/// The fewest requests from which the headroom is estimated: with fewer, other work of a core would
/// distort it.
const HEADROOM_REQUESTS: u64 = 1000;

/// The shortest window that counts.
const LEAST: Nanos = SECOND / 10;

/// The share of mock-bound windows above which the run is mock-bound.
pub const BOUND_MAX: f64 = 0.10;

/// The last moment, and what followed from all windows.
#[derive(Debug, Default)]
pub struct History {
    /// The last moment.
    pub last: Arc<Moment>,
    /// The first moment.
    pub first: Arc<Moment>,
    /// The sums over all active windows.
    pub summary: Summary,
    /// The last windows, as JSON objects.
    pub exported: VecDeque<String>,
    /// The number of requests in each of the last windows that had any, and the time of the cores'
    /// turns.
    recent: VecDeque<(u64, Nanos)>,
}

/// The sums over the windows of a run in which something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// The number of windows.
    pub windows: u64,
    /// The number of windows in which the mock was the bottleneck.
    pub bound: u64,
    /// The number of windows with each reason, in the order of [`REASONS`]; one may have several.
    pub reasons: [u64; REASONS.len()],
    /// Their total time.
    pub time: Nanos,
    /// The responses to requests to the API.
    pub requests: u64,
    /// The total time of the cores' turns.
    pub turns: Nanos,
}

impl Summary {
    fn add(&mut self, window: &Window) {
        self.time += window.length;
        self.requests += window.requests;
        self.turns += window.turns();
        self.judge(window.reasons());
    }

    fn judge(&mut self, reasons: Reasons) {
        self.windows += 1;
        self.bound += u64::from(reasons.contains(&true));
        for (count, holds) in self.reasons.iter_mut().zip(reasons) {
            *count += u64::from(holds);
        }
    }

    /// Returns the reasons of windows, each with its number of windows.
    pub fn by_reason(self) -> impl Iterator<Item = ((&'static str, &'static str), u64)> {
        REASONS.into_iter().zip(self.reasons)
    }

    /// Returns the requests per second of the active time.
    pub fn rate(self) -> f64 {
        self.requests as f64 * SECOND as f64 / self.time.max(1) as f64
    }

    /// Returns the share of windows that were mock-bound; 0 if there are none.
    pub fn share(self) -> f64 {
        self.bound as f64 / self.windows.max(1) as f64
    }

    /// Returns the verdict on the run.
    pub fn verdict(self) -> Verdict {
        match self.windows {
            0 => Verdict::Idle,
            _ if self.share() > BOUND_MAX => Verdict::MockBound,
            _ => Verdict::Ok,
        }
    }

    /// Returns the requests per second at which this number of cores would saturate, from the cost
    /// of all these requests; None if they are too few.
    pub fn headroom(self, cores: usize) -> Option<f64> {
        headroom(self.requests, self.turns, cores)
    }
}

impl History {
    /// Begins the first window at this moment.
    pub fn begin(&mut self, moment: Moment) {
        self.last = Arc::new(moment);
        self.first = self.last.clone();
    }

    /// Adds a window that ended at `moment`, with its export as JSON.
    pub fn add(&mut self, moment: Moment, window: &Window, exported: String) {
        self.last = Arc::new(moment);
        // The end of the run cuts the last window short. If it is the only one, it counts anyway.
        if window.length < LEAST && self.summary.windows > 0 {
            return;
        }
        if window.is_active() {
            self.summary.add(window);
        }
        if window.requests > 0 {
            let cost = (window.requests, window.turns());
            push(&mut self.recent, cost, HEADROOM_WINDOWS);
        }
        push(&mut self.exported, exported, KEPT);
    }

    /// Returns the requests per second at which the cores would saturate, from the cost of the last
    /// requests; None if they are too few.
    pub fn headroom(&self) -> Option<f64> {
        let requests: u64 = self.recent.iter().map(|recent| recent.0).sum();
        let turns = self.recent.iter().map(|recent| recent.1).sum();
        headroom(requests, turns, self.last.schedules.len())
    }
}

/// Returns the requests per second at which this number of cores would saturate if each request
/// cost as much as these; None if they are too few. `turns` is the time of the event loops' turns.
/// The cost of waiting and waking up is left out, since ever more requests share it as the load
/// grows: an estimate from all CPU time is too low by half at a tenth of the load
/// (`scripts/measure verdict`).
fn headroom(requests: u64, turns: Nanos, cores: usize) -> Option<f64> {
    (requests >= HEADROOM_REQUESTS && turns > 0)
        .then(|| cores as f64 * SECOND as f64 * requests as f64 / turns as f64)
}

fn push<T>(kept: &mut VecDeque<T>, one: T, most: usize) {
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_bound_when_more_than_a_tenth_of_it_was() {
        let mut summary = Summary::default();
        assert_eq!(summary.verdict(), Verdict::Idle);
        (0..9).for_each(|_| summary.judge([false; 3]));
        let late = [false, false, true];
        summary.judge(late);
        assert_eq!((summary.verdict(), summary.share()), (Verdict::Ok, 0.1));
        summary.judge(late);
        assert_eq!(summary.verdict(), Verdict::MockBound);
        assert_eq!((summary.windows, summary.bound), (11, 2));
        assert_eq!(summary.reasons, [0, 0, 2]);
    }

    #[test]
    fn headroom_is_what_the_cores_could_do_at_this_cost() {
        assert_eq!(headroom(999, SECOND, 2), None);
        assert_eq!(headroom(100_000, SECOND, 2), Some(200_000.0));
    }
}
