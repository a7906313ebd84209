//! What a request asks for, as the shape of its answer: the facts of its body, the settings and the
//! limits together. Knows no bytes of either.

use std::ops::RangeInclusive;
use std::rc::Rc;

use fastrand::Rng;

use super::ask::{Bad, Facts};
use super::embedding::{DIMENSIONS, DIMENSIONS_BIG};
use super::name::Name;
use super::number::Numbers;
use super::own;
use super::problem::Problem;
use super::reply::{Generated, Own, Shape, Streaming};
use super::route::{Api, Endpoint, Gives};
use super::shapes::Shapes;
use super::text::Words;
use crate::settings::Settings;

/// How many bytes of a prompt count as a token, where tokens are counted: about what is said of
/// English text.
const BYTES_A_TOKEN: u64 = 4;

/// The most tokens that a prompt counts as: more than any usual body has, and their sum with those
/// of an answer is a `u32`.
const PROMPT_MAX: u64 = 1_000_000_000;

/// The most tokens of an answer, all choices together: some GB of text, and a `u32` counts them.
const TOKENS_MAX: u64 = 100_000_000;

/// The most choices of an answer: as many as prompts are allowed.
const CHOICES_MAX: u32 = 2048;

/// The most probabilities told of a choice, some 100 bytes each.
const LOGPROBS_MAX: u64 = 50_000;

/// What of the settings answers are shaped by, and the shapes given out last.
#[derive(Debug)]
pub(super) struct Shaper {
    dimensions: u16,
    /// How many tokens an answer has, and whether that was asked for: then they are counted.
    tokens: RangeInclusive<u32>,
    counted: bool,
    shapes: Shapes,
}

impl Shaper {
    pub fn new(settings: &Settings, words: &Words) -> Shaper {
        let all = words.tokens();
        Shaper {
            dimensions: match settings.big_payload {
                true => DIMENSIONS_BIG,
                false => DIMENSIONS,
            },
            tokens: settings.tokens.clone().unwrap_or(all..=all),
            counted: settings.tokens.is_some(),
            shapes: Shapes::default(),
        }
    }

    /// The shape that is equal to this one, shared by all who ask for it.
    pub fn share(&mut self, shape: Shape) -> Rc<Shape> {
        self.shapes.share(shape)
    }

    /// See [`super::Mock::shape`].
    pub fn shape(
        &mut self,
        endpoint: Endpoint,
        named: Option<Name>,
        facts: Result<&Facts, Bad>,
    ) -> Rc<Shape> {
        let shape = match facts {
            Ok(facts) => self.asked(endpoint, named, facts),
            Err(bad) => Err(Problem::of_body(bad, endpoint)),
        };
        self.share(shape.unwrap_or_else(Shape::Problem))
    }

    /// See [`super::Mock::unasked`].
    pub fn unasked(&mut self, endpoint: Endpoint, named: Option<Name>) -> Rc<Shape> {
        self.share(match endpoint.route().gives {
            Gives::Document => Shape::Document {
                endpoint,
                model: named,
                inputs: 0,
            },
            Gives::View(view) => Shape::View(view),
            Gives::Text(_) | Gives::Embeddings => unreachable!("these ask for a body"),
        })
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
        let route = endpoint.route();
        let model = named
            .or_else(|| facts.model().map(Name::from_raw))
            .unwrap_or_else(|| Name::from_raw(route.model.as_bytes()));
        Ok(match route.gives {
            Gives::Text(api) => self.generated(api, model, facts)?,
            Gives::Embeddings => Shape::Embeddings {
                model,
                inputs: facts.inputs,
                dimensions: facts.dimensions.unwrap_or(self.dimensions),
                encoding: facts.encoding,
            },
            Gives::Document => Shape::Document {
                endpoint,
                model: Some(model),
                inputs: facts.inputs,
            },
            Gives::View(view) => Shape::View(view),
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
        if u64::from(most) * u64::from(choices) > TOKENS_MAX {
            return Err(Problem::TOO_MANY_TOKENS.with_number(TOKENS_MAX));
        }
        if let Some(others) = facts.logprobs
            && u64::from(most) * (1 + u64::from(others)) > LOGPROBS_MAX
        {
            return Err(Problem::too_many_logprobs(api));
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

    /// Counts the tokens of a text, and draws how many it has where the settings leave that open.
    pub fn count(&self, generated: &Generated, rng: &mut Rng, numbers: &mut Numbers) {
        (numbers.tokens, numbers.cut) = (generated.tokens, generated.cut);
        if self.tokens.start() < self.tokens.end() && !generated.is_json() {
            let drawn = rng.u32(self.tokens.clone());
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
