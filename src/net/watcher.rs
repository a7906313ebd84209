//! The thread that looks once a second at what the cores have done: it tells a terminal, and ends
//! the server when it is to end by itself. Knows no connection.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::ender::Ender;
use super::schedule;
use super::sleep::Time;
use crate::settings::{ExitAfter, Settings};
use crate::watch::window::Schedule;
use crate::watch::{Watch, line};
use crate::{Nanos, SECOND};

/// How often it is looked whether enough requests were answered, where the server ends by them.
const GLANCE: Nanos = SECOND / 100;

/// A line on standard error that tells how each second was, for a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// Whether the terminal shows colors.
    pub color: bool,
}

/// The thread; it looks for a last time when it is told to stop.
pub struct Watcher {
    thread: JoinHandle<()>,
    stop: Sender<()>,
}

impl Watcher {
    /// Starts to watch, beginning now. `threads` are the ids of the cores' threads.
    pub fn start(
        settings: &Settings,
        live: Option<Live>,
        watch: Arc<Watch>,
        time: Time,
        threads: Vec<i32>,
        ender: Arc<Ender>,
    ) -> io::Result<Watcher> {
        let now = time.now();
        let limit = (settings.tpm > 0).then(|| Nanos::from(settings.tpm) * SECOND);
        let mut round = Round {
            watch,
            time,
            threads,
            ender,
            live,
            next_look: now + SECOND,
            limit,
            ends: match settings.exit_after {
                ExitAfter::Time(time) => Some(now + time.as_nanos() as Nanos),
                _ => None,
            },
            requests: match settings.exit_after {
                ExitAfter::Requests(requests) => Some(requests),
                _ => None,
            },
        };
        round.watch.begin(now, round.schedules());
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(round.patience()) {
                round.on();
            }
            round.end();
        };
        let thread = thread::Builder::new().name("watch".into()).spawn(work)?;
        Ok(Watcher { thread, stop })
    }

    /// Looks for the last time, and ends. The cores' threads must still be there.
    pub fn end(self) {
        // It ends only here.
        let _ = self.stop.send(());
        self.thread.join().expect("a panic ends the process");
    }
}

/// What the thread has to do, and when.
struct Round {
    watch: Arc<Watch>,
    time: Time,
    threads: Vec<i32>,
    ender: Arc<Ender>,
    live: Option<Live>,
    next_look: Nanos,
    /// When the rate limit begins, until that is told.
    limit: Option<Nanos>,
    /// When the server ends by itself.
    ends: Option<Nanos>,
    /// After how many requests it does.
    requests: Option<u64>,
}

impl Round {
    fn patience(&self) -> Duration {
        let now = self.time.now();
        let glance = self.requests.map(|_| now + GLANCE);
        let next = [Some(self.next_look), self.limit, self.ends, glance];
        let next = next.into_iter().flatten().min();
        Duration::from_nanos(next.map_or(0, |next| next.saturating_sub(now)))
    }

    fn on(&mut self) {
        let now = self.time.now();
        if now >= self.next_look {
            let window = self.watch.look(now, self.schedules());
            self.next_look = look_after(self.next_look, now);
            if let Some(live) = self.live {
                let line = line::line(&window, live.color);
                tell(&format!("{}{line}", line::AGAIN));
            }
        }
        if self.limit.take_if(|limit| *limit <= now).is_some() {
            let seconds = now / SECOND;
            tell(&format!(
                "{}TPM (429) scenario triggered after {seconds} seconds\n",
                self.live.map_or("", |_| line::AGAIN)
            ));
        }
        let enough = |wanted: &mut u64| self.watch.requests() >= *wanted;
        let counted = self.requests.take_if(enough).is_some();
        if self.ends.take_if(|ends| *ends <= now).is_some() || counted {
            self.ender.end();
        }
    }

    fn end(&mut self) {
        self.watch.look(self.time.now(), self.schedules());
        if self.live.is_some() {
            tell(line::AGAIN);
        }
    }

    fn schedules(&self) -> Vec<Option<Schedule>> {
        self.threads.iter().map(|&t| schedule::read(t)).collect()
    }
}

/// Nobody may be reading: that is no reason to end.
fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// When the look that was due at `due` and is had at `now` is followed by the next: a second later,
/// whatever it was late by; but after a stall the next window is whole again.
fn look_after(due: Nanos, now: Nanos) -> Nanos {
    match due + SECOND {
        next if next > now => next,
        _ => now + SECOND,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_a_second_apart_and_no_window_is_short_after_a_stall() {
        let second = |times: Nanos| times * SECOND;
        assert_eq!(look_after(second(5), second(5) + 3), second(6));
        assert_eq!(look_after(second(5), second(6) - 1), second(6));
        assert_eq!(look_after(second(5), second(6)), second(7));
        assert_eq!(look_after(second(5), second(9) + 7), second(10) + 7);
    }
}
