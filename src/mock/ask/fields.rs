//! The fields of a request body that are read: which an endpoint has, what each may hold, and the
//! facts they come to. It is told keys and values one by one and knows no JSON; it does not know
//! whether a field is required, nor what is answered.

use super::escapes::{NAME_MAX, resolved};
use super::field::{
    Field, INPUT_ELEMENT, INPUT_EMPTY_ELEMENT, INPUT_EMPTY_LIST, INPUT_EMPTY_TEXT, INPUT_MIXED,
    INPUT_TOKEN, INPUT_TOO_MANY, INPUT_TYPE, REFUSALS, Refusal, field_named,
};
use super::json::Event;
use crate::mock::embedding::DIMENSIONS_MAX;
use crate::mock::name::{MODEL_MAX, is_text};
use crate::mock::route::Endpoint;

/// Choices of one chat answer, as OpenAI allows.
pub const N_MAX: u32 = 128;

/// Inputs of one embeddings request, as OpenAI allows.
pub const INPUTS_MAX: u16 = 2048;

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
}

impl Facts {
    /// The model's name, 1 to 256 bytes, exactly as the client wrote it between the quotes, its
    /// escapes unresolved. None if absent, null or empty.
    pub fn model(&self) -> Option<&[u8]> {
        Some(&self.model[..usize::from(self.model_len)]).filter(|name| !name.is_empty())
    }
}

/// How the numbers of an embedding are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As a list of JSON numbers.
    Float,
    /// As one base64 string of little-endian `f32`s.
    Base64,
}

/// What `include` holds where probabilities are asked for.
const INCLUDE_LOGPROBS: &[u8] = b"message.output_text.logprobs";

/// Where the next value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the top-level object.
    Member,
    /// In the list that is `input`.
    Element,
    /// In a list in that list.
    Token,
}

/// What the elements of `input` are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    List,
    Object,
}

/// The fields of one body as read so far.
pub struct Fields {
    facts: Facts,
    endpoint: Endpoint,
    /// The field of the top-level key read last, None if it is none of the endpoint's.
    field: Option<Field>,
    place: Place,
    /// One bit for each `Field` whose last value was refused, and why `input` was.
    refused: u16,
    input_refusal: &'static str,
    /// Chat's other limit next to the one in `facts`; the smaller counts.
    max_completion_tokens: Option<u32>,
    /// The kind of the first element of `input`, which the others must have too.
    kind: Option<Kind>,
    /// The list in `input` under way holds a number.
    filled: bool,
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
            },
            endpoint: Endpoint::Chat,
            field: None,
            place: Place::Member,
            refused: 0,
            input_refusal: "",
            max_completion_tokens: None,
            kind: None,
            filled: false,
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
        self.place = Place::Member;
        self.refused = 0;
        self.max_completion_tokens = None;
        self.facts.model_len = 0;
        self.facts.stream = false;
        self.facts.n = 1;
        self.facts.token_limit = None;
        self.facts.encoding = Encoding::Float;
        self.facts.dimensions = None;
        self.facts.inputs = 1;
        self.facts.include_usage = false;
        self.facts.logprobs = None;
        self.facts.prompt_bytes = 0;
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
        let limits = [self.facts.token_limit, self.max_completion_tokens];
        self.facts.token_limit = limits.into_iter().flatten().min();
        self.facts.logprobs = self.with_logprobs.then_some(self.top_logprobs);
        Ok(&self.facts)
    }

    /// How many levels of containers are of interest now: none behind a key that is no field,
    /// else the top object, and within `input` both its own levels too.
    pub fn watch(&self) -> u8 {
        match (self.place, self.field) {
            (Place::Member, None) => 0,
            (Place::Member, Some(Field::StreamOptions | Field::Include)) => 2,
            (Place::Member, Some(_)) => 1,
            (Place::Element | Place::Token, _) => 3,
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
        self.refused &= !(1 << field as u16);
        match field {
            Field::Model => self.facts.model_len = 0,
            Field::Stream => self.facts.stream = false,
            Field::N => self.facts.n = 1,
            Field::MaxCompletionTokens => self.max_completion_tokens = None,
            Field::MaxTokens | Field::MaxOutputTokens => self.facts.token_limit = None,
            Field::EncodingFormat => self.facts.encoding = Encoding::Float,
            Field::Dimensions => self.facts.dimensions = None,
            Field::Input => self.facts.inputs = 1,
            Field::Prompt => {
                self.facts.inputs = 1;
                self.facts.prompt_bytes = 0;
            }
            Field::Conversation => self.facts.prompt_bytes = 0,
            Field::StreamOptions => self.facts.include_usage = false,
            Field::Logprobs | Field::LogprobCount | Field::Include => self.with_logprobs = false,
            Field::TopLogprobs => self.top_logprobs = 0,
        }
    }

    /// A key in the object that is a field's value.
    pub fn inner_key_read(&mut self, raw: &[u8]) {
        let mut room = [0; NAME_MAX];
        self.inner = resolved(raw, &mut room) == b"include_usage";
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
        match (self.place, self.field) {
            (Place::Member, None) => {}
            // Null is as good as absent, and the end of a list was told by its elements.
            (Place::Member, Some(_)) if matches!(event, Event::Null | Event::ListEnded) => {}
            (Place::Member, Some(Field::Input | Field::Prompt)) => self.input_met(event, text),
            (Place::Member, Some(field)) => {
                if self.taken(field, event, text).is_none() {
                    self.refused |= 1 << field as u16;
                }
            }
            (Place::Element, _) => self.element_met(event, text),
            (Place::Token, _) => self.token_met(event),
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

    fn input_met(&mut self, event: Event, text: &[u8]) {
        match event {
            Event::Text if text.is_empty() && self.field == Some(Field::Input) => {
                self.input_refused(INPUT_EMPTY_TEXT)
            }
            Event::Text => {}
            Event::ListBegan => {
                self.place = Place::Element;
                self.kind = None;
                self.facts.inputs = 0;
            }
            _ => self.input_refused(INPUT_TYPE),
        }
    }

    fn element_met(&mut self, event: Event, text: &[u8]) {
        let depth = match event {
            Event::ListBegan | Event::ObjectBegan => 3,
            Event::ListEnded => 1,
            _ => 2,
        };
        match event {
            // It stands within an object that was met.
            _ if self.depth != depth => {}
            Event::Text => {
                self.element_began(Kind::Text);
                if text.is_empty() && self.field == Some(Field::Input) {
                    self.input_refused(INPUT_EMPTY_ELEMENT);
                }
            }
            Event::Numbers => self.element_began(Kind::Number),
            Event::ListBegan => {
                self.place = Place::Token;
                self.filled = false;
                self.element_began(Kind::List);
            }
            // Texts and images, which are judged together.
            Event::ObjectBegan if self.endpoint == Endpoint::Moderations => {
                self.element_began(Kind::Object);
            }
            Event::ListEnded if self.kind.is_none() => self.input_refused(INPUT_EMPTY_LIST),
            Event::ListEnded => self.place = Place::Member,
            _ => self.input_refused(INPUT_ELEMENT),
        }
    }

    /// All numbers of a flat list are one input, so only the first of them counts.
    fn element_began(&mut self, kind: Kind) {
        match self.kind {
            Some(first) if first != kind => self.input_refused(INPUT_MIXED),
            Some(Kind::Number | Kind::Object) => {}
            _ if self.facts.inputs == INPUTS_MAX => self.input_refused(INPUT_TOO_MANY),
            _ => {
                self.kind = Some(kind);
                self.facts.inputs += 1;
            }
        }
    }

    fn token_met(&mut self, event: Event) {
        match event {
            Event::Numbers => self.filled = true,
            Event::ListEnded if self.filled => self.place = Place::Element,
            Event::ListEnded => self.input_refused(INPUT_EMPTY_ELEMENT),
            _ => self.input_refused(INPUT_TOKEN),
        }
    }

    /// The rest of this `input` has nothing more to say, so nothing more of it is watched.
    #[cold]
    fn input_refused(&mut self, why: &'static str) {
        self.place = Place::Member;
        let field = 1 << self.field.map_or(0, |field| field as u16);
        if self.refused & field == 0 {
            self.refused |= field;
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
