//! The content of a response: everything that its bytes follow from, except the numbers and the
//! time.

use super::{embedding::Encoding, form::Form, json_string::JsonString};
use super::{methods::Methods, route::View};
use super::{problem::Problem, text::Text};

/// The content of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, or a call of a function.
    Generated(Generated),
    /// `CreateEmbeddingResponse`
    Embeddings {
        /// The model's name.
        model: JsonString,
        /// 1 to 2048.
        inputs: u16,
        /// 1 to 4096.
        dimensions: u16,
        /// The form of each vector.
        encoding: Encoding,
    },
    /// The document of an endpoint.
    Document {
        /// The model's name, if the document has one.
        model: Option<JsonString>,
        /// The number of inputs: 0 to 2048.
        inputs: u16,
    },
    /// A list of the models that the server lists.
    Models,
    /// A view of the server itself, and its text; that of the page is constant.
    View(View, Vec<u8>),
    /// The response to OPTIONS: 204 with these methods.
    Allowed(Methods),
    /// `ErrorResponse`
    Problem(Problem),
}

/// Generated text, or a call of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The form of the text.
    pub form: &'static Form,
    /// The model's name.
    pub model: JsonString,
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
    /// True for a stream.
    pub stream: bool,
    /// True for a stream whose last chunk reports the tokens (`stream_options.include_usage`).
    pub include_usage: bool,
    /// The number of alternatives reported with each token's log probability: 0 to 20.
    pub logprobs: Option<u8>,
    /// Content made for this request instead of the canned text.
    pub custom: Option<Custom>,
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
        function: JsonString,
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

    /// Returns true if the text is JSON, which no setting makes longer or shorter.
    pub fn is_json(&self) -> bool {
        !matches!(self, Custom::Echo(_))
    }
}

impl Generated {
    /// The function that is called, if any.
    pub fn function(&self) -> Option<&JsonString> {
        match &self.custom {
            Some(Custom::Call { function, .. }) => Some(function),
            _ => None,
        }
    }
}

impl Content {
    /// Returns true if the content leaves as a stream of events.
    #[inline]
    pub fn streams(&self) -> bool {
        matches!(self, Content::Generated(generated) if generated.stream)
    }

    /// Returns true if the chunks of a stream differ only in their numbers and their text.
    #[inline]
    pub fn chunks_are_alike(&self) -> bool {
        matches!(self, Content::Generated(text) if text.stream && text.logprobs.is_none())
    }

    /// The number of items of a document: of its choices, vectors or models. `listed` is the number
    /// of models that the server lists.
    pub fn items(&self, listed: usize) -> u32 {
        match self {
            Content::Generated(generated) => generated.choices,
            Content::Models => listed as u32,
            Content::Embeddings { inputs, .. } | Content::Document { inputs, .. } => {
                u32::from(*inputs)
            }
            _ => 0,
        }
    }

    /// The model's name, if the content has one.
    pub fn model(&self) -> Option<&JsonString> {
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
