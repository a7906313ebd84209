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
    Chat: "/chat/completions", Post, ApiAndAzure, Gives::Text(Api::Chat),
        files!("chat", "chat.choice"), "gpt-4o-mini";
    /// `POST /responses`
    Responses: "/responses", Post, Api, Gives::Text(Api::Responses),
        files!("response"), "gpt-4o-mini";
    /// `POST /completions`
    Completions: "/completions", Post, ApiAndAzure, Gives::Text(Api::Completions),
        files!("completion", "completion.choice"), "gpt-3.5-turbo-instruct";
    /// `POST /embeddings`
    Embeddings: "/embeddings", Post, ApiAndAzure, Gives::Embeddings,
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

/// Under which prefixes a path is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only as it stands, and without auth, delay or failures.
    Bare,
    /// Bare and under `/v1`, `/openai` and `/openai/v1`.
    Api,
    /// As `Api`, and under Azure's `/openai/deployments/{model}`.
    ApiAndAzure,
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
const PREFIXES: [&str; 3] = ["/openai/v1", "/openai", "/v1"];
const AZURE: &str = "/openai/deployments/";

/// Finds the route of a request target in origin-form. The query is ignored. The second value is
/// the model's name where the path has one, as written.
pub fn find(target: &str) -> Option<(&'static Route, Option<&str>)> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    if let Some((deployment, rest)) = path.strip_prefix(AZURE).and_then(|p| split_segment(p)) {
        let (route, _) = row(rest).filter(|(route, _)| route.reach == Reach::ApiAndAzure)?;
        return Some((route, Some(deployment)));
    }
    if let Some(found) = row(path) {
        return Some(found);
    }
    let rest = PREFIXES
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))?;
    row(rest).filter(|(route, _)| route.reach != Reach::Bare)
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

fn split_segment(path: &str) -> Option<(&str, &str)> {
    let end = path.find('/').filter(|&end| end > 0)?;
    Some(path.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(target: &str) -> Option<(Endpoint, Option<&str>)> {
        find(target).map(|(route, deployment)| (route.endpoint, deployment))
    }

    #[test]
    fn every_documented_path_is_found() {
        for prefix in ["", "/v1", "/openai", "/openai/v1"] {
            for (path, want) in [
                ("/chat/completions", Endpoint::Chat),
                ("/responses", Endpoint::Responses),
                ("/completions", Endpoint::Completions),
                ("/embeddings", Endpoint::Embeddings),
                ("/moderations", Endpoint::Moderations),
                ("/models", Endpoint::Models),
            ] {
                let target = format!("{prefix}{path}");
                assert_eq!(endpoint(&target), Some((want, None)), "{target}");
                let target = format!("{prefix}{path}?api-version=2024-10-21");
                assert_eq!(endpoint(&target), Some((want, None)), "{target}");
            }
        }
        for (target, want) in [
            ("/health", Endpoint::Health),
            ("/", Endpoint::Page),
            ("/?x", Endpoint::Page),
            ("/metrics", Endpoint::Metrics),
            ("/stats", Endpoint::Stats),
        ] {
            assert_eq!(endpoint(target), Some((want, None)), "{target}");
        }
    }

    #[test]
    fn endpoints_are_numbered_as_their_rows() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert_eq!(route.endpoint as usize, at);
        }
        let counted = counted();
        assert_eq!(counted.len(), usize::from(NOWHERE) + 1);
        assert_eq!(counted[Endpoint::Model as usize].label, "/models/{model}");
    }

    /// What a row may not say, since nothing answers it.
    #[test]
    fn rows_agree_with_themselves() {
        for route in ROUTES {
            let asks = matches!(route.gives, Gives::Text(_) | Gives::Embeddings);
            assert!(!asks || route.methods == Methods::Post, "{}", route.path);
            assert!(route.reach != Reach::Bare || route.methods == Methods::Get);
            assert_eq!(route.files.is_none(), matches!(route.gives, Gives::View(_)));
            // Which model an item of a list names, the list of models says alone.
            let item = route.files.map_or("", |(_, item)| item);
            let names = item.contains("$model");
            assert!(
                !names || route.endpoint == Endpoint::Models,
                "{}",
                route.path
            );
        }
    }

    #[test]
    fn errors_tell_every_path() {
        let get = told(Methods::Get);
        let paths: Vec<&str> = get.split(", ").collect();
        let known = [
            "/v1/models",
            "/v1/models/MODEL",
            "/health",
            "/",
            "/metrics",
            "/stats",
        ];
        assert!(known.iter().all(|path| paths.contains(path)), "{get}");
        let rows = ROUTES.iter().filter(|row| row.methods == Methods::Get);
        assert_eq!(paths.len(), rows.count());
        assert!(told(Methods::Post).starts_with("/v1/chat/completions, /v1/responses, "));
    }

    #[test]
    fn azure_names_the_model_in_the_path() {
        let chat = "/openai/deployments/my-gpt/chat/completions?api-version=1";
        assert_eq!(endpoint(chat), Some((Endpoint::Chat, Some("my-gpt"))));
        let embeddings = "/openai/deployments/a%20b/embeddings";
        assert_eq!(
            endpoint(embeddings),
            Some((Endpoint::Embeddings, Some("a%20b")))
        );
    }

    #[test]
    fn a_models_name_is_the_rest_of_its_path() {
        let named = |name| Some((Endpoint::Model, Some(name)));
        assert_eq!(endpoint("/v1/models/gpt-4o"), named("gpt-4o"));
        assert_eq!(endpoint("/models/org%2Fname?x=1"), named("org%2Fname"));
        assert_eq!(endpoint("/openai/v1/models/org/name"), named("org/name"));
    }

    #[test]
    fn other_paths_are_not() {
        for target in [
            "",
            "//",
            "*",
            "/v1",
            "/v1/",
            "/v1/health",
            "/v1/stats",
            "/openai/metrics",
            "/v2/chat/completions",
            "/v1/chat/completions/",
            "/v1/Chat/completions",
            "/v1//chat/completions",
            "/openai/deployments//chat/completions",
            "/openai/deployments/m/responses",
            "/openai/deployments/m/health",
            "/openai/deployments/m/models",
            "/openai/deployments/m/models/x",
            "/v1/models/",
            "/v1/modelsx",
            "/v1/openai/chat/completions",
        ] {
            assert_eq!(endpoint(target), None, "{target}");
        }
    }
}
