//! The sampling of the counters: each sample ends a window.

use super::metrics::Totals;
use super::window::{Moment, Schedule, Window};
use super::{Watch, stats};
use crate::Nanos;

impl Watch {
    /// Begins the first window, which includes what was counted before. `now` is in nanoseconds
    /// since the process started, and `schedules` is the kernel's account of each core.
    pub fn begin(&self, now: Nanos, schedules: Vec<Option<Schedule>>) {
        self.history().begin(Moment {
            at: now,
            totals: Totals::default(),
            schedules,
        });
    }

    /// Ends a window with what the cores have counted since the last one; the parameters are those
    /// of `begin`. Only one thread does so.
    pub fn sample(&self, now: Nanos, schedules: Vec<Option<Schedule>>) -> Window {
        let moment = Moment {
            at: now,
            totals: self.totals(),
            schedules,
        };
        let last = self.history().last.clone();
        let mut window = Window::between(&last, &moment);
        window.requests = self.requests_in(&window.totals);
        let exported = stats::window(self, &window);
        self.history().add(moment, &window, exported);
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SECOND;
    use crate::watch::CountedEndpoint;

    fn watch() -> Watch {
        let endpoint = |label: &str, api| CountedEndpoint {
            label: label.into(),
            api,
        };
        Watch::new(
            1,
            vec![endpoint("/chat", true), endpoint("/metrics", false)],
            0,
        )
    }

    #[test]
    fn what_was_answered_before_the_first_window_counts() {
        let watch = watch();
        watch.core(0).answered(0, 200);
        watch.begin(SECOND, vec![None]);
        watch.core(0).answered(0, 200);
        assert_eq!(watch.sample(2 * SECOND, vec![None]).requests, 2);
        assert_eq!(watch.sample(3 * SECOND, vec![None]).requests, 0);
        assert!(
            crate::watch::report::Report::new(&watch)
                .table
                .contains(" 2 requests")
        );
    }

    #[test]
    fn reading_metrics_is_no_load() {
        let watch = watch();
        watch.begin(0, vec![None]);
        for (endpoint, active) in [(1, false), (0, true)] {
            let core = watch.core(0);
            core.answered(endpoint, 200);
            let mut frames = Default::default();
            crate::watch::metrics::Unsent::answer(&mut frames, SECOND);
            core.record_sent(&mut frames, 2 * SECOND);
            let window = watch.sample(SECOND, vec![None]);
            assert_eq!((window.is_active(), window.reasons()[2]), (active, active));
        }
    }
}
