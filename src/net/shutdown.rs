//! The orderly end of a server: on a signal, on a panic, or when the server is told to end.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, sync::Arc, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::StartError;
use super::mailbox::{Command, CommandSender};

/// The failure of everything that concerns signals.
const SIGNALS: &str = "can't watch signals";

/// The switch that ends a server.
#[derive(Debug)]
pub struct Shutdown {
    begun: AtomicBool,
    cores: Arc<[CommandSender]>,
}

impl Shutdown {
    /// Returns the switch of a server with these cores.
    pub fn of(cores: Arc<[CommandSender]>) -> Arc<Shutdown> {
        let begun = AtomicBool::new(false);
        Arc::new(Shutdown { begun, cores })
    }

    /// Tells every core to drain. Returns false when they have been told already.
    pub fn begin(&self) -> bool {
        let first = !self.begun.swap(true, Ordering::Relaxed);
        if first {
            self.cores.iter().for_each(|core| core.send(Command::Drain));
        }
        first
    }

    /// Sends a command to one core.
    #[cfg(test)]
    pub fn send(&self, core: usize, command: Command) {
        self.cores[core].send(command);
    }
}

/// A thread's guard: if the thread panics, the server ends. Without it the other cores would go on
/// serving, and the server's owner would wait for an end that never comes.
pub struct EndOnPanic(pub Arc<Shutdown>);

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.begin();
        }
    }
}

/// Catches SIGINT and SIGTERM from now on, and SIGHUP unless it is ignored: a process under `nohup`
/// is to outlive its terminal.
pub fn catch_signals() -> Result<Signals, StartError> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut signals = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP, &status) {
        signals.push(SIGHUP);
    }
    Signals::new(signals).map_err(StartError::machine(SIGNALS))
}

/// Returns true if a process ignores a signal, according to the text of its `/proc/self/status`.
fn is_ignored(signal: i32, status: &str) -> bool {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// Starts a thread that begins the shutdown on the first signal and kills the process on the
/// second. A terminal that closes can send SIGHUP twice, through its shell and by itself, which
/// counts as one.
pub fn handle_signals(mut signals: Signals, shutdown: Arc<Shutdown>) -> Result<(), StartError> {
    let on_terminal = io::stdin().is_terminal();
    let watch = move || {
        for signal in signals.forever() {
            let again = signal == SIGHUP && on_terminal;
            if !shutdown.begin() && !again {
                // Ends the process as if the signal had not been caught.
                let _ = emulate_default_handler(signal);
            }
        }
    };
    let thread = thread::Builder::new().name("signals".into()).spawn(watch);
    thread.map(drop).map_err(StartError::machine(SIGNALS))
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
