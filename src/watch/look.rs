//! Looks at what the cores have done, each of which ends a window. Knows no clock and no thread.

use super::metrics::Totals;
use super::window::{Moment, Schedule, Window};
use super::{Watch, stats};
use crate::Nanos;

impl Watch {
    /// The first window begins; what was counted before is in it too. `now` is in nanoseconds since
    /// the process started, `schedules` what the kernel says of each core.
    pub fn begin(&self, now: Nanos, schedules: Vec<Option<Schedule>>) {
        self.history().begin(Moment {
            at: now,
            totals: Totals::default(),
            schedules,
        });
    }

    /// Looks at what the cores have done since the last look, as at the beginning. Only one thread
    /// looks.
    pub fn look(&self, now: Nanos, schedules: Vec<Option<Schedule>>) -> Window {
        let moment = self.moment(now, schedules);
        let last = self.history().last.clone();
        let mut window = Window::between(&last, &moment);
        window.requests = self.requests_in(&window.totals);
        let told = stats::window(self, &window);
        self.history().add(moment, &window, told);
        window
    }

    fn moment(&self, at: Nanos, schedules: Vec<Option<Schedule>>) -> Moment {
        Moment {
            at,
            totals: self.totals(),
            schedules,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SECOND;
    use crate::watch::Endpoint;

    fn watch() -> Watch {
        let endpoint = |label: &str, api| Endpoint {
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
        assert_eq!(watch.look(2 * SECOND, vec![None]).requests, 2);
        assert_eq!(watch.look(3 * SECOND, vec![None]).requests, 0);
        assert!(
            crate::watch::report::Report::new(&watch)
                .table
                .contains(" 2 requests")
        );
    }

    #[test]
    fn who_reads_metrics_is_no_load() {
        let watch = watch();
        watch.begin(0, vec![None]);
        for (endpoint, active) in [(1, false), (0, true)] {
            let core = watch.core(0);
            core.answered(endpoint, 200);
            let mut frames = Default::default();
            crate::watch::metrics::Frames::answer(&mut frames, SECOND);
            core.left(&mut frames, 2 * SECOND);
            let window = watch.look(SECOND, vec![None]);
            assert_eq!(
                (window.is_active(), window.reasons().late),
                (active, active)
            );
        }
    }
}
