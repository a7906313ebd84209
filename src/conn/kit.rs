//! The part of a core that its connections share: the mock, pools of buffers, the time, and the
//! last request's head and body.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::matched::Matched;
use super::memory::HeldMemory;
use super::outbox::Outboxes;
use super::writer::{Clock, Writer};
use crate::Nanos;
use crate::api::content::Content;
use crate::api::provider::Endpoint;
use crate::api::text::Words;
use crate::exchange::Mock;
use crate::exchange::body::BodyReader;
use crate::exchange::planner::Plan;
use crate::http::answer::KeepAlive;
use crate::http::date;
use crate::http::inbox::Buffers;
use crate::meter::{Meter, TURN};
use crate::scenario::Scenario;
use crate::settings::Settings;
use crate::watch::Watch;
use crate::watch::metrics::CoreMetrics;
use crate::watch::rawlog::RawLog;

/// The limits that are settings.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest request body, in bytes.
    pub body: u64,
    /// The memory for the held parts of all bodies, in bytes.
    pub held: u64,
    /// The time that a connection may wait for the first byte of a request.
    pub idle: Nanos,
    /// The time that a request may take, from its first byte to its last.
    pub read: Nanos,
    /// The time that a response may take, from its first byte to its last.
    pub write: Nanos,
}

impl Limits {
    fn of(settings: &Settings) -> Limits {
        let nanos = |time: Duration| time.as_nanos() as Nanos;
        Limits {
            body: settings.max_body,
            held: settings.max_held,
            idle: nanos(settings.idle_timeout),
            read: nanos(settings.read_timeout),
            write: nanos(settings.write_timeout),
        }
    }
}

/// The number of free readers of bodies that a core keeps, of about a kilobyte each: so many
/// half-sent bodies cost no allocation.
const FREE_MAX: usize = 1024;

/// The state that the connections of one core share.
pub struct Kit {
    /// The snapshot that `mock` and `limits` are made from.
    scenario: Arc<Scenario>,
    /// The source of responses.
    pub mock: Mock,
    /// The limits that are settings.
    pub limits: Limits,
    /// The counters of this core.
    pub core: Arc<CoreMetrics>,
    /// The raw log of requests and responses, if it is enabled.
    pub log: Option<RawLog>,
    /// The memory that the held parts of bodies take, on all cores.
    pub held: Arc<HeldMemory>,
    /// True if a connection of this core may exceed that.
    pub(super) has_exempt: bool,
    /// True if responses can be delayed.
    pub paced: bool,
    /// True if the server is shutting down: responses close their connections.
    pub draining: bool,
    /// The units that may be spent before the reactor polls for readiness again.
    pub meter: Meter,
    pub(super) clock: Clock,
    pub(super) buffers: Buffers,
    pub(super) outboxes: Outboxes,
    #[expect(
        clippy::vec_box,
        reason = "a box moves to a connection and back without copying"
    )]
    asks: Vec<Box<BodyReader>>,
    pub(super) writer: Writer,
    pub(super) heads: HeadMemo,
    pub(super) bodies: BodyMemo,
}

impl Kit {
    /// Makes the kit of core number `core`; `seed` and `watch` are the server's.
    pub fn new(
        scenario: Arc<Scenario>,
        words: Words,
        seed: u64,
        core: u16,
        watch: &Arc<Watch>,
    ) -> Kit {
        let settings = &scenario.settings;
        let mock = Mock::new(settings, words, seed, core, watch.clone());
        Kit {
            core: watch.core(core.into()),
            log: None,
            held: Arc::default(),
            has_exempt: false,
            paced: mock.policy.is_paced(),
            bodies: BodyMemo::default(),
            mock,
            limits: Limits::of(settings),
            draining: false,
            meter: Meter::new(TURN),
            clock: Clock {
                unix: 0,
                date: date::imf_fixdate(0),
                keep_alive: KeepAlive::new(settings.idle_timeout.as_secs()),
            },
            buffers: Buffers::default(),
            outboxes: Outboxes::default(),
            asks: Vec::new(),
            writer: Writer::default(),
            heads: HeadMemo::default(),
            scenario,
        }
    }

    /// Switches to a newer snapshot; ignores one that is not newer. A response that was decided
    /// keeps its delay, and a stream goes on at the new pace. A list of models that is half written
    /// must not change: no command changes `models` yet.
    pub fn follow(&mut self, scenario: Arc<Scenario>) {
        if scenario.generation <= self.scenario.generation {
            return;
        }
        let settings = &scenario.settings;
        self.mock.apply(settings);
        self.limits = Limits::of(settings);
        self.paced = self.mock.policy.is_paced();
        self.clock.keep_alive = KeepAlive::new(settings.idle_timeout.as_secs());
        // Everything that is remembered follows from the old snapshot.
        self.heads = HeadMemo::default();
        self.bodies = BodyMemo::default();
        self.writer = Writer::default();
        self.asks.clear();
        self.scenario = scenario;
    }

    /// Returns a reader for the body of a request to `endpoint`.
    pub(super) fn ask(&mut self, endpoint: &'static Endpoint) -> Box<BodyReader> {
        let ask = self.asks.pop();
        let mut ask = ask.unwrap_or_else(|| Box::new(BodyReader::new(self.mock.reading)));
        ask.begin(endpoint);
        ask
    }

    /// Takes back a reader that is not used any more.
    pub(super) fn recycle(&mut self, mut ask: Box<BodyReader>) {
        // One of an older snapshot may read other fields.
        if self.asks.len() < FREE_MAX && ask.reading() == self.mock.reading {
            ask.release();
            self.asks.push(ask);
        }
    }

    /// Begins a turn: the reactor has polled for readiness.
    pub fn begin_turn(&mut self) {
        self.meter = Meter::new(TURN);
    }

    /// Sets the wall clock to `unix` seconds.
    pub fn tick(&mut self, unix: i64) {
        if unix != self.clock.unix {
            self.clock.unix = unix;
            self.clock.date = date::imf_fixdate(unix);
        }
    }
}

/// The last request's head and its meaning. The clients of a load send the same head over and over,
/// and comparing bytes is much faster than parsing them (bench `micro`: `turn_same` against
/// `turn_varied`).
#[derive(Debug, Default)]
pub(super) struct HeadMemo {
    head: Vec<u8>,
    matched: Option<Matched>,
}

/// The longest head and the longest body that are kept, in bytes: the heads of SDKs have up to
/// about 700, the bodies of load generators about 100.
const MEMO_MAX: usize = 2048;

impl HeadMemo {
    /// Returns the length and the meaning of the head that `input` begins with, if it is the one
    /// kept.
    pub fn find(&self, input: &[u8]) -> Option<(usize, Matched)> {
        let matched = self.matched.filter(|_| input.starts_with(&self.head))?;
        Some((self.head.len(), matched))
    }

    pub fn keep(&mut self, head: &[u8], matched: Matched) {
        if head.len() <= MEMO_MAX {
            self.head.clear();
            self.head.extend_from_slice(head);
            self.matched = Some(matched);
        }
    }
}

/// The last request body that came in one piece, and the content of its response. As with heads, a
/// load sends the same one over and over.
#[derive(Debug, Default)]
pub(super) struct BodyMemo {
    body: Vec<u8>,
    /// The endpoint that the body was read for, and the content.
    content: Option<(&'static Endpoint, Rc<Content>)>,
}

impl BodyMemo {
    /// Returns the content of the response to a body, if it is the one kept.
    #[inline]
    pub fn find(&self, endpoint: &'static Endpoint, body: &[u8]) -> Option<Rc<Content>> {
        let (known, content) = self.content.as_ref()?;
        (std::ptr::eq(*known, endpoint) && self.body == body).then(|| content.clone())
    }

    pub fn keep(&mut self, endpoint: &'static Endpoint, body: &[u8], plan: &Plan) {
        if let Plan::Ready(content) = plan
            && body.len() <= MEMO_MAX
        {
            self.body.clear();
            self.body.extend_from_slice(body);
            self.content = Some((endpoint, content.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::table::ENDPOINTS;

    #[test]
    fn only_so_many_free_readers_are_kept() {
        let settings = Settings::default();
        let words = Words::new(&settings).unwrap();
        let mut kit = Kit::new(
            Scenario::first(&settings),
            words,
            1,
            0,
            &crate::exchange::watch(1, 0),
        );
        for (readers, kept) in [(FREE_MAX - 1, FREE_MAX - 1), (FREE_MAX + 1, FREE_MAX)] {
            let asks: Vec<_> = (0..readers).map(|_| kit.ask(&ENDPOINTS[0])).collect();
            asks.into_iter().for_each(|ask| kit.recycle(ask));
            assert_eq!(kit.asks.len(), kept);
        }
    }
}
