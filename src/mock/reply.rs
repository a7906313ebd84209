//! What an answer is made of: what the request chose, and what is drawn. Knows no bytes.

use std::rc::Rc;

use super::call::Treatment;
use super::embedding::Encoding;
use super::name::Name;
use super::number::Numbers;
use super::problem::Problem;
use super::route::{Api, Endpoint, Methods, NOWHERE, View};
use super::text::Text;

/// An answer that was decided on: small, since thousands may wait.
#[derive(Clone, Debug)]
pub struct Reply {
    /// All that its bytes follow from, but the numbers and the time. Answers to the same request
    /// share it.
    pub shape: Rc<Shape>,
    /// What differs from one answer to the next.
    pub numbers: Numbers,
    /// How the request is treated.
    pub treatment: Treatment,
    /// What the request is counted by: `Call::endpoint`.
    pub endpoint: u8,
}

/// The kind of an answer and what the request chose of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text, or a call of a function.
    Generated(Generated),
    /// `CreateEmbeddingResponse`
    Embeddings {
        /// The model's name.
        model: Name,
        /// 1 to 2048.
        inputs: u16,
        /// 1 to 4096.
        dimensions: u16,
        /// How each vector is written.
        encoding: Encoding,
    },
    /// What template files say.
    Document {
        /// Whose files.
        endpoint: Endpoint,
        /// The model's name, where there is one.
        model: Option<Name>,
        /// How many inputs were given: 0 to 2048.
        inputs: u16,
    },
    /// How the server fares.
    View(View),
    /// The answer to OPTIONS: 204 with these methods.
    Allowed(Methods),
    /// `ErrorResponse`
    Problem(Problem),
}

/// Text, or a call of a function, in one of three forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Which form.
    pub api: Api,
    /// The model's name.
    pub model: Name,
    /// How many times it is given: `n`, for each prompt where there are several; 1 to 2048.
    pub choices: u32,
    /// The most tokens that the request allows each choice; at least 1.
    pub limit: Option<u32>,
    /// How many tokens each choice has, where that is not drawn; at least 1.
    pub tokens: u32,
    /// Whether the limit made them fewer.
    pub cut: bool,
    /// Tokens of the request; 0 where they are drawn.
    pub prompt: u32,
    /// Whether it leaves token by token.
    pub stream: Option<Streaming>,
    /// How many other tokens are told with the probability of each: 0 to 20.
    pub logprobs: Option<u8>,
    /// What was made for this request, where the server's own words won't do.
    pub own: Option<Own>,
}

/// How a stream is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// `stream_options.include_usage`: whether a last chunk tells the tokens.
    pub include_usage: bool,
}

/// What was made for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// What the user said.
    Echo(Text),
    /// A JSON text that was asked for.
    Json {
        /// The text.
        text: Text,
        /// The format that the request asked for, a JSON text.
        format: Box<str>,
    },
    /// A call of a function.
    Call {
        /// The function's name.
        function: Name,
        /// A JSON text.
        arguments: Text,
    },
}

impl Own {
    /// Its text; of a call, the arguments.
    pub fn text(&self) -> &Text {
        match self {
            Own::Echo(text) | Own::Json { text, .. } => text,
            Own::Call { arguments, .. } => arguments,
        }
    }
}

impl Generated {
    /// Whether its text is JSON, which no setting makes longer or shorter.
    pub fn is_json(&self) -> bool {
        matches!(&self.own, Some(Own::Json { .. } | Own::Call { .. }))
    }

    /// The function that is called, if one is.
    pub fn function(&self) -> Option<&Name> {
        match &self.own {
            Some(Own::Call { function, .. }) => Some(function),
            _ => None,
        }
    }
}

/// How many kinds of answers there are.
pub const KINDS: usize = NOWHERE as usize + 1;

impl Reply {
    /// Which kind of answer this is, below [`KINDS`]: those of each endpoint, and all that have
    /// another status than 200.
    pub fn kind(&self) -> usize {
        match &*self.shape {
            Shape::Allowed(_) | Shape::Problem(_) => NOWHERE.into(),
            _ => self.endpoint.into(),
        }
    }

    /// The delay as the answer tells it: in whole milliseconds.
    pub fn millis(&self) -> u64 {
        self.treatment.delay / 1_000_000
    }

    /// How many tokens it gives, all choices together.
    pub fn tokens(&self) -> u64 {
        match &*self.shape {
            Shape::Generated(generated) => {
                u64::from(self.numbers.tokens) * u64::from(generated.choices)
            }
            _ => 0,
        }
    }

    /// The text that it gives, and how, if it leaves token by token.
    pub fn streams(&self) -> Option<(&Generated, Streaming)> {
        match &*self.shape {
            Shape::Generated(generated) => generated.stream.map(|how| (generated, how)),
            _ => None,
        }
    }
}

impl Shape {
    /// The model that it names, where it names one.
    pub fn model(&self) -> Option<&Name> {
        match self {
            Shape::Generated(Generated { model, .. }) | Shape::Embeddings { model, .. } => {
                Some(model)
            }
            Shape::Document { model, .. } => model.as_ref(),
            _ => None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Shape::Allowed(_) => 204,
            Shape::Problem(problem) => problem.status,
            _ => 200,
        }
    }

    /// What the `Allow` field says, where there is one.
    pub fn allow(&self) -> Option<Methods> {
        match self {
            Shape::Allowed(methods) => Some(*methods),
            Shape::Problem(problem) => problem.allow,
            _ => None,
        }
    }
}
