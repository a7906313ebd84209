//! The clock of a core, and the alarm that wakes it at its earliest deadline.
//!
//! mio rounds a timeout up to whole milliseconds, so a core that slept by it would respond up to a
//! millisecond late. A timerfd wakes the poll to the nanosecond. It is never read: it is registered
//! edge-triggered, and setting it anew makes the next edge.
//!
//! Measured with `scripts/measure delay` (two shared cores, lateness at the client, medians): at 10
//! connections and 1 ms, 0.19 ms by timerfd, 0.26 ms by mio's timeout; at 1000 connections and
//! 50 ms, 0.27 ms and 1.0 ms. A ppoll on mio's descriptor before each poll that doesn't wait was as
//! early as the timerfd within the noise, but costs a system call at every wait and not only when
//! the earliest deadline moves.

pub use imp::{Alarm, Time};

#[cfg(all(target_os = "linux", not(mocker_millis)))]
mod imp {
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::time::{Duration, Instant};

    use mio::unix::SourceFd;
    use mio::{Interest, Registry, Token};
    use rustix::time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
        clock_gettime, timerfd_create, timerfd_settime,
    };

    use crate::{Nanos, SECOND};

    /// The time since the server's epoch, on the clock that the alarm uses: if they were two, a
    /// core could wake a little before its deadline and not be woken again.
    #[derive(Clone, Copy, Debug)]
    pub struct Time {
        epoch: Nanos,
    }

    impl Time {
        /// Returns a clock that counts from `epoch`.
        pub fn since(epoch: Instant) -> Time {
            let elapsed = epoch.elapsed().as_nanos() as Nanos;
            Time {
                epoch: monotonic() - elapsed,
            }
        }

        /// Returns the nanoseconds since the epoch.
        pub fn now(&self) -> Nanos {
            monotonic() - self.epoch
        }
    }

    fn monotonic() -> Nanos {
        let time = clock_gettime(ClockId::Monotonic);
        time.tv_sec as Nanos * SECOND + time.tv_nsec as Nanos
    }

    /// Wakes a core's poll at its earliest deadline.
    #[derive(Debug)]
    pub struct Alarm {
        timer: OwnedFd,
        epoch: Nanos,
        /// The time that the timer is set to; None once it has fired.
        armed_for: Option<Nanos>,
    }

    impl Alarm {
        /// Returns an alarm that fires as an event with this token.
        pub fn new(registry: &Registry, token: Token, time: Time) -> io::Result<Alarm> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Alarm {
                timer,
                epoch: time.epoch,
                armed_for: None,
            })
        }

        /// Returns the timeout to poll with so as to be awake at `next`. Setting the timer costs a
        /// system call, so it is set only when it would fire too late: firing early costs one more
        /// poll.
        pub fn timeout(&mut self, next: Option<Nanos>, now: Nanos) -> Option<Duration> {
            let next = next?;
            if next <= now {
                return Some(Duration::ZERO);
            }
            if self.armed_for.is_none_or(|at| at > next) {
                self.set(next);
            }
            None
        }

        /// Notes that its event came.
        pub fn fired(&mut self) {
            self.armed_for = None;
        }

        fn set(&mut self, at: Nanos) {
            let at_clock = at.saturating_add(self.epoch);
            let time = Timespec::try_from(Duration::from_nanos(at_clock));
            let alarm = Itimerspec {
                it_interval: Timespec::default(),
                it_value: time.expect("64 bits of nanoseconds are 584 years"),
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &alarm)
                .expect("a timer of ours takes every time");
            self.armed_for = Some(at);
        }
    }
}

/// Systems without timerfd: to the millisecond. `--cfg mocker_millis` chooses this on Linux too.
#[cfg(any(not(target_os = "linux"), mocker_millis))]
mod imp {
    use std::io;
    use std::time::{Duration, Instant};

    use mio::{Registry, Token};

    use crate::Nanos;

    /// The time since the server's epoch.
    #[derive(Clone, Copy, Debug)]
    pub struct Time {
        epoch: Instant,
    }

    impl Time {
        /// Returns a clock that counts from `epoch`.
        pub fn since(epoch: Instant) -> Time {
            Time { epoch }
        }

        /// Returns the nanoseconds since the epoch.
        pub fn now(&self) -> Nanos {
            self.epoch.elapsed().as_nanos() as Nanos
        }
    }

    /// Wakes a core's poll by its timeout.
    #[derive(Debug)]
    pub struct Alarm;

    impl Alarm {
        /// Returns an alarm without an event.
        pub fn new(_: &Registry, _: Token, _: Time) -> io::Result<Alarm> {
            Ok(Alarm)
        }

        /// Returns the timeout to poll with so as to be awake at `next`, or a little later.
        pub fn timeout(&mut self, next: Option<Nanos>, now: Nanos) -> Option<Duration> {
            Some(Duration::from_nanos(next?.saturating_sub(now)))
        }

        /// Does nothing: no event comes.
        pub fn fired(&mut self) {}
    }
}
