//! OpenAI's API, also at the paths of Azure and of OpenAI's first SDKs.

mod demands;
mod fields;
mod scripts;

use super::form::{Form, LogprobsForm};
use super::route::{Route, routes};
use super::{problem::Problem, provider::Provider};

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

/// The prefixes of the paths: those of every path, Azure's, those of OpenAI's first SDKs, and that
/// of Azure AI's inference API.
const PREFIXES: [&str; 10] = [
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
const API: &[&str] = PREFIXES.split_at(4).0;
const AZURE: &[&str] = PREFIXES.split_at(5).0;
const ENGINES: &[&str] = PREFIXES.split_at(9).0;
const INFERENCE: &[&str] = &PREFIXES;

// In the order of the bits in `fields`. The name of a model may be any path, so it comes last.
const ROUTES: &[Route] = routes! {
    "/chat/completions": Post, INFERENCE, Text(&CHAT), Required("gpt-4o-mini");
    "/responses": Post, AZURE, Text(&RESPONSES), Required("gpt-4o-mini");
    "/completions": Post, ENGINES, Text(&COMPLETIONS), Required("gpt-3.5-turbo-instruct");
    "/embeddings": Post, INFERENCE, Embeddings(scripts::embeddings),
        Required("text-embedding-ada-002");
    "/moderations": Post, API, Document(scripts::moderation), Optional("omni-moderation-latest");
    "/models": Get, API, Models(scripts::models), None;
    "/models/{model}": Get, API, Document(scripts::model), None;
};

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
/// into a bad request; that of a 429 is the one of the server that this one is modelled on.
fn error_type(problem: &Problem) -> &'static str {
    match problem.status {
        403 => "permission_error",
        429 | 500 | 502..=504 => "server_error",
        _ => "invalid_request_error",
    }
}
