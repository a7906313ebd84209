//! Ends the server in order: by a signal, or when it was told to end by itself. Knows no core's
//! work.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use mio::{Poll, Waker};
use signal_hook::consts::{SIGINT, SIGTERM};
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

/// Catches SIGINT and SIGTERM from now on.
pub fn catch_signals() -> Result<Signals, Trouble> {
    Signals::new([SIGINT, SIGTERM]).map_err(cannot_watch)
}

/// The first signal lets every core end in order, the second ends the process at once.
pub fn obey(mut signals: Signals, ender: Arc<Ender>) -> Result<(), Trouble> {
    let watch = move || {
        for signal in signals.forever() {
            if !ender.end() {
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
