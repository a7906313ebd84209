//! Starts a thread for each core, waits for signals, ends in order. Knows no connection.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Poll, Waker};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::reactor::{Reactor, WAKER};
use super::sleep::Time;
use super::{Trouble, cpus, limit, listen};
use crate::conn::kit::Kit;
use crate::mock::text::Words;
use crate::settings::Settings;
use crate::watch::rawlog::RawLog;

/// Serves until SIGINT or SIGTERM, then lets what is in flight end. `epoch` is the process's start.
pub fn run(settings: &Settings, epoch: Instant) -> Result<(), Trouble> {
    let words = Words::new(settings).map_err(|error| {
        Trouble::Usage(format!(
            "-content: can't take its text from the file: {error}"
        ))
    })?;
    let cpus = cpus::plan(settings)?;
    let most = limit::most_connections(settings, cpus.len())?;
    let listening = listen::listen(settings, cpus.len())?;
    // Before anyone is served: who has been answered may count on an end in order.
    let signals = Signals::new([SIGINT, SIGTERM]).map_err(cannot_watch)?;
    let ending = Arc::new(AtomicBool::new(false));
    let log = match settings.log_raw {
        true => Some(RawLog::start().map_err(cannot_log)?),
        false => None,
    };
    let time = Time::since(epoch);
    let seed = match settings.seed {
        // Of the system's randomness: fastrand would seed itself by the clock since the machine's
        // boot, and replicas whose seeds are near each other would give the same ids.
        0 => RandomState::new().hash_one(()),
        seed => seed,
    };
    let cannot = |error: io::Error| Trouble::CannotRun(format!("can't poll: {error}"));
    let (ready, all_ready) = mpsc::channel();
    let mut threads = Vec::new();
    let mut wakers = Vec::new();
    let shares = limit::Share::of(most, cpus.len());
    let cores = cpus.iter().zip(listening.cores).zip(shares);
    for (core, ((&cpu, listeners), share)) in cores.enumerate() {
        let poll = Poll::new().map_err(cannot)?;
        wakers.push(Waker::new(poll.registry(), WAKER).map_err(cannot)?);
        let words = words.clone();
        let (settings, log) = (settings.clone(), log.as_ref().map(|(log, _)| log.clone()));
        let (ready, ending) = (ready.clone(), ending.clone());
        // What a core owns is made on its own thread: nothing of it can be shared by accident.
        let serve = move || {
            let pinned = cpu.is_none_or(cpus::pin);
            let mut kit = Kit::new(&settings, words, seed, core as u16);
            kit.log = log;
            let reactor = Reactor::new(poll, listeners, kit, time, share, ending);
            let tell = |outcome| {
                ready
                    .send(outcome)
                    .expect("the main thread waits for every core");
            };
            match reactor {
                Ok(reactor) => {
                    tell(Ok(pinned));
                    reactor.run();
                }
                Err(error) => tell(Err(error)),
            }
        };
        let thread = thread::Builder::new()
            .name(format!("core-{core}"))
            .spawn(serve);
        threads.push(thread.map_err(|error| {
            Trouble::CannotRun(format!("-threads: can't start thread {core}: {error}"))
        })?);
    }
    let mut pinned = true;
    for outcome in all_ready.iter().take(cpus.len()) {
        pinned &= outcome.map_err(cannot)?;
    }
    if !pinned {
        return Err(Trouble::CannotRun(
            "-pin: the kernel refuses to pin threads".into(),
        ));
    }
    watch_signals(signals, ending, wakers)?;
    if settings.tpm > 0 {
        tell_limit(settings.tpm, epoch)?;
    }
    announce(settings, listening.port, &cpus);
    for thread in threads {
        thread.join().expect("a panic ends the process");
    }
    if let Some((log, writer)) = log {
        drop(log);
        writer.join();
    }
    Ok(())
}

/// The first signal lets every core end in order, the second ends the process at once.
fn watch_signals(
    mut signals: Signals,
    ending: Arc<AtomicBool>,
    wakers: Vec<Waker>,
) -> Result<(), Trouble> {
    let watch = move || {
        for signal in signals.forever() {
            if ending.swap(true, Ordering::Relaxed) {
                // Ends the process as if the signal had not been caught.
                let _ = emulate_default_handler(signal);
            }
            for waker in &wakers {
                // It fails only when the core has ended already.
                let _ = waker.wake();
            }
        }
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(watch)
        .map_err(cannot_watch)?;
    Ok(())
}

fn cannot_log(error: io::Error) -> Trouble {
    Trouble::CannotRun(format!("-log-raw: can't start the log: {error}"))
}

fn cannot_watch(error: io::Error) -> Trouble {
    Trouble::CannotRun(format!("can't watch signals: {error}"))
}

/// Says on standard error when the rate limit begins. The process does not wait for this thread.
fn tell_limit(seconds: u32, epoch: Instant) -> Result<(), Trouble> {
    let tell = move || {
        let begins = Duration::from_secs(seconds.into());
        thread::sleep(begins.saturating_sub(epoch.elapsed()));
        let _ = writeln!(
            io::stderr(),
            "TPM (429) scenario triggered after {seconds} seconds"
        );
    };
    thread::Builder::new()
        .name("limit".into())
        .spawn(tell)
        .map_err(|error| Trouble::CannotRun(format!("-tpm: can't start its thread: {error}")))?;
    Ok(())
}

/// Says on standard output that every core accepts; scripts wait for this line.
fn announce(settings: &Settings, port: u16, cpus: &[Option<usize>]) {
    let host = match settings.host.contains(':') && !settings.host.starts_with('[') {
        true => format!("[{}]", settings.host),
        false => settings.host.clone(),
    };
    let cores = if cpus.len() == 1 { "core" } else { "cores" };
    let pinned = if cpus.iter().all(Option::is_some) {
        "pinned"
    } else {
        "not pinned"
    };
    // Nobody may be reading: that is no reason not to serve.
    let _ = writeln!(
        io::stdout(),
        "mocker listening on http://{host}:{port} ({} {cores}, {pinned})",
        cpus.len()
    );
}
