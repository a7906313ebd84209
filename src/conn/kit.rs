//! What the connections of one core share: the mock, the pools, the clock's last reading, and the
//! last request head. Knows no connection.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::outbox::Outboxes;
use super::plan::Plan;
use super::writer::{Clock, Writer};
use crate::Nanos;
use crate::http::answer::KeepAlive;
use crate::http::date;
use crate::http::inbox::Buffers;
use crate::mock::Mock;
use crate::mock::ask::{Ask, Reading};
use crate::mock::name::Name;
use crate::mock::reply::Shape;
use crate::mock::route::Endpoint;
use crate::mock::text::Words;
use crate::settings::Settings;
use crate::watch::Watch;
use crate::watch::metrics::Core;
use crate::watch::rawlog::RawLog;

/// How many answers are begun between two looks at readiness, by all connections of a core: one who
/// pipelines without end doesn't keep the others waiting, and a look costs less than an answer.
pub const ANSWERS_A_LOOK: u32 = 64;

/// The limits that are settings.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest request body, in bytes.
    pub body: u64,
    /// How long a connection may wait for the first byte of a request.
    pub idle: Nanos,
    /// How long a request may take, from its first byte to its last.
    pub read: Nanos,
    /// How long an answer may take, from its first byte to its last.
    pub write: Nanos,
}

/// How many free readers of bodies a core keeps, of about a kilobyte each: as many half-sent bodies
/// cost no allocation.
const FREE_MAX: usize = 1024;

/// What the connections of one core share.
pub struct Kit {
    /// What answers.
    pub mock: Mock,
    /// The limits that are settings.
    pub limits: Limits,
    /// What this core counts.
    pub core: Arc<Core>,
    /// Where requests and answers are logged raw; None where they are not.
    pub log: Option<RawLog>,
    /// Whether answers can be late.
    pub paced: bool,
    /// Whether the server is ending: answers close their connections.
    pub draining: bool,
    /// How many answers may still be begun before the reactor looks at readiness again.
    pub answers_left: u32,
    pub(super) clock: Clock,
    pub(super) buffers: Buffers,
    pub(super) outboxes: Outboxes,
    #[expect(
        clippy::vec_box,
        reason = "a box moves to a connection and back without copying"
    )]
    asks: Vec<Box<Ask>>,
    pub(super) writer: Writer,
    /// The events of a stream before they are framed.
    pub(super) events: Vec<u8>,
    pub(super) seen: Seen,
    pub(super) heard: Heard,
}

impl Kit {
    /// The kit of core number `core`; `seed` and `watch` are the process's.
    pub fn new(settings: &Settings, words: Words, seed: u64, core: u16, watch: &Arc<Watch>) -> Kit {
        let nanos = |time: Duration| time.as_nanos() as Nanos;
        let mock = Mock::new(settings, words, seed, core, watch.clone());
        Kit {
            core: watch.core(core.into()),
            log: None,
            paced: mock.policy.is_paced(),
            heard: Heard::new(mock.reading),
            mock,
            limits: Limits {
                body: settings.max_body,
                idle: nanos(settings.idle_timeout),
                read: nanos(settings.read_timeout),
                write: nanos(settings.write_timeout),
            },
            draining: false,
            answers_left: ANSWERS_A_LOOK,
            clock: Clock {
                unix: 0,
                date: date::imf_fixdate(0),
                keep_alive: KeepAlive::new(settings.idle_timeout.as_secs()),
            },
            buffers: Buffers::default(),
            outboxes: Outboxes::default(),
            asks: Vec::new(),
            writer: Writer::default(),
            events: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// A reader of a body for `endpoint`.
    pub(super) fn ask(&mut self, endpoint: Endpoint) -> Box<Ask> {
        let ask = self.asks.pop();
        let mut ask = ask.unwrap_or_else(|| Box::new(Ask::new(self.mock.reading)));
        ask.begin(endpoint);
        ask
    }

    /// Takes back a reader that has done.
    pub(super) fn rest(&mut self, mut ask: Box<Ask>) {
        if self.asks.len() < FREE_MAX {
            ask.rest();
            self.asks.push(ask);
        }
    }

    /// The reactor has looked at readiness.
    pub fn looked(&mut self) {
        self.answers_left = ANSWERS_A_LOOK;
    }

    /// The wall clock shows `unix` seconds.
    pub fn tick(&mut self, unix: i64) {
        if unix != self.clock.unix {
            self.clock.unix = unix;
            self.clock.date = date::imf_fixdate(unix);
        }
    }
}

/// The last request head and what followed from it. Clients of a load send the same head over and
/// over: comparing bytes tells what parsing would, much sooner (bench `micro`: `turn_same` against
/// `turn_varied`).
#[derive(Debug, Default)]
pub(super) struct Seen {
    head: Vec<u8>,
    plan: Option<Plan>,
}

/// The longest head and the longest body that are kept, in bytes: SDKs' heads have up to some 700,
/// the bodies of load tools about 100.
const SEEN_MAX: usize = 2048;

impl Seen {
    /// The length and the plan of the head that `input` begins with, if it is the one kept.
    pub fn find(&self, input: &[u8]) -> Option<(usize, Plan)> {
        let plan = self.plan.filter(|_| input.starts_with(&self.head))?;
        Some((self.head.len(), plan))
    }

    pub fn keep(&mut self, head: &[u8], plan: Plan) {
        if head.len() <= SEEN_MAX {
            self.head.clear();
            self.head.extend_from_slice(head);
            self.plan = Some(plan);
        }
    }
}

/// The last request body that came in one piece, and what is answered to it. As with heads, a load
/// sends the same over and over (bench `micro`, `turn_same`).
pub(super) struct Heard {
    body: Vec<u8>,
    /// The endpoint that it was read for, and what followed; None when `body` is not what was read
    /// last.
    shape: Option<(Endpoint, Rc<Shape>)>,
    ask: Ask,
}

impl Heard {
    fn new(reading: Reading) -> Heard {
        Heard {
            body: Vec::new(),
            shape: None,
            ask: Ask::new(reading),
        }
    }

    /// What is answered to a whole body.
    #[inline]
    pub fn shape(
        &mut self,
        mock: &mut Mock,
        endpoint: Endpoint,
        named: Option<Name>,
        body: &[u8],
    ) -> Rc<Shape> {
        if let Some((known, shape)) = &self.shape
            && *known == endpoint
            && named.is_none()
            && self.body == body
        {
            return shape.clone();
        }
        self.read(mock, endpoint, named, body)
    }

    fn read(
        &mut self,
        mock: &mut Mock,
        endpoint: Endpoint,
        named: Option<Name>,
        body: &[u8],
    ) -> Rc<Shape> {
        let repeats = named.is_none() && body.len() <= SEEN_MAX;
        self.ask.begin(endpoint);
        self.ask.feed(body);
        let shape = mock.shape(endpoint, named, self.ask.finish());
        self.ask.rest();
        self.shape = None;
        if repeats {
            self.body.clear();
            self.body.extend_from_slice(body);
            self.shape = Some((endpoint, shape.clone()));
        }
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_free_readers_are_kept() {
        let settings = Settings::default();
        let words = Words::new(&settings).unwrap();
        let mut kit = Kit::new(&settings, words, 1, 0, &crate::mock::watch(1, 0));
        for (readers, kept) in [(FREE_MAX - 1, FREE_MAX - 1), (FREE_MAX + 1, FREE_MAX)] {
            let asks: Vec<_> = (0..readers).map(|_| kit.ask(Endpoint::Chat)).collect();
            asks.into_iter().for_each(|ask| kit.rest(ask));
            assert_eq!(kit.asks.len(), kept);
        }
    }
}
