//! The endpoints of the server itself, which need no credentials (unless the settings protect the
//! metrics), and neither fail nor are delayed.

use super::route::{Route, View, routes};
use super::{openai, provider::Provider, render::script::Script, template::Template};

/// The server itself. Its errors have the form of OpenAI's.
pub const PROVIDER: Provider = Provider {
    routes: ROUTES,
    fields: &[],
    is_api: false,
    delay_field: None,
    ..openai::PROVIDER
};

const ROUTES: &[Route] = routes! {
    "/health": Get, &[""], Document(health), None;
    // A page that shows the metrics.
    "/": Get, &[""], View(View::Page), None;
    "/metrics": Get, &[""], View(View::Metrics), None;
    "/stats": Get, &[""], View(View::Stats), None;
};

fn health() -> Script {
    Script::constant(Template::parse(include_str!("own/health.json"), &[]))
}
