//! What became of the seconds so far: how many were mock-bound and why, and the last minutes.
//! Knows no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::window::{Moment, Reason, Reasons, Verdict, Window};
use crate::{Nanos, SECOND};

/// How many windows are kept: 5 minutes.
const KEPT: usize = 300;

/// From how many windows the headroom is estimated.
const HEADROOM_WINDOWS: usize = 10;

/// From fewer requests nothing is estimated: what a core does beside them would show.
const HEADROOM_REQUESTS: u64 = 1000;

/// A shorter window is not judged.
const LEAST: Nanos = SECOND / 10;

/// Of so large a share of the windows being mock-bound, the run is.
pub const BOUND_MAX: f64 = 0.10;

/// The last look and what followed from all looks.
#[derive(Debug, Default)]
pub struct History {
    /// The last look.
    pub last: Arc<Moment>,
    /// The first.
    pub first: Arc<Moment>,
    /// How the windows were judged.
    pub judged: Judged,
    /// The last windows, as JSON objects.
    pub told: VecDeque<String>,
    /// Of the last windows with requests: how many, and the time that the cores' turns took.
    recent: VecDeque<(u64, Nanos)>,
}

/// What became of the windows of a run in which something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged {
    /// All of them.
    pub windows: u64,
    /// In which the mock was the bottleneck.
    pub bound: u64,
    /// For each reason, in the order of [`Reasons::ALL`]; one may have several.
    pub reasons: [u64; Reasons::ALL.len()],
    /// How long they were together.
    pub time: Nanos,
    /// The requests to the API that were answered in them.
    pub requests: u64,
    /// The time that the cores' turns took.
    pub turns: Nanos,
}

impl Judged {
    fn add(&mut self, window: &Window) {
        self.time += window.length;
        self.requests += window.requests;
        self.turns += window.turns();
        self.judge(window.reasons());
    }

    fn judge(&mut self, reasons: Reasons) {
        self.windows += 1;
        self.bound += u64::from(reasons.any());
        for (count, reason) in self.reasons.iter_mut().zip(&Reasons::ALL) {
            *count += u64::from((reason.holds)(reasons));
        }
    }

    /// How often each reason held.
    pub fn by_reason(self) -> impl Iterator<Item = (&'static Reason, u64)> {
        Reasons::ALL.iter().zip(self.reasons)
    }

    /// Requests per second of this time.
    pub fn rate(self) -> f64 {
        self.requests as f64 * SECOND as f64 / self.time.max(1) as f64
    }

    /// The share of windows that were mock-bound; 0 without any.
    pub fn share(self) -> f64 {
        self.bound as f64 / self.windows.max(1) as f64
    }

    /// What is said of the run.
    pub fn verdict(self) -> Verdict {
        match self.windows {
            0 => Verdict::Idle,
            _ if self.is_bound() => Verdict::MockBound,
            _ => Verdict::Ok,
        }
    }

    /// Requests per second at which so many cores would saturate, from what all of these cost; None
    /// after too few.
    pub fn headroom(self, cores: usize) -> Option<f64> {
        headroom(self.requests, self.turns, cores)
    }

    /// Whether the run as a whole can't be trusted.
    pub fn is_bound(self) -> bool {
        self.share() > BOUND_MAX
    }
}

impl History {
    /// The first window begins at this moment.
    pub fn begin(&mut self, moment: Moment) {
        self.last = Arc::new(moment);
        self.first = self.last.clone();
    }

    /// A window has ended at `moment`; `told` is it as JSON.
    pub fn add(&mut self, moment: Moment, window: &Window, told: String) {
        self.last = Arc::new(moment);
        // The last one is cut short by the end: of a moment nothing can be said, unless it is all.
        if window.length < LEAST && self.judged.windows > 0 {
            return;
        }
        if window.is_active() {
            self.judged.add(window);
        }
        if window.requests > 0 {
            let cost = (window.requests, window.turns());
            push(&mut self.recent, cost, HEADROOM_WINDOWS);
        }
        push(&mut self.told, told, KEPT);
    }

    /// Requests per second at which the cores would saturate, from what the last requests cost;
    /// None after too few.
    pub fn headroom(&self) -> Option<f64> {
        let requests: u64 = self.recent.iter().map(|recent| recent.0).sum();
        let turns = self.recent.iter().map(|recent| recent.1).sum();
        headroom(requests, turns, self.last.schedules.len())
    }
}

/// Requests per second at which so many cores would saturate, if each request costs what these
/// have; None when they are too few to tell. `turns` is the time that the event loops' turns took:
/// what a wait and its wake-up cost beside is shared by ever more requests as the load grows, and
/// an estimate from all of the CPU time is too low by half at a tenth of the load
/// (`scripts/verdict`).
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
        let mut judged = Judged::default();
        assert_eq!(judged.verdict(), Verdict::Idle);
        (0..9).for_each(|_| judged.judge(Reasons::default()));
        let late = Reasons {
            late: true,
            ..Reasons::default()
        };
        judged.judge(late);
        assert_eq!((judged.verdict(), judged.share()), (Verdict::Ok, 0.1));
        judged.judge(late);
        assert_eq!(judged.verdict(), Verdict::MockBound);
        assert_eq!((judged.windows, judged.bound), (11, 2));
        assert_eq!(judged.reasons, [0, 0, 2]);
    }

    #[test]
    fn headroom_is_what_the_cores_could_do_at_this_cost() {
        assert_eq!(headroom(999, SECOND, 2), None);
        assert_eq!(headroom(100_000, SECOND, 2), Some(200_000.0));
    }
}
