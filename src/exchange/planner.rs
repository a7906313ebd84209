//! Plans the content of a response: from the facts of the request body, the settings and the
//! limits.

use std::{ops::RangeInclusive, rc::Rc, sync::Arc};

use fastrand::Rng;

use crate::Nanos;
use crate::api::content::{Content, Custom, Generated};
use crate::api::embedding::{DIMENSIONS, DIMENSIONS_BIG};
use crate::api::route::{ResponseKind, View};
use crate::api::{facts::Facts, form::Form, json_string::JsonString};
use crate::api::{number::Numbers, problem::Problem, provider::Endpoint, text::Words};
use crate::exchange::custom::{Made, Making};
use crate::meter::Meter;
use crate::scenario::Outcome;
use crate::settings::Settings;
use crate::watch::{Watch, view::ViewFormat};

/// The bytes of a prompt that count as a token, if tokens are counted: OpenAI's rule of thumb for
/// English text.
const BYTES_PER_TOKEN: u64 = 4;

/// The most tokens that a prompt counts as: more than any usual body has, and their sum with those
/// of a response is a `u32`.
const PROMPT_MAX: u64 = 1_000_000_000;

/// The most tokens of a response, all choices together: some GB of text, and a `u32` counts them.
const TOKENS_MAX: u64 = 100_000_000;

/// The maximum number of choices of a response, equal to the maximum number of prompts.
const CHOICES_MAX: u32 = 2048;

/// The most log probabilities of a choice, of some 100 bytes each.
const LOGPROBS_MAX: u64 = 50_000;

/// Plans the responses of one core.
#[derive(Debug)]
pub struct Planner {
    dimensions: u16,
    /// The number of tokens of a text, unless the request limits it.
    tokens: RangeInclusive<u32>,
    /// True if the setting chose that number: then tokens are counted.
    counted: bool,
    /// The contents of the last responses.
    pub(super) contents: Contents,
    /// The source of the views.
    pub(super) watch: Arc<Watch>,
}

/// A request whose body was read.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The endpoint.
    pub endpoint: &'static Endpoint,
    /// The model that the path names.
    pub named: Option<&'a JsonString>,
    /// The facts of the body.
    pub facts: &'a Facts,
}

/// The plan of a response.
#[derive(Debug)]
pub enum Plan {
    /// It is complete.
    Ready(Rc<Content>),
    /// Its custom content is still to be made.
    Pending(Box<Making>),
}

/// A plan that is not complete when its request is decided.
#[derive(Debug)]
pub struct Planning {
    /// The decision.
    pub outcome: Outcome,
    /// The content that is being made.
    pub making: Box<Making>,
}

impl Planner {
    pub(super) fn new(settings: &Settings, words: &Words, watch: Arc<Watch>) -> Planner {
        let all = words.tokens();
        Planner {
            dimensions: match settings.big_payload {
                true => DIMENSIONS_BIG,
                false => DIMENSIONS,
            },
            tokens: settings.tokens.clone().unwrap_or(all..=all),
            counted: settings.tokens.is_some(),
            contents: Contents::default(),
            watch,
        }
    }

    /// Plans the response to a request whose body was read, or is wrong.
    pub fn plan(&mut self, subject: Result<Subject<'_>, Problem>, meter: &mut Meter) -> Plan {
        let content = match subject.and_then(|subject| Ok((subject, self.begin(subject)?))) {
            Ok((subject, Some(making))) => {
                return self.go_on(Box::new(making), Some(subject), meter);
            }
            Ok((subject, None)) => self.content(subject, None),
            Err(problem) => Err(problem),
        };
        self.ready(content)
    }

    /// Goes on with a plan. `subject` is the request, if its body was read.
    pub fn go_on(
        &mut self,
        mut making: Box<Making>,
        subject: Option<Subject<'_>>,
        meter: &mut Meter,
    ) -> Plan {
        let content = match making.run(meter) {
            None => return Plan::Pending(making),
            Some(Ok(Made::View(view, text))) => {
                return Plan::Ready(Rc::new(Content::View(view, text)));
            }
            Some(Ok(Made::Custom(custom))) => {
                let subject = subject.expect("custom content follows from a body");
                self.content(subject, Some(custom))
            }
            Some(Err(problem)) => Err(problem),
        };
        self.ready(content)
    }

    fn ready(&mut self, content: Result<Content, Problem>) -> Plan {
        let content = content.unwrap_or_else(Content::Problem);
        Plan::Ready(self.contents.share(content))
    }

    /// Checks what can be checked at once, and begins custom content if the request requires some.
    fn begin(&self, subject: Subject<'_>) -> Result<Option<Making>, Problem> {
        let facts = subject.facts;
        if facts.lacks.model && subject.named.is_none() {
            return Err(Problem::NO_MODEL);
        }
        if let Some(subject) = facts.lacks.subject {
            return Err(Problem::missing(subject));
        }
        let ResponseKind::Text(form) = subject.endpoint.route.kind else {
            return Ok(None);
        };
        if choices(facts) > CHOICES_MAX {
            return Err(Problem::TOO_MANY_CHOICES);
        }
        Making::begin(form, facts)
    }

    fn content(&self, subject: Subject<'_>, custom: Option<Custom>) -> Result<Content, Problem> {
        let (route, facts) = (subject.endpoint.route, subject.facts);
        let model = subject.named.cloned().unwrap_or_else(|| {
            JsonString::from_raw(match facts.model.is_empty() {
                true => route.model.name().as_bytes(),
                false => &facts.model,
            })
        });
        Ok(match route.kind {
            ResponseKind::Text(form) => self.generated(form, model, facts, custom)?,
            ResponseKind::Embeddings(_) => Content::Embeddings {
                model,
                inputs: facts.inputs.count,
                dimensions: facts.dimensions.unwrap_or(self.dimensions),
                encoding: facts.encoding,
            },
            ResponseKind::Document(_) => Content::Document {
                model: Some(model),
                inputs: facts.inputs.count,
            },
            ResponseKind::Models(_) | ResponseKind::View(_) => unreachable!("these need no body"),
        })
    }

    /// Plans the response of an endpoint that needs no request body. `now` is the time since the
    /// process started.
    pub fn document(
        &mut self,
        endpoint: &'static Endpoint,
        named: Option<JsonString>,
        now: Nanos,
        meter: &mut Meter,
    ) -> Plan {
        let content = match endpoint.route.kind {
            ResponseKind::Document(_) => Content::Document {
                model: named,
                inputs: 0,
            },
            ResponseKind::Models(_) => Content::Models,
            ResponseKind::View(View::Page) => Content::View(View::Page, Vec::new()),
            ResponseKind::View(view) => {
                let format = match view {
                    View::Stats => ViewFormat::Stats(now),
                    _ => ViewFormat::Metrics,
                };
                let making = Making::of_view(view, self.watch.clone(), format);
                return self.go_on(Box::new(making), None, meter);
            }
            ResponseKind::Text(_) | ResponseKind::Embeddings(_) => {
                unreachable!("these need a body")
            }
        };
        self.ready(Ok(content))
    }

    fn generated(
        &self,
        form: &'static Form,
        model: JsonString,
        facts: &Facts,
        custom: Option<Custom>,
    ) -> Result<Content, Problem> {
        let (choices, limit) = (choices(facts), facts.token_limit());
        let all = |configured| match &custom {
            Some(custom) if custom.is_json() || !self.counted => custom.text().tokens(),
            _ => configured,
        };
        let (most, _) = cut(all(*self.tokens.end()), limit);
        let (tokens, cut) = cut(all(*self.tokens.start()), limit);
        if u64::from(most) * u64::from(choices) > TOKENS_MAX {
            return Err(Problem::TOO_MANY_TOKENS.with_number(TOKENS_MAX));
        }
        if let Some(others) = facts.logprobs()
            && u64::from(most) * (1 + u64::from(others)) > LOGPROBS_MAX
        {
            return Err(Problem::too_many_logprobs(form.logprobs_field));
        }
        let counted = limit.is_some() || self.counted;
        let prompt = facts.prompt_bytes.div_ceil(BYTES_PER_TOKEN);
        Ok(Content::Generated(Generated {
            form,
            model,
            choices,
            limit,
            tokens,
            cut,
            prompt: match counted {
                true => prompt.clamp(1, PROMPT_MAX) as u32,
                false => 0,
            },
            stream: facts.stream,
            include_usage: facts.stream && facts.include_usage,
            logprobs: facts.logprobs(),
            custom,
        }))
    }

    /// Counts the tokens of a text, and draws their number if the settings give a range.
    pub(super) fn count(&self, generated: &Generated, rng: &mut Rng, numbers: &mut Numbers) {
        (numbers.tokens, numbers.cut) = (generated.tokens, generated.cut);
        let varies = self.tokens.start() < self.tokens.end();
        if varies && !generated.custom.as_ref().is_some_and(Custom::is_json) {
            let drawn = rng.u32(self.tokens.clone());
            (numbers.tokens, numbers.cut) = cut(drawn, generated.limit);
        }
        if generated.prompt > 0 {
            numbers.prompt = generated.prompt;
            numbers.completion = numbers.tokens * generated.choices;
        }
    }
}

/// The number of choices that a request is for: `n` for each prompt.
fn choices(facts: &Facts) -> u32 {
    u32::from(facts.inputs.count) * u32::from(facts.n)
}

/// Limits a number of tokens. Returns true with it if the limit is lower.
fn cut(tokens: u32, limit: Option<u32>) -> (u32, bool) {
    let left = limit.map_or(tokens, |limit| limit.min(tokens));
    (left, left < tokens)
}

/// The number of contents that a core remembers: a load makes a few kinds of requests, over and
/// over.
const KEPT: usize = 16;

/// The contents of the last responses.
#[derive(Debug, Default)]
pub(super) struct Contents {
    kept: Vec<Rc<Content>>,
    /// The next one to be replaced.
    oldest: usize,
}

impl Contents {
    /// Returns the content that is equal to this one, shared by all responses with it.
    pub fn share(&mut self, content: Content) -> Rc<Content> {
        if let Some(known) = self.kept.iter().find(|known| ***known == content) {
            return known.clone();
        }
        if self.kept.len() < KEPT {
            self.kept.push(Rc::new(content));
            return self.kept[self.kept.len() - 1].clone();
        }
        let place = &mut self.kept[self.oldest];
        self.oldest = (self.oldest + 1) % KEPT;
        match Rc::get_mut(place) {
            Some(free) => *free = content,
            None => *place = Rc::new(content),
        }
        place.clone()
    }
}
