//! What OpenAI refuses and this server mostly lets through: fields that are missing, values of the
//! wrong type. Read only with `-strict`; knows no answer.

use super::fields::Lacks;
use super::json::Event;
use crate::mock::route::Endpoint;

/// A field and the types of its values; null is one of them unless the field is required.
struct Row {
    name: &'static str,
    /// As OpenAI words it.
    expected: &'static str,
    types: &'static [Type],
}

/// The types that OpenAI's messages tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Integer,
    Decimal,
    Truth,
    List,
    Object,
    Null,
}

use Endpoint::{Chat, Completions, Embeddings, Moderations, Responses};
use Type::{Decimal, Integer, List, Object, Text, Truth};

const fn row(name: &'static str, expected: &'static str, types: &'static [Type]) -> Row {
    Row {
        name,
        expected,
        types,
    }
}

const OBJECTS: &str = "an array of objects";
const STRING: &str = "a string";
const INTEGER: &str = "an integer";
const DECIMAL: &str = "a decimal";
const BOOLEAN: &str = "a boolean";
const OBJECT: &str = "an object";

/// The fields that requests to several endpoints have.
const ROWS: [Row; 30] = [
    row("model", STRING, &[Text]),
    row("messages", OBJECTS, &[List]),
    row("stream", BOOLEAN, &[Truth]),
    row("stream_options", OBJECT, &[Object]),
    row("n", INTEGER, &[Integer]),
    row("max_tokens", INTEGER, &[Integer]),
    row("max_completion_tokens", INTEGER, &[Integer]),
    row("max_output_tokens", INTEGER, &[Integer]),
    row("seed", INTEGER, &[Integer]),
    row("top_logprobs", INTEGER, &[Integer]),
    row("dimensions", INTEGER, &[Integer]),
    row("temperature", DECIMAL, &[Integer, Decimal]),
    row("top_p", DECIMAL, &[Integer, Decimal]),
    row("presence_penalty", DECIMAL, &[Integer, Decimal]),
    row("frequency_penalty", DECIMAL, &[Integer, Decimal]),
    row("parallel_tool_calls", BOOLEAN, &[Truth]),
    row("store", BOOLEAN, &[Truth]),
    row("metadata", OBJECT, &[Object]),
    row("logit_bias", OBJECT, &[Object]),
    row("response_format", OBJECT, &[Object]),
    row("text", OBJECT, &[Object]),
    row("tools", OBJECTS, &[List]),
    row("tool_choice", "one of a string or object", &[Text, Object]),
    row("stop", "one of a string or array of strings", &[Text, List]),
    row("user", STRING, &[Text]),
    row("encoding_format", STRING, &[Text]),
    row("instructions", STRING, &[Text]),
    row("include", "an array of strings", &[List]),
    row("prompt", "one of a string or array", &[Text, List]),
    row("input", "one of a string or array", &[Text, List]),
];

/// `logprobs` is a switch of chats and a number of completions.
const LOGPROBS: [Row; 2] = [
    row("logprobs", BOOLEAN, &[Truth]),
    row("logprobs", INTEGER, &[Integer]),
];

/// `prompt` is what completions are asked for, and names a template of responses (`Prompt`).
const TEMPLATE: Row = row("prompt", OBJECT, &[Object]);

/// What is wrong with a field, as OpenAI words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A field's value has another type: "expected ..., but got ... instead".
    Type {
        /// The field.
        param: &'static str,
        /// What it may hold.
        expected: &'static str,
        /// What it does.
        got: &'static str,
    },
    /// An element of `messages` does: which one, from 0.
    Message {
        /// Its place.
        at: u64,
        /// What it is.
        got: &'static str,
    },
    /// `messages` is empty.
    NoMessage,
}

/// The types of the fields of one body, as read so far.
pub struct Strict {
    endpoint: Endpoint,
    row: Option<&'static Row>,
    has_model: bool,
    has_subject: bool,
    /// How many messages were met.
    messages: u64,
    wrong: Option<Wrong>,
}

impl Strict {
    /// Nothing of a body for `endpoint` is read yet.
    pub fn new(endpoint: Endpoint) -> Strict {
        Strict {
            endpoint,
            row: None,
            has_model: false,
            has_subject: false,
            messages: 0,
            wrong: None,
        }
    }

    /// A key of the body, its escapes resolved.
    pub fn key_read(&mut self, name: &[u8]) {
        let named = |row: &&Row| row.name.as_bytes() == name;
        self.row = match (name, self.endpoint) {
            (b"logprobs", Chat) => Some(&LOGPROBS[0]),
            (b"logprobs", Completions) => Some(&LOGPROBS[1]),
            (b"prompt", Responses) => Some(&TEMPLATE),
            _ => ROWS.iter().find(named),
        };
    }

    /// How many levels of containers are of interest now.
    pub fn watch(&self) -> u8 {
        match self.row {
            None => 0,
            Some(row) if row.name == "messages" => 2,
            Some(_) => 1,
        }
    }

    /// What stands behind the key read last, or in the list there, where `depth` containers are
    /// open.
    pub fn value_met(&mut self, event: Event, depth: u8) {
        let Some(row) = self.row else { return };
        let (got, opens) = match event {
            Event::Text => (Text, 0),
            Event::Integer | Event::Numbers => (Integer, 0),
            Event::Decimal => (Decimal, 0),
            Event::True | Event::False => (Truth, 0),
            Event::Null => (Type::Null, 0),
            Event::ListBegan => (List, 1),
            Event::ObjectBegan => (Object, 1),
            Event::ListEnded if row.name == "messages" && depth == 1 && self.messages == 0 => {
                self.wrong.get_or_insert(Wrong::NoMessage);
                return;
            }
            _ => return,
        };
        match depth - opens {
            1 => self.field_met(row, got),
            2 if row.name == "messages" => {
                if got != Object {
                    let at = self.messages;
                    self.wrong.get_or_insert(Wrong::Message {
                        at,
                        got: worded(got),
                    });
                }
                self.messages += 1;
            }
            _ => {}
        }
    }

    fn field_met(&mut self, row: &'static Row, got: Type) {
        let subject = subject(self.endpoint) == Some(row.name);
        self.has_model |= row.name == "model" && got != Type::Null;
        // A template of a response may hold its input.
        let template = self.endpoint == Responses && row.name == TEMPLATE.name && got == Object;
        self.has_subject |= subject || template;
        let null = got == Type::Null && !subject;
        if !null && !row.types.contains(&got) {
            self.wrong.get_or_insert(Wrong::Type {
                param: row.name,
                expected: row.expected,
                got: worded(got),
            });
        }
    }

    /// What is wrong with the body that was read, or what it lacks.
    pub fn finish(&self) -> Result<Lacks, Wrong> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(Lacks {
                model: !self.has_model && self.endpoint != Moderations,
                subject: subject(self.endpoint).filter(|_| !self.has_subject),
            }),
        }
    }
}

/// The field that a request is about.
pub fn subject(endpoint: Endpoint) -> Option<&'static str> {
    match endpoint {
        Chat => Some("messages"),
        Completions => Some("prompt"),
        Responses | Embeddings | Moderations => Some("input"),
        _ => None,
    }
}

fn worded(got: Type) -> &'static str {
    match got {
        Text => STRING,
        Integer => INTEGER,
        Decimal => DECIMAL,
        Truth => BOOLEAN,
        List => "an array",
        Object => OBJECT,
        Type::Null => "null",
    }
}
