//! Which endpoint a path means, and the methods that it answers. One table; nothing of headers.

use crate::watch;

/// Makes `Endpoint` and the table from rows: each its help, then `Name: path, methods, reach,
/// what it gives, its files, the model where a request names none;`.
macro_rules! routes {
    ($($(#[doc = $help:literal])+
        $name:ident: $path:literal, $methods:ident, $reach:ident, $gives:expr,
            $files:expr, $model:literal;
    )+) => {
        /// What a request asks for. The names follow OpenAI's API reference.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Endpoint {$(
            $(#[doc = $help])+
            $name,
        )+}

        const ROUTES: &[Route] = &[$(Route {
            path: $path,
            endpoint: Endpoint::$name,
            methods: Methods::$methods,
            reach: Reach::$reach,
            gives: $gives,
            files: $files,
            model: $model,
        },)+];
    };
}

/// The template files of these names: of the whole, and of each item where the whole has `$items`.
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
        include_str!(concat!("templates/", $name, ".json"))
    };
}

routes! {
    /// `POST /chat/completions`
    Chat: "/chat/completions", Post, Inference, Gives::Text(Api::Chat),
        files!("chat", "chat.choice"), "gpt-4o-mini";
    /// `POST /responses`
    Responses: "/responses", Post, Deployment, Gives::Text(Api::Responses),
        files!("response"), "gpt-4o-mini";
    /// `POST /completions`
    Completions: "/completions", Post, Engine, Gives::Text(Api::Completions),
        files!("completion", "completion.choice"), "gpt-3.5-turbo-instruct";
    /// `POST /embeddings`
    Embeddings: "/embeddings", Post, Inference, Gives::Embeddings,
        files!("embeddings", "embeddings.item"), "text-embedding-ada-002";
    /// `POST /moderations`
    Moderations: "/moderations", Post, Api, Gives::Document,
        files!("moderation", "moderation.result"), "omni-moderation-latest";
    /// `GET /models`
    Models: "/models", Get, Api, Gives::Document, files!("models", "model"), "";
    /// `GET /models/{model}`
    Model: "/models/", Get, Api, Gives::Document, files!("model"), "";
    /// `GET /health`: open to all, never late, never failing.
    Health: "/health", Get, Bare, Gives::Document, files!("health"), "";
    /// `GET /`: a page that shows how the server fares.
    Page: "/", Get, Bare, Gives::View(View::Page), None, "";
    /// `GET /metrics`: the same for Prometheus.
    Metrics: "/metrics", Get, Bare, Gives::View(View::Metrics), None, "";
    /// `GET /stats`: the same as JSON.
    Stats: "/stats", Get, Bare, Gives::View(View::Stats), None, "";
}

/// Stands for "no endpoint" where requests are counted by endpoint.
pub const NOWHERE: u8 = ROUTES.len() as u8;

/// One row of the route table.
#[derive(Debug)]
pub struct Route {
    /// The path after its prefix. One that ends in a slash has a model's name behind it.
    pub path: &'static str,
    /// What the path means.
    pub endpoint: Endpoint,
    /// The methods that it answers.
    pub methods: Methods,
    /// Which prefixes it is served under; the endpoints of the API also need auth.
    pub reach: Reach,
    /// What a request that is right gets.
    pub gives: Gives,
    /// The template files of that: of the whole and, where that has `$items`, of each item.
    pub files: Option<(&'static str, &'static str)>,
    /// The model that answers where the request names none; empty where there is none.
    pub model: &'static str,
}

/// What an endpoint gives.
#[derive(Debug)]
pub enum Gives {
    /// Text, or a call of a function, in one form.
    Text(Api),
    /// A vector for each input.
    Embeddings,
    /// What its files say and no more: with an item for each input, or model listed.
    Document,
    /// How the server fares.
    View(View),
}

/// The form of a text.
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
    /// All of them, in order.
    pub const ALL: [Api; 3] = [Api::Chat, Api::Responses, Api::Completions];
}

/// How the server tells how it fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// A page for a browser.
    Page,
    /// Prometheus's text format.
    Metrics,
    /// JSON.
    Stats,
}

/// The prefixes that a path is served under. Each variant includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// None; such a path needs no auth and has neither delay nor failures.
    Bare,
    /// None, `/v1`, `/openai` and `/openai/v1`: OpenAI's API.
    Api,
    /// Azure's `/openai/deployments/{model}`.
    Deployment,
    /// `/engines/{model}` behind each of the prefixes of `Api`, as OpenAI's first SDKs have it.
    Engine,
    /// `/models`, as Azure AI's inference API has it.
    Inference,
}

/// The methods that a path answers, beside OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// GET, and HEAD with it (RFC 9110, 9.3.2).
    Get,
    /// POST.
    Post,
    /// Every method of this server: what `OPTIONS *` asks about.
    All,
}

impl Methods {
    /// The value of an `Allow` field (RFC 9110, 10.2.1).
    pub fn allow(self) -> &'static str {
        match self {
            Methods::Get => "GET, HEAD, OPTIONS",
            Methods::Post => "POST, OPTIONS",
            Methods::All => "GET, HEAD, POST, OPTIONS",
        }
    }

    /// Whether a request with `method` is answered. Methods are case-sensitive (RFC 9110, 9.1).
    pub fn answer(self, method: &str) -> bool {
        match self {
            Methods::Get => matches!(method, "GET" | "HEAD"),
            Methods::Post => method == "POST",
            Methods::All => false,
        }
    }
}

impl Route {
    /// Whether its path has a model's name at the end.
    fn is_named(&self) -> bool {
        self.path.ends_with('/') && self.path != "/"
    }
}

impl Endpoint {
    /// Its row.
    pub fn route(self) -> &'static Route {
        &ROUTES[self as usize]
    }

    /// All of them, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Endpoint> {
        ROUTES.iter().map(|route| route.endpoint)
    }
}

/// The paths where a method is answered, in a row, as errors tell them.
pub fn told(methods: Methods) -> String {
    let path = |route: &Route| match (route.reach, route.is_named()) {
        (Reach::Bare, _) => route.path.to_owned(),
        (_, true) => format!("/v1{}MODEL", route.path),
        (_, false) => format!("/v1{}", route.path),
    };
    let rows = ROUTES.iter().filter(|route| route.methods == methods);
    rows.map(path).collect::<Vec<_>>().join(", ")
}

/// What requests are counted by: the endpoints in their order, and behind them [`NOWHERE`].
pub fn counted() -> Vec<watch::Endpoint> {
    let endpoint = |route: &Route| watch::Endpoint {
        label: match route.is_named() {
            true => format!("{}{{model}}", route.path),
            false => route.path.into(),
        },
        api: route.reach != Reach::Bare,
    };
    let nowhere = watch::Endpoint {
        label: "other".into(),
        api: true,
    };
    ROUTES.iter().map(endpoint).chain([nowhere]).collect()
}

/// What the API's paths may begin with; the longest first, since one begins another.
const PREFIXES: [&str; 4] = ["/openai/v1", "/openai", "/v1", ""];
const DEPLOYMENTS: &str = "/openai/deployments/";
const ENGINES: &str = "/engines/";
const INFERENCE: &str = "/models";

/// Finds the route of a request target in origin-form. The query is ignored. The second value is
/// the model's name where the path has one, as written.
pub fn find(target: &str) -> Option<(&'static Route, Option<&str>)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if let Some(rest) = path.strip_prefix(DEPLOYMENTS) {
        return with_model(rest, Reach::Deployment);
    }
    // Before the models, which any other path below this one names.
    let inference = path.strip_prefix(INFERENCE).and_then(row);
    if let Some(found) = inference.filter(|(route, _)| route.reach >= Reach::Inference) {
        return Some(found);
    }
    let (prefix, rest) = PREFIXES
        .iter()
        .find_map(|prefix| Some((prefix, path.strip_prefix(prefix)?)))?;
    match rest.strip_prefix(ENGINES) {
        Some(rest) => with_model(rest, Reach::Engine),
        None => row(rest).filter(|(route, _)| prefix.is_empty() || route.reach != Reach::Bare),
    }
}

/// Finds the route of a path that begins with a model's name, among those of at least `reach`.
fn with_model(path: &str, reach: Reach) -> Option<(&'static Route, Option<&str>)> {
    let (model, rest) = path.split_at(path.find('/')?);
    let (route, _) = row(rest).filter(|(route, _)| route.reach >= reach)?;
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
