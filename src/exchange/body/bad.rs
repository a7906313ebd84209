//! The reasons why request bodies are refused, and their errors.

use crate::api::problem::Problem;
use crate::api::provider::Endpoint;

/// The reason why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bad {
    /// It is not JSON.
    Syntax {
        /// The offset (from 0) of the first byte that cannot continue a JSON text; the length of
        /// the body if it ends early.
        at: u64,
    },
    /// It is not JSON: it begins with a byte order mark.
    Marked,
    /// The top level is not an object.
    NotObject,
    /// More than 128 containers are nested.
    TooDeep,
    /// The value of a field is not accepted.
    Field {
        /// The field's name in the API.
        param: &'static str,
        /// A full sentence that says what is wrong and what is allowed.
        message: &'static str,
    },
    /// OpenAI would reject it, and `-strict` is set.
    Strict(Wrong),
    /// The text to be echoed holds an unpaired surrogate.
    HalfPair,
}

/// A field that OpenAI rejects, with the words of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The value of a field has another type: "expected ..., but got ... instead".
    Type {
        /// The field.
        param: &'static str,
        /// The types that it may have.
        expected: &'static str,
        /// The type that it has.
        got: &'static str,
    },
    /// An element of `messages` is not an object.
    Message {
        /// The index of the element, from 0.
        at: u64,
        /// The type that it has.
        got: &'static str,
    },
    /// `messages` is empty.
    NoMessage,
}

const SYNTAX: Problem = Problem::invalid(
    400,
    "invalid_json",
    "The request body is not valid JSON: parse error at byte {} (counted from 0).",
);

const MARKED: Problem = Problem::invalid(
    400,
    "invalid_json",
    "The request body begins with a byte order mark (BOM, the bytes EF BB BF), which JSON does \
     not allow: send it without.",
);

const NOT_OBJECT: Problem = Problem::invalid(
    400,
    "invalid_json",
    "The request body must be a JSON object.",
);

const TOO_DEEP: Problem = Problem::invalid(
    400,
    "invalid_json",
    "The request body is nested too deeply: at most 128 levels are accepted.",
);

impl Bad {
    /// Returns the error of a body for this endpoint.
    pub fn problem(self, endpoint: &'static Endpoint) -> Problem {
        match self {
            Bad::Syntax { at } => SYNTAX.with_number(at),
            Bad::Marked => MARKED,
            Bad::NotObject => NOT_OBJECT,
            Bad::TooDeep => TOO_DEEP,
            Bad::Field { param, message } => Problem::field(param, message),
            Bad::HalfPair => Problem::field(
                endpoint.subject().map_or("messages", |row| row.name),
                "The message to be echoed must contain no unpaired surrogate.",
            ),
            Bad::Strict(wrong) => wrong.into(),
        }
    }
}

/// In OpenAI's words.
impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Problem {
        let (param, code, message, words) = match wrong {
            Wrong::Type {
                param,
                expected,
                got,
            } => (
                param,
                "invalid_type",
                "Invalid type for '{param}': expected {0}, but got {1} instead.",
                [expected, got],
            ),
            Wrong::Message { got, .. } => (
                "messages",
                "invalid_type",
                "Invalid type for 'messages[{}]': expected an object, but got {0} instead.",
                [got, ""],
            ),
            Wrong::NoMessage => (
                "messages",
                "empty_array",
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got \
                 an empty array instead.",
                [""; 2],
            ),
        };
        let number = match wrong {
            Wrong::Message { at, .. } => at,
            _ => 0,
        };
        Problem {
            param: Some(param),
            number,
            words,
            ..Problem::invalid(400, code, message)
        }
    }
}
