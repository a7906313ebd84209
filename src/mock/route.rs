//! Which endpoint a path means, and the methods that it answers. One table; nothing of headers.

use crate::watch;

/// What a request asks for. The names follow OpenAI's API reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /chat/completions`
    Chat,
    /// `POST /responses`
    Responses,
    /// `POST /completions`
    Completions,
    /// `POST /embeddings`
    Embeddings,
    /// `POST /moderations`
    Moderations,
    /// `GET /models`
    Models,
    /// `GET /models/{model}`
    Model,
    /// `GET /health`: open to all, never late, never failing.
    Health,
    /// `GET /`: a page that shows how the server fares.
    Page,
    /// `GET /metrics`: the same for Prometheus.
    Metrics,
    /// `GET /stats`: the same as JSON.
    Stats,
}

/// Stands for "no endpoint" where requests are counted by endpoint.
pub const NOWHERE: u8 = ROUTES.len() as u8;

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

/// One row of the route table.
#[derive(Debug)]
pub struct Route {
    /// The path after its prefix. One that ends in a slash has a model's name behind it.
    path: &'static str,
    /// What the path means.
    pub endpoint: Endpoint,
    /// The methods that it answers.
    pub methods: Methods,
    /// Which prefixes it is served under; the endpoints of the API also need auth.
    pub reach: Reach,
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

const ROUTES: &[Route] = &[
    Route {
        path: "/chat/completions",
        endpoint: Endpoint::Chat,
        methods: Methods::Post,
        reach: Reach::ApiAndAzure,
    },
    Route {
        path: "/responses",
        endpoint: Endpoint::Responses,
        methods: Methods::Post,
        reach: Reach::Api,
    },
    Route {
        path: "/completions",
        endpoint: Endpoint::Completions,
        methods: Methods::Post,
        reach: Reach::ApiAndAzure,
    },
    Route {
        path: "/embeddings",
        endpoint: Endpoint::Embeddings,
        methods: Methods::Post,
        reach: Reach::ApiAndAzure,
    },
    Route {
        path: "/moderations",
        endpoint: Endpoint::Moderations,
        methods: Methods::Post,
        reach: Reach::Api,
    },
    Route {
        path: "/models",
        endpoint: Endpoint::Models,
        methods: Methods::Get,
        reach: Reach::Api,
    },
    Route {
        path: "/models/",
        endpoint: Endpoint::Model,
        methods: Methods::Get,
        reach: Reach::Api,
    },
    Route {
        path: "/health",
        endpoint: Endpoint::Health,
        methods: Methods::Get,
        reach: Reach::Bare,
    },
    Route {
        path: "/",
        endpoint: Endpoint::Page,
        methods: Methods::Get,
        reach: Reach::Bare,
    },
    Route {
        path: "/metrics",
        endpoint: Endpoint::Metrics,
        methods: Methods::Get,
        reach: Reach::Bare,
    },
    Route {
        path: "/stats",
        endpoint: Endpoint::Stats,
        methods: Methods::Get,
        reach: Reach::Bare,
    },
];

/// What requests are counted by: the endpoints in their order, and behind them [`NOWHERE`].
pub fn counted() -> Vec<watch::Endpoint> {
    let endpoint = |route: &Route| watch::Endpoint {
        label: match route.path {
            "/" => "/".into(),
            path if path.ends_with('/') => format!("{path}{{model}}"),
            path => path.into(),
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
        match route.path.ends_with('/') && route.path != "/" {
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
        assert_eq!(counted[6].label, "/models/{model}");
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
