//! What an answer is. Nothing of sockets, of clocks or of how HTTP is framed.

pub mod ask;
pub mod book;
pub mod call;
pub mod embedding;
pub mod name;
pub mod number;
mod own;
pub mod policy;
pub mod problem;
pub mod reply;
pub mod route;
mod shaper;
mod shapes;
pub mod template;
pub mod text;

use std::rc::Rc;
use std::sync::Arc;

use fastrand::Rng;

use crate::Nanos;
use crate::settings::{Content, Settings};
use crate::watch::Watch;
use ask::{Bad, Facts, Reading};
use book::Book;
use book::stream::Stream;
use call::{Call, Gate, Treatment, Verdict};
use name::Name;
use number::{Ids, Numbers, mix};
use policy::Policy;
use problem::Problem;
use reply::{Reply, Shape};
use route::{Endpoint, Methods};
use shaper::Shaper;
use text::Words;

/// What so many cores tell of themselves, by the endpoints of this mock. `started` is Unix time in
/// seconds.
pub fn watch(cores: usize, started: i64) -> Arc<Watch> {
    Arc::new(Watch::new(cores, route::counted(), started))
}

/// One core's mock: the settings as the answers need them, templates, random numbers.
#[derive(Debug)]
pub struct Mock {
    gate: Gate,
    /// What is read of request bodies.
    pub reading: Reading,
    shaper: Shaper,
    /// The answers' bytes.
    pub book: Book,
    /// Whether and when a request is answered.
    pub policy: Policy,
    rng: Rng,
    ids: Ids,
}

impl Mock {
    /// The mock of core number `core` (below 65536). All that it chooses follows from `seed`,
    /// which is the same for every core of a process: else ids could repeat.
    /// `watch` is what it tells of itself.
    pub fn new(settings: &Settings, words: Words, seed: u64, core: u16, watch: Arc<Watch>) -> Mock {
        let mut rng = Rng::with_seed(mix(seed ^ mix(core.into())));
        Mock {
            gate: Gate::new(settings),
            reading: Reading {
                echo: settings.content == Content::Echo,
                strict: settings.strict,
            },
            shaper: Shaper::new(settings, &words),
            book: Book::new(settings, words, watch),
            policy: Policy::new(settings, rng.fork()),
            rng,
            ids: Ids::new(seed, core),
        }
    }

    /// What a request's head asks for; the second value is the model that the path names.
    /// `fields` are the values of [`call::FIELDS`]; `encoded` is whether the body has a content
    /// coding.
    pub fn call(
        &self,
        method: &str,
        target: &str,
        fields: [Option<&[u8]>; call::FIELDS.len()],
        encoded: bool,
    ) -> (Call, Option<Name>) {
        self.gate.call(method, target, fields, encoded)
    }

    /// What an endpoint answers to a request whose body was read: it said `facts`, or is wrong.
    /// `named` is the model that the path named.
    pub fn shape(
        &mut self,
        endpoint: Endpoint,
        named: Option<Name>,
        facts: Result<&Facts, Bad>,
    ) -> Rc<Shape> {
        self.shaper.shape(endpoint, named, facts)
    }

    /// What a path answers whose requests are not asked for a body; `named` as in `shape`, `now` is
    /// the time since the process started.
    pub fn unasked(&mut self, call: &Call, named: Option<Name>, now: Nanos) -> Option<Rc<Shape>> {
        let route = call.route().ok()?;
        match route.methods {
            Methods::Get => {
                self.book.uptime = now;
                Some(self.shaper.unasked(route.endpoint, named))
            }
            _ => None,
        }
    }

    /// Whether a request is worth its body: how it is answered then, or what it gets at once.
    pub fn admit(&mut self, call: &Call, now: Nanos) -> Result<Treatment, Reply> {
        match self.policy.decide(call, None, now) {
            Verdict::Answer(treatment) => Ok(treatment),
            verdict => Err(self.refused(call, verdict)),
        }
    }

    /// The answer to a request that was read whole by `now`. `shape` is what it asks for, where
    /// its head is right. `admitted` is what `admit` said, where that was asked.
    pub fn reply(
        &mut self,
        call: &Call,
        shape: Option<Rc<Shape>>,
        admitted: Option<Treatment>,
        now: Nanos,
    ) -> Reply {
        match self.policy.decide(call, admitted, now) {
            Verdict::Answer(treatment) => {
                let shape = shape.expect("what is answered has a shape");
                self.numbered(shape, treatment, call.endpoint)
            }
            verdict => self.refused(call, verdict),
        }
    }

    /// The answer to a request that is too large to be read.
    pub fn too_large(
        &mut self,
        call: &Call,
        admitted: Option<Treatment>,
        cap: u64,
        now: Nanos,
    ) -> Reply {
        match self.policy.decide(call, admitted, now) {
            Verdict::Answer(_) => self.refusal(Problem::TOO_LARGE.with_number(cap), call.endpoint),
            verdict => self.refused(call, verdict),
        }
    }

    /// The answer to a request that does not get what it asks for.
    fn refused(&mut self, call: &Call, verdict: Verdict) -> Reply {
        match verdict {
            Verdict::Answer(_) => unreachable!("it gets it"),
            Verdict::Allowed(methods) => self.plain(Shape::Allowed(methods), call.endpoint),
            Verdict::Refuse(problem) => self.refusal(problem, call.endpoint),
        }
    }

    /// How many bytes the content of an answer has; where it has more than `most`, possibly some
    /// smaller number above that. Renders what it must measure. `created` is Unix time in seconds.
    pub fn length(&mut self, reply: &Reply, created: i64, most: u64) -> u64 {
        match reply.streams() {
            Some(_) => self.book.stream_length(reply, created, &self.policy, most),
            None => self.book.length(reply, created),
        }
    }

    /// The answer that says what was wrong; `endpoint` is what the request is counted by.
    pub fn refusal(&mut self, problem: Problem, endpoint: u8) -> Reply {
        self.plain(Shape::Problem(problem), endpoint)
    }

    fn plain(&mut self, shape: Shape, endpoint: u8) -> Reply {
        let shape = self.shaper.share(shape);
        self.numbered(shape, Treatment::default(), endpoint)
    }

    fn numbered(&mut self, shape: Rc<Shape>, mut treatment: Treatment, endpoint: u8) -> Reply {
        let mut numbers = Numbers::new(self.ids.next(), self.rng.u64(..));
        match &*shape {
            Shape::Generated(generated) => {
                self.shaper.count(generated, &mut self.rng, &mut numbers);
                if generated.stream.is_some() {
                    treatment.delay = self.policy.first_token(treatment.delay);
                }
            }
            // What is wrong is said at once.
            Shape::Problem(_) => treatment = Treatment::default(),
            _ => {}
        }
        Reply {
            shape,
            numbers,
            treatment,
            endpoint,
        }
    }

    /// Appends what of a stream is due at `now`, until `out` has `room` bytes or the stream ends.
    /// True when it has ended.
    pub fn go_on(
        &mut self,
        stream: &mut Stream,
        now: Nanos,
        room: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        self.book.go_on(stream, &mut self.policy, now, room, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_between_answers_and_cores() {
        let mut seen = std::collections::HashSet::new();
        for core in 0..4 {
            let settings = Settings::default();
            let words = Words::new(&settings).unwrap();
            let mut mock = Mock::new(&settings, words, 7, core, watch(1, 0));
            assert!((0..10_000).all(|_| seen.insert(mock.ids.next())));
        }
    }
}
