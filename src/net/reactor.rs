//! One core's event loop: wait for events, accept connections, let the machine serve them.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::time::{Duration, SystemTime};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::machine::{Machine, Readiness};
use super::mailbox::{Command, MAILBOX, Mailbox};
use super::sleep::{Alarm, Time};
use super::{balancer::Balancer, slots::GENERATIONS, turn::System};
use crate::conn::core::Core;
use crate::{Nanos, SECOND, meter};

/// The most events that one poll returns; the next poll returns the others.
const EVENTS: usize = 256;

/// The time for which a core stops accepting after a failure, such as running out of file
/// descriptors, or at the connection limit.
const ACCEPT_PAUSE: Nanos = SECOND / 10;

/// The time that responses in flight get once the server ends: half of the ten seconds after which
/// Docker kills a container.
const DRAIN: Nanos = 5 * SECOND;

const ALARM: Token = Token(usize::MAX - 1);
/// The token of the first listener; the others follow. Connections have smaller ones.
const FIRST_LISTENER: usize = usize::MAX - 1024;

const _: () = assert!((GENERATIONS as usize) << 32 < FIRST_LISTENER - u32::MAX as usize);

/// The kernel's sockets, by plain system calls: the C library's are points where a thread can be
/// cancelled, which costs a process of several threads some 3 % of a request's time
/// (`scripts/measure load`).
struct Kernel {
    time: Time,
}

impl System for Kernel {
    type Socket = TcpStream;

    fn now(&self) -> Nanos {
        self.time.now()
    }

    #[inline]
    fn recv(&mut self, socket: &mut TcpStream, space: &mut [u8]) -> Result<usize, Errno> {
        recv(&*socket, space, RecvFlags::empty()).map(|(_, len)| len)
    }

    #[inline]
    fn send(&mut self, socket: &mut TcpStream, bytes: &[u8]) -> Result<usize, Errno> {
        // A peer that is gone is an error of this connection, no signal to the process.
        send(&*socket, bytes, SendFlags::NOSIGNAL)
    }

    fn shut_down(&mut self, socket: &mut TcpStream) -> io::Result<()> {
        socket.shutdown(Shutdown::Write)
    }
}

/// A listening socket.
struct Listener {
    socket: TcpListener,
    /// True while it is in `ready`.
    queued: bool,
}

/// One core's loop and all that it owns.
pub struct Reactor {
    poll: Poll,
    listeners: Vec<Listener>,
    machine: Machine<Kernel>,
    alarm: Alarm,
    /// The next second of the wall clock, when it is to be read again.
    next_tick: Nanos,
    /// The end of a pause of accepting.
    accept_again: Option<Nanos>,
    balancer: Balancer,
    mailbox: Mailbox,
    drain_ends: Option<Nanos>,
    /// The time of polling without sleeping before each sleep.
    pub busy_poll: Nanos,
}

impl Reactor {
    /// Returns a loop over these listeners. It ends after [`Command::Drain`].
    pub fn new(
        poll: Poll,
        listeners: Vec<TcpListener>,
        core: Core,
        time: Time,
        balancer: Balancer,
        mailbox: Mailbox,
    ) -> io::Result<Reactor> {
        let waiting = |socket| Listener {
            socket,
            queued: false,
        };
        let mut listeners: Vec<_> = listeners.into_iter().map(waiting).collect();
        for (at, listener) in listeners.iter_mut().enumerate() {
            let token = listener_token(at);
            poll.registry()
                .register(&mut listener.socket, token, Interest::READABLE)?;
        }
        let alarm = Alarm::new(poll.registry(), ALARM, time)?;
        Ok(Reactor {
            poll,
            listeners,
            machine: Machine::new(Kernel { time }, core),
            alarm,
            next_tick: 0,
            accept_again: None,
            balancer,
            mailbox,
            drain_ends: None,
            busy_poll: 0,
        })
    }

    /// Serves until the server ends.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        self.woken();
        while !self.is_done() {
            let now = self.machine.system.now();
            self.machine
                .core
                .metrics
                .turned(now - self.machine.core.now);
            self.wait(&mut events, now);
            self.woken();
            events.iter().for_each(|event| self.note(event));
            self.serve();
            // A connection of this core that has closed makes room at once.
            if self
                .balancer
                .settle(self.machine.open, self.machine.core.now)
                && self.accept_again.is_some()
            {
                self.accept_again = Some(self.machine.core.now);
            }
        }
        self.machine.close_all();
    }

    fn is_done(&self) -> bool {
        self.drain_ends
            .is_some_and(|end| self.machine.open == 0 || self.machine.core.now >= end)
    }

    /// Polls for events, and sleeps until there are some or something is due.
    fn wait(&mut self, events: &mut Events, now: Nanos) {
        if !self.machine.ready.is_empty() {
            return self.poll(events, Some(Duration::ZERO));
        }
        let deadline = self.machine.timer.next();
        let next = [deadline, self.accept_again, self.drain_ends];
        let next = next.into_iter().flatten().min();
        if self.busy_poll > 0 && self.spin(events, now, next.unwrap_or(Nanos::MAX)) {
            return;
        }
        let timeout = self.alarm.timeout(next, self.machine.core.now);
        self.poll(events, timeout);
    }

    /// Polls again and again, for the time that was set and until something is due, since being
    /// woken takes longer. Returns true when there is something to do.
    fn spin(&mut self, events: &mut Events, began: Nanos, due: Nanos) -> bool {
        let ends = due.min(began + self.busy_poll);
        loop {
            self.poll(events, Some(Duration::ZERO));
            let now = self.machine.system.now();
            if !events.is_empty() || now >= ends {
                self.machine.core.metrics.spun(now - began);
                return !events.is_empty() || now >= due;
            }
        }
    }

    fn poll(&mut self, events: &mut Events, timeout: Option<Duration>) {
        match self.poll.poll(events, timeout) {
            // There are no events then.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => result.expect("epoll_wait fails only for wrong arguments"),
        }
    }

    /// Reads the clocks after a poll, and renews the budget of the turn.
    fn woken(&mut self) {
        let now = self.machine.system.now();
        self.machine.begin_turn(now);
        if now >= self.next_tick {
            let wall = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            self.machine.core.tick(wall.as_secs() as i64);
            self.next_tick = now + SECOND - Nanos::from(wall.subsec_nanos());
        }
        if self.accept_again.is_some_and(|at| at <= now) {
            self.accept_again = None;
            (0..self.listeners.len()).for_each(|at| self.queue(at));
        }
    }

    /// Notes what an event says, for the turns that follow.
    fn note(&mut self, event: &mio::event::Event) {
        let token = event.token();
        match token {
            MAILBOX => {
                while let Ok(command) = self.mailbox.try_recv() {
                    self.execute(command);
                }
            }
            ALARM => self.alarm.fired(),
            Token(listener @ FIRST_LISTENER..) => self.queue(listener - FIRST_LISTENER),
            _ => {
                let readiness = Readiness {
                    readable: event.is_readable(),
                    writable: event.is_writable(),
                    half_closed: event.is_read_closed(),
                    failed: event.is_error(),
                };
                self.machine.note(token, readiness);
            }
        }
    }

    /// Executes a command from another thread.
    fn execute(&mut self, command: Command) {
        match command {
            Command::Connection(stream) => {
                self.balancer.received();
                self.accepted(stream);
            }
            Command::Scenario(scenario) => self.machine.core.follow(scenario),
            Command::Drain => self.begin_drain(),
            #[cfg(test)]
            Command::Panic => panic!("told to"),
        }
    }

    /// Serves connections that are due and connections that are ready, one of each after the other,
    /// until there are none or it is time to poll again.
    fn serve(&mut self) {
        while self.machine.may_go_on() {
            let fired = self.machine.fire();
            match self.machine.ready.pop_front() {
                Some(token) => match token.0.checked_sub(FIRST_LISTENER) {
                    Some(listener) => self.accept(listener),
                    None => self.machine.serve(token),
                },
                None if !fired => return,
                None => {}
            }
        }
    }

    /// Notes that connections may wait at a listener. While accepting pauses, nothing is noted: all
    /// listeners are tried after the pause.
    fn queue(&mut self, at: usize) {
        if self.accept_again.is_none()
            && let Some(listener) = self.listeners.get_mut(at)
            && !std::mem::replace(&mut listener.queued, true)
        {
            self.machine.ready.push_back(listener_token(at));
        }
    }

    fn accept(&mut self, at: usize) {
        if let Some(listener) = self.listeners.get_mut(at) {
            listener.queued = false;
            self.accept_some(at);
        }
        self.balancer.wake();
    }

    fn accept_some(&mut self, at: usize) {
        while self.machine.may_go_on() {
            self.machine.core.meter.charge(meter::ACCEPT);
            if !self.balancer.take() {
                return self.pause_accepting();
            }
            let accepted = self.listeners[at].socket.accept();
            if accepted.is_err() {
                self.balancer.give_back();
            }
            match accepted {
                Ok((stream, _)) => {
                    if let Some(stream) = self.balancer.hand_over(stream, self.machine.core.now) {
                        self.accepted(stream);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The client has gone already, or a signal came: the next may be fine.
                Err(error) if is_passing(&error) => {}
                Err(_) => {
                    self.machine.core.metrics.counters.accept_errors.add(1);
                    return self.pause_accepting();
                }
            }
        }
        self.queue(at);
    }

    fn pause_accepting(&mut self) {
        self.machine.core.metrics.counters.accept_pauses.add(1);
        self.accept_again = Some(self.machine.core.now + ACCEPT_PAUSE);
    }

    fn accepted(&mut self, mut stream: TcpStream) {
        let token = self.machine.place();
        // Both can fail only for a connection that has ended; it is dropped then.
        let both = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if stream.set_nodelay(true).is_ok() && registry.register(&mut stream, token, both).is_ok() {
            self.machine.admit(stream);
        }
    }

    /// Accepts what is queued, then stops listening; responses in flight get their time.
    fn begin_drain(&mut self) {
        self.balancer.end();
        self.drain_ends = Some(self.machine.core.now + DRAIN);
        self.machine.core.draining = true;
        for listener in std::mem::take(&mut self.listeners) {
            // Closing a listener resets what is queued at it.
            loop {
                match listener.socket.accept() {
                    Ok((stream, _)) => self.accepted(stream),
                    Err(error) if is_passing(&error) => {}
                    Err(_) => break,
                }
            }
        }
        self.machine.queue_all();
    }
}

fn listener_token(at: usize) -> Token {
    Token(FIRST_LISTENER + at)
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
