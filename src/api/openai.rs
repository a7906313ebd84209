//! OpenAI's API, also at the paths of Azure and of OpenAI's first SDKs.

mod demands;
mod fields;
mod scripts;

use super::form::{Form, LogprobsForm};
use super::methods::Methods;
use super::problem::Problem;
use super::provider::Provider;
use super::route::{ResponseKind, Route};

/// OpenAI.
pub const PROVIDER: Provider = Provider {
    routes: ROUTES,
    fields: fields::FIELDS,
    is_api: true,
    error: scripts::error,
    error_type,
    id_field: "x-request-id: req_mock",
    delay_field: Some("openai-processing-ms: "),
};

/// The prefixes of every path.
const API: &[&str] = &["", "/v1", "/openai", "/openai/v1"];

/// The same and those of Azure.
const AZURE: &[&str] = &[
    "",
    "/v1",
    "/openai",
    "/openai/v1",
    "/openai/deployments/{model}",
];

/// The same and those of OpenAI's first SDKs.
const ENGINES: &[&str] = &[
    "",
    "/v1",
    "/openai",
    "/openai/v1",
    "/openai/deployments/{model}",
    "/engines/{model}",
    "/v1/engines/{model}",
    "/openai/engines/{model}",
    "/openai/v1/engines/{model}",
];

/// The same and that of Azure AI's inference API.
const INFERENCE: &[&str] = &[
    "",
    "/v1",
    "/openai",
    "/openai/v1",
    "/openai/deployments/{model}",
    "/engines/{model}",
    "/v1/engines/{model}",
    "/openai/engines/{model}",
    "/openai/v1/engines/{model}",
    "/models",
];

/// The routes, in the order of the bits in `fields`. The names of models may be any path, so they
/// come last.
const ROUTES: &[Route] = &[
    post(
        "/chat/completions",
        INFERENCE,
        ResponseKind::Text(&CHAT),
        "gpt-4o-mini",
    ),
    post(
        "/responses",
        AZURE,
        ResponseKind::Text(&RESPONSES),
        "gpt-4o-mini",
    ),
    post(
        "/completions",
        ENGINES,
        ResponseKind::Text(&COMPLETIONS),
        "gpt-3.5-turbo-instruct",
    ),
    post(
        "/embeddings",
        INFERENCE,
        ResponseKind::Embeddings(scripts::embeddings),
        "text-embedding-ada-002",
    ),
    Route {
        needs_model: false,
        ..post(
            "/moderations",
            API,
            ResponseKind::Document(scripts::moderation),
            "omni-moderation-latest",
        )
    },
    get("/models", ResponseKind::Models(scripts::models)),
    get("/models/{model}", ResponseKind::Document(scripts::model)),
];

const fn post(
    path: &'static str,
    prefixes: &'static [&'static str],
    kind: ResponseKind,
    model: &'static str,
) -> Route {
    Route {
        path,
        prefixes,
        methods: Methods::Post,
        kind,
        model,
        needs_model: true,
    }
}

const fn get(path: &'static str, kind: ResponseKind) -> Route {
    Route {
        methods: Methods::Get,
        needs_model: false,
        ..post(path, API, kind, "")
    }
}

/// `CreateChatCompletionResponse`
static CHAT: Form = Form {
    script: scripts::chat,
    demand: demands::of_chat,
    function: demands::nested_function,
    logprobs: LogprobsForm::Objects {
        around: ["{\"content\":[", "],\"refusal\":null}"],
        none: "null",
    },
    logprobs_field: "logprobs",
};

/// `Response`
static RESPONSES: Form = Form {
    script: scripts::response,
    demand: demands::of_response,
    function: demands::function,
    logprobs: LogprobsForm::Objects {
        around: ["[", "]"],
        none: "[]",
    },
    logprobs_field: "top_logprobs",
};

/// `CreateCompletionResponse`, which knows no tools.
static COMPLETIONS: Form = Form {
    script: scripts::completion,
    demand: |_| Ok(None),
    function: |_, _| None,
    logprobs: LogprobsForm::Lists,
    logprobs_field: "logprobs",
};

/// Returns `error.type`. That of a 403 is not `invalid_request_error`, which LiteLLM would turn
/// into a bad request; that of a 429 is the one of the server that this one follows.
fn error_type(problem: &Problem) -> &'static str {
    match problem.status {
        403 => "permission_error",
        429 | 500 | 502..=504 => "server_error",
        _ => "invalid_request_error",
    }
}
