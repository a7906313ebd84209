//! The mock: the content of responses, without sockets, clocks or the framing of HTTP.

pub mod body;
mod contents;
mod custom;
pub mod planner;
pub mod request;
pub mod response;

use std::rc::Rc;
use std::sync::Arc;

use fastrand::Rng;

use crate::Nanos;
use crate::api::content::Content;
use crate::api::facts::Facts;
use crate::api::json_string::JsonString;
use crate::api::methods::Methods;
use crate::api::number::{Ids, Numbers, PatchSite, mix};
use crate::api::problem::Problem;
use crate::api::provider::Endpoint;
use crate::api::render::{Renderer, Room};
use crate::api::table::counted;
use crate::api::text::Words;
use crate::meter::Meter;
use crate::scenario::outcome::Outcome;
use crate::scenario::policy::Policy;
use crate::settings::{ContentMode, Settings};
use crate::watch::Watch;
use body::{Bad, Reading};
use custom::Making;
use planner::{Plan, Planner};
use request::{Auth, Call, Early};
use response::{Cursor, Progress, Response};

/// Makes the counters of this many cores, by the endpoints of this mock. `started` is Unix time in
/// seconds.
pub fn watch(cores: usize, started: i64) -> Arc<Watch> {
    Arc::new(Watch::new(cores, counted(), started))
}

/// The mock of one core: the settings as responses need them, templates, random numbers.
#[derive(Debug)]
pub struct Mock {
    auth: Auth,
    /// The options for reading request bodies.
    pub reading: Reading,
    planner: Planner,
    /// The renderer of responses.
    pub renderer: Renderer,
    /// The decisions on requests.
    pub policy: Policy,
    /// The source of the views.
    watch: Arc<Watch>,
    rng: Rng,
    ids: Ids,
}

impl Mock {
    /// Makes the mock of core number `core` (below 65536). All its choices follow from `seed`,
    /// which must be the same for every core of a process: otherwise ids could repeat. `watch` is
    /// the source of the views.
    pub fn new(settings: &Settings, words: Words, seed: u64, core: u16, watch: Arc<Watch>) -> Mock {
        let mut rng = Rng::with_seed(mix(seed ^ mix(core.into())));
        Mock {
            auth: Auth::new(settings),
            reading: reading(settings),
            planner: Planner::new(settings, &words),
            renderer: Renderer::new(settings, words),
            watch,
            policy: Policy::new(settings, rng.fork()),
            rng,
            ids: Ids::new(seed, core),
        }
    }

    /// Applies other settings. Ids and random numbers go on, and the text of `-content` stays as it
    /// was read at the start.
    pub fn apply(&mut self, settings: &Settings) {
        let words = self.renderer.words().clone();
        self.auth = Auth::new(settings);
        self.reading = reading(settings);
        self.planner = Planner::new(settings, &words);
        self.renderer = Renderer::new(settings, words);
        self.policy = Policy::new(settings, self.rng.fork());
    }

    /// Returns the meaning of a request's head, and the model that the path names. `fields` are the
    /// values of [`request::FIELDS`]; `encoded` is true if the body has a content coding.
    pub fn call(
        &self,
        method: &str,
        target: &str,
        fields: [Option<&[u8]>; request::FIELDS.len()],
        encoded: bool,
    ) -> (Call, Option<JsonString>) {
        self.auth.call(method, target, fields, encoded)
    }

    /// Decides on a request that has arrived whole at `now`; an error is the response to one that
    /// does not succeed. `streams` is true if the request is for a stream.
    #[inline]
    pub fn decide(&mut self, call: &Call, streams: bool, now: Nanos) -> Result<Outcome, Response> {
        let outcome = match call.route() {
            // The endpoints of the server itself are neither delayed nor do they fail.
            Ok(endpoint) if !endpoint.provider.is_api => return Ok(Outcome::at(now)),
            Ok(_) => self.policy.draw(streams, now).map_err(Early::Problem),
            Err(early) => Err(early),
        };
        match outcome {
            Ok(_) if call.encoded => Err(self.refusal(Problem::ENCODED, call.endpoint, now)),
            Ok(outcome) => Ok(outcome),
            Err(early) => Err(self.at_once(early.into(), call.endpoint, now)),
        }
    }

    /// Plans the response to a request whose body has these facts, or is wrong. `named` is the
    /// model that the path names.
    pub fn plan(
        &mut self,
        endpoint: &'static Endpoint,
        named: Option<&JsonString>,
        facts: Result<&Facts, Bad>,
        meter: &mut Meter,
    ) -> Plan {
        self.planner.plan(endpoint, named, facts, meter)
    }

    /// Goes on with a plan. `subject` is the endpoint and the facts of the request's body, if it
    /// has some; `named` is the model that the path names.
    pub fn go_on_planning(
        &mut self,
        making: Box<Making>,
        subject: Option<(&'static Endpoint, &Facts)>,
        named: Option<&JsonString>,
        meter: &mut Meter,
    ) -> Plan {
        self.planner.go_on(making, subject, named, meter)
    }

    /// Plans the response to a request whose body means nothing. `now` is the time since the
    /// process started.
    pub fn document(
        &mut self,
        call: &Call,
        named: Option<JsonString>,
        now: Nanos,
        meter: &mut Meter,
    ) -> Option<Plan> {
        let endpoint = call.route().ok()?;
        (endpoint.route.methods == Methods::Get).then(|| {
            self.planner
                .document(endpoint, named, &self.watch, now, meter)
        })
    }

    /// Returns the response to a request that fails by its head alone, if it does.
    pub fn refuse_early(&mut self, call: &Call, now: Nanos) -> Option<Response> {
        let early = match call.route() {
            Ok(endpoint) if call.encoded && endpoint.provider.is_api => {
                Early::Problem(Problem::ENCODED)
            }
            Ok(_) => return None,
            Err(early) => early,
        };
        Some(self.at_once(early.into(), call.endpoint, now))
    }

    /// Returns the response to a request whose body exceeds `cap` bytes.
    pub fn too_large(&mut self, call: &Call, cap: u64, now: Nanos) -> Response {
        let problem = Problem::TOO_LARGE.with_number(cap);
        let early = call.route().err().unwrap_or(Early::Problem(problem));
        self.at_once(early.into(), call.endpoint, now)
    }

    /// Returns the response that reports a problem at once. `endpoint` is the index by which the
    /// request is counted.
    pub fn refusal(&mut self, problem: Problem, endpoint: u8, now: Nanos) -> Response {
        self.at_once(Content::Problem(problem), endpoint, now)
    }

    #[inline(never)]
    fn at_once(&mut self, content: Content, endpoint: u8, now: Nanos) -> Response {
        let content = self.planner.share(content);
        self.response(content, Outcome::at(now), endpoint)
    }

    /// Returns the response with this content, and draws its numbers.
    #[inline]
    pub fn response(&mut self, content: Rc<Content>, outcome: Outcome, endpoint: u8) -> Response {
        let mut numbers = Numbers::new(self.ids.draw(), self.rng.u64(..));
        let mut outcome = outcome;
        match &*content {
            Content::Generated(generated) => {
                self.planner.count(generated, &mut self.rng, &mut numbers);
            }
            // A mistake in the request is reported at once.
            Content::Problem(_) => outcome = Outcome::at(outcome.due - outcome.delay),
            _ => {}
        }
        Response {
            content,
            numbers,
            outcome,
            endpoint,
            cursor: Cursor {
                due: outcome.due,
                ..Cursor::default()
            },
        }
    }

    /// Appends what is due of a response at `now`, until the room is used. `sites` receives the
    /// places of the numbers that differ between responses with the same content.
    pub fn render(
        &mut self,
        response: &mut Response,
        now: Nanos,
        room: Room<'_>,
        out: &mut Vec<u8>,
        sites: Option<&mut Vec<PatchSite>>,
    ) -> Progress {
        let Mock {
            renderer, policy, ..
        } = self;
        response.render(renderer, policy, now, room, out, sites)
    }

    /// Returns the length of a response's content, if that follows from the plan.
    pub fn planned_length(&mut self, response: &Response) -> Option<u64> {
        let Response {
            content,
            numbers,
            endpoint,
            ..
        } = response;
        self.renderer.planned_length(content, numbers, *endpoint)
    }

    /// Measures the content of a response by rendering it; if it exceeds `most` bytes, the result
    /// may be any larger number.
    pub fn length(&mut self, response: &Response, created: i64, most: u64) -> u64 {
        /// The bytes that are rendered before they are dropped.
        const PIECE: usize = 64 * 1024;
        let mut response = response.clone();
        response.cursor.created = created;
        let (mut piece, mut length) = (Vec::new(), 0);
        loop {
            piece.clear();
            let room = Room {
                end: PIECE,
                meter: &mut Meter::new(i64::MAX),
            };
            let progress = self.render(&mut response, Nanos::MAX, room, &mut piece, None);
            length += piece.len() as u64;
            if progress == Progress::Done || length > most {
                return length;
            }
        }
    }
}

fn reading(settings: &Settings) -> Reading {
    Reading {
        echo: settings.content == ContentMode::Echo,
        strict: settings.strict,
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
            assert!((0..10_000).all(|_| seen.insert(mock.ids.draw())));
        }
    }
}
