//! The few facts an answer needs from the request body, found while it streams by: which model,
//! whether to stream, how many choices, how many tokens, how many inputs. The body is checked as
//! JSON to its last byte and never held. It knows the fields of the three endpoints; it does not
//! know JSON itself (`json` does), nor what is answered, nor whether a required field is there.

use super::json::{Event, Fault, Json};
use super::route::Endpoint;

/// Bytes of a model name, between its quotes: far over any real name, small enough to keep.
pub const MODEL_MAX: usize = 256;

/// Choices of one chat answer, as OpenAI allows.
const N_MAX: u32 = 128;

/// Numbers of one embedding: over the 3072 of OpenAI's largest model, and a bound on the answer.
const DIMENSIONS_MAX: u32 = 4096;

/// Inputs of one embeddings request, as OpenAI allows.
const INPUTS_MAX: u16 = 2048;

/// Bytes of the longest name compared, `max_completion_tokens`.
const NAME_MAX: usize = 21;

/// Bytes of one character of a name at its longest, written `\u0000`.
const ESCAPED_MAX: usize = 6;

/// Reads request bodies, one after the other; each starts with `begin`.
pub struct Ask {
    json: Json,
    fields: Fields,
}

impl Default for Ask {
    fn default() -> Ask {
        Ask::new()
    }
}

impl Ask {
    /// A reader that can take a body of the chat endpoint at once.
    pub fn new() -> Ask {
        Ask {
            json: Json::new(),
            fields: Fields::new(),
        }
    }

    /// Forgets the last body and starts one for `endpoint`, whose fields are read; an endpoint
    /// without a body of its own reads none.
    pub fn begin(&mut self, endpoint: Endpoint) {
        self.json.begin();
        self.fields.begin(endpoint);
    }

    /// Takes the next bytes of the body, cut anywhere. After the first error in the JSON text it
    /// returns at once; `finish` tells of it.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.json.fault.is_some() {
            return;
        }
        loop {
            match self.json.next(bytes) {
                Event::Drained | Event::Failed => return,
                Event::Key => self.fields.key_read(self.json.text(bytes)),
                event @ (Event::Text | Event::Integer) => {
                    self.fields.value_met(event, self.json.text(bytes));
                }
                event => self.fields.value_met(event, b""),
            }
            self.json.watch = self.fields.place.watch();
        }
    }

    /// The facts of the whole body, or what is wrong with it: the first error in the JSON text,
    /// or else the first field refused in the order model, stream, n, max_tokens,
    /// max_completion_tokens, max_output_tokens, encoding_format, dimensions, input. No body at
    /// all asks for every default.
    pub fn finish(&mut self) -> Result<&Facts, Bad> {
        self.json.finish().map_err(|fault| match fault {
            Fault::Syntax { at } => Bad::Syntax { at },
            Fault::NotObject => Bad::NotObject,
            Fault::TooDeep => Bad::TooDeep,
        })?;
        self.fields.settled()
    }
}

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
    /// Embeddings: the texts or token lists in `input`, 1 to 2048. Default 1.
    pub inputs: u16,
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

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// Not JSON: the offset (from 0) of the first byte that cannot continue a JSON text; the
    /// body's length if it ends early.
    Syntax {
        /// Bytes before the offending one.
        at: u64,
    },
    /// The top level is not an object.
    NotObject,
    /// More than 128 containers are nested.
    TooDeep,
    /// The JSON is fine; a field is not.
    Field {
        /// The field's name as in the API.
        param: &'static str,
        /// A full sentence: what is wrong and what is allowed.
        message: &'static str,
    },
}

/// A field that is read. The order is the one refusals are reported in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Model,
    Stream,
    N,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    EncodingFormat,
    Dimensions,
    Input,
}

/// Name and refusal of each field, in the order of `Field`. What is wrong with `input` has more
/// than one answer, so it is noted when it is met.
const REFUSALS: [(&str, &str); 9] = [
    ("model", "'model' must be a string of at most 256 bytes."),
    ("stream", "'stream' must be true or false."),
    ("n", "'n' must be an integer from 1 to 128."),
    (
        "max_tokens",
        "'max_tokens' must be an integer of at least 1.",
    ),
    (
        "max_completion_tokens",
        "'max_completion_tokens' must be an integer of at least 1.",
    ),
    (
        "max_output_tokens",
        "'max_output_tokens' must be an integer of at least 1.",
    ),
    (
        "encoding_format",
        "'encoding_format' must be \"float\" or \"base64\".",
    ),
    (
        "dimensions",
        "'dimensions' must be an integer from 1 to 4096.",
    ),
    ("input", ""),
];

const INPUT_TYPE: &str = "'input' must be a string, a list of strings, a list of token numbers \
                          or a list of lists of token numbers.";
const INPUT_EMPTY_TEXT: &str = "'input' must not be an empty string.";
const INPUT_EMPTY_LIST: &str = "'input' must not be an empty list.";
const INPUT_EMPTY_ELEMENT: &str = "'input' must hold no empty string and no empty list.";
const INPUT_MIXED: &str = "'input' must hold elements of one kind: only strings, only token \
                           numbers or only lists of token numbers.";
const INPUT_ELEMENT: &str = "'input' must hold only strings, token numbers or lists of token \
                             numbers.";
const INPUT_TOKEN: &str = "Each list in 'input' must hold only token numbers.";
const INPUT_TOO_MANY: &str = "'input' must hold at most 2048 strings or lists.";

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

impl Place {
    /// How deep the scanner has to tell what it meets. Within `input` that is both its levels.
    fn watch(self) -> u8 {
        match self {
            Place::Member => 1,
            Place::Element | Place::Token => 3,
        }
    }
}

/// What the elements of `input` are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    List,
}

/// The fields of one body as read so far.
struct Fields {
    facts: Facts,
    endpoint: Endpoint,
    /// The field of the top-level key read last, None if it is none of the endpoint's.
    field: Option<Field>,
    place: Place,
    /// One bit for each `Field` whose last value was refused, and why `input` was.
    refused: u16,
    input_refusal: &'static str,
    /// Chat's two limits; the smaller counts.
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    /// The kind of the first element of `input`, which the others must have too.
    kind: Option<Kind>,
    /// The list in `input` under way holds a number.
    filled: bool,
}

impl Fields {
    fn new() -> Fields {
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
            },
            endpoint: Endpoint::Chat,
            field: None,
            place: Place::Member,
            refused: 0,
            input_refusal: "",
            max_tokens: None,
            max_completion_tokens: None,
            kind: None,
            filled: false,
        }
    }

    /// Every default again. The model's bytes are left to be written over.
    fn begin(&mut self, endpoint: Endpoint) {
        self.endpoint = endpoint;
        self.field = None;
        self.place = Place::Member;
        self.refused = 0;
        self.max_tokens = None;
        self.max_completion_tokens = None;
        self.facts.model_len = 0;
        self.facts.stream = false;
        self.facts.n = 1;
        self.facts.token_limit = None;
        self.facts.encoding = Encoding::Float;
        self.facts.dimensions = None;
        self.facts.inputs = 1;
    }

    fn settled(&mut self) -> Result<&Facts, Bad> {
        if self.refused != 0 {
            let first = self.refused.trailing_zeros() as usize;
            let (param, message) = REFUSALS[first];
            let of_input = first == Field::Input as usize;
            let message = if of_input {
                self.input_refusal
            } else {
                message
            };
            return Err(Bad::Field { param, message });
        }
        if self.endpoint == Endpoint::Chat {
            let limits = [self.max_tokens, self.max_completion_tokens];
            self.facts.token_limit = limits.into_iter().flatten().min();
        }
        Ok(&self.facts)
    }

    /// A key makes whatever an earlier one of its name said void: the last one wins wholly.
    fn key_read(&mut self, raw: &[u8]) {
        let mut room = [0; NAME_MAX];
        self.field = field_named(self.endpoint, resolved(raw, &mut room));
        let Some(field) = self.field else { return };
        self.refused &= !(1 << field as u16);
        match field {
            Field::Model => self.facts.model_len = 0,
            Field::Stream => self.facts.stream = false,
            Field::N => self.facts.n = 1,
            Field::MaxTokens => self.max_tokens = None,
            Field::MaxCompletionTokens => self.max_completion_tokens = None,
            Field::MaxOutputTokens => self.facts.token_limit = None,
            Field::EncodingFormat => self.facts.encoding = Encoding::Float,
            Field::Dimensions => self.facts.dimensions = None,
            Field::Input => self.facts.inputs = 1,
        }
    }

    fn value_met(&mut self, event: Event, text: &[u8]) {
        match (self.place, self.field) {
            (Place::Member, None) => {}
            // Null is as good as absent, and the end of a list was told by its elements.
            (Place::Member, Some(_)) if matches!(event, Event::Null | Event::ListEnded) => {}
            (Place::Member, Some(Field::Input)) => self.input_met(event, text),
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
            Field::MaxTokens => self.max_tokens = Some(integer(event, text, u32::MAX)?),
            Field::MaxCompletionTokens => {
                self.max_completion_tokens = Some(integer(event, text, u32::MAX)?);
            }
            Field::MaxOutputTokens => {
                self.facts.token_limit = Some(integer(event, text, u32::MAX)?);
            }
            Field::EncodingFormat => self.facts.encoding = encoding(event, text)?,
            Field::Dimensions => {
                self.facts.dimensions = Some(integer(event, text, DIMENSIONS_MAX)? as u16);
            }
            Field::Input => {}
        }
        Some(())
    }

    fn model_read(&mut self, event: Event, text: &[u8]) -> Option<()> {
        if event != Event::Text {
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
            Event::Text if text.is_empty() => self.input_refused(INPUT_EMPTY_TEXT),
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
        match event {
            Event::Text => {
                self.element_began(Kind::Text);
                if text.is_empty() {
                    self.input_refused(INPUT_EMPTY_ELEMENT);
                }
            }
            Event::Numbers => self.element_began(Kind::Number),
            Event::ListBegan => {
                self.place = Place::Token;
                self.filled = false;
                self.element_began(Kind::List);
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
            Some(Kind::Number) => {}
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
        if self.refused & (1 << Field::Input as u16) == 0 {
            self.refused |= 1 << Field::Input as u16;
            self.input_refusal = why;
        }
    }
}

fn field_named(endpoint: Endpoint, name: &[u8]) -> Option<Field> {
    use Endpoint::{Chat, Embeddings, Responses};
    match (name, endpoint) {
        (b"model", Chat | Responses | Embeddings) => Some(Field::Model),
        (b"stream", Chat | Responses) => Some(Field::Stream),
        (b"n", Chat) => Some(Field::N),
        (b"max_tokens", Chat) => Some(Field::MaxTokens),
        (b"max_completion_tokens", Chat) => Some(Field::MaxCompletionTokens),
        (b"max_output_tokens", Responses) => Some(Field::MaxOutputTokens),
        (b"encoding_format", Embeddings) => Some(Field::EncodingFormat),
        (b"dimensions", Embeddings) => Some(Field::Dimensions),
        (b"input", Embeddings) => Some(Field::Input),
        _ => None,
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
    if event != Event::Integer || text.starts_with(b"-") {
        return None;
    }
    let value = text.iter().fold(0u32, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    (1..=max).contains(&value).then_some(value)
}

/// A valid string's raw text with its escapes resolved, as far as the names compared here need:
/// what is not ASCII becomes a byte no name has, and what is too long for a name becomes empty.
fn resolved<'a>(raw: &'a [u8], room: &'a mut [u8; NAME_MAX]) -> &'a [u8] {
    if raw.len() > NAME_MAX * ESCAPED_MAX {
        return b"";
    }
    if !raw.contains(&b'\\') {
        return raw;
    }
    let (mut rest, mut len) = (raw, 0);
    while let [first, tail @ ..] = rest {
        let (byte, tail) = if *first == b'\\' {
            unescaped(tail)
        } else {
            (*first, tail)
        };
        let Some(place) = room.get_mut(len) else {
            return b"";
        };
        *place = byte;
        len += 1;
        rest = tail;
    }
    &room[..len]
}

/// The byte an escape of a valid string stands for, given what follows its backslash, and what
/// comes after it. The control characters count as foreign too: no name has one.
fn unescaped(escape: &[u8]) -> (u8, &[u8]) {
    /// No UTF-8 text has this byte.
    const FOREIGN: u8 = 0xFF;
    match escape {
        [b'u', a, b, c, d, tail @ ..] => {
            let digit = |hex: &u8| char::from(*hex).to_digit(16).unwrap_or(0);
            let code = [a, b, c, d]
                .into_iter()
                .fold(0, |code, hex| code << 4 | digit(hex));
            (if code < 0x80 { code as u8 } else { FOREIGN }, tail)
        }
        [sign @ (b'"' | b'\\' | b'/'), tail @ ..] => (*sign, tail),
        [_, tail @ ..] => (FOREIGN, tail),
        [] => (FOREIGN, escape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const ENDPOINTS: [Endpoint; 3] = [Endpoint::Chat, Endpoint::Responses, Endpoint::Embeddings];

    /// Facts with nothing left of how they are kept.
    #[derive(Debug, PartialEq)]
    struct Plain {
        model: Option<Vec<u8>>,
        stream: bool,
        n: u8,
        token_limit: Option<u32>,
        encoding: Encoding,
        dimensions: Option<u16>,
        inputs: u16,
    }

    const DEFAULT: Plain = Plain {
        model: None,
        stream: false,
        n: 1,
        token_limit: None,
        encoding: Encoding::Float,
        dimensions: None,
        inputs: 1,
    };

    fn fed<'a>(
        ask: &mut Ask,
        endpoint: Endpoint,
        pieces: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Plain, Bad> {
        ask.begin(endpoint);
        pieces.for_each(|piece| ask.feed(piece));
        ask.finish().map(|facts| Plain {
            model: facts.model().map(<[u8]>::to_vec),
            stream: facts.stream,
            n: facts.n,
            token_limit: facts.token_limit,
            encoding: facts.encoding,
            dimensions: facts.dimensions,
            inputs: facts.inputs,
        })
    }

    /// The verdict on a body, which must be the same whole, byte by byte and in random cuts.
    fn verdict(ask: &mut Ask, endpoint: Endpoint, body: &[u8]) -> Result<Plain, Bad> {
        let whole = fed(ask, endpoint, [body].into_iter());
        let bytes = fed(ask, endpoint, body.chunks(1));
        assert_eq!(whole, bytes, "byte by byte: {}", body.escape_ascii());
        for cut in [2, 3, 7, 8, 9, 64, 100] {
            let pieces = fed(ask, endpoint, body.chunks(cut));
            assert_eq!(whole, pieces, "cut by {cut}: {}", body.escape_ascii());
        }
        let mut rest = body;
        let pieces = std::iter::from_fn(|| {
            let (piece, tail) = rest.split_at(fastrand::usize(0..=rest.len().min(90)));
            let more = !rest.is_empty();
            rest = tail;
            more.then_some(piece)
        });
        let pieces = fed(ask, endpoint, pieces);
        assert_eq!(whole, pieces, "random cuts: {}", body.escape_ascii());
        whole
    }

    fn read(endpoint: Endpoint, body: &str) -> Result<Plain, Bad> {
        verdict(&mut Ask::new(), endpoint, body.as_bytes())
    }

    fn syntax(at: u64) -> Result<Plain, Bad> {
        Err(Bad::Syntax { at })
    }

    fn field(param: &'static str, message: &'static str) -> Result<Plain, Bad> {
        Err(Bad::Field { param, message })
    }

    fn refusal(field: Field) -> Result<Plain, Bad> {
        let (param, message) = REFUSALS[field as usize];
        Err(Bad::Field { param, message })
    }

    /// What serde_json makes of a body: None if it cannot tell, for it refuses numbers over f64.
    /// It also refuses lone surrogates, which RFC 8259 allows; all are read as letters here.
    fn oracle(endpoint: Endpoint, body: &[u8]) -> Option<Result<Plain, Bad>> {
        let mut letters = body.to_vec();
        for at in 0..letters.len().saturating_sub(5) {
            let escape = &mut letters[at..at + 6];
            let is_hex = escape[2..].iter().all(u8::is_ascii_hexdigit);
            if escape.starts_with(b"\\u") && is_hex && escape[2].eq_ignore_ascii_case(&b'd') {
                escape.copy_from_slice(b"\\u0041");
            }
        }
        match body.iter().find(|byte| !b" \t\r\n".contains(byte)) {
            None if body.is_empty() => return Some(Ok(DEFAULT)),
            Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                return Some(Err(Bad::NotObject));
            }
            _ => {}
        }
        if std::str::from_utf8(&letters).is_err() {
            return Some(syntax(0));
        }
        match serde_json::from_slice::<Value>(&letters) {
            Ok(value) => Some(expected(endpoint, &value)),
            Err(error) if error.to_string().starts_with("number out of range") => None,
            Err(_) => Some(syntax(0)),
        }
    }

    fn expected(endpoint: Endpoint, body: &Value) -> Result<Plain, Bad> {
        let chat = endpoint == Endpoint::Chat;
        let embeddings = endpoint == Endpoint::Embeddings;
        let get = |name: &str, read: bool| body.get(name).filter(|it| read && !it.is_null());
        let limit = |name: &str, read: bool, field: Field, max: u64| match get(name, read) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) if (1..=max).contains(&number) => Ok(Some(number)),
                _ => Err(refusal(field).unwrap_err()),
            },
        };
        let any = u64::MAX;
        let mut plain = DEFAULT;
        if let Some(model) = get("model", true) {
            let name = model.as_str().ok_or(refusal(Field::Model).unwrap_err())?;
            plain.model = Some(name.as_bytes().to_vec()).filter(|name| !name.is_empty());
        }
        if let Some(stream) = get("stream", !embeddings) {
            plain.stream = stream
                .as_bool()
                .ok_or(refusal(Field::Stream).unwrap_err())?;
        }
        plain.n = limit("n", chat, Field::N, 128)?.unwrap_or(1) as u8;
        let limits = [
            limit("max_tokens", chat, Field::MaxTokens, any)?,
            limit(
                "max_completion_tokens",
                chat,
                Field::MaxCompletionTokens,
                any,
            )?,
            limit(
                "max_output_tokens",
                endpoint == Endpoint::Responses,
                Field::MaxOutputTokens,
                any,
            )?,
        ];
        let least = limits.into_iter().flatten().min();
        plain.token_limit = least.map(|number| number.min(u64::from(u32::MAX)) as u32);
        match get("encoding_format", embeddings).map(Value::as_str) {
            None | Some(Some("float")) => {}
            Some(Some("base64")) => plain.encoding = Encoding::Base64,
            Some(_) => return refusal(Field::EncodingFormat),
        }
        let dimensions = limit("dimensions", embeddings, Field::Dimensions, 4096)?;
        plain.dimensions = dimensions.map(|number| number as u16);
        if let Some(input) = get("input", embeddings) {
            plain.inputs = inputs(input).map_err(|why| field("input", why).unwrap_err())?;
        }
        Ok(plain)
    }

    /// The rules of `input` one after the other, for lists up to the limit.
    fn inputs(input: &Value) -> Result<u16, &'static str> {
        let list = match input {
            Value::String(text) if text.is_empty() => return Err(INPUT_EMPTY_TEXT),
            Value::String(_) => return Ok(1),
            Value::Array(list) => list,
            _ => return Err(INPUT_TYPE),
        };
        let first = list.first().ok_or(INPUT_EMPTY_LIST)?;
        for element in list {
            let same = std::mem::discriminant(element) == std::mem::discriminant(first);
            match element {
                Value::String(_) | Value::Number(_) | Value::Array(_) if !same => {
                    return Err(INPUT_MIXED);
                }
                Value::String(text) if text.is_empty() => return Err(INPUT_EMPTY_ELEMENT),
                Value::Array(tokens) if tokens.is_empty() => return Err(INPUT_EMPTY_ELEMENT),
                Value::Array(tokens) if !tokens.iter().all(Value::is_number) => {
                    return Err(INPUT_TOKEN);
                }
                Value::String(_) | Value::Number(_) | Value::Array(_) => {}
                _ => return Err(INPUT_ELEMENT),
            }
        }
        Ok(if first.is_number() {
            1
        } else {
            list.len() as u16
        })
    }

    /// Compares with the oracle. Where it says "not JSON" it does not say where; where a model
    /// has escapes it says the resolved name, so the raw one is resolved by serde_json too.
    fn check(ask: &mut Ask, endpoint: Endpoint, body: &[u8]) {
        let mut ours = verdict(ask, endpoint, body);
        let Some(theirs) = oracle(endpoint, body) else {
            return;
        };
        if let (Ok(ours), Ok(_)) = (&mut ours, &theirs) {
            ours.model = ours.model.take().map(|raw| {
                let quoted = [b"\"", &raw[..], b"\""].concat();
                serde_json::from_slice::<String>(&quoted).map_or(raw, String::into_bytes)
            });
        }
        if let (Err(Bad::Syntax { at }), Err(Bad::Syntax { .. })) = (&ours, &theirs) {
            assert!(*at <= body.len() as u64);
            return;
        }
        assert_eq!(ours, theirs, "{endpoint:?} {}", body.escape_ascii());
    }

    #[test]
    fn hand_written_documents_are_judged_like_serde_json_judges_them() {
        const VALUES: &str = r#"0 -0 1 -1 10 01 -01 00 1. .5 1.5 1.e5 1e 1e+ 1e5 1E-05 +1 - -a 0x1 0e 0e0
            0.0 1.0 1e0 1e400 NaN Infinity true false null tru nul truE nulll falsey "" "a" "\n" "\/"
            "\u00e9" "\u12g4" "\u123" "\uD800" "\uDC00\uD800" "\uD83D\uDE00" "\x" "\" "\\" "\"" 'a'
            "é" "漢字" "😀" "unended [] [1] [1,] [,1] [1,,2] [1 2] [[]] [[[]]] ] [} {] } {} {"a":1}
            {"a":1,} {"a"} {"a":} {:1} {a:1} {"a":1"b":2} {"a":1,"b":[{"c":null}]} {1:1} {"a"::1}
            [0] [00] [0,01,2,3,4,5,6,7] [1,2,3,4,5,6,7,8] [1,2,3,4,-5,6,7,8] [1,2,3,4,5,,6,7,8,9]
            [12345678,012345678] [12345678,0,12345678] [1234567,0,1,2,3] [1234567,00,1,2,3] "a","b"
            [1234567,12345678,] [1.5,2.5e3,-0.1,1e5] [11111111111111111111111111111111] [1:2] [1;2]
            [true,false,null] [truefalse] [1]] [1]} ["a","b"] ["a",""] ["a",1] [1,"a"] [[1],"a"]
            [[1],[2]] [[1],[]] [[1],["a"]] [[1],[[2]]] [[1],2] [[1,2,3,4,5,6,7,8,9],[1],[12,13]]"#;
        let mut ask = Ask::new();
        let keys = [
            "model",
            "input",
            "n",
            "stream",
            "encoding_format",
            "dimensions",
            "other",
        ];
        for value in VALUES.split_ascii_whitespace() {
            for endpoint in ENDPOINTS {
                check(&mut ask, endpoint, value.as_bytes());
                for key in keys {
                    let body = format!(r#" {{ "{key}" : {value} , "x":[{value}] }} "#);
                    check(&mut ask, endpoint, body.as_bytes());
                    check(
                        &mut ask,
                        endpoint,
                        format!(r#"{{"{key}":{value}}}"#).as_bytes(),
                    );
                    check(
                        &mut ask,
                        endpoint,
                        format!(r#"{{"{key}":[ {value}, 1]}}"#).as_bytes(),
                    );
                    check(
                        &mut ask,
                        endpoint,
                        format!(r#"{{"{key}":{value}"#).as_bytes(),
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_byte_that_cannot_be_is_named() {
        let table: &[(&[u8], u64)] = &[
            (b" ", 1),
            (b" \n\t\r", 4),
            (b"\xEF\xBB\xBF{}", 0),
            (b"x", 0),
            (b"}", 0),
            (b"{", 1),
            (b"{,", 1),
            (b"{}x", 2),
            (b"{} \n {", 5),
            (b"{\"a\"", 4),
            (b"{\"a\" 1}", 5),
            (b"{\"a\":1,}", 7),
            (b"{\"a\":01}", 6),
            (b"{\"a\":1.}", 7),
            (b"{\"a\":-}", 6),
            (b"{\"a\":1e+}", 8),
            (b"{\"a\":1e5.}", 8),
            (b"{\"a\":trux}", 8),
            (b"{\"a\":nul", 8),
            (b"{\"a\":[1}", 7),
            (b"{\"a\":[1,]}", 8),
            (b"{\"a\":[1234567,12345678,012]}", 24),
            (b"{\"a\":[1234567,12345678,,2,3,4,5]}", 23),
            (b"{\"a\":[1234567, 12345678 1, 2, 3]}", 24),
            (b"{\"a\":\"\n\"}", 6),
            (b"{\"a\":\"\x1f\"}", 6),
            (b"{\"a\":\"\\x\"}", 7),
            (b"{\"a\":\"\\u12x4\"}", 10),
            (b"{\"a\":\"\x80\"}", 6),
            (b"{\"a\":\"\xC1\x81\"}", 6),
            (b"{\"a\":\"\xC3\"}", 7),
            (b"{\"a\":\"\xE0\x9F\xBF\"}", 7),
            (b"{\"a\":\"\xED\xA0\x80\"}", 7),
            (b"{\"a\":\"\xE6\xBC\"}", 8),
            (b"{\"a\":\"\xF0\x8F\xBF\xBF\"}", 7),
            (b"{\"a\":\"\xF4\x90\x80\x80\"}", 7),
            (b"{\"a\":\"\xF5\x80\x80\x80\"}", 6),
            (b"{\"a\":\"\xF0\x9F\x98", 9),
            (b"{\"\xFF\":1}", 2),
        ];
        let mut ask = Ask::new();
        for &(body, at) in table {
            let name = body.escape_ascii();
            assert_eq!(
                verdict(&mut ask, Endpoint::Chat, body),
                syntax(at),
                "{name}"
            );
        }
        // The same byte is found behind any length of text, so in any place of word and block.
        for len in 0..150 {
            for (bad, off) in [(&b"\n"[..], 0), (b"\\x", 1), (b"\xC3\"", 1), (b"\xFF", 0)] {
                for filler in ["a", "é", "漢", "😀"] {
                    let text = filler.repeat(len);
                    let body = [b"{\"a\":\"", text.as_bytes(), bad, b"aaaaaaaaaa\"}"].concat();
                    let at = 6 + text.len() as u64 + off;
                    assert_eq!(verdict(&mut ask, Endpoint::Chat, &body), syntax(at));
                }
            }
        }
    }

    #[test]
    fn every_two_and_three_byte_sequence_is_utf8_or_not_as_std_says() {
        let mut ask = Ask::new();
        let edges = [
            0x00, 0x22, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF,
        ];
        for lead in 0x80..=0xFF {
            for (second, third) in edges.iter().flat_map(|a| edges.map(|b| (*a, b))) {
                let text = [lead, second, third, 0x80];
                for used in 1..=4 {
                    let body = [b"{\"a\":\"", &text[..used], b"\"}"].concat();
                    check(&mut ask, Endpoint::Chat, &body);
                }
            }
        }
    }

    #[test]
    fn no_body_is_every_default() {
        for endpoint in ENDPOINTS {
            assert_eq!(read(endpoint, ""), Ok(DEFAULT));
            assert_eq!(read(endpoint, "{}"), Ok(DEFAULT));
        }
    }

    #[test]
    fn a_body_after_a_bad_one_is_read_as_if_it_were_the_first() {
        let mut ask = Ask::new();
        let full = br#"{"model":"m","stream":true,"n":3,"max_tokens":5,"dimensions":9,
            "encoding_format":"base64","input":["a","b"],"max_output_tokens":7}"#;
        for endpoint in ENDPOINTS {
            for before in [&full[..], br#"{"n":0,"input":[[1,"#, b"[", b"{\"a\":\"\xE6"] {
                fed(&mut ask, endpoint, [before].into_iter()).ok();
                assert_eq!(fed(&mut ask, Endpoint::Chat, [].into_iter()), Ok(DEFAULT));
                fed(&mut ask, endpoint, [before].into_iter()).ok();
                assert_eq!(
                    fed(&mut ask, endpoint, [&b"{}"[..]].into_iter()),
                    Ok(DEFAULT)
                );
            }
        }
    }

    #[test]
    fn nesting_is_accepted_to_128_levels() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let nested = |levels: usize| {
                let end = if open == "[" { "" } else { "1" };
                format!(
                    "{{\"input\":{}{end}{}}}",
                    open.repeat(levels),
                    close.repeat(levels)
                )
            };
            assert_eq!(read(Endpoint::Chat, &nested(126)), Ok(DEFAULT));
            assert_eq!(read(Endpoint::Chat, &nested(127)), Ok(DEFAULT));
            assert_eq!(read(Endpoint::Chat, &nested(128)), Err(Bad::TooDeep));
        }
        let siblings = format!("{{\"a\":[{}1]}}", "[],{},".repeat(500));
        assert_eq!(read(Endpoint::Chat, &siblings), Ok(DEFAULT));
    }

    #[test]
    fn syntax_wins_over_a_bad_field_and_the_first_field_over_the_next() {
        assert_eq!(
            read(Endpoint::Chat, r#"{"n":0,"stream":1}"#),
            refusal(Field::Stream)
        );
        assert_eq!(read(Endpoint::Chat, r#"{"n":0,"stream":1"#), syntax(17));
        assert_eq!(read(Endpoint::Chat, r#"[{"n":0}"#), Err(Bad::NotObject));
    }

    #[test]
    fn a_model_has_at_most_256_raw_bytes() {
        for (unit, size) in [("a", 1), (r"\n", 2), ("😀", 4), (r"\ud800", 6)] {
            for endpoint in ENDPOINTS {
                for len in [1, 254, 255, 256, 257, 258, 5000] {
                    let pad = "b".repeat(len % size);
                    let name = unit.repeat(len / size) + &pad;
                    let model = Some(name.clone().into_bytes());
                    let good = Ok(Plain { model, ..DEFAULT });
                    let wanted = if len <= MODEL_MAX {
                        good
                    } else {
                        refusal(Field::Model)
                    };
                    assert_eq!(read(endpoint, &format!(r#"{{"model":"{name}"}}"#)), wanted);
                }
            }
        }
    }

    #[test]
    fn numbers_have_their_ranges() {
        let chat = |n, token_limit| {
            Ok(Plain {
                n,
                token_limit,
                ..DEFAULT
            })
        };
        for (n, good) in [
            ("0", false),
            ("1", true),
            ("2", true),
            ("127", true),
            ("128", true),
        ] {
            let wanted = if good {
                chat(n.parse().unwrap(), None)
            } else {
                refusal(Field::N)
            };
            assert_eq!(read(Endpoint::Chat, &format!("{{\"n\":{n}}}")), wanted);
        }
        let huge = "9".repeat(300);
        let fraction = format!("{huge}.0");
        for n in [
            "129",
            "256",
            "257",
            "4294967297",
            "-1",
            "1.0",
            "1e0",
            "-0",
            "\"1\"",
            &huge,
        ] {
            assert_eq!(
                read(Endpoint::Chat, &format!("{{\"n\":{n}}}")),
                refusal(Field::N)
            );
        }
        for (text, limit) in [
            ("1", 1),
            ("4294967294", u32::MAX - 1),
            ("4294967295", u32::MAX),
            ("4294967296", u32::MAX),
            (&huge, u32::MAX),
        ] {
            let body = format!("{{\"max_tokens\":{text}}}");
            assert_eq!(read(Endpoint::Chat, &body), chat(1, Some(limit)));
            let body = format!("{{\"max_output_tokens\":{text}}}");
            assert_eq!(read(Endpoint::Responses, &body), chat(1, Some(limit)));
        }
        for text in ["0", "-5", &fraction, "true", "[]", "{}"] {
            let body = format!("{{\"max_completion_tokens\":{text}}}");
            assert_eq!(
                read(Endpoint::Chat, &body),
                refusal(Field::MaxCompletionTokens)
            );
        }
        let both = r#"{"max_tokens":7,"max_completion_tokens":5}"#;
        assert_eq!(read(Endpoint::Chat, both), chat(1, Some(5)));
        for (text, good) in [("0", false), ("1", true), ("4095", true), ("4096", true)] {
            let dimensions = Some(text.parse().unwrap());
            let good = good.then_some(Ok(Plain {
                dimensions,
                ..DEFAULT
            }));
            let wanted = good.unwrap_or(refusal(Field::Dimensions));
            assert_eq!(
                read(Endpoint::Embeddings, &format!("{{\"dimensions\":{text}}}")),
                wanted
            );
        }
        let over = read(Endpoint::Embeddings, r#"{"dimensions":4097}"#);
        assert_eq!(over, refusal(Field::Dimensions));
    }

    #[test]
    fn inputs_are_counted_to_2048_and_tokens_without_end() {
        let list = |element: &str, count: usize| {
            let list = vec![element; count].join(",");
            read(Endpoint::Embeddings, &format!("{{\"input\":[{list}]}}"))
        };
        for element in ["\"a\"", "[1]", "[1,2,3,4,5,6,7,8,9]"] {
            for inputs in [1, 2, 2047, 2048] {
                let wanted = Ok(Plain {
                    inputs: inputs as u16,
                    ..DEFAULT
                });
                assert_eq!(list(element, inputs), wanted);
            }
            assert_eq!(list(element, 2049), field("input", INPUT_TOO_MANY));
            assert_eq!(list(element, 70_000), field("input", INPUT_TOO_MANY));
        }
        assert_eq!(list("15339", 100_000), Ok(DEFAULT));
    }

    #[test]
    fn messages_name_the_limits() {
        let message = |field: Field| REFUSALS[field as usize].1;
        assert!(message(Field::Model).contains(&MODEL_MAX.to_string()));
        assert!(message(Field::N).contains(&N_MAX.to_string()));
        assert!(message(Field::Dimensions).contains(&DIMENSIONS_MAX.to_string()));
        assert!(INPUT_TOO_MANY.contains(&INPUTS_MAX.to_string()));
        assert_eq!(REFUSALS[Field::Input as usize].0, "input");
    }

    #[test]
    fn the_last_of_two_keys_wins_wholly() {
        for (value, wanted) in [
            ("[],\"n\":4", Ok(Plain { n: 4, ..DEFAULT })),
            ("4,\"n\":null", Ok(DEFAULT)),
            ("4,\"\\u006e\":0", refusal(Field::N)),
            (
                "4,\"m\":{\"n\":0,\"n\":[{\"n\":9}]}",
                Ok(Plain { n: 4, ..DEFAULT }),
            ),
        ] {
            assert_eq!(read(Endpoint::Chat, &format!("{{\"n\":{value}}}")), wanted);
        }
        let body = r#"{"input":[[1],"a"],"input":["a","b"],"input":null,"input":[1]}"#;
        assert_eq!(read(Endpoint::Embeddings, body), Ok(DEFAULT));
    }

    #[test]
    fn the_scanner_stays_small() {
        assert!(size_of::<Ask>() <= 640, "{} bytes", size_of::<Ask>());
    }

    fn spaces() -> &'static str {
        const SPACES: [&str; 8] = ["", "", "", "", "", " ", "\n  ", "\t \r\n"];
        SPACES[fastrand::usize(..SPACES.len())]
    }

    fn chosen(values: &[&str]) -> String {
        values[fastrand::usize(..values.len())].to_owned()
    }

    fn random_string() -> String {
        const PARTS: [&str; 14] = [
            "a",
            "model",
            "The quick brown fox ",
            "\\n",
            "\\\\",
            "\\\"",
            "\\u00e9",
            "\\ud800",
            "é",
            "漢字",
            "😀",
            "{",
            "[1,2]",
            "\u{7f}",
        ];
        let parts = [0, 1, 2, 5, 30][fastrand::usize(..5)];
        let text: String = (0..parts)
            .map(|_| PARTS[fastrand::usize(..PARTS.len())])
            .collect();
        format!("\"{text}\"")
    }

    fn random_list(mut element: impl FnMut() -> String) -> String {
        let count = [0, 1, 2, 3, 20][fastrand::usize(..5)];
        let separator = [",", ", ", ",\n ", " ,"][fastrand::usize(..4)];
        let list: Vec<String> = (0..count).map(|_| element()).collect();
        format!("[{}{}{}]", spaces(), list.join(separator), spaces())
    }

    fn random_number() -> String {
        match fastrand::u8(..4) {
            0 => chosen(&["0", "-0", "1.5", "-1e5", "2E-3", "0.0", "1e+2"]),
            1 => fastrand::u8(..).to_string(),
            _ => fastrand::u32(..200_000).to_string(),
        }
    }

    fn random_value(depth: u8) -> String {
        match fastrand::u8(..if depth > 4 { 4 } else { 8 }) {
            0 => chosen(&["true", "false", "null"]),
            1 => random_number(),
            2 | 3 => random_string(),
            4 => random_list(random_number),
            5 => random_list(|| random_value(depth + 1)),
            6 => random_list(|| random_list(random_number)),
            _ => random_object(depth + 1),
        }
    }

    fn random_member(depth: u8) -> String {
        const KEYS: [&str; 14] = [
            "model",
            "stream",
            "n",
            "max_tokens",
            "max_completion_tokens",
            "max_output_tokens",
            "encoding_format",
            "dimensions",
            "input",
            "input",
            "messages",
            "mod\\u0065l",
            "\\u006E",
            "mode",
        ];
        let key = KEYS[fastrand::usize(..KEYS.len())];
        let value = match (fastrand::u8(..4), key) {
            (0, _) => random_value(depth),
            (_, "stream") => chosen(&["true", "false", "null", "0"]),
            (_, "encoding_format") => chosen(&["\"float\"", "\"b\\u0061se64\"", "\"base64\"", "1"]),
            (1, "input") => random_list(random_string),
            (2, "input") => random_list(|| random_list(random_number)),
            (3, "input") => random_list(random_number),
            (_, "model") => chosen(&["\"gpt-4o\"", "\"\"", "null", "7", "\"é\\u0041\""]),
            (_, "messages") => random_value(depth),
            _ => random_number(),
        };
        format!(
            "{}\"{key}\"{}:{}{value}{}",
            spaces(),
            spaces(),
            spaces(),
            spaces()
        )
    }

    fn random_object(depth: u8) -> String {
        let members: Vec<String> = (0..fastrand::u8(..5))
            .map(|_| random_member(depth))
            .collect();
        format!("{{{}{}}}", spaces(), members.join(","))
    }

    fn mutate(body: &mut Vec<u8>) {
        const BYTES: &[u8] =
            b"\"\"\\{}[]:,, \n0019-+.eEtfnu\x00\x1f\x7f\x80\xA0\xBF\xC3\xE0\xED\xF0\xF4\xFF";
        let at = fastrand::usize(..=body.len());
        let end = (at + fastrand::usize(1..4)).min(body.len());
        let byte = BYTES[fastrand::usize(..BYTES.len())];
        match fastrand::u8(..6) {
            0 => body.insert(at, byte),
            1 => body.truncate(at),
            2 => drop(body.drain(at..end)),
            3 => body.extend_from_within(at..end),
            _ if at < body.len() => body[at] = byte,
            _ => {}
        }
    }

    #[test]
    fn random_documents_and_their_mutations_are_judged_like_serde_json_judges_them() {
        let seed = std::env::var("ASK_SEED").map_or(20_240, |seed| seed.parse().unwrap());
        let mut ask = Ask::new();
        for seed in seed..seed + 2500 {
            fastrand::seed(seed);
            let body = random_object(0).into_bytes();
            let endpoint = ENDPOINTS[fastrand::usize(..3)];
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                check(&mut ask, endpoint, &body);
                for _ in 0..4 {
                    let mut body = body.clone();
                    (0..fastrand::u8(1..3)).for_each(|_| mutate(&mut body));
                    check(&mut ask, endpoint, &body);
                }
            }));
            assert!(judged.is_ok(), "ASK_SEED={seed}");
        }
    }
}
