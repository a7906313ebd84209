//! One request and its response, without a connection: decides on the request, plans the response
//! and renders it. Uses no sockets, clocks or HTTP framing.

pub mod body;
mod custom;
pub mod planner;
pub mod request;
pub mod response;

use std::{rc::Rc, sync::Arc};

use fastrand::Rng;

use crate::Nanos;
use crate::api::number::{Ids, Numbers, mix};
use crate::api::render::{Place, Renderer, Room};
use crate::api::{content::Content, problem::Problem, table::counted, text::Words};
use crate::meter::Meter;
use crate::scenario::{Outcome, policy::Policy};
use crate::settings::{ContentMode, Settings};
use crate::watch::Watch;
use body::Reading;
use planner::Planner;
use request::{Auth, Call};
use response::{Cursor, Progress, Response};

/// Makes the counters of this many cores, by the endpoints of this mock. `started` is Unix time in
/// seconds.
pub fn watch(cores: usize, started: i64) -> Arc<Watch> {
    Arc::new(Watch::new(cores, counted(), started))
}

/// The mock of one core: the settings as responses need them, templates, random numbers.
#[derive(Debug)]
pub struct Mock {
    /// The meaning of heads.
    pub auth: Auth,
    /// The options for reading request bodies.
    pub reading: Reading,
    /// The planner of responses.
    pub planner: Planner,
    /// The renderer of responses.
    pub renderer: Renderer,
    /// The decisions on requests.
    pub policy: Policy,
    rng: Rng,
    ids: Ids,
}

impl Mock {
    /// Makes the mock of core number `core` (below 65536). All its choices follow from `seed`,
    /// which must be the same for every core of a process: otherwise ids could repeat. `watch` is
    /// the source of the views.
    pub fn new(settings: &Settings, words: Words, seed: u64, core: u16, watch: Arc<Watch>) -> Mock {
        let rng = Rng::with_seed(mix(seed ^ mix(core.into())));
        Mock::with(settings, words, rng, Ids::new(seed, core), watch)
    }

    fn with(settings: &Settings, words: Words, mut rng: Rng, ids: Ids, watch: Arc<Watch>) -> Mock {
        Mock {
            auth: Auth::new(settings),
            reading: Reading {
                echo: settings.content == ContentMode::Echo,
                strict: settings.strict,
            },
            planner: Planner::new(settings, &words, watch),
            renderer: Renderer::new(settings, words),
            policy: Policy::new(settings, rng.fork()),
            rng,
            ids,
        }
    }

    /// Applies other settings. Ids and random numbers go on, and the text of `-content` stays as it
    /// was read at the start.
    pub fn apply(&mut self, settings: &Settings) {
        let words = self.renderer.words().clone();
        let (rng, ids) = (self.rng.clone(), self.ids.clone());
        *self = Mock::with(settings, words, rng, ids, self.planner.watch.clone());
    }

    /// Decides on a request that has arrived whole at `now`; an error is the response to one that
    /// does not succeed. `streams` is true if the request is for a stream.
    #[inline]
    pub fn decide(&mut self, call: &Call, streams: bool, now: Nanos) -> Result<Outcome, Response> {
        let problem = match call.route {
            Err(early) => return Err(self.at_once(early.into(), call.endpoint, now)),
            // The endpoints of the server itself are neither delayed nor do they fail.
            Ok(endpoint) if !endpoint.provider.is_api => return Ok(Outcome::at(now)),
            Ok(_) => match self.policy.draw(streams, now) {
                Ok(outcome) if !call.encoded => return Ok(outcome),
                Ok(_) => Problem::ENCODED,
                Err(problem) => problem,
            },
        };
        Err(self.refusal(problem, call.endpoint, now))
    }

    /// Returns the response to a request that fails by its head alone, if it does.
    pub fn refuse_early(&mut self, call: &Call, now: Nanos) -> Option<Response> {
        let content = match call.route {
            Err(early) => early.into(),
            Ok(endpoint) if call.encoded && endpoint.provider.is_api => {
                Content::Problem(Problem::ENCODED)
            }
            Ok(_) => return None,
        };
        Some(self.at_once(content, call.endpoint, now))
    }

    /// Returns the response to a request whose body exceeds `cap` bytes.
    pub fn too_large(&mut self, call: &Call, cap: u64, now: Nanos) -> Response {
        let content = match call.route {
            Err(early) => early.into(),
            Ok(_) => Content::Problem(Problem::TOO_LARGE.with_number(cap)),
        };
        self.at_once(content, call.endpoint, now)
    }

    /// Returns the response that reports a problem at once. `endpoint` is the index by which the
    /// request is counted.
    pub fn refusal(&mut self, problem: Problem, endpoint: u8, now: Nanos) -> Response {
        self.at_once(Content::Problem(problem), endpoint, now)
    }

    #[inline(never)]
    fn at_once(&mut self, content: Content, endpoint: u8, now: Nanos) -> Response {
        let content = self.planner.contents.share(content);
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

    /// Appends what is due of a response at `now`, until the room is used.
    pub fn render(&mut self, response: &mut Response, now: Nanos, room: Room<'_>) -> Progress {
        response.render(&mut self.renderer, &self.policy, now, room)
    }

    /// Returns the length of a response's content, if that follows from the plan.
    pub fn planned_length(&mut self, response: &Response) -> Option<u64> {
        let place = Place::new(&response.content, &response.numbers, response.endpoint);
        self.renderer.planned_length(place)
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
                out: &mut piece,
                sites: None,
                end: PIECE,
                meter: &mut Meter::new(i64::MAX),
            };
            let progress = self.render(&mut response, Nanos::MAX, room);
            length += piece.len() as u64;
            if progress == Progress::Done || length > most {
                return length;
            }
        }
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
