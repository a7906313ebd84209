//! Ends the server in order: by a signal, or when it was told to end by itself. Knows no core's
//! work.

use std::fs;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mio::{Poll, Waker};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::Trouble;
use super::reactor::WAKER;

/// Ends the server in order.
pub struct Ender {
    /// Set once it ends.
    pub ending: Arc<AtomicBool>,
    /// What wakes each core's loop.
    pub wakers: Vec<Arc<Waker>>,
}

impl Ender {
    /// That of the loops which wait on these.
    pub fn of(polls: &[Poll]) -> io::Result<Ender> {
        let waker = |poll: &Poll| Waker::new(poll.registry(), WAKER).map(Arc::new);
        Ok(Ender {
            ending: Arc::default(),
            wakers: polls.iter().map(waker).collect::<Result<_, _>>()?,
        })
    }

    /// Lets every core end. False when they have been told already.
    pub fn end(&self) -> bool {
        if self.ending.swap(true, Ordering::Relaxed) {
            return false;
        }
        for waker in &self.wakers {
            // It fails only when the core has ended already.
            let _ = waker.wake();
        }
        true
    }
}

/// Catches SIGINT and SIGTERM from now on, and SIGHUP unless it is ignored: a process under `nohup`
/// is to outlive its terminal.
pub fn catch_signals() -> Result<Signals, Trouble> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut signals = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP, &status) {
        signals.push(SIGHUP);
    }
    Signals::new(signals).map_err(cannot_watch)
}

/// Returns whether a process ignores a signal, by what `/proc/self/status` says of it.
fn is_ignored(signal: i32, status: &str) -> bool {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// The first signal lets every core end in order, the second ends the process at once. A terminal
/// that closes can send SIGHUP twice, through its shell and by itself, which counts as one.
pub fn obey(mut signals: Signals, ender: Arc<Ender>) -> Result<(), Trouble> {
    let on_terminal = io::stdin().is_terminal();
    let watch = move || {
        for signal in signals.forever() {
            let again = signal == SIGHUP && on_terminal;
            if !ender.end() && !again {
                // Ends the process as if the signal had not been caught.
                let _ = emulate_default_handler(signal);
            }
        }
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(watch)
        .map_err(cannot_watch)?;
    Ok(())
}

fn cannot_watch(error: io::Error) -> Trouble {
    Trouble::CannotRun(format!("can't watch signals: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_a_mask() {
        for (status, ignored) in [
            (
                "Name:\tmocker\nSigIgn:\t0000000000000001\nSigCgt:\t0\n",
                true,
            ),
            ("SigIgn:\t0000000000001001\n", true),
            ("SigIgn:\t0000000000001000\n", false),
            ("SigCgt:\t0000000000000001\n", false),
            ("SigIgn:\tx\n", false),
            ("", false),
        ] {
            assert_eq!(is_ignored(SIGHUP, status), ignored, "{status:?}");
        }
    }
}
