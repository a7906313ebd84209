//! The fields of OpenAI's request bodies: a row for each.

use crate::api::field::{
    Accepts, EVERY, Endpoints, FieldRow, NONE, Type, Types, fields, integer_from, limit, types,
};
use crate::api::{embedding::Encoding, facts::Facts, inputs::Allowed};
use crate::json::scanner::JsonEvent;
use Accepts::{Flag, Held, Ignored, Inputs, Messages, Other, Prompt, Reference};

// The bits of the endpoints, in the order of the routes.
const CHAT: Endpoints = 1;
const RESPONSES: Endpoints = 1 << 1;
const COMPLETIONS: Endpoints = 1 << 2;
const EMBEDDINGS: Endpoints = 1 << 3;
const MODERATIONS: Endpoints = 1 << 4;

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

const HELD_OBJECT: Accepts = Held {
    begin: &[JsonEvent::ObjectBegan],
    message: "'{param}' must be an object.",
};

/// The table, in the order in which refusals are reported. The fields that are read come first.
pub const FIELDS: &[FieldRow] = fields! {
    "model": EVERY, STRING, Other {
        depth: 1,
        message: "'{param}' must be a string of at most 256 bytes, without an unpaired surrogate.",
        clear: |facts| facts.model.clear(),
        take: Facts::model_met,
    };
    "stream": CHAT | RESPONSES | COMPLETIONS, BOOLEAN,
        Flag(|facts, on| facts.stream = on);
    // As many choices as OpenAI allows.
    "n": CHAT | COMPLETIONS, INTEGER,
        integer_from!(1, 128, |facts, n| facts.n = n.unwrap_or(1) as u8);
    "max_tokens": CHAT | COMPLETIONS, INTEGER,
        limit(|facts, most| facts.max_tokens = most);
    "max_completion_tokens": CHAT, INTEGER,
        limit(|facts, most| facts.max_completion_tokens = most);
    "max_output_tokens": RESPONSES, INTEGER,
        limit(|facts, most| facts.max_tokens = most);
    "encoding_format": EMBEDDINGS, STRING, Other {
        depth: 1,
        message: "'{param}' must be \"float\" or \"base64\".",
        clear: |facts| facts.encoding = Encoding::Float,
        take: Facts::encoding_met,
    };
    // Up to `embedding::DIMENSIONS_MAX`.
    "dimensions": EMBEDDINGS, INTEGER,
        integer_from!(1, 4096, |facts, n| facts.dimensions = n.map(|n| n as u16));
    "input": EMBEDDINGS, TEXT_OR_LIST, Inputs(Allowed { empty: false, objects: false });
    "input": MODERATIONS, TEXT_OR_LIST, Inputs(Allowed { empty: false, objects: true });
    // A template of OpenAI's responses, which may hold their input.
    "prompt": NONE, OBJECT.only(RESPONSES), Reference;
    "prompt": COMPLETIONS, TEXT_OR_LIST, Prompt;
    "messages": CHAT, OBJECTS, Messages;
    "input": RESPONSES, TEXT_OR_LIST, Messages;
    "stream_options": CHAT | COMPLETIONS, OBJECT, Other {
        depth: 2,
        message: "'{param}' must be an object whose 'include_usage' is true or false.",
        clear: |facts| facts.include_usage = false,
        take: Facts::option_met,
    };
    // A flag of chats, and a number of completions.
    "logprobs": CHAT, BOOLEAN.only(CHAT), Flag(|facts, on| facts.with_logprobs = on);
    "logprobs": COMPLETIONS, INTEGER.only(COMPLETIONS),
        integer_from!(0, 5, |facts, n| {
            facts.with_logprobs = n.is_some();
            facts.top_logprobs = n.unwrap_or(0) as u8;
        });
    "top_logprobs": CHAT | RESPONSES, INTEGER,
        integer_from!(0, 20, |facts, n| facts.top_logprobs = n.unwrap_or(0) as u8);
    "include": RESPONSES, STRINGS, Other {
        depth: 2,
        message: "'{param}' must be a list of strings.",
        clear: |facts| facts.with_logprobs = false,
        take: Facts::include_met,
    };
    "tools": CHAT | RESPONSES, OBJECTS, Held {
        begin: &[JsonEvent::ListBegan],
        message: "'{param}' must be a list of objects.",
    };
    "tool_choice": CHAT | RESPONSES, CHOICE, Held {
        begin: &[JsonEvent::Text, JsonEvent::ObjectBegan],
        message: "'{param}' must be a string or an object.",
    };
    "response_format": CHAT, OBJECT, HELD_OBJECT;
    "text": RESPONSES, OBJECT, HELD_OBJECT;
    // Only their type is checked.
    "seed": NONE, INTEGER, Ignored;
    "temperature": NONE, DECIMAL, Ignored;
    "top_p": NONE, DECIMAL, Ignored;
    "presence_penalty": NONE, DECIMAL, Ignored;
    "frequency_penalty": NONE, DECIMAL, Ignored;
    "parallel_tool_calls": NONE, BOOLEAN, Ignored;
    "store": NONE, BOOLEAN, Ignored;
    "metadata": NONE, OBJECT, Ignored;
    "logit_bias": NONE, OBJECT, Ignored;
    "stop": NONE, STOP, Ignored;
    "user": NONE, STRING, Ignored;
    "instructions": NONE, STRING, Ignored;
};
