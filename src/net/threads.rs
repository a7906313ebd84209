//! The threads of the cores: each makes its event loop, serves until the server ends, and stays
//! until its last sample was taken.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::{error::Error, fmt, sync::Arc};

use mio::Poll;
use mio::net::TcpListener;
use rustix::thread::gettid;

use super::shutdown::{EndOnPanic, Shutdown};
use super::{StartError, cpus};
use super::{balancer::Balancer, mailbox::mailboxes, reactor::Reactor, sleep::Time};
use crate::Nanos;
use crate::conn::core::Core;
use crate::settings::Settings;

/// A panic in one of the server's threads, which is a bug. The other threads have ended in order.
#[derive(Debug, PartialEq, Eq)]
pub struct ServeError {
    /// The thread's name, such as `core-0`.
    pub thread: String,
    /// The panic's message.
    pub message: String,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the thread {} panicked: {}", self.thread, self.message)
    }
}

impl Error for ServeError {}

impl From<ServeError> for StartError {
    fn from(error: ServeError) -> StartError {
        StartError::Machine(error.to_string())
    }
}

/// Waits until a thread has ended.
pub fn join(handle: JoinHandle<()>) -> Result<(), ServeError> {
    let thread = handle.thread().name().unwrap_or_default().to_owned();
    handle.join().map_err(|panic| {
        // `panic!` makes the message a `&str` or a `String`.
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("no message").to_owned();
        ServeError { thread, message }
    })
}

/// The threads of the cores.
pub struct Threads {
    handles: Vec<JoinHandle<()>>,
    /// The switch that ends them.
    pub shutdown: Arc<Shutdown>,
    /// The kernel's ids of the threads, in the order of the cores.
    pub ids: Vec<i32>,
    /// Disconnected once every core has ended.
    serving: Receiver<()>,
    /// A thread goes when its sender is dropped.
    stay: Vec<Sender<()>>,
}

impl Threads {
    /// Starts a thread for each core; all of them serve when it returns. `cpus` and `listeners` are
    /// those of each core, and together the cores have at most `most` connections. `core` makes the
    /// part of a core that its connections share.
    pub fn start(
        settings: &Settings,
        cpus: &[Option<usize>],
        listeners: Vec<Vec<TcpListener>>,
        most: usize,
        time: Time,
        core: impl Fn(usize) -> Core + Clone + Send + 'static,
    ) -> Result<Threads, StartError> {
        let cannot_poll = StartError::machine("can't poll");
        let busy_poll = settings.busy_poll.as_nanos() as Nanos;
        let polls = cpus.iter().map(|_| Poll::new());
        let polls: Vec<Poll> = polls.collect::<Result<_, _>>().map_err(&cannot_poll)?;
        let (senders, mailboxes) = mailboxes(&polls).map_err(&cannot_poll)?;
        let balancers = Balancer::of(most, settings.balance, &senders);
        let parts = polls.into_iter().zip(mailboxes);
        let parts = parts.zip(cpus).zip(listeners).zip(balancers);
        let (ready, all_ready) = mpsc::channel();
        let (serves, serving) = mpsc::channel();
        let mut threads = Threads {
            handles: Vec::new(),
            shutdown: Shutdown::of(senders),
            ids: Vec::new(),
            serving,
            stay: Vec::new(),
        };
        let spawned = parts.enumerate().try_for_each(|(number, parts)| {
            let ((((poll, mailbox), &cpu), listeners), balancer) = parts;
            let core = core.clone();
            // On the thread that it is to run on: nothing that it owns can be shared by accident.
            let make = move || {
                if !cpu.is_none_or(cpus::pin) {
                    let why = "-pin: the kernel refuses to pin threads";
                    return Err(StartError::Machine(why.into()));
                }
                let core = core(number);
                let reactor = Reactor::new(poll, listeners, core, time, balancer, mailbox);
                let mut reactor = reactor.map_err(StartError::machine("can't poll"))?;
                reactor.busy_poll = busy_poll;
                Ok(reactor)
            };
            threads.spawn(number, make, ready.clone(), serves.clone())
        });
        drop((ready, serves));
        let ids = spawned.and_then(|()| all_ready.iter().collect::<Result<Vec<_>, _>>());
        match ids {
            Ok(mut ids) if ids.len() == threads.handles.len() => {
                ids.sort_unstable();
                threads.ids = ids.into_iter().map(|(_, id)| id).collect();
            }
            // The cores that serve already must not stay behind.
            failed => {
                threads.shutdown.begin();
                let panicked = threads.join().map_err(StartError::from);
                return Err(failed.err().or(panicked.err()).expect("one of them failed"));
            }
        }
        Ok(threads)
    }

    /// Starts the thread of core number `number`, which makes its loop, sends the outcome to
    /// `ready`, and holds `serves` until it has ended.
    fn spawn(
        &mut self,
        number: usize,
        make: impl FnOnce() -> Result<Reactor, StartError> + Send + 'static,
        ready: Sender<Result<(usize, i32), StartError>>,
        serves: Sender<()>,
    ) -> Result<(), StartError> {
        let (stay, released) = mpsc::channel();
        let guard = EndOnPanic(self.shutdown.clone());
        let work = move || {
            let _guard = guard;
            let (reactor, outcome) = match make() {
                Ok(reactor) => (Some(reactor), Ok((number, gettid().as_raw_nonzero().get()))),
                Err(error) => (None, Err(error)),
            };
            // Nobody waits any more where another core could not start.
            let _ = ready.send(outcome);
            drop(ready);
            if let Some(reactor) = reactor {
                reactor.run();
            }
            drop(serves);
            // It fails when the sender is dropped, which is the signal.
            let _ = released.recv();
        };
        let name = format!("core-{number}");
        let thread = thread::Builder::new().name(name).spawn(work);
        let what = format!("-threads: can't start thread {number}");
        self.handles
            .push(thread.map_err(StartError::machine(&what))?);
        self.stay.push(stay);
        Ok(())
    }

    /// Waits until every core has ended.
    pub fn wait(&self) {
        // Nothing is ever sent: every core has a sender, and drops it.
        let _ = self.serving.recv();
    }

    /// Lets the threads go, and waits until they have.
    pub fn join(self) -> Result<(), ServeError> {
        drop(self.stay);
        // All are joined, whichever of them panicked.
        let joined: Vec<_> = self.handles.into_iter().map(join).collect();
        joined.into_iter().collect()
    }
}
