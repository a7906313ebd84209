//! The routes of paths, and the rules that every row follows.

use super::*;
use crate::api::route::ResponseKind;

/// Returns the path of the route of a target, and the name of the model in it.
fn endpoint(target: &str) -> Option<(&str, Option<&str>)> {
    find(target).map(|(endpoint, model)| (endpoint.route.path, model))
}

#[test]
fn every_documented_path_is_found() {
    for prefix in ["", "/v1", "/openai", "/openai/v1"] {
        for (path, want) in [
            ("/chat/completions", "/chat/completions"),
            ("/responses", "/responses"),
            ("/completions", "/completions"),
            ("/embeddings", "/embeddings"),
            ("/moderations", "/moderations"),
            ("/models", "/models"),
        ] {
            let target = format!("{prefix}{path}");
            assert_eq!(endpoint(&target), Some((want, None)), "{target}");
            let target = format!("{prefix}{path}?api-version=2024-10-21");
            assert_eq!(endpoint(&target), Some((want, None)), "{target}");
        }
    }
    for (target, want) in [
        ("/health", "/health"),
        ("/", "/"),
        ("/?x", "/"),
        ("/metrics", "/metrics"),
        ("/stats", "/stats"),
    ] {
        assert_eq!(endpoint(target), Some((want, None)), "{target}");
    }
}

#[test]
fn endpoints_are_numbered_in_order() {
    for (at, endpoint) in ENDPOINTS.iter().enumerate() {
        assert_eq!(usize::from(endpoint.index), at);
    }
    let counted = counted();
    assert_eq!(counted.len(), usize::from(UNROUTED) + 1);
    let model = find("/models/x").unwrap().0;
    assert_eq!(counted[usize::from(model.index)].label, "/models/{model}");
}

/// The combinations that no response serves.
#[test]
fn rows_agree_with_themselves() {
    for endpoint in &ENDPOINTS {
        let route = endpoint.route;
        let path = route.path;
        let is_post = route.methods == Methods::Post;
        match route.kind {
            ResponseKind::Text(_) | ResponseKind::Embeddings(_) => assert!(is_post, "{path}"),
            ResponseKind::Models(_) | ResponseKind::View(_) => assert!(!is_post, "{path}"),
            ResponseKind::Document(_) => {}
        }
        assert!(endpoint.provider.is_api || !is_post, "{path}");
    }
}

#[test]
fn errors_list_every_path() {
    let get = list_paths(Methods::Get);
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
    let rows = ENDPOINTS
        .iter()
        .filter(|row| row.route.methods == Methods::Get);
    assert_eq!(paths.len(), rows.count());
    assert!(list_paths(Methods::Post).starts_with("/v1/chat/completions, /v1/responses, "));
}

#[test]
fn azures_and_the_first_sdks_paths_name_the_model() {
    for (path, want) in [
        ("/chat/completions", [true, true]),
        ("/completions", [true, true]),
        ("/embeddings", [true, true]),
        ("/responses", [true, false]),
        ("/moderations", [false, false]),
        ("/models", [false, false]),
    ] {
        let below = |prefix: &str, served: bool| {
            for model in ["my-gpt", "a%20b"] {
                let target = format!("{prefix}/{model}{path}?api-version=1");
                let named = endpoint(&target).map(|(_, model)| model);
                assert_eq!(named, served.then_some(Some(model)), "{target}");
            }
        };
        below("/openai/deployments", want[0]);
        for prefix in ["", "/v1", "/openai", "/openai/v1"] {
            below(&format!("{prefix}/engines"), want[1]);
        }
    }
}

#[test]
fn azure_ais_paths_are_no_models() {
    let query = "/models/chat/completions?api-version=2024-05-01-preview";
    assert_eq!(endpoint(query), Some(("/chat/completions", None)));
    assert_eq!(endpoint("/models/embeddings"), Some(("/embeddings", None)));
    for name in [
        "chat",
        "completions",
        "responses",
        "chat/completions/x",
        "models",
    ] {
        let target = format!("/models/{name}");
        assert_eq!(endpoint(&target), Some(("/models/{model}", Some(name))));
    }
    let below = endpoint("/v1/models/chat/completions");
    assert_eq!(below, Some(("/models/{model}", Some("chat/completions"))));
}

#[test]
fn a_models_name_is_the_rest_of_its_path() {
    let named = |name| Some(("/models/{model}", Some(name)));
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
        "/openai/deployments/m/v1/chat/completions",
        "/openai/deployments/m/health",
        "/openai/deployments/m/models",
        "/openai/deployments/m/models/x",
        "/v1/deployments/m/chat/completions",
        "/v1/engines",
        "/v1/engines/m",
        "/v1/engines//completions",
        "/v1/engines/a/b/completions",
        "/v1/engines/m/health",
        "/v2/engines/m/completions",
        "/v1/models/",
        "/v1/modelsx",
        "/v1/openai/chat/completions",
    ] {
        assert_eq!(endpoint(target), None, "{target}");
    }
}
