//! The fields of a request body that are read: which an endpoint has, what each may hold, and the
//! facts they come to. It is told keys and values one by one and knows no JSON; it does not know
//! whether a field is required, nor what is answered.

use super::escapes::{NAME_MAX, resolved};
use super::field::{Field, REFUSALS, Refusal, field_named};
use super::held::Held;
use super::inputs::{Allowed, Inputs};
use super::json::Event;
use crate::mock::embedding::{DIMENSIONS_MAX, Encoding};
use crate::mock::name::{MODEL_MAX, is_text};
use crate::mock::route::Endpoint;

/// Choices of one chat answer, as OpenAI allows.
pub const N_MAX: u32 = 128;

/// What a body asks for; a field that is absent, null or not the endpoint's has its default.
#[derive(Debug)]
pub struct Facts {
    model: [u8; MODEL_MAX],
    model_len: u16,
    /// Chat, responses: `stream`, whether to answer in events. Default false.
    pub stream: bool,
    /// Chat: `n`, the choices to answer with, 1 to 128. Default 1.
    pub n: u8,
    /// Tokens at most in an answer, at least 1. Chat: the smaller of `max_tokens` and
    /// `max_completion_tokens`; responses: `max_output_tokens`. More than `u32` holds is its
    /// maximum.
    pub token_limit: Option<u32>,
    /// Embeddings: `encoding_format`, how vectors are written. Default float.
    pub encoding: Encoding,
    /// Embeddings: `dimensions`, numbers in a vector, 1 to 4096.
    pub dimensions: Option<u16>,
    /// Embeddings, moderations: the texts or token lists in `input`; completions: in `prompt`; 1 to
    /// 2048. Default 1.
    pub inputs: u16,
    /// Chat, completions: `stream_options.include_usage`. Default false.
    pub include_usage: bool,
    /// How many other tokens are asked for with the probability of each, 0 to 20; None when no
    /// probability is. Chat: `logprobs` and `top_logprobs`; responses: `include` and
    /// `top_logprobs`; completions: `logprobs`, 0 to 5.
    pub logprobs: Option<u8>,
    /// Bytes of the body that `messages` (chat), `input` (responses) or `prompt` (completions)
    /// takes after its colon, a string or a list; 0 if absent or null.
    pub prompt_bytes: u64,
    /// Chat, responses: the fields that are held, whatever they ask for.
    pub held: Held,
    /// What the user said last, where answers echo it.
    pub echo: Option<String>,
    /// What the request lacks, where that is refused.
    pub lacks: Lacks,
}

impl Facts {
    /// The model's name, 1 to 256 bytes, exactly as the client wrote it between the quotes, its
    /// escapes unresolved. None if absent, null or empty.
    pub fn model(&self) -> Option<&[u8]> {
        Some(&self.model[..usize::from(self.model_len)]).filter(|name| !name.is_empty())
    }
}

/// The required fields that a request does not have.
#[derive(Debug, Default)]
pub struct Lacks {
    /// The model.
    pub model: bool,
    /// What it is about: `messages`, `input` or `prompt`.
    pub subject: Option<&'static str>,
}

/// What `include` holds where probabilities are asked for.
const INCLUDE_LOGPROBS: &[u8] = b"message.output_text.logprobs";

/// The fields of one body as read so far.
pub struct Fields {
    /// What they come to.
    pub facts: Facts,
    endpoint: Endpoint,
    /// The field of the top-level key read last, None if it is none of the endpoint's.
    field: Option<Field>,
    inputs: Inputs,
    /// One bit for each `Field` whose last value was refused, and why `input` was.
    refused: u32,
    input_refusal: &'static str,
    /// Chat's other limit next to the one in `facts`; the smaller counts.
    max_completion_tokens: Option<u32>,
    /// How many containers are open where the event stands that is told.
    pub depth: u8,
    /// The key read last in `stream_options` is `include_usage`.
    inner: bool,
    /// Where the list that is a field's value begins in the body.
    list_from: u64,
    /// Probabilities are asked for, and beside so many other tokens.
    with_logprobs: bool,
    top_logprobs: u8,
}

impl Fields {
    /// Every default, for a body of the chat endpoint.
    pub fn new() -> Fields {
        Fields {
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
            endpoint: Endpoint::Chat,
            field: None,
            inputs: Inputs::new(),
            refused: 0,
            input_refusal: "",
            max_completion_tokens: None,
            depth: 0,
            inner: false,
            list_from: 0,
            with_logprobs: false,
            top_logprobs: 0,
        }
    }

    /// Every default again. The model's bytes are left to be written over.
    pub fn begin(&mut self, endpoint: Endpoint) {
        self.endpoint = endpoint;
        self.field = None;
        self.inputs = Inputs::new();
        self.refused = 0;
        self.max_completion_tokens = None;
        self.facts.model_len = 0;
        self.facts.stream = false;
        self.facts.n = 1;
        self.facts.token_limit = None;
        self.facts.encoding = Encoding::Float;
        self.facts.dimensions = None;
        self.facts.include_usage = false;
        self.facts.logprobs = None;
        self.facts.prompt_bytes = 0;
        self.facts.held.clear();
        self.facts.echo = None;
        self.facts.lacks = Lacks::default();
        self.with_logprobs = false;
        self.top_logprobs = 0;
    }

    /// The facts once the whole body is read, or the first field refused in `Field`'s order.
    pub fn settled(&mut self) -> Result<&Facts, Refusal> {
        if self.refused != 0 {
            let first = self.refused.trailing_zeros() as usize;
            let (param, message) = REFUSALS[first];
            let message = match message {
                "" => self.input_refusal,
                message => message,
            };
            return Err(Refusal { param, message });
        }
        self.facts.inputs = self.inputs.count;
        let limits = [self.facts.token_limit, self.max_completion_tokens];
        self.facts.token_limit = limits.into_iter().flatten().min();
        self.facts.logprobs = self.with_logprobs.then_some(self.top_logprobs);
        Ok(&self.facts)
    }

    /// How many levels of containers are of interest now: none behind a key that is no field,
    /// else the top object, and within `input` both its own levels too.
    pub fn watch(&self) -> u8 {
        match self.field {
            None => 0,
            Some(_) if self.inputs.inside() => 3,
            Some(Field::StreamOptions | Field::Include) => 2,
            Some(_) => 1,
        }
    }

    /// A key makes whatever an earlier one of its name said void: the last one wins wholly.
    pub fn key_read(&mut self, raw: &[u8]) {
        let mut room = [0; NAME_MAX];
        self.field = match field_named(self.endpoint, raw) {
            None if raw.contains(&b'\\') => field_named(self.endpoint, resolved(raw, &mut room)),
            field => field,
        };
        let Some(field) = self.field else { return };
        self.refused &= !(1 << field as u32);
        match field {
            Field::Model => self.facts.model_len = 0,
            Field::Stream => self.facts.stream = false,
            Field::N => self.facts.n = 1,
            Field::MaxCompletionTokens => self.max_completion_tokens = None,
            Field::MaxTokens | Field::MaxOutputTokens => self.facts.token_limit = None,
            Field::EncodingFormat => self.facts.encoding = Encoding::Float,
            Field::Dimensions => self.facts.dimensions = None,
            Field::Input => self.inputs = Inputs::new(),
            Field::Prompt => {
                self.inputs = Inputs::new();
                self.facts.prompt_bytes = 0;
            }
            Field::Conversation => self.facts.prompt_bytes = 0,
            Field::StreamOptions => self.facts.include_usage = false,
            Field::Logprobs | Field::LogprobCount | Field::Include => self.with_logprobs = false,
            Field::TopLogprobs => self.top_logprobs = 0,
            // What is held of an earlier one is forgotten by who holds it.
            Field::Tools | Field::ToolChoice | Field::ResponseFormat | Field::Text => {}
        }
    }

    /// Begins to hold the value of the key that was just read, if it is one of a field that is
    /// held. Returns whether it is.
    #[inline]
    pub fn hold(&mut self) -> bool {
        let field = self.field.filter(|field| field.is_held());
        if let Some(field) = field {
            self.facts.held.begin(field);
        }
        field.is_some()
    }

    /// Whether the field under way is what the request is about.
    pub fn in_subject(&self) -> bool {
        matches!(self.field, Some(Field::Conversation | Field::Prompt))
    }

    /// A key in the object that is a field's value.
    pub fn inner_key_read(&mut self, raw: &[u8]) {
        let mut room = [0; NAME_MAX];
        self.inner = resolved(raw, &mut room) == b"include_usage";
        if self.inner && self.field == Some(Field::StreamOptions) {
            self.facts.include_usage = false;
        }
    }

    /// What was told ends at `offset` in the body and is `len` bytes long, where it is a string, or
    /// begins a list.
    pub fn measure(&mut self, event: Event, offset: u64, len: u64) {
        if !matches!(self.field, Some(Field::Prompt | Field::Conversation)) {
            return;
        }
        match (event, self.depth) {
            (Event::Text, 1) => self.facts.prompt_bytes = len,
            (Event::ListBegan, 2) => self.list_from = offset - len,
            (Event::ListEnded, 1) => self.facts.prompt_bytes = offset - self.list_from,
            _ => {}
        }
    }

    /// Takes what stands behind the key read last: `text` is the raw text of a string or integer,
    /// empty for all other events.
    pub fn value_met(&mut self, event: Event, text: &[u8]) {
        let Some(field) = self.field else { return };
        match (field, event) {
            (Field::Input | Field::Prompt, _)
                if self.inputs.inside() || !matches!(event, Event::Null | Event::ListEnded) =>
            {
                let allowed = Allowed {
                    empty: field == Field::Prompt,
                    objects: self.endpoint == Endpoint::Moderations,
                };
                if let Err(why) = self.inputs.met(event, text, self.depth, allowed) {
                    self.input_refused(field, why);
                }
            }
            // Null is as good as absent, and the end of a list was told by its elements.
            (_, Event::Null | Event::ListEnded) => {}
            _ => {
                if self.taken(field, event, text).is_none() {
                    self.refused |= 1 << field as u32;
                }
            }
        }
    }

    /// Takes a plain field's value; None if the field does not allow it.
    fn taken(&mut self, field: Field, event: Event, text: &[u8]) -> Option<()> {
        match field {
            Field::Model => self.model_read(event, text)?,
            Field::Stream => self.facts.stream = truth(event)?,
            Field::N => self.facts.n = integer(event, text, N_MAX)? as u8,
            Field::MaxCompletionTokens => {
                self.max_completion_tokens = Some(integer(event, text, u32::MAX)?);
            }
            Field::MaxTokens | Field::MaxOutputTokens => {
                self.facts.token_limit = Some(integer(event, text, u32::MAX)?);
            }
            Field::EncodingFormat => self.facts.encoding = encoding(event, text)?,
            Field::Dimensions => {
                self.facts.dimensions = Some(integer(event, text, DIMENSIONS_MAX.into())? as u16);
            }
            Field::StreamOptions => self.option_met(event)?,
            Field::Logprobs => self.with_logprobs = truth(event)?,
            Field::LogprobCount => {
                self.top_logprobs = whole(event, text, 0, 5)? as u8;
                self.with_logprobs = true;
            }
            Field::TopLogprobs => self.top_logprobs = whole(event, text, 0, 20)? as u8,
            Field::Include => self.include_met(event, text)?,
            Field::Tools => (event == Event::ListBegan).then_some(())?,
            Field::ToolChoice => matches!(event, Event::Text | Event::ObjectBegan).then_some(())?,
            Field::ResponseFormat | Field::Text => (event == Event::ObjectBegan).then_some(())?,
            // Any conversation is one, and prompts were met before.
            Field::Conversation | Field::Input | Field::Prompt => {}
        }
        Some(())
    }

    /// Takes what `stream_options` is or holds. Options of other names may hold anything.
    fn option_met(&mut self, event: Event) -> Option<()> {
        match (self.depth, event) {
            (2, Event::ObjectBegan) => self.inner = false,
            (2, Event::ListBegan) | (..2, _) => return None,
            (2, _) if self.inner => self.facts.include_usage = truth(event)?,
            _ if self.inner => return None,
            _ => {}
        }
        Some(())
    }

    fn include_met(&mut self, event: Event, text: &[u8]) -> Option<()> {
        let mut room = [0; NAME_MAX];
        match (self.depth, event) {
            (2, Event::ListBegan) => {}
            (2, Event::Text) => {
                self.with_logprobs |= resolved(text, &mut room) == INCLUDE_LOGPROBS;
            }
            _ => return None,
        }
        Some(())
    }

    fn model_read(&mut self, event: Event, text: &[u8]) -> Option<()> {
        // Echoed, half of a surrogate pair would make an answer that strict readers refuse.
        if event != Event::Text || text.len() > MODEL_MAX || !is_text(text) {
            return None;
        }
        self.facts
            .model
            .get_mut(..text.len())?
            .copy_from_slice(text);
        self.facts.model_len = text.len() as u16;
        Some(())
    }

    #[cold]
    fn input_refused(&mut self, field: Field, why: &'static str) {
        let bit = 1 << field as u32;
        if self.refused & bit == 0 {
            self.refused |= bit;
            self.input_refusal = why;
        }
    }
}

fn truth(event: Event) -> Option<bool> {
    match event {
        Event::True => Some(true),
        Event::False => Some(false),
        _ => None,
    }
}

fn encoding(event: Event, text: &[u8]) -> Option<Encoding> {
    let mut room = [0; NAME_MAX];
    match (event, resolved(text, &mut room)) {
        (Event::Text, b"float") => Some(Encoding::Float),
        (Event::Text, b"base64") => Some(Encoding::Base64),
        _ => None,
    }
}

/// An integer from 1 to `max`; with `max` all ones, anything larger counts as that.
fn integer(event: Event, text: &[u8], max: u32) -> Option<u32> {
    whole(event, text, 1, max)
}

/// The same from `min`.
fn whole(event: Event, text: &[u8], min: u32, max: u32) -> Option<u32> {
    if event != Event::Integer || text.starts_with(b"-") {
        return None;
    }
    let value = text.iter().fold(0u32, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    (min..=max).contains(&value).then_some(value)
}
