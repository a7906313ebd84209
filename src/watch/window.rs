//! A second of the server or a part of one, and the verdict on whether the mock was the bottleneck
//! in it.

use super::histogram::Tally;
use super::metrics::{TimeKind, Totals};
use crate::{Nanos, SECOND};

/// The share of busy time above which a core cannot be trusted to be on time.
pub const BUSY_MAX: f64 = 0.90;

/// The share of time waiting for a CPU above which others use the core as well.
pub const WAIT_MAX: f64 = 0.05;

/// The share of time waiting for a CPU above which the machine is to blame for a late window: 1 %,
/// as 1 % of the responses may be late.
pub const WAIT_LATE: f64 = 0.01;

/// The lateness that is always acceptable, whatever the delay.
pub const LATE_MIN: Nanos = SECOND / 1000;

/// The share of the median delay that the 99th percentile of lateness may reach beyond that.
pub const LATE_SHARE: f64 = 0.10;

/// The kernel's account of a core's thread since its start (`/proc/self/task/TID/schedstat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The time that it ran.
    pub cpu: Nanos,
    /// The time that it was ready to run and waited for a CPU.
    pub wait: Nanos,
}

/// A sample of everything at one moment.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    /// Nanoseconds since the process started.
    pub at: Nanos,
    /// The counters of all cores.
    pub totals: Totals,
    /// The kernel's account of each core; None if it gives none.
    pub schedules: Vec<Option<Schedule>>,
}

/// The time between two moments.
#[derive(Clone, Debug)]
pub struct Window {
    /// The time of its end, in nanoseconds since the process started.
    pub ends: Nanos,
    /// Its length.
    pub length: Nanos,
    /// The counts of the window; gauges have their values at its end.
    pub totals: Totals,
    /// The number of responses to requests to the API. The caller sets it, since endpoints have no
    /// meaning here.
    pub requests: u64,
    /// The lateness of frames.
    pub lateness: Tally,
    /// The use of each core.
    pub cores: Vec<Usage>,
}

/// The use of a core, as shares of a window's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// The share spent running without busy-polling, by the kernel's account; if that is unknown,
    /// outside of poll.
    pub busy: f64,
    /// The share spent waiting for a CPU; None if the kernel gives no account.
    pub wait: Option<f64>,
}

/// The reasons why a window is mock-bound, each with its name in JSON and Prometheus and its
/// description for people; any of them suffices. [`Window::reasons`] decides on each.
pub const REASONS: [(&str, &str); 3] = [
    ("busy", "a core was busy"),
    ("stolen", "the machine took a core away"),
    ("late", "responses were late"),
];

/// For each of [`REASONS`], true if it holds.
pub type Reasons = [bool; REASONS.len()];

/// The verdict on a window or a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing happened.
    Idle,
    /// The mock was on time.
    Ok,
    /// The mock was the bottleneck.
    MockBound,
}

impl Verdict {
    /// Returns the verdict in a word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Idle => "idle",
            Verdict::Ok => "ok",
            Verdict::MockBound => "mock-bound",
        }
    }
}

impl Window {
    /// Creates the window from one moment to a later one.
    pub fn between(earlier: &Moment, later: &Moment) -> Window {
        let length = (later.at - earlier.at).max(1);
        let totals = later.totals.since(&earlier.totals);
        let share = |time: Nanos| time as f64 / length as f64;
        let schedules = earlier.schedules.iter().zip(&later.schedules);
        let cores = schedules
            .zip(totals.busy.iter().zip(&totals.spun))
            .map(|(schedule, (&turns, &spun))| match schedule {
                (Some(then), Some(now)) => Usage {
                    busy: share(now.cpu.saturating_sub(then.cpu + spun)),
                    wait: Some(share(now.wait.saturating_sub(then.wait))),
                },
                _ => Usage {
                    busy: share(turns),
                    wait: None,
                },
            })
            .collect();
        Window {
            ends: later.at,
            length,
            requests: 0,
            lateness: totals.times_of(TimeKind::LATENESS),
            totals,
            cores,
        }
    }

    /// Returns true if there was load on the API or a core was busy.
    pub fn is_active(&self) -> bool {
        self.is_loaded() || self.is_busy()
    }

    /// Returns true if a core was busy for more than [`BUSY_MAX`].
    fn is_busy(&self) -> bool {
        self.busiest() > BUSY_MAX
    }

    /// Returns true if the API responded, streamed or had responses waiting for their time.
    /// Requests to `/metrics` are not load.
    fn is_loaded(&self) -> bool {
        let streamed = self.totals.time(TimeKind::Chunk).count();
        self.requests + streamed + self.totals.counts.in_flight > 0
    }

    /// Returns the verdict on the window.
    pub fn verdict(&self) -> Verdict {
        match (self.reasons().contains(&true), self.is_active()) {
            (true, _) => Verdict::MockBound,
            (false, true) => Verdict::Ok,
            (false, false) => Verdict::Idle,
        }
    }

    /// Decides which reasons hold. A window is late if the 99th percentile of lateness was over
    /// [`LATE_MIN`] and [`LATE_SHARE`]; it is stolen if a core waited for a CPU for more than
    /// [`WAIT_MAX`], or [`WAIT_LATE`] if it is also late: the machine took the core away.
    pub fn reasons(&self) -> Reasons {
        let share = (self.median_delay() as f64 * LATE_SHARE) as Nanos;
        let late = self.is_loaded() && self.lateness.quantile(0.99) > LATE_MIN.max(share);
        let most = if late { WAIT_LATE } else { WAIT_MAX };
        let waits = self.cores.iter().filter_map(|core| core.wait);
        let stolen = waits.fold(0.0, f64::max) > most;
        [self.is_busy(), stolen, late]
    }

    /// Returns the names of the reasons that hold.
    pub fn reason_names(&self) -> Vec<&'static str> {
        let reasons = REASONS.iter().zip(self.reasons());
        let held = reasons.filter(|(_, holds)| *holds);
        held.map(|((name, _), _)| *name).collect()
    }

    /// Returns the median of the configured delays; it is 0 if most responses have none.
    fn median_delay(&self) -> Nanos {
        let delays = self.totals.time(TimeKind::Delay);
        let answers = self.totals.time(TimeKind::Service).count() as f64;
        let delayed = delays.count() as f64;
        match delayed * 2.0 > answers {
            true => delays.quantile(1.0 - answers / 2.0 / delayed),
            false => 0,
        }
    }

    /// Returns a count as a number per second.
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 * SECOND as f64 / self.length as f64
    }

    /// Returns the total time of the cores' turns.
    pub fn turns(&self) -> Nanos {
        self.totals.busy.iter().sum()
    }

    /// Returns the share of the busiest core.
    pub fn busiest(&self) -> f64 {
        self.cores.iter().map(|core| core.busy).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::super::metrics::{CoreMetrics, Unsent};
    use super::*;

    const MILLI: Nanos = 1_000_000;

    /// A window of one second in which one core ran and waited for these times, and sent responses
    /// this late after this delay.
    fn window(cpu: Nanos, wait: Nanos, late: &[Nanos], delay: Nanos) -> Window {
        let core = CoreMetrics::default();
        for &late in late {
            let mut frames = Unsent::default();
            frames.answer(SECOND);
            core.record_sent(&mut frames, SECOND + late);
            if delay > 0 {
                core.delayed(delay);
            }
        }
        let mut totals = Totals::default();
        CoreMetrics::default().read(&mut totals);
        let earlier = Moment {
            at: 7 * SECOND,
            totals,
            schedules: vec![Some(Schedule { cpu: 5, wait: 5 })],
        };
        let mut totals = Totals::default();
        core.read(&mut totals);
        let later = Moment {
            at: 8 * SECOND,
            totals,
            schedules: vec![Some(Schedule {
                cpu: cpu + 5,
                wait: wait + 5,
            })],
        };
        Window {
            requests: late.len() as u64,
            ..Window::between(&earlier, &later)
        }
    }

    #[test]
    fn a_window_is_bound_when_a_core_is_busy_stolen_or_late() {
        let none: [&str; 0] = [];
        let on_time = [MILLI / 10; 200];
        assert_eq!(
            window(900 * MILLI, 50 * MILLI, &on_time, 0).reason_names(),
            none
        );
        assert_eq!(window(901 * MILLI, 0, &on_time, 0).reason_names(), ["busy"]);
        assert_eq!(
            window(0, 51 * MILLI, &on_time, 0).reason_names(),
            ["stolen"]
        );
        let mut late = [MILLI / 10; 200];
        late[..2].fill(2 * MILLI);
        assert_eq!(
            window(0, 0, &late, 0).reason_names(),
            none,
            "1 % may be late"
        );
        late[..3].fill(2 * MILLI);
        assert_eq!(window(0, 10 * MILLI, &late, 0).reason_names(), ["late"]);
        let both = ["stolen", "late"];
        assert_eq!(window(0, 11 * MILLI, &late, 0).reason_names(), both);
        assert_eq!(window(0, 0, &late, 10 * MILLI).reason_names(), ["late"]);
        assert_eq!(window(0, 0, &late, 22 * MILLI).reason_names(), none);
    }

    #[test]
    fn a_window_without_answers_is_idle_unless_it_is_bound() {
        let on_time = [MILLI / 10; 200];
        assert_eq!(window(0, 0, &on_time, 0).verdict(), Verdict::Ok);
        assert_eq!(window(0, 0, &[], 0).verdict(), Verdict::Idle);
        for (cpu, wait) in [(901 * MILLI, 0), (0, 51 * MILLI)] {
            assert_eq!(window(cpu, wait, &[], 0).verdict(), Verdict::MockBound);
        }
    }

    #[test]
    fn the_median_delay_counts_those_without() {
        let mut window = window(0, 0, &[MILLI; 10], 50 * MILLI);
        let near = |time: Nanos| (49 * MILLI..51 * MILLI).contains(&time);
        assert!(near(window.median_delay()));
        for given in [4, 6] {
            let core = CoreMetrics::default();
            (0..given).for_each(|_| core.delayed(50 * MILLI));
            let mut totals = Totals::default();
            core.read(&mut totals);
            window.totals.times[TimeKind::Delay as usize] = totals.time(TimeKind::Delay).clone();
            assert_eq!(near(window.median_delay()), given == 6);
        }
    }

    #[test]
    fn polling_busily_is_not_being_busy() {
        let core = CoreMetrics::default();
        let moment = |at, cpu| {
            let mut totals = Totals::default();
            core.read(&mut totals);
            let schedules = vec![Some(Schedule { cpu, wait: 0 })];
            Moment {
                at,
                totals,
                schedules,
            }
        };
        let earlier = moment(0, 5);
        core.spun(SECOND / 10 * 7);
        let window = Window::between(&earlier, &moment(SECOND, SECOND + 5));
        assert!((window.busiest() - 0.3).abs() < 1e-6);
        assert_eq!(window.reasons(), [false; 3]);
    }

    #[test]
    fn without_the_kernels_account_a_core_is_busy_in_its_turns() {
        let core = CoreMetrics::default();
        let moment = |at| {
            let mut totals = Totals::default();
            core.read(&mut totals);
            Moment {
                at,
                totals,
                schedules: vec![None],
            }
        };
        let earlier = moment(0);
        core.turned(SECOND / 4);
        let window = Window::between(&earlier, &moment(SECOND));
        let want = Usage {
            busy: 0.25,
            wait: None,
        };
        assert_eq!(window.cores, [want]);
        assert!(!window.is_active());
    }
}
