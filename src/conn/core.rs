//! The part of a core that its connections share: the mock, pools of buffers, the time, and the
//! last request's head and body.

use std::{rc::Rc, sync::Arc, time::Duration};

use super::writer::{Clock, Writer};
use super::{matched::Matched, memory::HeldMemory, outbox::Outboxes};
use crate::Nanos;
use crate::api::{content::Content, provider::Endpoint, text::Words};
use crate::exchange::{Mock, body::BodyReader};
use crate::http::{answer::keep_alive, date, inbox::Buffers};
use crate::meter::{Meter, TURN};
use crate::scenario::Scenario;
use crate::settings::Settings;
use crate::watch::{Watch, metrics::CoreMetrics, rawlog::RawLog};

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

/// The number of free body readers that a core keeps, about a kilobyte each: up to this many
/// half-sent bodies need no allocation.
const FREE_MAX: usize = 1024;

/// The state that the connections of one core share.
pub struct Core {
    /// The snapshot that `mock` and `limits` are made from.
    scenario: Arc<Scenario>,
    /// The source of responses.
    pub mock: Mock,
    /// The limits that are settings.
    pub limits: Limits,
    /// The counters of this core.
    pub metrics: Arc<CoreMetrics>,
    /// The raw log of requests and responses, if it is enabled.
    pub log: Option<RawLog>,
    /// The memory that the held parts of bodies take, on all cores.
    pub held: Arc<HeldMemory>,
    /// True while a connection of this core is exempt from `limits.held`; only one can be.
    pub(super) has_exempt: bool,
    /// True if responses can be delayed.
    pub paced: bool,
    /// True if the server is shutting down: responses close their connections.
    pub draining: bool,
    /// The time of the last poll; in a turn, that of the connection's last read or write.
    pub now: Nanos,
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

impl Core {
    /// Makes the state of core number `number`; `seed` and `watch` are the server's.
    pub fn new(
        scenario: Arc<Scenario>,
        words: Words,
        seed: u64,
        number: u16,
        watch: &Arc<Watch>,
    ) -> Core {
        let settings = &scenario.settings;
        let mock = Mock::new(settings, words, seed, number, watch.clone());
        Core {
            metrics: watch.core(number.into()),
            log: None,
            held: Arc::default(),
            has_exempt: false,
            paced: mock.policy.is_paced(),
            bodies: Memo::new(),
            mock,
            limits: Limits::of(settings),
            draining: false,
            now: 0,
            meter: Meter::new(TURN),
            clock: Clock {
                unix: 0,
                date: date::imf_fixdate(0),
                keep_alive: keep_alive(settings.idle_timeout.as_secs()),
            },
            buffers: Buffers::default(),
            outboxes: Outboxes::default(),
            asks: Vec::new(),
            writer: Writer::default(),
            heads: Memo::new(),
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
        self.clock.keep_alive = keep_alive(settings.idle_timeout.as_secs());
        // Everything that is remembered follows from the old snapshot.
        self.heads = Memo::new();
        self.bodies = Memo::new();
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

/// The longest head and the longest body that are kept, in bytes: the heads of SDKs have up to
/// about 700, the bodies of load generators about 100.
const MEMO_MAX: usize = 2048;

/// The last request's head or body, and its meaning. The clients of a load send the same ones over
/// and over, and comparing bytes is much faster than parsing them (bench `micro`: `turn_same`
/// against `turn_varied`).
#[derive(Debug)]
pub(super) struct Memo<T> {
    bytes: Vec<u8>,
    meaning: Option<T>,
}

/// The memo of a head.
type HeadMemo = Memo<Matched>;

/// The memo of a body that came in one piece: the endpoint that it was read for, and the content of
/// the response.
type BodyMemo = Memo<(&'static Endpoint, Rc<Content>)>;

impl<T> Memo<T> {
    fn new() -> Memo<T> {
        Memo {
            bytes: Vec::new(),
            meaning: None,
        }
    }

    pub fn keep(&mut self, bytes: &[u8], meaning: T) {
        if bytes.len() <= MEMO_MAX {
            self.bytes.clear();
            self.bytes.extend_from_slice(bytes);
            self.meaning = Some(meaning);
        }
    }
}

impl HeadMemo {
    /// Returns the length and the meaning of the head that `input` begins with, if it is the one
    /// kept.
    pub fn find(&self, input: &[u8]) -> Option<(usize, Matched)> {
        match self.meaning {
            Some(matched) if input.starts_with(&self.bytes) => Some((self.bytes.len(), matched)),
            _ => None,
        }
    }
}

impl BodyMemo {
    /// Returns the content of the response to a body, if it is the one kept.
    #[inline]
    pub fn find(&self, endpoint: &'static Endpoint, body: &[u8]) -> Option<Rc<Content>> {
        let (known, content) = self.meaning.as_ref()?;
        (std::ptr::eq(*known, endpoint) && self.bytes == body).then(|| content.clone())
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
        let mut core = Core::new(
            Scenario::first(&settings),
            words,
            1,
            0,
            &crate::exchange::watch(1, 0),
        );
        for (readers, kept) in [(FREE_MAX - 1, FREE_MAX - 1), (FREE_MAX + 1, FREE_MAX)] {
            let asks: Vec<_> = (0..readers).map(|_| core.ask(&ENDPOINTS[0])).collect();
            asks.into_iter().for_each(|ask| core.recycle(ask));
            assert_eq!(core.asks.len(), kept);
        }
    }
}
