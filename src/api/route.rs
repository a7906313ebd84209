//! The table of routes: the path, the methods and the prefixes of each endpoint, and its kind of
//! response.

use crate::watch;

/// Makes [`Endpoint`] and the table from rows of the form `Name: path, methods, prefixes, kind of
/// response, files, default model;`, each below its doc comment.
macro_rules! routes {
    ($($(#[doc = $help:literal])+
        $name:ident: $path:literal, $methods:ident, $prefixes:ident, $kind:expr,
            $files:expr, $model:literal;
    )+) => {
        /// An endpoint. The names follow OpenAI's API reference.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Endpoint {$(
            $(#[doc = $help])+
            $name,
        )+}

        const ROUTES: &[Route] = &[$(Route {
            path: $path,
            endpoint: Endpoint::$name,
            methods: Methods::$methods,
            prefixes: Prefixes::$prefixes,
            kind: $kind,
            files: $files,
            model: $model,
        },)+];
    };
}

/// Includes the template files of these names: that of the response and, if it has `$items`, that
/// of an item.
macro_rules! files {
    ($frame:literal, $item:literal) => {
        Some((file!($frame), file!($item)))
    };
    ($frame:literal) => {
        Some((file!($frame), "null"))
    };
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("openai/", $name, ".json"))
    };
}

routes! {
    /// `POST /chat/completions`
    Chat: "/chat/completions", Post, Inference, ResponseKind::Text(Api::Chat),
        files!("chat", "chat.choice"), "gpt-4o-mini";
    /// `POST /responses`
    Responses: "/responses", Post, Deployment, ResponseKind::Text(Api::Responses),
        files!("response"), "gpt-4o-mini";
    /// `POST /completions`
    Completions: "/completions", Post, Engine, ResponseKind::Text(Api::Completions),
        files!("completion", "completion.choice"), "gpt-3.5-turbo-instruct";
    /// `POST /embeddings`
    Embeddings: "/embeddings", Post, Inference, ResponseKind::Embeddings,
        files!("embeddings", "embeddings.item"), "text-embedding-ada-002";
    /// `POST /moderations`
    Moderations: "/moderations", Post, Api, ResponseKind::Document,
        files!("moderation", "moderation.result"), "omni-moderation-latest";
    /// `GET /models`
    Models: "/models", Get, Api, ResponseKind::Document, files!("models", "model"), "";
    /// `GET /models/{model}`
    Model: "/models/", Get, Api, ResponseKind::Document, files!("model"), "";
    /// `GET /health`: needs no auth, and never fails or is delayed.
    Health: "/health", Get, Bare, ResponseKind::Document, files!("health"), "";
    /// `GET /`: a page that shows the metrics.
    Page: "/", Get, Bare, ResponseKind::View(View::Page), None, "";
    /// `GET /metrics`: the metrics for Prometheus.
    Metrics: "/metrics", Get, Bare, ResponseKind::View(View::Metrics), None, "";
    /// `GET /stats`: the metrics as JSON.
    Stats: "/stats", Get, Bare, ResponseKind::View(View::Stats), None, "";
}

/// The number behind those of the endpoints, which counts requests to none of them.
pub const UNROUTED: u8 = ROUTES.len() as u8;
const _: () = assert!(ROUTES.len() < u8::MAX as usize);

/// A row of the route table.
#[derive(Debug)]
pub struct Route {
    /// The path behind its prefix. If it ends in a slash, the name of a model follows.
    pub path: &'static str,
    /// The endpoint of the path.
    pub endpoint: Endpoint,
    /// The methods that it allows.
    pub methods: Methods,
    /// The prefixes under which it is served. Those of the API require auth, if it is set.
    pub prefixes: Prefixes,
    /// The kind of response to a valid request.
    pub kind: ResponseKind,
    /// The template files: that of the response and, if it has `$items`, that of an item.
    pub files: Option<(&'static str, &'static str)>,
    /// The model of requests that name none; empty if there is no model.
    pub model: &'static str,
}

/// The kind of an endpoint's responses.
#[derive(Debug)]
pub enum ResponseKind {
    /// Generated text or a function call.
    Text(Api),
    /// A vector for each input.
    Embeddings,
    /// Only the content of its files, with an item for each input or listed model.
    Document,
    /// The metrics.
    View(View),
}

/// The API whose form generated text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `CreateChatCompletionResponse`
    Chat,
    /// `Response`
    Responses,
    /// `CreateCompletionResponse`
    Completions,
}

impl Api {
    /// Every API, in order.
    pub const ALL: [Api; 3] = [Api::Chat, Api::Responses, Api::Completions];
}

/// A form of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A page for a browser.
    Page,
    /// Prometheus's text format.
    Metrics,
    /// JSON.
    Stats,
}

/// The prefixes under which a path is served. Each variant includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prefixes {
    /// No prefix. Such a path needs no auth and has neither delays nor failures.
    Bare,
    /// No prefix, `/v1`, `/openai` and `/openai/v1`: OpenAI's API.
    Api,
    /// Azure's `/openai/deployments/{model}`.
    Deployment,
    /// `/engines/{model}` behind each of the prefixes of `Api`, for OpenAI's first SDKs.
    Engine,
    /// `/models`, for Azure AI's inference API.
    Inference,
}

/// The methods that a path allows, besides OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// GET, and HEAD with it (RFC 9110, 9.3.2).
    Get,
    /// POST.
    Post,
    /// Every method of this server, for `OPTIONS *`.
    All,
}

impl Methods {
    /// Returns the value of an `Allow` field (RFC 9110, 10.2.1).
    pub fn allow(self) -> &'static str {
        match self {
            Methods::Get => "GET, HEAD, OPTIONS",
            Methods::Post => "POST, OPTIONS",
            Methods::All => "GET, HEAD, POST, OPTIONS",
        }
    }

    /// Returns whether `method` is one of them. Methods are case-sensitive (RFC 9110, 9.1).
    pub fn include(self, method: &str) -> bool {
        match self {
            Methods::Get => matches!(method, "GET" | "HEAD"),
            Methods::Post => method == "POST",
            Methods::All => false,
        }
    }
}

impl Route {
    /// Returns whether the name of a model ends its path.
    fn is_named(&self) -> bool {
        self.path.ends_with('/') && self.path != "/"
    }
}

impl Endpoint {
    /// The number of endpoints.
    pub const COUNT: usize = ROUTES.len();

    /// Returns its row.
    pub fn route(self) -> &'static Route {
        &ROUTES[self as usize]
    }

    /// Returns every endpoint, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Endpoint> {
        ROUTES.iter().map(|route| route.endpoint)
    }
}

/// Returns the paths that allow these methods, as a list for errors.
pub fn list_paths(methods: Methods) -> String {
    let path = |route: &Route| match (route.prefixes, route.is_named()) {
        (Prefixes::Bare, _) => route.path.to_owned(),
        (_, true) => format!("/v1{}MODEL", route.path),
        (_, false) => format!("/v1{}", route.path),
    };
    let rows = ROUTES.iter().filter(|route| route.methods == methods);
    rows.map(path).collect::<Vec<_>>().join(", ")
}

/// Returns the labels by which requests are counted: the endpoints in their order, and
/// [`UNROUTED`].
pub fn counted() -> Vec<watch::CountedEndpoint> {
    let endpoint = |route: &Route| watch::CountedEndpoint {
        label: match route.is_named() {
            true => format!("{}{{model}}", route.path),
            false => route.path.into(),
        },
        api: route.prefixes != Prefixes::Bare,
    };
    let unrouted = watch::CountedEndpoint {
        label: "other".into(),
        api: true,
    };
    ROUTES.iter().map(endpoint).chain([unrouted]).collect()
}

/// The prefixes of the API's paths. A longer one precedes those that it begins with.
const PREFIXES: [&str; 4] = ["/openai/v1", "/openai", "/v1", ""];
const DEPLOYMENTS: &str = "/openai/deployments/";
const ENGINES: &str = "/engines/";
const INFERENCE: &str = "/models";

/// Finds the route of a request target in origin-form. The query is ignored. The second value is
/// the name of the model as written in the path, if it has one.
pub fn find(target: &str) -> Option<(&'static Route, Option<&str>)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if let Some(rest) = path.strip_prefix(DEPLOYMENTS) {
        return with_model(rest, Prefixes::Deployment);
    }
    // These precede the models, since any other path below this one names a model.
    let inference = path.strip_prefix(INFERENCE).and_then(row);
    if let Some(found) = inference.filter(|(route, _)| route.prefixes >= Prefixes::Inference) {
        return Some(found);
    }
    let (prefix, rest) = PREFIXES
        .iter()
        .find_map(|prefix| Some((prefix, path.strip_prefix(prefix)?)))?;
    match rest.strip_prefix(ENGINES) {
        Some(rest) => with_model(rest, Prefixes::Engine),
        None => {
            row(rest).filter(|(route, _)| prefix.is_empty() || route.prefixes != Prefixes::Bare)
        }
    }
}

/// Finds the route of a path that begins with a model's name, among those of at least `prefixes`.
fn with_model(path: &str, prefixes: Prefixes) -> Option<(&'static Route, Option<&str>)> {
    let (model, rest) = path.split_at(path.find('/')?);
    let (route, _) = row(rest).filter(|(route, _)| route.prefixes >= prefixes)?;
    (!model.is_empty()).then_some((route, Some(model)))
}

fn row(path: &str) -> Option<(&'static Route, Option<&str>)> {
    ROUTES.iter().find_map(|route| {
        let name = path.strip_prefix(route.path)?;
        match route.is_named() {
            true => (!name.is_empty()).then_some((route, Some(name))),
            false => name.is_empty().then_some((route, None)),
        }
    })
}

#[cfg(test)]
mod tests;
