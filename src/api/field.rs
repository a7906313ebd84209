//! The types of the tables of request fields. A field is one row: its name, the endpoints that have
//! it, the types that the API allows, the values that this server accepts, and the facts that
//! follow from them. Everything else about fields is derived from the table.

use super::facts::{Facts, integer, truth};
use super::inputs::{self, Allowed};
use crate::json::scanner::JsonEvent;

/// A field of request bodies.
#[derive(Debug)]
pub struct FieldRow {
    /// The name in JSON.
    pub name: &'static str,
    /// The endpoints that read the field.
    pub on: Endpoints,
    /// The types that the API allows, checked with `-strict`.
    pub types: Types,
    /// The values that this server accepts, and their meaning.
    pub accepts: Accepts,
}

/// A set of endpoints: one bit for each.
pub type Endpoints = u32;

/// All endpoints.
pub const EVERY: Endpoints = Endpoints::MAX;

/// No endpoint.
pub const NONE: Endpoints = 0;

/// A set of the fields that are read: one bit for each.
pub type FieldSet = u32;

/// Makes a table from rows.
macro_rules! fields {
    ($($name:literal: $on:expr, $types:expr, $accepts:expr;)+) => {
        &[$($crate::api::field::FieldRow {
            name: $name,
            on: $on,
            types: $types,
            accepts: $accepts,
        }),+]
    };
}
pub(super) use fields;

/// The types that OpenAI's messages distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Debug)]
pub struct Types {
    /// The types in OpenAI's words.
    pub expected: &'static str,
    pub types: &'static [Type],
    /// The endpoints whose requests are checked, whether they read the field or not.
    pub on: Endpoints,
}

pub const fn types(expected: &'static str, types: &'static [Type]) -> Types {
    Types {
        expected,
        types,
        on: EVERY,
    }
}

impl Types {
    /// Limits the check to some endpoints, for a name that means something else at others.
    pub const fn only(self, on: Endpoints) -> Types {
        Types { on, ..self }
    }
}

/// The values that a field accepts, and the facts that follow from them. Null is always accepted
/// and means the same as an absent field. A message is a full sentence in which `{param}` stands
/// for the field's name.
#[derive(Debug)]
pub enum Accepts {
    /// True or false; an absent field is false.
    Flag(fn(&mut Facts, bool)),
    /// An integer of a range.
    Integer {
        min: u32,
        max: u32,
        message: &'static str,
        set: fn(&mut Facts, Option<u32>),
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
    /// A value of another form, whose containers are read to a depth (1: none). `take` receives
    /// also the keys in it, and the number of open containers.
    Other {
        depth: u8,
        message: &'static str,
        clear: fn(&mut Facts),
        take: fn(&mut Facts, JsonEvent, &[u8], depth: u8) -> Option<()>,
    },
    /// A reference to a stored subject of requests, in place of the subject itself.
    Reference,
    /// Anything, without a meaning to this server.
    Ignored,
}

use Accepts::{Flag, Held, Ignored, Inputs, Integer, Messages, Other, Prompt, Reference};

/// Makes an [`Accepts::Integer`] and its message from the range.
macro_rules! integer_from {
    ($min:literal, $max:literal, $set:expr) => {
        $crate::api::field::Accepts::Integer {
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

pub(super) use integer_from;

/// Returns a limit without a maximum.
pub const fn limit(set: fn(&mut Facts, Option<u32>)) -> Accepts {
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
impl FieldRow {
    /// Returns true if the field is a conversation that can only be a list of messages.
    pub fn lists_messages(&self) -> bool {
        matches!(self.accepts, Messages) && self.types.types == [Type::List]
    }
}

impl Accepts {
    /// Returns the message about any other value, if it is always the same.
    pub fn message(&self) -> Option<&'static str> {
        match self {
            Flag(_) => Some(FLAG),
            Integer { message, .. } | Held { message, .. } | Other { message, .. } => Some(message),
            Inputs(_) | Prompt | Messages | Reference | Ignored => None,
        }
    }

    /// Takes what the scanner reports of a value in `depth` containers: `text` is that of a string
    /// or integer. None if it is not accepted.
    pub fn take(&self, facts: &mut Facts, event: JsonEvent, text: &[u8], depth: u8) -> Option<()> {
        match self {
            Flag(set) => set(facts, truth(event)?),
            Integer { min, max, set, .. } => set(facts, Some(integer(event, text, *min, *max)?)),
            Held { begin, .. } => return begin.contains(&event).then_some(()),
            Inputs(allowed) => return facts.inputs.met(event, text, depth, *allowed),
            Prompt => return facts.inputs.met(event, text, depth, PROMPTS),
            Other { take, .. } => return take(facts, event, text, depth),
            Messages | Reference | Ignored => {}
        }
        Some(())
    }

    /// Restores the defaults of the facts that follow from the field.
    pub fn clear(&self, facts: &mut Facts) {
        match self {
            Flag(set) => set(facts, false),
            Integer { set, .. } => set(facts, None),
            Inputs(_) => facts.inputs = inputs::Inputs::default(),
            Prompt => {
                facts.inputs = inputs::Inputs::default();
                facts.prompt_bytes = 0;
            }
            Messages => facts.prompt_bytes = 0,
            Other { clear, .. } => clear(facts),
            // A held value is replaced by the next one.
            Held { .. } | Reference | Ignored => {}
        }
    }
}
