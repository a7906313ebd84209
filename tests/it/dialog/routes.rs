//! Tests of routing, of credentials and of the order of checks.

use mocker::internals::settings::Settings;

use super::client::{Client, End, HEALTH, in_every_cut, in_every_cut_with_heads, post, request};

const PREFIXES: [&str; 9] = [
    "",
    "/v1",
    "/openai",
    "/openai/v1",
    "/openai/deployments/my%20m",
    "/engines/my%20m",
    "/v1/engines/my%20m",
    "/openai/engines/my%20m",
    "/openai/v1/engines/my%20m",
];

fn guarded() -> Settings {
    Settings {
        auth: "Bearer secret".into(),
        ..Settings::default()
    }
}

#[test]
fn every_endpoint_is_served_under_every_prefix() {
    for (path, object) in [
        ("/chat/completions", "chat.completion"),
        ("/responses", "response"),
        ("/embeddings", "list"),
    ] {
        for prefix in PREFIXES {
            for query in ["", "?api-version=2024-10-21&a=/b"] {
                let target = format!("{prefix}{path}{query}");
                let absolute = format!("http://other:1/{}", target.trim_start_matches('/'));
                for target in [&target, &absolute] {
                    let body = r#"{"model":"b","input":"x","dimensions":2}"#;
                    let bytes = post(target, body);
                    let outcome = in_every_cut(target, &Settings::default(), bytes.as_bytes());
                    let named = prefix.contains("my%20m");
                    if prefix.contains("engines") && path == "/responses" {
                        assert_eq!(outcome.statuses(), [404], "{target}");
                        continue;
                    }
                    assert_eq!(outcome.statuses(), [200], "{target}");
                    let json = outcome.answers[0].json();
                    assert_eq!(json["object"], object, "{target}");
                    // Such a path specifies the model, whatever is in the body.
                    let model = if named { "my m" } else { "b" };
                    assert_eq!(json["model"], model, "{target}");
                }
            }
        }
    }
}

/// On Azure AI's paths the model is in the body, and engines support completions too.
#[test]
fn alternative_paths_lead_to_the_endpoint() {
    for (target, object, model) in [
        ("/models/chat/completions", "chat.completion", "b"),
        (
            "/models/chat/completions?api-version=2024-05-01-preview",
            "chat.completion",
            "b",
        ),
        ("/models/embeddings?api-version=1", "list", "b"),
        ("/openai/deployments/m/completions", "text_completion", "m"),
        (
            "/v1/engines/davinci/completions",
            "text_completion",
            "davinci",
        ),
        ("/engines/a%2Fb/completions", "text_completion", "a/b"),
    ] {
        let body = r#"{"model":"b","input":"x","prompt":"x","dimensions":2}"#;
        let outcome = in_every_cut(target, &Settings::default(), post(target, body).as_bytes());
        assert_eq!(outcome.statuses(), [200], "{target}");
        let json = outcome.answers[0].json();
        assert_eq!(
            (&json["object"], &json["model"]),
            (&object.into(), &model.into())
        );
    }
}

#[test]
fn an_empty_body_is_all_defaults() {
    for (path, model) in [
        ("/v1/chat/completions", "gpt-4o-mini"),
        ("/v1/responses", "gpt-4o-mini"),
        ("/v1/embeddings", "text-embedding-ada-002"),
    ] {
        for body in ["", "{}", r#"{"model":null}"#, r#"{"model":""}"#] {
            let outcome = in_every_cut(path, &Settings::default(), post(path, body).as_bytes());
            assert_eq!(outcome.statuses(), [200], "{path} {body}");
            assert_eq!(outcome.answers[0].json()["model"], model);
        }
        let no_length = format!("POST {path} HTTP/1.1\r\nHost: a\r\n\r\n{HEALTH}");
        let outcome = in_every_cut(path, &Settings::default(), no_length.as_bytes());
        assert_eq!(outcome.statuses(), [200, 200]);
    }
}

#[test]
fn health_needs_no_key() {
    for settings in [Settings::default(), guarded()] {
        let with_body = request("GET", "/health?x", &["Authorization: Bearer no"], "{]");
        for bytes in [HEALTH, &with_body] {
            let answer = in_every_cut("health", &settings, bytes.as_bytes())
                .answers
                .remove(0);
            assert_eq!(answer.content, br#"{"status":"healthy"}"#);
            assert_eq!(answer.status, 200);
        }
        let head = HEALTH.replace("GET", "HEAD") + HEALTH;
        let both = in_every_cut_with_heads("HEAD", &settings, head.as_bytes(), &[0]).answers;
        let fields = |at: usize| {
            let fields = both[at].fields.iter();
            fields
                .filter(|(name, _)| name != "x-request-id")
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(fields(0), fields(1), "HEAD has the fields of GET");
        assert_eq!(both.len(), 2);
        assert_eq!(both[1].content, br#"{"status":"healthy"}"#);
    }
}

/// Methods, targets, statuses, and the value of `Allow` where it is required.
const METHODS: &[(&str, &str, u16, &str)] = &[
    ("OPTIONS", "/v1/chat/completions", 204, "OPTIONS, POST"),
    ("OPTIONS", "/responses", 204, "OPTIONS, POST"),
    ("OPTIONS", "/openai/v1/embeddings", 204, "OPTIONS, POST"),
    (
        "OPTIONS",
        "/openai/deployments/m/embeddings",
        204,
        "OPTIONS, POST",
    ),
    ("OPTIONS", "/health", 204, "GET, HEAD, OPTIONS"),
    ("OPTIONS", "*", 204, "GET, HEAD, OPTIONS, POST"),
    ("OPTIONS", "http://mocker", 204, "GET, HEAD, OPTIONS, POST"),
    ("OPTIONS", "/nothing", 404, ""),
    ("GET", "/v1/chat/completions", 405, "OPTIONS, POST"),
    ("HEAD", "/v1/chat/completions", 405, "OPTIONS, POST"),
    (
        "HEAD",
        "/openai/deployments/m/chat/completions",
        405,
        "OPTIONS, POST",
    ),
    ("DELETE", "/v1/responses", 405, "OPTIONS, POST"),
    ("PUT", "/v1/embeddings", 405, "OPTIONS, POST"),
    ("TRACE", "/v1/embeddings", 405, "OPTIONS, POST"),
    ("post", "/v1/embeddings", 405, "OPTIONS, POST"),
    ("POSTS", "/v1/embeddings", 405, "OPTIONS, POST"),
    ("!#$%&'*+-.^_`|~9", "/v1/embeddings", 405, "OPTIONS, POST"),
    ("POST", "/health", 405, "GET, HEAD, OPTIONS"),
    ("TRACE", "/health", 405, "GET, HEAD, OPTIONS"),
    ("GET", "/", 200, ""),
    ("HEAD", "/nothing", 404, ""),
    ("POST", "/v1", 404, ""),
    ("POST", "/v1/", 404, ""),
    ("POST", "/v1/chat/completions/", 404, ""),
    ("POST", "/v1//chat/completions", 404, ""),
    ("POST", "/V1/chat/completions", 404, ""),
    ("POST", "/v1/v1/chat/completions", 404, ""),
    ("GET", "/v1/health", 404, ""),
    ("POST", "/openai/deployments//chat/completions", 404, ""),
    ("POST", "/openai/deployments/m/moderations", 404, ""),
    (
        "GET",
        "/openai/deployments/m/responses",
        405,
        "OPTIONS, POST",
    ),
    ("POST", "/v1/engines/m/responses", 404, ""),
    ("POST", "/v1/engines/%ff/completions", 404, ""),
    ("POST", "/v1/engines//completions", 404, ""),
    ("GET", "/v1/engines", 404, ""),
    ("GET", "/v1/engines/m", 404, ""),
    ("GET", "/v1/engines/m/embeddings", 405, "OPTIONS, POST"),
    // Azure AI's paths are not names of models, but the same under a prefix are.
    ("GET", "/models/chat/completions", 405, "OPTIONS, POST"),
    ("HEAD", "/models/embeddings", 405, "OPTIONS, POST"),
    ("OPTIONS", "/models/chat/completions", 204, "OPTIONS, POST"),
    ("GET", "/models/m", 200, ""),
    ("GET", "/models/chat", 200, ""),
    ("GET", "/v1/models/chat/completions", 200, ""),
    (
        "POST",
        "/v1/models/chat/completions",
        405,
        "GET, HEAD, OPTIONS",
    ),
    ("POST", "/models/m", 405, "GET, HEAD, OPTIONS"),
    ("POST", "/openai/deployments/a/b/chat/completions", 404, ""),
    ("POST", "/openai/deployments/%ff/chat/completions", 404, ""),
    ("POST", "/openai/deployments/%4/chat/completions", 404, ""),
    ("GET", "http://mocker", 200, ""),
    ("GET", "https://mocker:443?a=b", 404, ""),
];

#[test]
fn methods_are_served_or_allow_lists_others() {
    for (method, target, status, allow) in METHODS {
        let name = format!("{method} {target}");
        // The body must be consumed whatever the status, so that the next request is served.
        for body in ["", "{} and what is no JSON"] {
            let bytes = request(method, target, &[], body) + HEALTH;
            let heads: &[usize] = if *method == "HEAD" { &[0] } else { &[] };
            let outcome =
                in_every_cut_with_heads(&name, &Settings::default(), bytes.as_bytes(), heads);
            assert_eq!(outcome.statuses(), [*status, 200], "{name}");
            assert!(!outcome.ended);
            let field = outcome.answers[0].field("allow").unwrap_or_default();
            let mut methods: Vec<_> = field.split(", ").collect();
            methods.sort_unstable();
            assert_eq!(methods.join(", "), *allow, "{name}");
        }
    }
}

/// Each request fails every check from some point on: the first one decides.
const ORDER: &[(&str, &str, &str, &str, u16)] = &[
    ("GET", "/nothing", "X: y", "{]", 404),
    ("OPTIONS", "/nothing", "X: y", "{]", 404),
    (
        "OPTIONS",
        "/v1/embeddings",
        "Content-Encoding: gzip",
        "{]",
        204,
    ),
    ("OPTIONS", "*", "X: y", "{]", 204),
    ("GET", "/v1/embeddings", "Content-Encoding: gzip", "{]", 403),
    (
        "POST",
        "/v1/embeddings",
        "Content-Encoding: gzip",
        "{]",
        403,
    ),
    (
        "GET",
        "/v1/embeddings",
        "Authorization: Bearer secret",
        "{]",
        405,
    ),
    ("POST", "/health", "X: y", "{]", 405),
    (
        "POST",
        "/v1/embeddings",
        "Authorization: Bearer secret",
        "{]",
        400,
    ),
    (
        "POST",
        "/v1/embeddings",
        "Authorization: Bearer secret\r\nContent-Encoding: gzip",
        "{]",
        415,
    ),
    ("GET", "/health", "X: y", "{]", 200),
];

#[test]
fn the_first_failing_check_decides() {
    for (method, path, field, body, status) in ORDER {
        let name = format!("{method} {path} {field}");
        let bytes = request(method, path, &[field], body) + HEALTH;
        let outcome = in_every_cut(&name, &guarded(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [*status, 200], "{name}");
    }
}

#[test]
fn nothing_of_the_request_is_reflected() {
    let fields = [
        "Connection: keep-alive, X-Mirror",
        "X-Mirror: shine",
        "Keep-Alive: timeout=5",
        "TE: trailers",
        "Upgrade: h2c",
    ];
    let mut client = Client::plain();
    for method in ["TRACE", "POST"] {
        client.send(request(method, "/v1/responses", &fields, ""));
        let out = String::from_utf8_lossy(&client.out).to_lowercase();
        for word in ["mirror", "shine", "upgrade", "timeout=5", "h2c", "trailers"] {
            assert!(!out.contains(word), "{method}: {word}");
        }
        assert_eq!((client.answers().len(), client.end), (1, End::Open));
    }
}
