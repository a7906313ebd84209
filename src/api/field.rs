//! The table of the fields of request bodies. A field is one row: its name, the endpoints that have
//! it, the types that OpenAI allows, the values that this server accepts, and the facts that follow
//! from them. Everything else about fields is derived from the table.

use crate::api::embedding::Encoding;
use crate::api::facts::{Draft, integer, truth};
use crate::api::inputs::Allowed;
use crate::api::route::Endpoint;
use crate::json::escapes::NAME_MAX;
use crate::json::scanner::JsonEvent;

/// A field of request bodies.
pub struct FieldRow {
    pub field: Field,
    /// The name in JSON.
    pub name: &'static str,
    /// The endpoints that read the field.
    pub on: Endpoints,
    /// The types that OpenAI allows, checked with `-strict`.
    pub types: Types,
    /// The values that this server accepts, and their meaning.
    pub accepts: Accepts,
}

/// A set of endpoints: one bit for each.
pub type Endpoints = u32;

const fn on(endpoint: Endpoint) -> Endpoints {
    1 << endpoint as Endpoints
}

const CHAT: Endpoints = on(Endpoint::Chat);
const RESPONSES: Endpoints = on(Endpoint::Responses);
const COMPLETIONS: Endpoints = on(Endpoint::Completions);
const EMBEDDINGS: Endpoints = on(Endpoint::Embeddings);
const MODERATIONS: Endpoints = on(Endpoint::Moderations);
const ALL: Endpoints = Endpoints::MAX;
const NONE: Endpoints = 0;

/// The types that OpenAI's messages distinguish.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Text,
    Integer,
    Decimal,
    Truth,
    List,
    Object,
    Null,
}

/// The types that OpenAI allows for a field. Null is one of them unless the field is required.
pub struct Types {
    /// The types in OpenAI's words.
    pub expected: &'static str,
    pub types: &'static [Type],
    /// The endpoints whose requests are checked, whether they read the field or not.
    pub on: Endpoints,
}

const fn types(expected: &'static str, types: &'static [Type]) -> Types {
    Types {
        expected,
        types,
        on: ALL,
    }
}

impl Types {
    /// Limits the check to some endpoints, for a name that means something else at others.
    const fn only(self, on: Endpoints) -> Types {
        Types { on, ..self }
    }
}

const STRING: Types = types("a string", &[Type::Text]);
const STRINGS: Types = types("an array of strings", &[Type::List]);
const TEXT_OR_LIST: Types = types("one of a string or array", &[Type::Text, Type::List]);
const INTEGER: Types = types("an integer", &[Type::Integer]);
const DECIMAL: Types = types("a decimal", &[Type::Integer, Type::Decimal]);
const BOOLEAN: Types = types("a boolean", &[Type::Truth]);
const OBJECT: Types = types("an object", &[Type::Object]);
const OBJECTS: Types = types("an array of objects", &[Type::List]);
const CHOICE: Types = types("one of a string or object", &[Type::Text, Type::Object]);
const STOP: Types = types(
    "one of a string or array of strings",
    &[Type::Text, Type::List],
);

/// The values that a field accepts, and the facts that follow from them. Null is always accepted
/// and means the same as an absent field. A message is a full sentence in which `{param}` stands
/// for the field's name.
pub enum Accepts {
    /// True or false; an absent field is false.
    Flag(fn(&mut Draft, bool)),
    /// An integer of a range.
    Integer {
        min: u32,
        max: u32,
        message: &'static str,
        set: fn(&mut Draft, Option<u32>),
    },
    /// A value that is kept whole and begins with one of these events.
    Held {
        begin: &'static [JsonEvent],
        message: &'static str,
    },
    /// The subject of the request as texts or tokens, which are counted.
    Inputs(Allowed),
    /// The same, as a prompt: it is measured, and may be echoed.
    Prompt,
    /// The subject of the request as a conversation: anything. It is measured, and may be echoed.
    Messages,
    /// A value of another form, whose containers are read to a depth (1: none).
    Other {
        depth: u8,
        message: &'static str,
        clear: fn(&mut Draft),
        take: fn(&mut Draft, JsonEvent, &[u8]) -> Option<()>,
    },
    /// Anything, without a meaning to this server.
    Ignored,
}

use Accepts::{Flag, Held, Ignored, Inputs, Integer, Messages, Other, Prompt};

/// Makes an [`Accepts::Integer`] and its message from the range.
macro_rules! integer {
    ($min:literal, $max:literal, $set:expr) => {
        Integer {
            min: $min,
            max: $max,
            message: concat!(
                "'{param}' must be an integer from ",
                $min,
                " to ",
                $max,
                "."
            ),
            set: $set,
        }
    };
}

/// Returns a limit without a maximum.
const fn limit(set: fn(&mut Draft, Option<u32>)) -> Accepts {
    Integer {
        min: 1,
        max: u32::MAX,
        message: "'{param}' must be an integer of at least 1.",
        set,
    }
}

/// The inputs that a prompt may hold.
const PROMPTS: Allowed = Allowed {
    empty: true,
    objects: false,
};
const FLAG: &str = "'{param}' must be true or false.";
const HELD_OBJECT: Accepts = Held {
    begin: &[JsonEvent::ObjectBegan],
    message: "'{param}' must be an object.",
};

/// Makes [`Field`] and the table from rows.
macro_rules! fields {
    ($($field:ident: $name:literal, $on:expr, $types:expr, $accepts:expr;)+) => {
        /// A field of request bodies. The order is that in which refusals are reported.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Field {
            $($field,)+
        }

        /// The table of all fields, in the order of [`Field`].
        pub static ROWS: [FieldRow; [$(Field::$field),+].len()] = [$(FieldRow {
            field: Field::$field,
            name: $name,
            on: $on,
            types: $types,
            accepts: $accepts,
        }),+];
    };
}

fields! {
    Model: "model", ALL, STRING, Other {
        depth: 1,
        message: "'{param}' must be a string of at most 256 bytes, without an unpaired surrogate.",
        clear: Draft::clear_model,
        take: Draft::model_met,
    };
    Stream: "stream", CHAT | RESPONSES | COMPLETIONS, BOOLEAN,
        Flag(|draft, on| draft.facts.stream = on);
    // As many choices as OpenAI allows.
    N: "n", CHAT | COMPLETIONS, INTEGER,
        integer!(1, 128, |draft, n| draft.facts.n = n.unwrap_or(1) as u8);
    MaxTokens: "max_tokens", CHAT | COMPLETIONS, INTEGER,
        limit(|draft, most| draft.max_tokens = most);
    MaxCompletionTokens: "max_completion_tokens", CHAT, INTEGER,
        limit(|draft, most| draft.max_completion_tokens = most);
    MaxOutputTokens: "max_output_tokens", RESPONSES, INTEGER,
        limit(|draft, most| draft.max_tokens = most);
    EncodingFormat: "encoding_format", EMBEDDINGS, STRING, Other {
        depth: 1,
        message: "'{param}' must be \"float\" or \"base64\".",
        clear: |draft| draft.facts.encoding = Encoding::Float,
        take: Draft::encoding_met,
    };
    // Up to `embedding::DIMENSIONS_MAX`.
    Dimensions: "dimensions", EMBEDDINGS, INTEGER,
        integer!(1, 4096, |draft, n| draft.facts.dimensions = n.map(|n| n as u16));
    Input: "input", EMBEDDINGS, TEXT_OR_LIST, Inputs(Allowed { empty: false, objects: false });
    Moderated: "input", MODERATIONS, TEXT_OR_LIST, Inputs(Allowed { empty: false, objects: true });
    // A template of OpenAI's responses, which may hold their input.
    Template: "prompt", NONE, OBJECT.only(RESPONSES), Ignored;
    Prompt: "prompt", COMPLETIONS, TEXT_OR_LIST, Prompt;
    Messages: "messages", CHAT, OBJECTS, Messages;
    Conversation: "input", RESPONSES, TEXT_OR_LIST, Messages;
    StreamOptions: "stream_options", CHAT | COMPLETIONS, OBJECT, Other {
        depth: 2,
        message: "'{param}' must be an object whose 'include_usage' is true or false.",
        clear: |draft| draft.facts.include_usage = false,
        take: Draft::option_met,
    };
    // A flag of chats, and a number of completions.
    Logprobs: "logprobs", CHAT, BOOLEAN.only(CHAT), Flag(|draft, on| draft.with_logprobs = on);
    LogprobCount: "logprobs", COMPLETIONS, INTEGER.only(COMPLETIONS),
        integer!(0, 5, |draft, n| {
            draft.with_logprobs = n.is_some();
            draft.top_logprobs = n.unwrap_or(0) as u8;
        });
    TopLogprobs: "top_logprobs", CHAT | RESPONSES, INTEGER,
        integer!(0, 20, |draft, n| draft.top_logprobs = n.unwrap_or(0) as u8);
    Include: "include", RESPONSES, STRINGS, Other {
        depth: 2,
        message: "'{param}' must be a list of strings.",
        clear: |draft| draft.with_logprobs = false,
        take: Draft::include_met,
    };
    Tools: "tools", CHAT | RESPONSES, OBJECTS, Held {
        begin: &[JsonEvent::ListBegan],
        message: "'{param}' must be a list of objects.",
    };
    ToolChoice: "tool_choice", CHAT | RESPONSES, CHOICE, Held {
        begin: &[JsonEvent::Text, JsonEvent::ObjectBegan],
        message: "'{param}' must be a string or an object.",
    };
    ResponseFormat: "response_format", CHAT, OBJECT, HELD_OBJECT;
    Text: "text", RESPONSES, OBJECT, HELD_OBJECT;
    // Only their type is checked.
    Seed: "seed", NONE, INTEGER, Ignored;
    Temperature: "temperature", NONE, DECIMAL, Ignored;
    TopP: "top_p", NONE, DECIMAL, Ignored;
    PresencePenalty: "presence_penalty", NONE, DECIMAL, Ignored;
    FrequencyPenalty: "frequency_penalty", NONE, DECIMAL, Ignored;
    ParallelToolCalls: "parallel_tool_calls", NONE, BOOLEAN, Ignored;
    Store: "store", NONE, BOOLEAN, Ignored;
    Metadata: "metadata", NONE, OBJECT, Ignored;
    LogitBias: "logit_bias", NONE, OBJECT, Ignored;
    Stop: "stop", NONE, STOP, Ignored;
    User: "user", NONE, STRING, Ignored;
    Instructions: "instructions", NONE, STRING, Ignored;
}

/// A set of fields that are read: one bit for each, so these come first in the table.
pub type FieldSet = u32;

const _: () = assert!(Endpoint::COUNT <= Endpoints::BITS as usize);

/// The fields that each endpoint reads, by the length of their names. It leaves one or two of them
/// to be compared with a name.
static BY_LENGTH: [[FieldSet; NAME_MAX + 1]; Endpoint::COUNT] = {
    let mut sets = [[0; NAME_MAX + 1]; Endpoint::COUNT];
    let mut at = 0;
    while at < ROWS.len() {
        let mut endpoint = 0;
        while endpoint < Endpoint::COUNT {
            if ROWS[at].on >> endpoint & 1 == 1 {
                sets[endpoint][ROWS[at].name.len()] |= 1 << at;
            }
            endpoint += 1;
        }
        at += 1;
    }
    sets
};

impl FieldRow {
    /// Returns the field of an endpoint that has this name.
    pub fn named(endpoint: Endpoint, name: &[u8]) -> Option<&'static FieldRow> {
        let set = BY_LENGTH[endpoint as usize].get(name.len())?;
        in_order(*set).find(|row| row.name.as_bytes() == name)
    }

    /// Returns the field of this name whose type is checked at an endpoint.
    pub fn checked(endpoint: Endpoint, name: &[u8]) -> Option<&'static FieldRow> {
        let mut rows = ROWS.iter();
        rows.find(|row| row.name.as_bytes() == name && row.types.on & on(endpoint) != 0)
    }

    /// Returns the field that is the subject of requests to an endpoint.
    pub fn subject(endpoint: Endpoint) -> Option<&'static FieldRow> {
        let subject = |row: &&FieldRow| matches!(row.accepts, Inputs(_) | Prompt | Messages);
        let mut rows = ROWS.iter().filter(subject);
        rows.find(|row| row.on & on(endpoint) != 0)
    }

    /// Returns the set that holds this field alone.
    pub fn bit(&self) -> FieldSet {
        1 << self.field as FieldSet
    }
}

/// Returns the fields of a set, in the order of the table.
pub fn in_order(mut set: FieldSet) -> impl Iterator<Item = &'static FieldRow> {
    std::iter::from_fn(move || {
        let first = (set != 0).then(|| &ROWS[set.trailing_zeros() as usize]);
        set &= set.wrapping_sub(1);
        first
    })
}

impl Field {
    /// Returns the field's name in JSON.
    pub fn name(self) -> &'static str {
        ROWS[self as usize].name
    }
}

impl Accepts {
    /// Returns the message about any other value, if it is always the same.
    pub fn message(&self) -> Option<&'static str> {
        match self {
            Flag(_) => Some(FLAG),
            Integer { message, .. } | Held { message, .. } | Other { message, .. } => Some(message),
            Inputs(_) | Prompt | Messages | Ignored => None,
        }
    }

    /// Takes what the scanner reports of a value: `text` is that of a string or integer. None if it
    /// is not accepted.
    pub fn take(&self, draft: &mut Draft, event: JsonEvent, text: &[u8]) -> Option<()> {
        match self {
            Flag(set) => set(draft, truth(event)?),
            Integer { min, max, set, .. } => set(draft, Some(integer(event, text, *min, *max)?)),
            Held { begin, .. } => return begin.contains(&event).then_some(()),
            Inputs(allowed) => return draft.input_met(event, text, *allowed),
            Prompt => return draft.input_met(event, text, PROMPTS),
            Other { take, .. } => return take(draft, event, text),
            Messages | Ignored => {}
        }
        Some(())
    }

    /// Restores the defaults of the facts that follow from the field.
    pub fn clear(&self, draft: &mut Draft) {
        match self {
            Flag(set) => set(draft, false),
            Integer { set, .. } => set(draft, None),
            Inputs(_) => draft.clear_inputs(),
            Prompt => {
                draft.clear_inputs();
                draft.facts.prompt_bytes = 0;
            }
            Messages => draft.facts.prompt_bytes = 0,
            Other { clear, .. } => clear(draft),
            // A held value is replaced by the next one.
            Held { .. } | Ignored => {}
        }
    }
}
