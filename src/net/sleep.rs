//! The clock of a core, and how it sleeps until its earliest deadline. Knows no connection.
//!
//! mio rounds a timeout up to whole milliseconds, so a core that slept by it would answer up to a
//! millisecond late. A timerfd wakes the poll to the nanosecond. It is never read: it is registered
//! edge-triggered, and setting it anew makes the next edge.
//!
//! Seen with `scripts/delay` (two shared cores, lateness at the client, medians): at 10 connections
//! and 1 ms, 0.19 ms by timerfd, 0.26 ms by mio's timeout; at 1000 connections and 50 ms, 0.27 ms
//! and 1.0 ms. A ppoll on mio's descriptor before each poll that doesn't wait was as early as the
//! timerfd within the noise, but costs a system call at every wait and not only when the earliest
//! deadline moves.

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

    /// The time since the process started, on the clock that the alarm goes by: were they two, a
    /// core could wake a little before its deadline and not be woken again.
    #[derive(Clone, Copy, Debug)]
    pub struct Time {
        epoch: Nanos,
    }

    impl Time {
        /// Time that counts from `epoch`.
        pub fn since(epoch: Instant) -> Time {
            let elapsed = epoch.elapsed().as_nanos() as Nanos;
            Time {
                epoch: monotonic() - elapsed,
            }
        }

        /// Nanoseconds since the epoch.
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
        /// When it rings next; never once it has rung.
        rings: Option<Nanos>,
    }

    impl Alarm {
        /// An alarm whose ringing is an event with this token.
        pub fn new(registry: &Registry, token: Token, time: Time) -> io::Result<Alarm> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Alarm {
                timer,
                epoch: time.epoch,
                rings: None,
            })
        }

        /// The timeout to poll with so as to be awake at `next`. Setting the timer costs a system
        /// call, so it is set only when it would ring too late: an early ring costs one more look.
        pub fn patience(&mut self, next: Option<Nanos>, now: Nanos) -> Option<Duration> {
            let next = next?;
            if next <= now {
                return Some(Duration::ZERO);
            }
            if self.rings.is_none_or(|rings| rings > next) {
                self.set(next);
            }
            None
        }

        /// Its event came.
        pub fn rang(&mut self) {
            self.rings = None;
        }

        fn set(&mut self, at: Nanos) {
            let at_clock = at.saturating_add(self.epoch);
            let never = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let alarm = Itimerspec {
                it_interval: never,
                it_value: Timespec {
                    tv_sec: (at_clock / SECOND) as i64,
                    tv_nsec: (at_clock % SECOND) as i64,
                },
            };
            timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &alarm)
                .expect("a timer of ours takes every time");
            self.rings = Some(at);
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

    /// The time since the process started.
    #[derive(Clone, Copy, Debug)]
    pub struct Time {
        epoch: Instant,
    }

    impl Time {
        /// Time that counts from `epoch`.
        pub fn since(epoch: Instant) -> Time {
            Time { epoch }
        }

        /// Nanoseconds since the epoch.
        pub fn now(&self) -> Nanos {
            self.epoch.elapsed().as_nanos() as Nanos
        }
    }

    /// Wakes a core's poll by its timeout.
    #[derive(Debug)]
    pub struct Alarm;

    impl Alarm {
        /// An alarm without an event.
        pub fn new(_: &Registry, _: Token, _: Time) -> io::Result<Alarm> {
            Ok(Alarm)
        }

        /// The timeout to poll with so as to be awake at `next`, or a little later.
        pub fn patience(&mut self, next: Option<Nanos>, now: Nanos) -> Option<Duration> {
            Some(Duration::from_nanos(next?.saturating_sub(now)))
        }

        /// No event comes.
        pub fn rang(&mut self) {}
    }
}
