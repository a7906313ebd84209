//! The thread that samples the cores' counters once a second. It also prints the progress, and ends
//! the server after the requests or the time of `-exit-after`.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::{fs, sync::Arc, time::Duration};

use super::shutdown::{EndOnPanic, Shutdown};
use super::threads::{ServeError, join};
use super::{StartError, sleep::Time};
use crate::settings::{ExitAfter, Settings};
use crate::watch::{Watch, report, window::Schedule};
use crate::{Nanos, SECOND};

/// The time between two checks of the number of requests, where the server ends by it.
const REQUESTS_CHECK: Nanos = SECOND / 100;

/// The output on standard error while a server runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Console {
    /// Nothing.
    #[default]
    Silent,
    /// A line when the rate limit begins.
    Notices,
    /// The same, and for a terminal a line that is overwritten every second.
    Live {
        /// Colors the line.
        color: bool,
    },
}

/// A handle to the thread, which takes a last sample when it is stopped.
pub struct Sampler {
    thread: JoinHandle<()>,
    stop: Sender<()>,
}

impl Sampler {
    /// Starts sampling now. `threads` are the kernel's ids of the cores' threads.
    pub fn start(
        settings: &Settings,
        console: Console,
        watch: Arc<Watch>,
        time: Time,
        threads: Vec<i32>,
        shutdown: Arc<Shutdown>,
    ) -> Result<Sampler, StartError> {
        let now = time.now();
        let noticed = settings.tpm > 0 && console != Console::Silent;
        let limit = noticed.then(|| Nanos::from(settings.tpm) * SECOND);
        let (ends, requests) = match settings.exit_after {
            ExitAfter::Never => (None, None),
            ExitAfter::Time(time) => (Some(now + time.as_nanos() as Nanos), None),
            ExitAfter::Requests(requests) => (None, Some(requests)),
        };
        let mut round = Round {
            watch,
            time,
            threads,
            shutdown: shutdown.clone(),
            console,
            next_sample: now + SECOND,
            limit,
            ends,
            requests,
        };
        round.watch.begin(now, round.schedules());
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let _guard = EndOnPanic(shutdown);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(round.timeout()) {
                round.act();
            }
            round.end();
        };
        let thread = thread::Builder::new().name("watch".into()).spawn(work);
        let thread = thread.map_err(StartError::machine("can't watch the cores"))?;
        Ok(Sampler { thread, stop })
    }

    /// Takes the last sample, for which the cores' threads must still exist, and ends.
    pub fn end(self) -> Result<(), ServeError> {
        // It fails only after a panic.
        let _ = self.stop.send(());
        join(self.thread)
    }
}

/// The tasks of the thread and their times.
struct Round {
    watch: Arc<Watch>,
    time: Time,
    threads: Vec<i32>,
    shutdown: Arc<Shutdown>,
    console: Console,
    next_sample: Nanos,
    /// The beginning of the rate limit, until that is reported.
    limit: Option<Nanos>,
    /// The time after which the server ends.
    ends: Option<Nanos>,
    /// The number of requests after which the server ends.
    requests: Option<u64>,
}

impl Round {
    /// Returns the time until the next task.
    fn timeout(&self) -> Duration {
        let now = self.time.now();
        let check = self.requests.map(|_| now + REQUESTS_CHECK);
        let next = [Some(self.next_sample), self.limit, self.ends, check];
        let next = next.into_iter().flatten().min();
        Duration::from_nanos(next.map_or(0, |next| next.saturating_sub(now)))
    }

    /// Does what is due.
    fn act(&mut self) {
        let now = self.time.now();
        if now >= self.next_sample {
            let window = self.watch.sample(now, self.schedules());
            self.next_sample = sample_after(self.next_sample, now);
            if let Console::Live { color } = self.console {
                let line = report::line(&window, color);
                print(&format!("{}{line}", report::AGAIN));
            }
        }
        if self.limit.take_if(|limit| *limit <= now).is_some() {
            let before = match self.console {
                Console::Live { .. } => report::AGAIN,
                _ => "",
            };
            let seconds = now / SECOND;
            print(&format!(
                "{before}TPM (429) scenario triggered after {seconds} seconds\n"
            ));
        }
        let enough = |wanted: &mut u64| self.watch.requests() >= *wanted;
        let counted = self.requests.take_if(enough).is_some();
        if self.ends.take_if(|ends| *ends <= now).is_some() || counted {
            self.shutdown.begin();
        }
    }

    fn end(&mut self) {
        self.watch.sample(self.time.now(), self.schedules());
        if let Console::Live { .. } = self.console {
            print(report::AGAIN);
        }
    }

    fn schedules(&self) -> Vec<Option<Schedule>> {
        self.threads.iter().map(|&t| schedule(t)).collect()
    }
}

/// Prints on standard error. That nobody reads it is no reason to end.
fn print(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Returns the time of the sample after the one that was due at `due` and is taken at `now`: a
/// second later, however late this one is, except that a window after a stall is never short.
fn sample_after(due: Nanos, now: Nanos) -> Nanos {
    match due + SECOND {
        next if next > now => next,
        _ => now + SECOND,
    }
}

/// Reads the account of a thread of this process. Returns None where the kernel keeps none or does
/// not show it.
fn schedule(thread: i32) -> Option<Schedule> {
    parse_schedule(&fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?)
}

/// Parses three numbers: the time run and the time waited, in nanoseconds, and the number of times.
fn parse_schedule(text: &str) -> Option<Schedule> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let (cpu, wait) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    // A kernel that keeps no account shows zeros, though every thread has run.
    (cpu > 0).then_some(Schedule { cpu, wait })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_a_second_apart_and_no_window_is_short_after_a_stall() {
        let second = |times: Nanos| times * SECOND;
        assert_eq!(sample_after(second(5), second(5) + 3), second(6));
        assert_eq!(sample_after(second(5), second(6) - 1), second(6));
        assert_eq!(sample_after(second(5), second(6)), second(7));
        assert_eq!(sample_after(second(5), second(9) + 7), second(10) + 7);
    }

    #[test]
    fn schedstat_is_two_times_and_a_count() {
        let schedule = Schedule { cpu: 12, wait: 3 };
        assert_eq!(parse_schedule("12 3 4\n"), Some(schedule));
        assert_eq!(parse_schedule("0 0 0\n"), None);
        assert_eq!(parse_schedule("12\n"), None);
        assert_eq!(parse_schedule(""), None);
    }
}
