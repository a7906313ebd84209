//! Which fields of a body are read, and what is said of one that holds what it may not. Knows no
//! JSON.

use crate::mock::route::Endpoint;

/// A field that holds what it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The field's name as in the API.
    pub param: &'static str,
    /// A full sentence: what is wrong and what is allowed.
    pub message: &'static str,
}

/// A field that is read, named as in the API. The order is the one refusals are reported in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    Model,
    Stream,
    N,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    EncodingFormat,
    Dimensions,
    Input,
    Prompt,
    Conversation,
    StreamOptions,
    Logprobs,
    LogprobCount,
    TopLogprobs,
    Include,
    Tools,
    ToolChoice,
    ResponseFormat,
    Text,
}

impl Field {
    /// Whether its value is held as it is.
    pub(super) fn is_held(self) -> bool {
        use Field::{ResponseFormat, Text, ToolChoice, Tools};
        matches!(self, Tools | ToolChoice | ResponseFormat | Text)
    }
}

/// The field of an endpoint that has this name.
pub(super) fn field_named(endpoint: Endpoint, name: &[u8]) -> Option<Field> {
    use Endpoint::{Chat, Completions, Embeddings, Moderations, Responses};
    match (name, endpoint) {
        (b"model", _) => Some(Field::Model),
        (b"stream", Chat | Responses | Completions) => Some(Field::Stream),
        (b"stream_options", Chat | Completions) => Some(Field::StreamOptions),
        (b"n", Chat | Completions) => Some(Field::N),
        (b"max_tokens", Chat | Completions) => Some(Field::MaxTokens),
        (b"max_completion_tokens", Chat) => Some(Field::MaxCompletionTokens),
        (b"max_output_tokens", Responses) => Some(Field::MaxOutputTokens),
        (b"logprobs", Chat) => Some(Field::Logprobs),
        (b"logprobs", Completions) => Some(Field::LogprobCount),
        (b"top_logprobs", Chat | Responses) => Some(Field::TopLogprobs),
        (b"include", Responses) => Some(Field::Include),
        (b"encoding_format", Embeddings) => Some(Field::EncodingFormat),
        (b"dimensions", Embeddings) => Some(Field::Dimensions),
        (b"input", Embeddings | Moderations) => Some(Field::Input),
        (b"prompt", Completions) => Some(Field::Prompt),
        (b"tools", Chat | Responses) => Some(Field::Tools),
        (b"tool_choice", Chat | Responses) => Some(Field::ToolChoice),
        (b"response_format", Chat) => Some(Field::ResponseFormat),
        (b"text", Responses) => Some(Field::Text),
        (b"messages", Chat) | (b"input", Responses) => Some(Field::Conversation),
        _ => None,
    }
}

/// Name and refusal of each field, in the order of `Field`. What is wrong with `input` has more
/// than one answer, so it is noted when it is met.
pub(super) const REFUSALS: [(&str, &str); 20] = [
    (
        "model",
        "'model' must be a string of at most 256 bytes, without half a surrogate pair.",
    ),
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
    ("prompt", ""),
    ("messages", ""),
    (
        "stream_options",
        "'stream_options' must be an object whose 'include_usage' is true or false.",
    ),
    ("logprobs", "'logprobs' must be true or false."),
    ("logprobs", "'logprobs' must be an integer from 0 to 5."),
    (
        "top_logprobs",
        "'top_logprobs' must be an integer from 0 to 20.",
    ),
    ("include", "'include' must be a list of strings."),
    ("tools", "'tools' must be a list of objects."),
    (
        "tool_choice",
        "'tool_choice' must be a string or an object.",
    ),
    ("response_format", "'response_format' must be an object."),
    ("text", "'text' must be an object."),
];

/// For an `input` that is neither a string nor a list.
pub(super) const INPUT_TYPE: &str = "'{param}' must be a string, a list of strings, \
    a list of token numbers or a list of lists of token numbers.";
/// For an `input` that is an empty string.
pub(super) const INPUT_EMPTY_TEXT: &str = "'{param}' must not be an empty string.";
/// For an `input` that is an empty list.
pub(super) const INPUT_EMPTY_LIST: &str = "'{param}' must not be an empty list.";
/// For an empty string or an empty list in `input`.
pub(super) const INPUT_EMPTY_ELEMENT: &str =
    "'{param}' must hold no empty string and no empty list.";
/// For an element of another kind than the first one.
pub(super) const INPUT_MIXED: &str = "'{param}' must hold elements of one kind: \
    only strings, only token numbers or only lists of token numbers.";
/// For an element that is true, false, null or an object.
pub(super) const INPUT_ELEMENT: &str =
    "'{param}' must hold only strings, token numbers or lists of token numbers.";
/// For a list in `input` that holds anything but numbers.
pub(super) const INPUT_TOKEN: &str = "Each list in '{param}' must hold only token numbers.";
/// For more strings or lists than `INPUTS_MAX`.
pub(super) const INPUT_TOO_MANY: &str = "'{param}' must hold at most 2048 strings or lists.";
