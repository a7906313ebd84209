//! A response: its content, the numbers drawn for it, and how far it has been rendered.

use std::rc::Rc;

use super::decision::Outcome;
use super::embedding::Encoding;
use super::name::Name;
use super::number::Numbers;
use super::problem::Problem;
use super::route::{Api, Endpoint, Methods, UNROUTED, View};
use super::text::Text;
use crate::Nanos;

/// A response that was decided and planned. It is small, since thousands may wait.
#[derive(Clone, Debug)]
pub struct Response {
    /// Everything that the bytes follow from, except the numbers and the time. Responses to the
    /// same request share it.
    pub content: Rc<Content>,
    /// The numbers that differ from one response to the next.
    pub numbers: Numbers,
    /// The decision on the request.
    pub outcome: Outcome,
    /// The index by which the request is counted: `Call::endpoint`.
    pub endpoint: u8,
    /// The next byte to render.
    pub cursor: Cursor,
}

/// A place in a response, between two pieces of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    /// The time at which the next frame is due.
    pub due: Nanos,
    /// The Unix time in seconds that the whole response reports.
    pub created: i64,
    /// The next frame, and the next slot in it.
    pub frame: u32,
    /// See `frame`.
    pub slot: u32,
    /// The part of the slot's value that has been rendered, in tokens, entries or bytes.
    pub at: u32,
    /// The tokens that have been sent, over all choices.
    pub tokens: u32,
    /// The tokens whose characters have been counted, and their number, for `text_offset`.
    pub counted: u32,
    /// See `counted`.
    pub chars: u32,
}

impl Cursor {
    /// Forgets the characters of a chunk's text if the next chunk belongs to another choice.
    pub fn end_chunk(&mut self, choices: u32) {
        if choices > 1 {
            (self.counted, self.chars) = (0, 0);
        }
    }

    /// Moves to the beginning of the next frame.
    #[inline]
    pub fn next_frame(&mut self) {
        self.frame += 1;
        self.slot = 0;
        self.at = 0;
    }
}

/// The content of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
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
        /// The form of each vector.
        encoding: Encoding,
    },
    /// The document of an endpoint's template files.
    Document {
        /// The endpoint.
        endpoint: Endpoint,
        /// The model's name, if the document has one.
        model: Option<Name>,
        /// The number of inputs: 0 to 2048.
        inputs: u16,
    },
    /// A view of the server itself, and its text; that of the page is constant.
    View(View, Vec<u8>),
    /// The response to OPTIONS: 204 with these methods.
    Allowed(Methods),
    /// `ErrorResponse`
    Problem(Problem),
}

/// Generated text, or a call of a function, in the form of one API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The API.
    pub api: Api,
    /// The model's name.
    pub model: Name,
    /// The number of choices: `n` for each prompt; 1 to 2048.
    pub choices: u32,
    /// The most tokens that the request allows each choice; at least 1.
    pub limit: Option<u32>,
    /// The tokens of each choice, unless they are drawn; at least 1.
    pub tokens: u32,
    /// True if the limit made them fewer.
    pub cut: bool,
    /// The tokens of the request; 0 if they are drawn.
    pub prompt: u32,
    /// The options of a stream, if it is one.
    pub stream: Option<Streaming>,
    /// The number of alternatives reported with each token's log probability: 0 to 20.
    pub logprobs: Option<u8>,
    /// Content made for this request instead of the canned text.
    pub custom: Option<Custom>,
}

/// The options of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// `stream_options.include_usage`: a last chunk reports the tokens.
    pub include_usage: bool,
}

/// Content made for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Custom {
    /// The user's last message.
    Echo(Text),
    /// A JSON text.
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

impl Custom {
    /// The text; of a call, the arguments.
    pub fn text(&self) -> &Text {
        match self {
            Custom::Echo(text) | Custom::Json { text, .. } => text,
            Custom::Call { arguments, .. } => arguments,
        }
    }
}

impl Generated {
    /// Returns true if the text is JSON, which no setting makes longer or shorter.
    pub fn is_json(&self) -> bool {
        matches!(
            &self.custom,
            Some(Custom::Json { .. } | Custom::Call { .. })
        )
    }

    /// The function that is called, if any.
    pub fn function(&self) -> Option<&Name> {
        match &self.custom {
            Some(Custom::Call { function, .. }) => Some(function),
            _ => None,
        }
    }
}

/// The number of kinds of responses.
pub const KINDS: usize = UNROUTED as usize + 1;

impl Response {
    /// The kind of the response, below [`KINDS`]: one for each endpoint, and one for all responses
    /// with a status other than 200.
    pub fn kind(&self) -> usize {
        match &*self.content {
            Content::Allowed(_) | Content::Problem(_) => UNROUTED.into(),
            _ => self.endpoint.into(),
        }
    }

    /// The delay as the response reports it: in whole milliseconds.
    pub fn millis(&self) -> u64 {
        self.outcome.delay / 1_000_000
    }

    /// The number of generated tokens, over all choices.
    pub fn tokens(&self) -> u64 {
        match &*self.content {
            Content::Generated(generated) => {
                u64::from(self.numbers.tokens) * u64::from(generated.choices)
            }
            _ => 0,
        }
    }
}

impl Content {
    /// Returns true if the content leaves as a stream of events.
    #[inline]
    pub fn streams(&self) -> bool {
        matches!(self, Content::Generated(generated) if generated.stream.is_some())
    }

    /// Returns true if the chunks of a stream differ only in their numbers and their text.
    #[inline]
    pub fn chunks_are_alike(&self) -> bool {
        match self {
            Content::Generated(text) => text.stream.is_some() && text.logprobs.is_none(),
            _ => false,
        }
    }

    /// The number of items of a document: of its choices, vectors or models. `listed` is the number
    /// of models that the server lists.
    pub fn items(&self, listed: usize) -> u32 {
        match self {
            Content::Generated(generated) => generated.choices,
            Content::Embeddings { inputs, .. } => u32::from(*inputs),
            Content::Document {
                endpoint: Endpoint::Models,
                ..
            } => listed as u32,
            Content::Document { inputs, .. } => u32::from(*inputs),
            _ => 0,
        }
    }

    /// The model's name, if the content has one.
    pub fn model(&self) -> Option<&Name> {
        match self {
            Content::Generated(Generated { model, .. }) | Content::Embeddings { model, .. } => {
                Some(model)
            }
            Content::Document { model, .. } => model.as_ref(),
            _ => None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Content::Allowed(_) => 204,
            Content::Problem(problem) => problem.status,
            _ => 200,
        }
    }

    /// The methods of the `Allow` field, if the response has one.
    pub fn allow(&self) -> Option<Methods> {
        match self {
            Content::Allowed(methods) => Some(*methods),
            Content::Problem(problem) => problem.allow,
            _ => None,
        }
    }
}
