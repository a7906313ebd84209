//! The errors of requests, as data: a provider turns them into its own form.

use super::held::{HELD_MAX, Unread};
use super::methods::Methods;
use crate::schema::SchemaError;
use crate::status::listed;

/// An error response. The names of its members are those of OpenAI's `Error` schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// `error.code`
    pub code: Option<&'static str>,
    /// `error.message`, in which `{param}` and `{}` stand for `param` and `number`, `{0}` and `{1}`
    /// for `words`, and `{post}` and `{get}` for the paths that allow these methods.
    pub message: &'static str,
    /// `error.param`: the field of the request that is wrong.
    pub param: Option<&'static str>,
    /// A position or a limit in the message.
    pub number: u64,
    /// Words in the message.
    pub words: [&'static str; 2],
    /// The methods that the path allows, for 405.
    pub allow: Option<Methods>,
    /// `Retry-After` in seconds, for 429; 0 omits it.
    pub retry_after: u32,
}

impl Problem {
    /// Creates an error.
    pub const fn invalid(status: u16, code: &'static str, message: &'static str) -> Problem {
        Problem {
            status: listed(status),
            code: Some(code),
            message,
            param: None,
            number: 0,
            words: [""; 2],
            allow: None,
            retry_after: 0,
        }
    }

    /// The error of a body that is not JSON. The number is the offset of the first byte that cannot
    /// continue a JSON text; the length of the body if it ends early.
    pub const NOT_JSON: Problem = Problem::body(
        "The request body is not valid JSON: parse error at byte {} (counted from 0).",
    );

    /// The error of a body that begins with a byte order mark.
    pub const MARKED: Problem = Problem::body(
        "The request body begins with a byte order mark (BOM, the bytes EF BB BF), which JSON does \
         not allow: send it without.",
    );

    /// The error of a body whose top level is not an object.
    pub const NOT_OBJECT: Problem = Problem::body("The request body must be a JSON object.");

    /// The error of a body in which more than 128 containers are nested.
    pub const TOO_DEEP: Problem =
        Problem::body("The request body is nested too deeply: at most 128 levels are accepted.");

    const fn body(message: &'static str) -> Problem {
        Problem::invalid(400, "invalid_json", message)
    }

    /// Creates the error of a field whose value is not accepted; `message` says what is.
    pub const fn field(param: &'static str, message: &'static str) -> Problem {
        Problem {
            param: Some(param),
            ..Problem::invalid(400, "invalid_value", message)
        }
    }

    /// Creates the error of a missing field, in OpenAI's words.
    pub const fn missing(param: &'static str) -> Problem {
        Problem {
            code: Some("missing_required_parameter"),
            ..Problem::field(param, "Missing required parameter: '{param}'.")
        }
    }

    /// The error of a missing model.
    pub const NO_MODEL: Problem = Problem {
        code: None,
        ..Problem::invalid(400, "", "you must provide a model parameter")
    };

    /// Creates the error of a field that is kept whole and whose value cannot be kept.
    pub const fn unread(param: &'static str, why: Unread) -> Problem {
        let problem = match why {
            Unread::TooLong => Problem::field(param, "'{param}' must be at most {} bytes."),
            Unread::Odd => Problem::field(
                param,
                "'{param}' must not contain a number that is beyond a double's range or longer \
                 than 256 bytes, or an unpaired surrogate.",
            ),
        };
        problem.with_number(HELD_MAX as u64)
    }

    /// Creates the error of a schema in the field `param` for which no value was found.
    pub const fn unfit(param: &'static str, why: SchemaError) -> Problem {
        let keyword = match why {
            SchemaError::Keyword(keyword) => keyword,
            _ => "",
        };
        let message = match why {
            SchemaError::Malformed => "The schema in '{param}' is not a valid JSON Schema.",
            SchemaError::Keyword(_) => {
                "The schema in '{param}' has the keyword '{0}', which this server doesn't support."
            }
            SchemaError::Reference => {
                "The schema in '{param}' has a '$ref' that does not resolve within the schema."
            }
            SchemaError::BadPattern => {
                "The schema in '{param}' has a 'pattern' that is not a regular expression."
            }
            SchemaError::LookAround => {
                "The schema in '{param}' has a 'pattern' with look-around or a back-reference, \
                 which this server follows only next to a 'format' that it knows."
            }
            SchemaError::Endless => {
                "The schema in '{param}' requires infinite nesting: it refers to itself."
            }
            SchemaError::TooLarge => {
                "The schema in '{param}' is too large, or nested too deeply, for this server."
            }
            SchemaError::Contradiction => {
                "No value was found that satisfies the schema in '{param}'."
            }
        };
        Problem {
            code: Some("invalid_schema"),
            words: [keyword, ""],
            ..Problem::field(param, message)
        }
    }

    /// Returns the message with its words filled in, except for the paths.
    pub fn text(&self) -> String {
        self.message
            .replace("{param}", self.param.unwrap_or_default())
            .replace("{}", &self.number.to_string())
            .replace("{0}", self.words[0])
            .replace("{1}", self.words[1])
    }

    /// Adds the number in the message.
    pub const fn with_number(self, number: u64) -> Problem {
        Problem { number, ..self }
    }

    /// The error of a path without a route.
    pub const UNKNOWN_PATH: Problem = Problem::invalid(
        404,
        "unknown_path",
        "Unknown path. The paths for POST are {post}; for GET, {get} (those of /v1 also without it \
         and under /openai, and some under /openai/deployments/MODEL, /v1/engines/MODEL and \
         /models).",
    );

    /// The error of a path that names a model or a deployment which cannot be one.
    pub const BAD_NAME: Problem = Problem::invalid(
        404,
        "unknown_path",
        "The model's name in the path must be percent-encoded UTF-8 of at most 256 bytes.",
    );

    /// The error of too many choices.
    pub const TOO_MANY_CHOICES: Problem =
        Problem::field("n", "The prompts times 'n' must be at most 2048 choices.");

    /// Creates the error of too many log probabilities, which the field `param` requests.
    pub const fn too_many_logprobs(param: &'static str) -> Problem {
        Problem::field(
            param,
            "At most 50000 log probabilities can be returned for a choice: limit its tokens, or \
             request fewer for each.",
        )
    }

    /// The error of too many tokens.
    pub const TOO_MANY_TOKENS: Problem = Problem::invalid(
        400,
        "invalid_value",
        "At most {} tokens can be returned for all choices together: limit them, or request fewer \
         choices.",
    );

    /// The error of a response that is too long for the raw log.
    pub const TOO_LONG_TO_LOG: Problem = Problem::invalid(
        400,
        "invalid_value",
        "With -log-raw, a response is at most {} MiB: limit its tokens, or request fewer choices.",
    );

    /// The error of a request without valid credentials.
    pub const FORBIDDEN: Problem = Problem::invalid(
        403,
        "invalid_api_key",
        "The Authorization header is missing or is not the value that this server was started \
         with, and no api-key or x-api-key header has its Bearer key.",
    );

    /// Creates the error of a path that allows other methods.
    pub const fn method(methods: Methods) -> Problem {
        let message = match methods {
            Methods::Get => "This path allows only GET, HEAD and OPTIONS.",
            _ => "This path allows only POST and OPTIONS.",
        };
        let allow = Some(methods);
        Problem {
            allow,
            ..Problem::invalid(405, "method_not_allowed", message)
        }
    }

    /// The error of a body with a content coding, which this server does not decode (RFC 9110,
    /// 8.4).
    pub const ENCODED: Problem = Problem::invalid(
        415,
        "unsupported_content_encoding",
        "The request body must be sent without Content-Encoding (or with identity).",
    );

    /// The error of a body that is longer than the cap, which is the number.
    pub const TOO_LARGE: Problem = Problem::invalid(
        413,
        "request_too_large",
        "The request body is too large: at most {} bytes are accepted.",
    );

    /// The error of every request while the rate limit lasts. Its code is that of the server that
    /// this one follows.
    pub const LIMITED: Problem = Problem {
        code: Problem::FAILED.code,
        ..Problem::invalid(
            429,
            "",
            "Rate limit exceeded. Please retry after some time.",
        )
    };

    /// A failure that the settings request.
    pub const FAILED: Problem = Problem::invalid(
        500,
        "internal_server_error",
        "The server had an error while processing your request. Sorry about that!",
    );
}
