//! What can be wrong with a request, as OpenAI's error object says it. Knows no bytes of HTTP.

use super::ask::Bad;
use super::route::Methods;

/// An error answer. The fields are those of OpenAI's `Error` schema, with the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// `error.type`
    pub kind: &'static str,
    /// `error.code`
    pub code: &'static str,
    /// `error.message`; `{}` in it stands for `number`.
    pub message: &'static str,
    /// `error.param`: the field of the request that was wrong.
    pub param: Option<&'static str>,
    /// A position or a limit that the message names.
    pub number: u64,
    /// The methods that the path does answer, for 405.
    pub allow: Option<Methods>,
    /// How many seconds a client is told to wait before it tries again, for 429; 0: it is not.
    pub retry_after: u32,
}

impl Problem {
    /// A request that is wrong by itself: OpenAI's type `invalid_request_error`.
    pub const fn invalid(status: u16, code: &'static str, message: &'static str) -> Problem {
        Problem {
            status,
            kind: "invalid_request_error",
            code,
            message,
            param: None,
            number: 0,
            allow: None,
            retry_after: 0,
        }
    }

    /// The same problem with the number that its message names.
    pub const fn with_number(self, number: u64) -> Problem {
        Problem { number, ..self }
    }

    /// No route has this path.
    pub const UNKNOWN_PATH: Problem = Problem::invalid(
        404,
        "unknown_path",
        "There is nothing at this path. POST is answered at /v1/chat/completions, /v1/responses, \
         /v1/completions, /v1/embeddings and /v1/moderations, GET at /v1/models, \
         /v1/models/MODEL and /health (those of /v1 also without it, under /openai and partly \
         under /openai/deployments/MODEL).",
    );

    /// The name in the path, a model's or Azure's deployment, can't be a model's name.
    pub const BAD_NAME: Problem = Problem::invalid(
        404,
        "unknown_path",
        "The model's name in the path must be percent-encoded UTF-8 of at most 256 bytes.",
    );

    /// More choices than an answer gives.
    pub const TOO_MANY_CHOICES: Problem = Problem {
        param: Some("n"),
        ..Problem::invalid(
            400,
            "invalid_value",
            "The prompts times 'n' must be at most 2048 choices.",
        )
    };

    /// More probabilities than an answer tells.
    pub const TOO_MANY_LOGPROBS: Problem = Problem {
        param: Some("logprobs"),
        ..Problem::invalid(
            400,
            "invalid_value",
            "At most 50000 probabilities are told for a choice: limit its tokens, or ask for fewer \
             beside each.",
        )
    };

    /// The `Authorization` field is missing or not the one that was set. Its type is not
    /// `invalid_request_error`: LiteLLM would make a bad request of that.
    pub const FORBIDDEN: Problem = Problem {
        kind: "permission_error",
        ..Problem::invalid(
            403,
            "invalid_api_key",
            "The Authorization header is missing or is not the value that this server was \
             started with.",
        )
    };

    /// The route answers other methods.
    pub const fn method(methods: Methods) -> Problem {
        let message = match methods {
            Methods::Get => "This path answers GET, HEAD and OPTIONS only.",
            _ => "This path answers POST and OPTIONS only.",
        };
        let allow = Some(methods);
        Problem {
            allow,
            ..Problem::invalid(405, "method_not_allowed", message)
        }
    }

    /// A body in a coding that this server does not undo (RFC 9110, 8.4).
    pub const ENCODED: Problem = Problem::invalid(
        415,
        "unsupported_content_encoding",
        "The request body must be sent without Content-Encoding (or with identity).",
    );

    /// The request body is longer than the cap, which is the number.
    pub const TOO_LARGE: Problem = Problem::invalid(
        413,
        "request_too_large",
        "The request body is too large: at most {} bytes are accepted.",
    );

    /// What every request gets while the rate limit lasts. Type and code are those that users of
    /// the reference server know.
    pub const LIMITED: Problem = Problem {
        status: 429,
        message: "Rate limit exceeded. Please retry after some time.",
        ..Problem::FAILED
    };

    /// A failure that the settings asked for.
    pub const FAILED: Problem = Problem {
        kind: "server_error",
        ..Problem::invalid(
            500,
            "internal_server_error",
            "The server had an error while processing your request. Sorry about that!",
        )
    };

    const SYNTAX: Problem = Problem::invalid(
        400,
        "invalid_json",
        "The request body is not valid JSON: it cannot be read on at byte {} (counted from 0).",
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
}

impl From<Bad> for Problem {
    fn from(bad: Bad) -> Problem {
        match bad {
            Bad::Syntax { at } => Problem::SYNTAX.with_number(at),
            Bad::NotObject => Problem::NOT_OBJECT,
            Bad::TooDeep => Problem::TOO_DEEP,
            Bad::Field { param, message } => Problem {
                param: Some(param),
                ..Problem::invalid(400, "invalid_value", message)
            },
        }
    }
}
