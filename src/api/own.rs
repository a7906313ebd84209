//! The endpoints of the server itself, which need no credentials (unless the settings protect the
//! metrics), and neither fail nor are delayed.

use super::methods::Methods;
use super::openai;
use super::provider::Provider;
use super::render::script::Script;
use super::route::{ResponseKind, Route, View};
use super::template::Template;

/// The server itself. Its errors have the form of OpenAI's.
pub const PROVIDER: Provider = Provider {
    routes: ROUTES,
    fields: &[],
    is_api: false,
    error: openai::PROVIDER.error,
    error_type: openai::PROVIDER.error_type,
    id_field: openai::PROVIDER.id_field,
    delay_field: None,
};

const ROUTES: &[Route] = &[
    route("/health", ResponseKind::Document(health)),
    // A page that shows the metrics.
    route("/", ResponseKind::View(View::Page)),
    route("/metrics", ResponseKind::View(View::Metrics)),
    route("/stats", ResponseKind::View(View::Stats)),
];

const fn route(path: &'static str, kind: ResponseKind) -> Route {
    Route {
        path,
        prefixes: &[""],
        methods: Methods::Get,
        kind,
        model: "",
        needs_model: false,
    }
}

fn health() -> Script {
    Script::constant(Template::parse(include_str!("own/health.json"), &[]))
}
