//! The facts of a request body, and how the value of a field becomes one of them. It receives the
//! values one by one from the scanner and leaves to the table which field they belong to.

use crate::api::embedding::Encoding;
use crate::api::held::Held;
use crate::api::inputs::{Allowed, Inputs};
use crate::api::json_string::{MODEL_MAX, is_text};
use crate::json::escapes::{NAME_MAX, resolved};
use crate::json::scanner::JsonEvent;

/// The facts of a request body. A field that is absent, null or not the endpoint's has its default.
#[derive(Debug)]
pub struct Facts {
    model: [u8; MODEL_MAX],
    model_len: u16,
    /// Chat, responses, completions: `stream`. Default false.
    pub stream: bool,
    /// Chat, completions: `n`, the number of choices, 1 to 128. Default 1.
    pub n: u8,
    /// The most tokens of a choice, at least 1. Chat: the smaller of `max_tokens` and
    /// `max_completion_tokens`; completions: `max_tokens`; responses: `max_output_tokens`. A number
    /// beyond `u32` becomes its maximum.
    pub token_limit: Option<u32>,
    /// Embeddings: `encoding_format`, the form of the vectors. Default float.
    pub encoding: Encoding,
    /// Embeddings: `dimensions`, the numbers of a vector, 1 to 4096.
    pub dimensions: Option<u16>,
    /// Embeddings, moderations: the number of texts or token lists in `input`; completions: in
    /// `prompt`; 1 to 2048. Default 1.
    pub inputs: u16,
    /// Chat, completions: `stream_options.include_usage`. Default false.
    pub include_usage: bool,
    /// The number of alternatives to each token, 0 to 20; None if no log probabilities are
    /// requested. Chat: `logprobs` and `top_logprobs`; responses: `include` and `top_logprobs`;
    /// completions: `logprobs`, 0 to 5.
    pub logprobs: Option<u8>,
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

impl Facts {
    /// Returns the model's name, 1 to 256 bytes, exactly as the client wrote it between the quotes,
    /// its escapes unresolved. None if absent, null or empty.
    pub fn model(&self) -> Option<&[u8]> {
        Some(&self.model[..usize::from(self.model_len)]).filter(|name| !name.is_empty())
    }
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

/// The facts of a body that is still arriving.
pub struct Draft {
    /// The facts so far.
    pub facts: Facts,
    /// The number of containers open around the value at hand.
    pub depth: u8,
    /// The elements of `input` or `prompt`, and the first fault found in them.
    pub inputs: Inputs,
    pub input_refusal: Option<&'static str>,
    /// `max_tokens` or `max_output_tokens`, and the other limit of a chat; the smaller one counts.
    pub max_tokens: Option<u32>,
    pub max_completion_tokens: Option<u32>,
    /// True if log probabilities are requested, with this number of alternatives to each token.
    pub with_logprobs: bool,
    pub top_logprobs: u8,
    /// The key read last in `stream_options` is `include_usage`.
    at_include_usage: bool,
}

impl Draft {
    /// Creates the facts of an empty body: every default.
    pub fn new() -> Draft {
        Draft {
            facts: Facts {
                model: [0; MODEL_MAX],
                model_len: 0,
                stream: false,
                n: 1,
                token_limit: None,
                encoding: Encoding::Float,
                dimensions: None,
                inputs: 1,
                include_usage: false,
                logprobs: None,
                prompt_bytes: 0,
                held: Held::default(),
                echo: None,
                lacks: Lacks::default(),
            },
            depth: 0,
            inputs: Inputs::new(),
            input_refusal: None,
            max_tokens: None,
            max_completion_tokens: None,
            with_logprobs: false,
            top_logprobs: 0,
            at_include_usage: false,
        }
    }

    /// Completes the facts that follow from several fields.
    pub fn settle(&mut self) {
        self.facts.inputs = self.inputs.count;
        let limits = [self.max_tokens, self.max_completion_tokens];
        self.facts.token_limit = limits.into_iter().flatten().min();
        self.facts.logprobs = self.with_logprobs.then_some(self.top_logprobs);
    }

    /// Takes the name of the model. It is repeated in the response, which strict clients reject if
    /// it holds an unpaired surrogate. The name's bytes are left in place when it is cleared.
    pub fn model_met(&mut self, event: JsonEvent, text: &[u8]) -> Option<()> {
        if event != JsonEvent::Text || text.len() > MODEL_MAX || !is_text(text) {
            return None;
        }
        let room = self.facts.model.get_mut(..text.len())?;
        room.copy_from_slice(text);
        self.facts.model_len = text.len() as u16;
        Some(())
    }

    /// Forgets the name of the model.
    pub fn clear_model(&mut self) {
        self.facts.model_len = 0;
    }

    /// Takes the form of vectors.
    pub fn encoding_met(&mut self, event: JsonEvent, text: &[u8]) -> Option<()> {
        self.facts.encoding = match (event, resolved(text, &mut [0; NAME_MAX])) {
            (JsonEvent::Text, b"float") => Encoding::Float,
            (JsonEvent::Text, b"base64") => Encoding::Base64,
            _ => return None,
        };
        Some(())
    }

    /// Takes a key of `stream_options`.
    pub fn option_named(&mut self, raw: &[u8]) {
        self.at_include_usage = resolved(raw, &mut [0; NAME_MAX]) == b"include_usage";
        if self.at_include_usage {
            self.facts.include_usage = false;
        }
    }

    /// Takes the value or a member of `stream_options`. Options of other names may hold anything.
    pub fn option_met(&mut self, event: JsonEvent, _text: &[u8]) -> Option<()> {
        match (self.depth, event) {
            (2, JsonEvent::ObjectBegan) => self.at_include_usage = false,
            (2, JsonEvent::ListBegan) | (..2, _) => return None,
            (2, _) if self.at_include_usage => self.facts.include_usage = truth(event)?,
            _ if self.at_include_usage => return None,
            _ => {}
        }
        Some(())
    }

    /// Takes the value or an element of `include`.
    pub fn include_met(&mut self, event: JsonEvent, text: &[u8]) -> Option<()> {
        match (self.depth, event) {
            (2, JsonEvent::ListBegan) => {}
            (2, JsonEvent::Text) => {
                self.with_logprobs |= resolved(text, &mut [0; NAME_MAX]) == INCLUDE_LOGPROBS;
            }
            _ => return None,
        }
        Some(())
    }

    /// Takes the value or an element of `input` or `prompt`. Keeps the first fault.
    pub fn input_met(&mut self, event: JsonEvent, text: &[u8], allowed: Allowed) -> Option<()> {
        let met = self.inputs.met(event, text, self.depth, allowed);
        met.map_err(|why| self.input_refusal.get_or_insert(why))
            .ok()
    }

    /// Forgets the elements of `input` or `prompt`.
    pub fn clear_inputs(&mut self) {
        self.inputs = Inputs::new();
        self.input_refusal = None;
    }

    /// Measures a prompt, a string or a list. What was reported ends at `offset` in the body and
    /// has `len` bytes so far. Until a list ends, its offset is kept in place of its size.
    pub fn measure(&mut self, event: JsonEvent, offset: u64, len: u64) {
        match (event, self.depth) {
            (JsonEvent::Text, 1) => self.facts.prompt_bytes = len,
            (JsonEvent::ListBegan, 2) => self.facts.prompt_bytes = offset - len,
            (JsonEvent::ListEnded, 1) => self.facts.prompt_bytes = offset - self.facts.prompt_bytes,
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
