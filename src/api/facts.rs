//! The facts of a request body, and how the value of a field becomes one of them. It receives the
//! values one by one from the scanner and leaves to the table which field they belong to.

use crate::api::json_string::{MODEL_MAX, is_text};
use crate::api::{embedding::Encoding, held::Held, inputs::Inputs};
use crate::json::escapes::{NAME_MAX, resolved};
use crate::json::scanner::JsonEvent;

/// The facts of a request body, as far as it has arrived. A field that is absent, null or not the
/// endpoint's has its default.
#[derive(Debug, Default)]
pub struct Facts {
    /// The model's name, at most 256 bytes, exactly as the client wrote it between the quotes, its
    /// escapes unresolved. Empty if absent or null.
    pub model: Vec<u8>,
    /// Chat, responses, completions: `stream`. Default false.
    pub stream: bool,
    /// Chat, completions: `n`, the number of choices, 1 to 128. Default 1.
    pub n: u8,
    /// Chat, completions: `max_tokens`; responses: `max_output_tokens`. A number beyond `u32`
    /// becomes its maximum.
    pub max_tokens: Option<u32>,
    /// Chat: `max_completion_tokens`.
    pub max_completion_tokens: Option<u32>,
    /// Embeddings: `encoding_format`, the form of the vectors. Default float.
    pub encoding: Encoding,
    /// Embeddings: `dimensions`, the numbers of a vector, 1 to 4096.
    pub dimensions: Option<u16>,
    /// Embeddings, moderations: the texts or token lists in `input`; completions: in `prompt`.
    pub inputs: Inputs,
    /// Chat, completions: `stream_options.include_usage`. Default false.
    pub include_usage: bool,
    /// True if the key read last in `stream_options` is `include_usage`.
    at_include_usage: bool,
    /// True if log probabilities are requested. Chat, completions: `logprobs`; responses:
    /// `include`.
    pub with_logprobs: bool,
    /// The number of alternatives to each token, 0 to 20. Chat, responses: `top_logprobs`;
    /// completions: `logprobs`, 0 to 5.
    pub top_logprobs: u8,
    /// The size of `messages` (chat), `input` (responses) or `prompt` (completions) in the body, a
    /// string or a list; 0 if absent or null.
    pub prompt_bytes: u64,
    /// Chat, responses: the fields that are kept whole.
    pub held: Held,
    /// The last text of the user, if responses echo it.
    pub echo: Option<String>,
    /// The required fields that are missing, if they are required.
    pub lacks: Lacks,
}

/// The required fields that a request does not have.
#[derive(Debug, Default)]
pub struct Lacks {
    /// The model is missing.
    pub model: bool,
    /// The missing subject of the request: `messages`, `input` or `prompt`.
    pub subject: Option<&'static str>,
}

/// The element of `include` that requests log probabilities.
const INCLUDE_LOGPROBS: &[u8] = b"message.output_text.logprobs";

impl Facts {
    /// Creates the facts of an empty body: every default.
    pub fn new() -> Facts {
        Facts {
            n: 1,
            ..Facts::default()
        }
    }

    /// Returns the most tokens of a choice, at least 1: the smaller of both limits.
    pub fn token_limit(&self) -> Option<u32> {
        let limits = [self.max_tokens, self.max_completion_tokens];
        limits.into_iter().flatten().min()
    }

    /// Returns the number of alternatives to each token; None if no log probabilities are
    /// requested.
    pub fn logprobs(&self) -> Option<u8> {
        self.with_logprobs.then_some(self.top_logprobs)
    }

    /// Takes the name of the model. It is repeated in the response, which strict clients reject if
    /// it holds an unpaired surrogate.
    pub fn model_met(&mut self, event: JsonEvent, text: &[u8], _depth: u8) -> Option<()> {
        if event != JsonEvent::Text || text.len() > MODEL_MAX || !is_text(text) {
            return None;
        }
        self.model.clear();
        self.model.extend_from_slice(text);
        Some(())
    }

    /// Takes the form of vectors.
    pub fn encoding_met(&mut self, event: JsonEvent, text: &[u8], _depth: u8) -> Option<()> {
        self.encoding = match (event, resolved(text, &mut [0; NAME_MAX])) {
            (JsonEvent::Text, b"float") => Encoding::Float,
            (JsonEvent::Text, b"base64") => Encoding::Base64,
            _ => return None,
        };
        Some(())
    }

    /// Takes the value of `stream_options`, or a key or a member of it. Options of other names may
    /// hold anything.
    pub fn option_met(&mut self, event: JsonEvent, text: &[u8], depth: u8) -> Option<()> {
        match (depth, event) {
            (_, JsonEvent::Key) => {
                self.at_include_usage = resolved(text, &mut [0; NAME_MAX]) == b"include_usage";
                self.include_usage &= !self.at_include_usage;
            }
            (2, JsonEvent::ObjectBegan) => self.at_include_usage = false,
            (2, JsonEvent::ListBegan) | (..2, _) => return None,
            (2, _) if self.at_include_usage => self.include_usage = truth(event)?,
            _ if self.at_include_usage => return None,
            _ => {}
        }
        Some(())
    }

    /// Takes the value or an element of `include`.
    pub fn include_met(&mut self, event: JsonEvent, text: &[u8], depth: u8) -> Option<()> {
        match (depth, event) {
            (2, JsonEvent::ListBegan) => {}
            (2, JsonEvent::Text) => {
                self.with_logprobs |= resolved(text, &mut [0; NAME_MAX]) == INCLUDE_LOGPROBS;
            }
            _ => return None,
        }
        Some(())
    }

    /// Measures a prompt, a string or a list. What was reported ends at `offset` in the body and
    /// has `len` bytes so far. Until a list ends, its offset is kept in place of its size.
    pub fn measure(&mut self, event: JsonEvent, depth: u8, offset: u64, len: u64) {
        match (event, depth) {
            (JsonEvent::Text, 1) => self.prompt_bytes = len,
            (JsonEvent::ListBegan, 2) => self.prompt_bytes = offset - len,
            (JsonEvent::ListEnded, 1) => self.prompt_bytes = offset - self.prompt_bytes,
            _ => {}
        }
    }
}

/// Reads `true` or `false`.
pub fn truth(event: JsonEvent) -> Option<bool> {
    match event {
        JsonEvent::True => Some(true),
        JsonEvent::False => Some(false),
        _ => None,
    }
}

/// Reads an integer from `min` to `max`. One beyond `u32` counts as its maximum.
pub fn integer(event: JsonEvent, text: &[u8], min: u32, max: u32) -> Option<u32> {
    if event != JsonEvent::Integer || text.starts_with(b"-") {
        return None;
    }
    let value = text.iter().fold(0u32, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    (min..=max).contains(&value).then_some(value)
}
