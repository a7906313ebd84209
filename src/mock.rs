//! What an answer is. Nothing of sockets, of clocks or of how HTTP is framed.

pub mod ask;
pub mod book;
pub mod embedding;
pub mod name;
pub mod number;
mod own;
pub mod policy;
pub mod problem;
pub mod reply;
pub mod route;
mod schema;
mod shapes;
pub mod template;
pub mod text;

use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::sync::Arc;

use fastrand::Rng;

use crate::Nanos;
use crate::settings::{Content, Settings};
use crate::watch::Watch;
use ask::{Bad, Facts, Reading};
use book::Book;
use embedding::{DIMENSIONS, DIMENSIONS_BIG};
use name::Name;
use number::Numbers;
use policy::{Call, Method, Place, Policy, Verdict};
use problem::Problem;
use reply::{Api, Generated, Own, Reply, Shape, Streaming, View};
use route::{Endpoint, Methods, NOWHERE, Reach};
use shapes::Shapes;
use text::Words;

/// Tokens of a request or an answer that are not counted, from and below: two such numbers and
/// their sum have three digits, so every answer to a request is equally long.
const TOKENS: Range<u32> = 100..500;

/// How many bytes of a prompt count as a token, where tokens are counted: about what is said of
/// English text.
const BYTES_A_TOKEN: u64 = 4;

/// The most tokens that a prompt counts as: more than any usual body has, and their sum with those
/// of an answer is a `u32`.
const PROMPT_MAX: u64 = 1_000_000_000;

/// The most choices of an answer: as many as prompts are allowed.
const CHOICES_MAX: u32 = 2048;

/// The most probabilities told of a choice, some 100 bytes each.
const LOGPROBS_MAX: u64 = 50_000;

/// What so many cores tell of themselves, by the endpoints of this mock. `started` is Unix time in
/// seconds.
pub fn watch(cores: usize, started: i64) -> Arc<Watch> {
    Arc::new(Watch::new(cores, route::counted(), started))
}

/// One core's mock: the settings as the answers need them, templates, random numbers.
#[derive(Debug)]
pub struct Mock {
    auth: Vec<u8>,
    /// Whether what tells how the server fares asks for authorization too.
    auth_metrics: bool,
    dimensions: u16,
    /// What is read of request bodies.
    pub reading: Reading,
    default_model: Name,
    default_completion_model: Name,
    default_embedding_model: Name,
    default_moderation_model: Name,
    /// The answers' bytes.
    pub book: Book,
    /// Whether and when a request is answered.
    pub policy: Policy,
    /// How many tokens an answer has, and whether that was asked for: then they are counted.
    tokens: RangeInclusive<u32>,
    counted: bool,
    shapes: Shapes,
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
            auth: settings.auth.as_bytes().to_vec(),
            auth_metrics: settings.auth_metrics,
            dimensions: if settings.big_payload {
                DIMENSIONS_BIG
            } else {
                DIMENSIONS
            },
            reading: Reading {
                echo: settings.content == Content::Echo,
                strict: settings.strict,
            },
            default_model: Name::from_raw(b"gpt-4o-mini"),
            default_completion_model: Name::from_raw(b"gpt-3.5-turbo-instruct"),
            default_embedding_model: Name::from_raw(b"text-embedding-ada-002"),
            default_moderation_model: Name::from_raw(b"omni-moderation-latest"),
            tokens: settings
                .tokens
                .clone()
                .unwrap_or(words.tokens()..=words.tokens()),
            counted: settings.tokens.is_some(),
            book: Book::new(words, &settings.models, settings.cors, watch),
            policy: Policy::new(settings, rng.fork()),
            shapes: Shapes::default(),
            rng,
            ids: Ids {
                key: seed,
                next: u64::from(core) << 48,
            },
        }
    }

    /// What a request's head asks for; the second value is the model that the path names.
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
                None => Place::Nowhere(&Problem::BAD_NAME),
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
        let authorized = !self.guards(&place)
            || self.auth.is_empty()
            || authorization.is_some_and(|value| equal(value, &self.auth))
            || api_key.is_some_and(|key| equal(&[b"Bearer ", key].concat(), &self.auth));
        let encoded = coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        (
            Call {
                place,
                method,
                authorized,
                encoded,
                endpoint: match place {
                    Place::Route(route) => route.endpoint as u8,
                    Place::Server | Place::Nowhere(_) => NOWHERE,
                },
            },
            deployment,
        )
    }

    /// Whether a place asks for authorization where it is set.
    fn guards(&self, place: &Place) -> bool {
        match place {
            Place::Route(route) => match route.endpoint {
                Endpoint::Metrics | Endpoint::Stats => self.auth_metrics,
                _ => route.reach != Reach::Bare,
            },
            Place::Server | Place::Nowhere(_) => true,
        }
    }

    /// The endpoint whose facts the request body must be asked for, if any.
    pub fn asks(&self, call: &Call) -> Option<Endpoint> {
        let route = call.route().ok()?;
        (route.methods == Methods::Post && !call.encoded).then_some(route.endpoint)
    }

    /// Whether a request is worth its body: how late it is to be answered then, or what it gets at
    /// once.
    pub fn admit(&mut self, call: &Call, now: Nanos) -> Result<Nanos, Reply> {
        match self.policy.decide(call, None, now) {
            Verdict::Answer(delay) => Ok(delay),
            verdict => Err(self.refused(call, verdict)),
        }
    }

    /// What an endpoint answers to a request whose body was read: it said `facts`, or is wrong.
    /// `named` is the model that the path named.
    pub fn shape(
        &mut self,
        endpoint: Endpoint,
        named: Option<Name>,
        facts: Result<&Facts, Bad>,
    ) -> Rc<Shape> {
        let shape = match facts {
            Ok(facts) => self.asked(endpoint, named, facts),
            Err(bad) => Err(bad.into()),
        };
        self.shapes.share(shape.unwrap_or_else(Shape::Problem))
    }

    fn asked(
        &self,
        endpoint: Endpoint,
        named: Option<Name>,
        facts: &Facts,
    ) -> Result<Shape, Problem> {
        if facts.lacks.model && named.is_none() {
            return Err(Problem::NO_MODEL);
        }
        if let Some(subject) = facts.lacks.subject {
            return Err(Problem::missing(subject));
        }
        let named = named.or_else(|| facts.model().map(Name::from_raw));
        let model = |default: &Name| named.unwrap_or_else(|| default.clone());
        Ok(match endpoint {
            Endpoint::Chat => self.generated(Api::Chat, model(&self.default_model), facts)?,
            Endpoint::Responses => {
                self.generated(Api::Responses, model(&self.default_model), facts)?
            }
            Endpoint::Completions => {
                let model = model(&self.default_completion_model);
                self.generated(Api::Completions, model, facts)?
            }
            Endpoint::Embeddings => Shape::Embeddings {
                model: model(&self.default_embedding_model),
                inputs: facts.inputs,
                dimensions: facts.dimensions.unwrap_or(self.dimensions),
                encoding: facts.encoding,
            },
            Endpoint::Moderations => Shape::Moderation {
                model: model(&self.default_moderation_model),
                inputs: facts.inputs,
            },
            _ => unreachable!("{endpoint:?} is not asked for a body"),
        })
    }

    fn generated(&self, api: Api, model: Name, facts: &Facts) -> Result<Shape, Problem> {
        let choices = match api {
            Api::Completions => u32::from(facts.inputs) * u32::from(facts.n),
            _ => facts.n.into(),
        };
        if choices > CHOICES_MAX {
            return Err(Problem::TOO_MANY_CHOICES);
        }
        let own = own::asked_for(api, facts)?;
        let all = |asked| match &own {
            // More or fewer would be no JSON.
            Some(own @ (Own::Json { .. } | Own::Call { .. })) => own.text().tokens(),
            Some(own) if !self.counted => own.text().tokens(),
            _ => asked,
        };
        let (most, _) = cut(all(*self.tokens.end()), facts.token_limit);
        let (tokens, cut) = cut(all(*self.tokens.start()), facts.token_limit);
        if let Some(others) = facts.logprobs
            && u64::from(most) * (1 + u64::from(others)) > LOGPROBS_MAX
        {
            return Err(Problem::TOO_MANY_LOGPROBS);
        }
        let counted = facts.token_limit.is_some() || self.counted;
        let prompt = facts.prompt_bytes.div_ceil(BYTES_A_TOKEN);
        Ok(Shape::Generated(Generated {
            api,
            model,
            choices,
            limit: facts.token_limit,
            tokens,
            cut,
            prompt: if counted {
                prompt.clamp(1, PROMPT_MAX) as u32
            } else {
                0
            },
            stream: facts.stream.then_some(Streaming {
                include_usage: facts.include_usage,
            }),
            logprobs: facts.logprobs,
            own,
        }))
    }

    /// What a path answers whose requests are not asked for a body; `named` as in `shape`.
    pub fn unasked(&mut self, call: &Call, named: Option<Name>) -> Option<Rc<Shape>> {
        let shape = match (call.route().ok()?.endpoint, named) {
            (Endpoint::Models, _) => Shape::Models,
            (Endpoint::Model, Some(name)) => Shape::Model(name),
            (Endpoint::Health, _) => Shape::Health,
            (Endpoint::Page, _) => Shape::View(View::Page),
            (Endpoint::Metrics, _) => Shape::View(View::Metrics),
            (Endpoint::Stats, _) => Shape::View(View::Stats),
            _ => return None,
        };
        Some(self.shapes.share(shape))
    }

    /// The answer to a request that was read whole by `now`. `shape` is what it asks for, where
    /// its head is right. `admitted` is what `admit` said, where that was asked.
    pub fn reply(
        &mut self,
        call: &Call,
        shape: Option<Rc<Shape>>,
        admitted: Option<Nanos>,
        now: Nanos,
    ) -> Reply {
        match self.policy.decide(call, admitted, now) {
            Verdict::Answer(delay) => {
                let shape = shape.expect("what is answered has a shape");
                self.numbered(shape, delay, call.endpoint)
            }
            verdict => self.refused(call, verdict),
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

    /// The answer that says what was wrong; `endpoint` is what the request is counted by.
    pub fn refusal(&mut self, problem: Problem, endpoint: u8) -> Reply {
        self.plain(Shape::Problem(problem), endpoint)
    }

    fn plain(&mut self, shape: Shape, endpoint: u8) -> Reply {
        let shape = self.shapes.share(shape);
        self.numbered(shape, 0, endpoint)
    }

    fn numbered(&mut self, shape: Rc<Shape>, delay: Nanos, endpoint: u8) -> Reply {
        let bits = self.rng.u64(..);
        let mut numbers = Numbers {
            id: self.ids.next(),
            prompt: scale(bits as u32, TOKENS),
            completion: scale((bits >> 32) as u32, TOKENS),
            tokens: 0,
            cut: false,
        };
        let mut delay = delay;
        match &*shape {
            Shape::Generated(generated) => {
                self.count(generated, &mut numbers);
                if generated.stream.is_some() {
                    delay = self.policy.first_token(delay);
                }
            }
            // What is wrong is said at once.
            Shape::Problem(_) => delay = 0,
            _ => {}
        }
        Reply {
            shape,
            numbers,
            delay,
            endpoint,
        }
    }

    fn count(&mut self, generated: &Generated, numbers: &mut Numbers) {
        (numbers.tokens, numbers.cut) = (generated.tokens, generated.cut);
        if self.tokens.start() < self.tokens.end() && !generated.is_json() {
            let drawn = self.rng.u32(self.tokens.clone());
            (numbers.tokens, numbers.cut) = cut(drawn, generated.limit);
        }
        if generated.prompt > 0 {
            numbers.prompt = generated.prompt;
            numbers.completion = numbers.tokens * generated.choices;
        }
    }
}

/// How many of so many tokens a limit leaves, and whether it leaves fewer.
fn cut(tokens: u32, limit: Option<u32>) -> (u32, bool) {
    let left = limit.map_or(tokens, |limit| limit.min(tokens));
    (left, left < tokens)
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
    fn random_tokens_have_three_digits_and_so_has_their_sum() {
        assert_eq!(scale(0, TOKENS), TOKENS.start);
        assert_eq!(scale(u32::MAX, TOKENS), TOKENS.end - 1);
        let sums = 2 * TOKENS.start..2 * TOKENS.end - 1;
        assert!((100..1000).contains(&sums.start) && sums.end <= 1000);
    }

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

    #[test]
    fn equal_is_equality() {
        for (one, other) in [("", ""), ("a", "a"), ("a", "b"), ("a", "ab"), ("ab", "aB")] {
            assert_eq!(equal(one.as_bytes(), other.as_bytes()), one == other);
        }
    }
}
