//! What an answer is. Nothing of sockets, of clocks or of how HTTP is framed.

pub mod ask;
pub mod embedding;
pub mod name;
pub mod policy;
pub mod problem;
pub mod reply;
pub mod route;
pub mod template;
pub mod text;

use std::ops::Range;
use std::rc::Rc;

use fastrand::Rng;

use crate::Nanos;
use crate::settings::Settings;
use ask::Facts;
use embedding::{DIMENSIONS, DIMENSIONS_BIG};
use name::Name;
use policy::{Call, Method, Place, Policy, Verdict};
use problem::Problem;
use reply::{Book, Numbers, Reply, Shape};
use route::{Endpoint, Reach};
use text::Text;

/// Tokens of a request or an answer that are not counted, from and below: two such numbers and
/// their sum have three digits, so every answer to a request is equally long.
const TOKENS: Range<u32> = 100..500;

/// What `stream: true` gets: a client that gets no stream where it wanted one would see nothing.
const NO_STREAM: Problem = Problem {
    param: Some("stream"),
    ..Problem::invalid(
        400,
        "unsupported_value",
        "This server does not stream yet: 'stream' must be false or absent.",
    )
};

/// One core's mock: the settings as the answers need them, templates, random numbers.
#[derive(Debug)]
pub struct Mock {
    auth: Vec<u8>,
    dimensions: u16,
    default_model: Name,
    default_embedding_model: Name,
    /// The answers' bytes.
    pub book: Book,
    /// Whether and when a request is answered.
    pub policy: Policy,
    shapes: Shapes,
    rng: Rng,
    ids: Ids,
}

impl Mock {
    /// The mock of core number `core` (below 65536). All that it chooses follows from `seed`,
    /// which is the same for every core of a process: else ids could repeat.
    pub fn new(settings: &Settings, seed: u64, core: u16) -> Mock {
        let mut rng = Rng::with_seed(mix(seed ^ mix(core.into())));
        Mock {
            auth: settings.auth.as_bytes().to_vec(),
            dimensions: if settings.big_payload {
                DIMENSIONS_BIG
            } else {
                DIMENSIONS
            },
            default_model: Name::from_raw(b"gpt-4o-mini"),
            default_embedding_model: Name::from_raw(b"text-embedding-ada-002"),
            book: Book::new(Text::new(settings.big_payload)),
            policy: Policy::new(settings, rng.fork()),
            shapes: Shapes::default(),
            rng,
            ids: Ids {
                key: seed,
                next: u64::from(core) << 48,
            },
        }
    }

    /// What a request's head asks for; the second value is the model that Azure's path names.
    /// `authorization` and `api_key` are the values of those fields.
    pub fn call(
        &self,
        method: &str,
        target: &str,
        authorization: Option<&[u8]>,
        api_key: Option<&[u8]>,
        coding: Option<&[u8]>,
    ) -> (Call, Option<Name>) {
        let mut deployment = None;
        let place = match route::find(target) {
            _ if target == "*" => Place::Server,
            None => Place::Nowhere(&Problem::UNKNOWN_PATH),
            Some((route, None)) => Place::Route(route),
            Some((route, Some(segment))) => match Name::from_segment(segment) {
                None => Place::Nowhere(&Problem::BAD_DEPLOYMENT),
                name => {
                    deployment = name;
                    Place::Route(route)
                }
            },
        };
        let method = match place {
            _ if method == "OPTIONS" => Method::Options,
            Place::Route(route) if route.methods.answer(method) => Method::Answered,
            _ => Method::Other,
        };
        let api_key = api_key.filter(|_| deployment.is_some());
        let authorized = self.auth.is_empty()
            || authorization.is_some_and(|value| equal(value, &self.auth))
            || api_key.is_some_and(|key| equal(&[b"Bearer ", key].concat(), &self.auth));
        let encoded = coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        (
            Call {
                place,
                method,
                authorized,
                encoded,
            },
            deployment,
        )
    }

    /// The endpoint whose facts the request body must be asked for, if any.
    pub fn asks(&self, call: &Call) -> Option<Endpoint> {
        let route = call.route().ok()?;
        (route.reach != Reach::Bare && !call.encoded).then_some(route.endpoint)
    }

    /// Whether a request is worth its body: how late it is to be answered then, or what it gets at
    /// once.
    pub fn admit(&mut self, call: &Call, now: Nanos) -> Result<Nanos, Reply> {
        match self.policy.decide(call, None, Ok(()), now) {
            Verdict::Answer(_, delay) => Ok(delay),
            verdict => Err(self.unread(verdict)),
        }
    }

    /// What an endpoint answers to a request whose body said `facts`; `deployment` is the model
    /// that the path named.
    pub fn shape(
        &mut self,
        endpoint: Endpoint,
        deployment: Option<Name>,
        facts: &Facts,
    ) -> Result<Rc<Shape>, Problem> {
        if facts.stream {
            return Err(NO_STREAM);
        }
        let shape = self.chosen(endpoint, deployment, facts);
        Ok(self.shapes.share(shape))
    }

    /// The answer to a request that was read whole by `now`. `shape` is what its body gave: None
    /// where it was not asked. `admitted` is what `admit` said, where that was asked.
    pub fn reply(
        &mut self,
        call: &Call,
        shape: Option<Result<Rc<Shape>, Problem>>,
        admitted: Option<Nanos>,
        now: Nanos,
    ) -> Reply {
        let (shape, body) = match shape {
            Some(Ok(shape)) => (Some(shape), Ok(())),
            Some(Err(problem)) => (None, Err(problem)),
            None => (None, Ok(())),
        };
        match (self.policy.decide(call, admitted, body, now), shape) {
            (Verdict::Answer(_, delay), Some(shape)) => self.numbered(shape, delay),
            (verdict, _) => self.unread(verdict),
        }
    }

    /// The answer to a request that is too large to be read.
    pub fn too_large(
        &mut self,
        call: &Call,
        admitted: Option<Nanos>,
        cap: u64,
        now: Nanos,
    ) -> Reply {
        let problem = Problem::TOO_LARGE.with_number(cap);
        let verdict = self.policy.decide(call, admitted, Err(problem), now);
        self.unread(verdict)
    }

    /// The answer to a request whose body says nothing to it.
    fn unread(&mut self, verdict: Verdict) -> Reply {
        match verdict {
            Verdict::Answer(Endpoint::Health, delay) => self.plain(Shape::Health, delay),
            Verdict::Answer(endpoint, _) => unreachable!("{endpoint:?} is asked for its facts"),
            Verdict::Allowed(methods) => self.plain(Shape::Allowed(methods), 0),
            Verdict::Refuse(problem) => self.refusal(problem),
        }
    }

    /// The answer that says what was wrong.
    pub fn refusal(&mut self, problem: Problem) -> Reply {
        self.plain(Shape::Problem(problem), 0)
    }

    fn plain(&mut self, shape: Shape, delay: Nanos) -> Reply {
        let shape = self.shapes.share(shape);
        self.numbered(shape, delay)
    }

    fn chosen(&self, endpoint: Endpoint, deployment: Option<Name>, facts: &Facts) -> Shape {
        let named = deployment.or_else(|| facts.model().map(Name::from_raw));
        let limit = facts.token_limit.map(|limit| self.book.text.tokens(limit));
        let model = |default: &Name| named.unwrap_or_else(|| default.clone());
        match endpoint {
            Endpoint::Chat => Shape::Chat {
                model: model(&self.default_model),
                n: facts.n,
                limit,
            },
            Endpoint::Responses => Shape::Response {
                model: model(&self.default_model),
                limit,
            },
            Endpoint::Embeddings => Shape::Embeddings {
                model: model(&self.default_embedding_model),
                inputs: facts.inputs,
                dimensions: facts.dimensions.unwrap_or(self.dimensions),
                encoding: facts.encoding,
            },
            Endpoint::Health => Shape::Health,
        }
    }

    fn numbered(&mut self, shape: Rc<Shape>, delay: Nanos) -> Reply {
        let sent = match *shape {
            Shape::Chat { limit, .. } | Shape::Response { limit, .. } => limit,
            _ => None,
        };
        let bits = self.rng.u64(..);
        let numbers = Numbers {
            id: self.ids.next(),
            prompt: scale(bits as u32, prompt_tokens(sent)),
            completion: sent.unwrap_or_else(|| scale((bits >> 32) as u32, TOKENS)),
        };
        Reply {
            shape,
            numbers,
            delay,
        }
    }
}

/// How many shapes a core remembers: a load asks in a few ways, over and over.
const SHAPES_KEPT: usize = 16;

/// The shapes given out last, so that equal ones are one and their memory is used again.
#[derive(Debug, Default)]
struct Shapes {
    kept: Vec<Rc<Shape>>,
    /// Which is to go next.
    oldest: usize,
}

impl Shapes {
    fn share(&mut self, shape: Shape) -> Rc<Shape> {
        if let Some(known) = self.kept.iter().find(|known| ***known == shape) {
            return known.clone();
        }
        if self.kept.len() < SHAPES_KEPT {
            self.kept.push(Rc::new(shape));
            return self.kept[self.kept.len() - 1].clone();
        }
        let place = &mut self.kept[self.oldest];
        self.oldest = (self.oldest + 1) % SHAPES_KEPT;
        match Rc::get_mut(place) {
            Some(free) => *free = shape,
            None => *place = Rc::new(shape),
        }
        place.clone()
    }
}

/// From what range the request's tokens are drawn beside so many of the answer: one in which the
/// digits of their sum are as many whatever is drawn.
fn prompt_tokens(sent: Option<u32>) -> Range<u32> {
    let Some(sent) = sent else { return TOKENS };
    let room = 10u32.pow(sent.max(100).ilog10() + 1) - sent;
    let crosses = TOKENS.contains(&room) && room > TOKENS.start;
    if crosses { room..TOKENS.end } else { TOKENS }
}

/// A number from a range far smaller than 2^32, from as many random bits.
fn scale(bits: u32, range: Range<u32>) -> u32 {
    range.start + ((u64::from(bits) * u64::from(range.end - range.start)) >> 32) as u32
}

/// Numbers that differ from each other within a process, in no order that shows.
#[derive(Debug)]
struct Ids {
    key: u64,
    next: u64,
}

impl Ids {
    fn next(&mut self) -> u64 {
        self.next += 1;
        // The key is the process's own, and mixing maps different numbers to different ones.
        mix(self.next ^ self.key)
    }
}

/// A bijection on 64 bits that spreads every bit: the finisher of SplitMix64.
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Whether two values are equal, in a time that tells only whether their lengths are.
fn equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |different, (a, b)| different | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_tokens_never_changes_its_digits() {
        for sent in (1..2000).chain(9_400..10_600) {
            let range = prompt_tokens(Some(sent));
            assert!(range.start >= TOKENS.start && range.end == TOKENS.end && !range.is_empty());
            let digits = |prompt: u32| (prompt + sent).ilog10();
            assert_eq!(digits(range.start), digits(range.end - 1), "{sent}");
        }
        assert_eq!(prompt_tokens(None), TOKENS);
        assert_eq!(scale(0, TOKENS), TOKENS.start);
        assert_eq!(scale(u32::MAX, TOKENS), TOKENS.end - 1);
    }

    #[test]
    fn ids_differ_between_answers_and_cores() {
        let mut seen = std::collections::HashSet::new();
        for core in 0..4 {
            let mut mock = Mock::new(&Settings::default(), 7, core);
            assert!((0..10_000).all(|_| seen.insert(mock.ids.next())));
        }
    }

    #[test]
    fn equal_is_equality() {
        for (one, other) in [("", ""), ("a", "a"), ("a", "b"), ("a", "ab"), ("ab", "aB")] {
            assert_eq!(equal(one.as_bytes(), other.as_bytes()), one == other);
        }
    }
}
