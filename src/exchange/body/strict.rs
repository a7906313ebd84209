//! The check of `-strict` for what OpenAI rejects and this server otherwise mostly accepts: missing
//! fields and values of the wrong type.

use crate::api::field::{Accepts, FieldRow, Type};
use crate::api::{facts::Lacks, problem::Problem, provider::Endpoint};
use crate::json::scanner::JsonEvent;
use Type::{Decimal, Integer, List, Object, Text, Truth};

/// The types of the fields of one body, as read so far.
pub struct Strict {
    endpoint: &'static Endpoint,
    row: Option<&'static FieldRow>,
    has_model: bool,
    has_subject: bool,
    /// The number of messages.
    messages: u64,
    /// The first fault.
    wrong: Option<Problem>,
}

impl Strict {
    /// Begins a body of `endpoint`.
    pub fn new(endpoint: &'static Endpoint) -> Strict {
        Strict {
            endpoint,
            row: None,
            has_model: false,
            has_subject: false,
            messages: 0,
            wrong: None,
        }
    }

    /// Takes a key of the body, its escapes resolved.
    pub fn key_read(&mut self, name: &[u8]) {
        self.row = self.endpoint.checked(name);
    }

    /// Returns the number of levels of containers that the scanner has to report now.
    pub fn watch(&self) -> u8 {
        match self.row {
            None => 0,
            Some(row) if row.lists_messages() => 2,
            Some(_) => 1,
        }
    }

    /// Takes the value behind the key read last, or an element of it, where `depth` containers are
    /// open.
    pub fn value_met(&mut self, event: JsonEvent, depth: u8) {
        let Some(row) = self.row else { return };
        let (got, opens) = match event {
            JsonEvent::Text => (Text, 0),
            JsonEvent::Integer | JsonEvent::Numbers => (Integer, 0),
            JsonEvent::Decimal => (Decimal, 0),
            JsonEvent::True | JsonEvent::False => (Truth, 0),
            JsonEvent::Null => (Type::Null, 0),
            JsonEvent::ListBegan => (List, 1),
            JsonEvent::ObjectBegan => (Object, 1),
            JsonEvent::ListEnded if row.lists_messages() && depth == 1 && self.messages == 0 => {
                self.wrong.get_or_insert(NO_MESSAGE);
                return;
            }
            _ => return,
        };
        match depth - opens {
            1 => self.field_met(row, got),
            2 if row.lists_messages() => {
                if got != Object {
                    self.wrong.get_or_insert(Problem {
                        number: self.messages,
                        words: [worded(got), ""],
                        ..WRONG_MESSAGE
                    });
                }
                self.messages += 1;
            }
            _ => {}
        }
    }

    fn field_met(&mut self, row: &'static FieldRow, got: Type) {
        let subject = self
            .endpoint
            .subject()
            .is_some_and(|subject| subject.name == row.name);
        self.has_model |= row.name == "model" && got != Type::Null;
        self.has_subject |= subject || matches!(row.accepts, Accepts::Reference) && got == Object;
        let null = got == Type::Null && !subject;
        if !null && !row.types.types.contains(&got) {
            self.wrong.get_or_insert(Problem {
                param: Some(row.name),
                words: [row.types.expected, worded(got)],
                ..WRONG_TYPE
            });
        }
    }

    /// Returns the fields that the body lacks, or the first fault of one.
    pub fn finish(&self) -> Result<Lacks, Problem> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(Lacks {
                model: !self.has_model && self.endpoint.needs_model(),
                subject: self
                    .endpoint
                    .subject()
                    .filter(|_| !self.has_subject)
                    .map(|row| row.name),
            }),
        }
    }
}

fn worded(got: Type) -> &'static str {
    match got {
        Text => "a string",
        Integer => "an integer",
        Decimal => "a decimal",
        Truth => "a boolean",
        List => "an array",
        Object => "an object",
        Type::Null => "null",
    }
}

// In OpenAI's words.

const WRONG_TYPE: Problem = Problem::invalid(
    400,
    "invalid_type",
    "Invalid type for '{param}': expected {0}, but got {1} instead.",
);

/// The number is the index of the message.
const WRONG_MESSAGE: Problem = Problem {
    code: Some("invalid_type"),
    ..Problem::field(
        "messages",
        "Invalid type for 'messages[{}]': expected an object, but got {0} instead.",
    )
};

const NO_MESSAGE: Problem = Problem {
    code: Some("empty_array"),
    ..Problem::field(
        "messages",
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an \
         empty array instead.",
    )
};
