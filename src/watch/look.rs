//! Looks at what the cores have done, each of which ends a window. Knows no clock and no thread.

use super::window::{Moment, Schedule, Window};
use super::{Watch, stats};
use crate::Nanos;

impl Watch {
    /// The first window begins. `now` is in nanoseconds since the process started, `schedules` what
    /// the kernel says of each core.
    pub fn begin(&self, now: Nanos, schedules: Vec<Option<Schedule>>) {
        self.history().begin(self.moment(now, schedules));
    }

    /// Looks at what the cores have done since the last look, as at the beginning. Only one thread
    /// looks.
    pub fn look(&self, now: Nanos, schedules: Vec<Option<Schedule>>) -> Window {
        let moment = self.moment(now, schedules);
        let last = self.history().last.clone();
        let window = Window::between(&last, &moment);
        let requests = self.requests_in(&window.totals);
        let told = stats::window(self, &window);
        self.history().add(moment, &window, requests, told);
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
