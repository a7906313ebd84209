//! Starts a thread for each core, waits for signals, ends in order. Knows no connection.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Instant, SystemTime};

use mio::Poll;
use mio::net::TcpListener;

use super::ender::{self, Ender};
use super::neighbours::Neighbours;
use super::reactor::Reactor;
use super::sleep::Time;
use super::watcher::{Live, Watcher};
use super::{Trouble, cpus, limit, listen, schedule};
use crate::Nanos;
use crate::conn::kit::Kit;
use crate::mock::{self, text::Words};
use crate::settings::{Content, Settings};
use crate::watch::Watch;
use crate::watch::rawlog::{RawLog, Writer};
use crate::watch::report::Report;

/// Serves until SIGINT, SIGTERM, SIGHUP or what the settings say, then lets what is in flight end.
/// `epoch` is the process's start; `live` is for a terminal; `changed` tells the settings that are
/// not at their defaults.
pub fn run(
    settings: &Settings,
    changed: &str,
    live: Option<Live>,
    epoch: Instant,
) -> Result<Report, Trouble> {
    let words = Words::new(settings).map_err(|error| match &settings.content {
        // `{:?}` keeps a path with control characters on one line.
        Content::File(path) => Trouble::Usage(format!("-content: can't read {path:?}: {error}")),
        _ => unreachable!("the other contents are not read"),
    })?;
    let cpus = cpus::plan(settings)?;
    let most = limit::most_connections(settings, cpus.len())?;
    let listening = listen::listen(settings, cpus.len())?;
    limit::grow_table(&listening.cores[0][0]);
    // Before anyone is served: who has been answered may count on an end in order.
    let signals = ender::catch_signals()?;
    let (log, log_writer) = start_log(settings)?;
    let polls = cpus.iter().map(|_| Poll::new());
    let polls: Vec<Poll> = polls.collect::<Result<_, _>>().map_err(cannot_poll)?;
    let ender = Arc::new(Ender::of(&polls).map_err(cannot_poll)?);
    let neighbours = Neighbours::of(most, settings.balance, &ender.wakers);
    let time = Time::since(epoch);
    let watch = mock::watch(cpus.len(), unix_now());
    let common = Common {
        settings: settings.clone(),
        words,
        seed: seed(settings),
        time,
        watch: watch.clone(),
        log,
        ending: ender.ending.clone(),
    };
    let cores = cpus.iter().zip(polls).zip(listening.cores).zip(neighbours);
    let cores = cores.map(|(((&cpu, poll), listeners), neighbours)| Core {
        cpu,
        poll,
        listeners,
        neighbours,
    });
    let crew = Crew::start(common, cores.collect())?;
    ender::obey(signals, ender.clone())?;
    let watcher = Watcher::start(settings, live, watch.clone(), time, crew.ids.clone(), ender)
        .map_err(|error| Trouble::CannotRun(format!("can't watch the cores: {error}")))?;
    announce(settings, listening.port, &cpus, changed);
    // What the kernel knows of the cores' threads is read before they go.
    crew.wait();
    watcher.end();
    crew.join();
    log_writer.into_iter().for_each(|writer| writer.join());
    Ok(Report::new(&watch))
}

/// The raw log and the thread that writes it, where they are asked for.
fn start_log(settings: &Settings) -> Result<(Option<RawLog>, Option<Writer>), Trouble> {
    if !settings.log_raw {
        return Ok((None, None));
    }
    let started = RawLog::start().map(|(log, writer)| (Some(log), Some(writer)));
    started.map_err(|error| Trouble::CannotRun(format!("-log-raw: can't start the log: {error}")))
}

/// What every core is made of.
#[derive(Clone)]
struct Common {
    settings: Settings,
    words: Words,
    seed: u64,
    time: Time,
    watch: Arc<Watch>,
    log: Option<RawLog>,
    ending: Arc<AtomicBool>,
}

/// What is one core's own.
struct Core {
    cpu: Option<usize>,
    poll: Poll,
    listeners: Vec<TcpListener>,
    neighbours: Neighbours,
}

impl Core {
    /// Makes the loop of core number `number`, on the thread that it is to run on: nothing that it
    /// owns can be shared by accident.
    fn reactor(self, number: usize, common: Common) -> Result<Reactor, Trouble> {
        if !self.cpu.is_none_or(cpus::pin) {
            return Err(Trouble::CannotRun(
                "-pin: the kernel refuses to pin threads".into(),
            ));
        }
        let Common {
            settings,
            words,
            seed,
            time,
            watch,
            log,
            ending,
        } = common;
        let mut kit = Kit::new(&settings, words, seed, number as u16, &watch);
        kit.log = log;
        let mut reactor = Reactor::new(
            self.poll,
            self.listeners,
            kit,
            time,
            self.neighbours,
            ending,
        )
        .map_err(cannot_poll)?;
        reactor.busy_poll(settings.busy_poll.as_nanos() as Nanos);
        Ok(reactor)
    }
}

/// The threads of the cores.
struct Crew {
    threads: Vec<JoinHandle<()>>,
    /// Their ids in this system.
    ids: Vec<i32>,
    done: Receiver<()>,
    /// They go when all of them and the main thread have come here.
    released: Arc<Barrier>,
}

impl Crew {
    /// Starts a thread for each core; all of them serve when it returns.
    fn start(common: Common, cores: Vec<Core>) -> Result<Crew, Trouble> {
        let number_of_cores = cores.len();
        let (ready, all_ready) = mpsc::channel();
        let (tell_done, done) = mpsc::channel();
        let released = Arc::new(Barrier::new(number_of_cores + 1));
        let mut threads = Vec::new();
        for (number, core) in cores.into_iter().enumerate() {
            let (common, ready) = (common.clone(), ready.clone());
            let (done, released) = (tell_done.clone(), released.clone());
            let serve = move || {
                let reactor = core.reactor(number, common);
                let (reactor, outcome) = match reactor {
                    Ok(reactor) => (Some(reactor), Ok(schedule::this_thread())),
                    Err(trouble) => (None, Err(trouble)),
                };
                // Nobody waits any more where another core could not start.
                let _ = ready.send(outcome);
                if let Some(reactor) = reactor {
                    reactor.run();
                    done.send(()).expect("the main thread waits for every core");
                    released.wait();
                }
            };
            let thread = thread::Builder::new()
                .name(format!("core-{number}"))
                .spawn(serve);
            threads.push(thread.map_err(|error| {
                Trouble::CannotRun(format!("-threads: can't start thread {number}: {error}"))
            })?);
        }
        let ids = all_ready.iter().take(number_of_cores);
        Ok(Crew {
            ids: ids.collect::<Result<_, _>>()?,
            threads,
            done,
            released,
        })
    }

    /// Waits until every core has done.
    fn wait(&self) {
        self.done.iter().take(self.threads.len()).for_each(drop);
    }

    /// Lets the threads go.
    fn join(self) {
        self.released.wait();
        for thread in self.threads {
            thread.join().expect("a panic ends the process");
        }
    }
}

/// Where random choices begin.
fn seed(settings: &Settings) -> u64 {
    match settings.seed {
        // Of the system's randomness: fastrand would seed itself by the clock since the machine's
        // boot, and replicas whose seeds are near each other would give the same ids.
        0 => RandomState::new().hash_one(()),
        seed => seed,
    }
}

/// Unix time in seconds.
fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}

fn cannot_poll(error: io::Error) -> Trouble {
    Trouble::CannotRun(format!("can't poll: {error}"))
}

/// Says on standard output that every core accepts; scripts wait for this line.
fn announce(settings: &Settings, port: u16, cpus: &[Option<usize>], changed: &str) {
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
    let with = if changed.is_empty() { "" } else { " with " };
    // Nobody may be reading: that is no reason not to serve.
    let _ = writeln!(
        io::stdout(),
        "mocker listening on http://{host}:{port} ({} {cores}, {pinned}){with}{changed}",
        cpus.len()
    );
}
