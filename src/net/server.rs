//! Starts a thread for each core, waits for signals, ends in order. Knows no connection.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Instant, SystemTime};

use mio::{Poll, Waker};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::neighbours::Neighbours;
use super::reactor::{Reactor, WAKER};
use super::sleep::Time;
use super::watcher::{Live, Watcher};
use super::{Trouble, cpus, limit, listen, schedule};
use crate::Nanos;
use crate::conn::kit::Kit;
use crate::mock::{self, text::Words};
use crate::settings::Settings;
use crate::watch::rawlog::RawLog;
use crate::watch::report::Report;

/// Serves until SIGINT, SIGTERM or what the settings say, then lets what is in flight end. `epoch`
/// is the process's start; `live` is for a terminal.
pub fn run(settings: &Settings, live: Option<Live>, epoch: Instant) -> Result<Report, Trouble> {
    let words = Words::new(settings).map_err(|error| {
        Trouble::Usage(format!(
            "-content: can't take its text from the file: {error}"
        ))
    })?;
    let cpus = cpus::plan(settings)?;
    let most = limit::most_connections(settings, cpus.len())?;
    let listening = listen::listen(settings, cpus.len())?;
    limit::grow_table(&listening.cores[0][0]);
    // Before anyone is served: who has been answered may count on an end in order.
    let signals = Signals::new([SIGINT, SIGTERM]).map_err(cannot_watch)?;
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
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let started = started.map_or(0, |since| since.as_secs() as i64);
    let watch = mock::watch(cpus.len(), started);
    let cannot = |error: io::Error| Trouble::CannotRun(format!("can't poll: {error}"));
    let (ready, all_ready) = mpsc::channel();
    let (done, all_done) = mpsc::channel();
    let released = Arc::new(Barrier::new(cpus.len() + 1));
    let mut threads = Vec::new();
    let mut ender = Ender::default();
    let mut polls = Vec::new();
    for _ in &cpus {
        let poll = Poll::new().map_err(cannot)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(cannot)?;
        ender.wakers.push(Arc::new(waker));
        polls.push(poll);
    }
    let neighbours = Neighbours::of(most, settings.balance, &ender.wakers);
    let cores = cpus.iter().zip(polls).zip(listening.cores).zip(neighbours);
    for (core, (((&cpu, poll), listeners), neighbours)) in cores.enumerate() {
        let (words, watch) = (words.clone(), watch.clone());
        let (settings, log) = (settings.clone(), log.as_ref().map(|(log, _)| log.clone()));
        let (ready, ending) = (ready.clone(), ender.ending.clone());
        let (done, released) = (done.clone(), released.clone());
        // What a core owns is made on its own thread: nothing of it can be shared by accident.
        let serve = move || {
            let pinned = cpu.is_none_or(cpus::pin);
            let mut kit = Kit::new(&settings, words, seed, core as u16, &watch);
            kit.log = log;
            let reactor = Reactor::new(poll, listeners, kit, time, neighbours, ending);
            let tell = |outcome| {
                ready
                    .send(outcome)
                    .expect("the main thread waits for every core");
            };
            match reactor {
                Ok(mut reactor) => {
                    reactor.busy_poll(settings.busy_poll.as_nanos() as Nanos);
                    tell(Ok((pinned, schedule::this_thread())));
                    reactor.run();
                    // What the kernel knows of this thread is read before it goes.
                    let _ = done.send(());
                    released.wait();
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
    let mut ids = Vec::new();
    for outcome in all_ready.iter().take(cpus.len()) {
        let (pinned, id) = outcome.map_err(cannot)?;
        if !pinned {
            return Err(Trouble::CannotRun(
                "-pin: the kernel refuses to pin threads".into(),
            ));
        }
        ids.push(id);
    }
    let ender = Arc::new(ender);
    watch_signals(signals, ender.clone())?;
    let watcher = Watcher::start(settings, live, watch.clone(), time, ids, ender)
        .map_err(|error| Trouble::CannotRun(format!("can't watch the cores: {error}")))?;
    announce(settings, listening.port, &cpus);
    all_done.iter().take(cpus.len()).for_each(drop);
    watcher.end();
    released.wait();
    for thread in threads {
        thread.join().expect("a panic ends the process");
    }
    if let Some((log, writer)) = log {
        drop(log);
        writer.join();
    }
    Ok(Report::new(&watch))
}

/// Ends the server in order.
#[derive(Default)]
pub struct Ender {
    ending: Arc<AtomicBool>,
    wakers: Vec<Arc<Waker>>,
}

impl Ender {
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

/// The first signal lets every core end in order, the second ends the process at once.
fn watch_signals(mut signals: Signals, ender: Arc<Ender>) -> Result<(), Trouble> {
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

fn cannot_log(error: io::Error) -> Trouble {
    Trouble::CannotRun(format!("-log-raw: can't start the log: {error}"))
}

fn cannot_watch(error: io::Error) -> Trouble {
    Trouble::CannotRun(format!("can't watch signals: {error}"))
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
