//! Tests of the credentials that are accepted on each route: `Authorization` as configured, or the
//! key of `Bearer KEY` in a field of its own.

use mocker::internals::settings::Settings;

use super::client::{Client, HEALTH, in_every_cut, request};

fn guarded(auth: &str) -> Settings {
    Settings {
        auth: auth.into(),
        auth_metrics: true,
        ..Settings::default()
    }
}

/// Requests that require credentials: method, target, and the status with valid ones.
const TARGETS: &[(&str, &str, u16)] = &[
    ("POST", "/v1/chat/completions", 200),
    ("POST", "/responses", 200),
    ("POST", "/openai/v1/embeddings?api-version=1", 200),
    ("POST", "/openai/completions", 200),
    ("POST", "/v1/moderations", 200),
    ("GET", "/v1/models", 200),
    ("HEAD", "/models", 200),
    ("GET", "/v1/models/m", 200),
    ("POST", "/models/chat/completions", 200),
    ("POST", "/openai/deployments/m/chat/completions", 200),
    (
        "POST",
        "/openai/deployments/m/embeddings?api-version=1",
        200,
    ),
    ("POST", "/openai/deployments/m/responses", 200),
    ("POST", "/v1/engines/m/completions", 200),
    ("GET", "/metrics", 200),
    ("GET", "/stats", 200),
    // Later checks still apply.
    ("PUT", "/v1/embeddings", 405),
    ("POST", "/v1/models", 405),
    ("GET", "*", 400),
    ("DELETE", "/v1/models/m", 405),
];

/// Field lines, and whether they are accepted if `Bearer secret` is configured.
const FIELDS: &[(&str, bool)] = &[
    ("Authorization: Bearer secret", true),
    ("authorization:Bearer secret", true),
    ("AUTHORIZATION:  Bearer secret", true),
    ("Authorization: \t Bearer secret \t ", true),
    ("Authorization: Bearer  secret", false),
    ("Authorization: bearer secret", false),
    ("Authorization: Bearer Secret", false),
    ("Authorization: Bearer secre", false),
    ("Authorization: Bearer secrets", false),
    ("Authorization: secret", false),
    ("Authorization: Bearer", false),
    ("Authorization:", false),
    ("X-Authorization: Bearer secret", false),
    ("X: y", false),
    ("api-key: secret", true),
    ("Api-Key:  secret\t", true),
    ("x-api-key: secret", true),
    ("X-API-KEY:secret", true),
    ("api-key: Bearer secret", false),
    ("x-api-key: Bearer secret", false),
    ("api-key: secre", false),
    ("api-key: secrets", false),
    ("x-api-key: Secret", false),
    ("api-key:", false),
    ("x-api-key:", false),
    ("apikey: secret", false),
    ("x-api-keys: secret", false),
    ("xapi-key: secret", false),
    // One valid field is enough.
    ("Authorization: no\r\napi-key: secret", true),
    ("api-key: secret\r\nx-api-key: no", true),
    ("api-key: no\r\nx-api-key: secret", true),
    ("x-api-key: secret\r\nAuthorization:", true),
    ("api-key: no\r\nAuthorization: Bearer secret", true),
    ("api-key: secret\r\nx-api-key: secret", true),
    ("api-key: no\r\nx-api-key: no\r\nAuthorization: no", false),
    // A repeated field is ambiguous.
    (
        "Authorization: Bearer secret\r\nAuthorization: Bearer secret",
        false,
    ),
    ("Authorization: no\r\nauthorization: Bearer secret", false),
    ("api-key: secret\r\napi-key: secret", false),
    ("x-api-key: secret\r\nX-Api-Key: no", false),
    (
        "api-key: secret\r\napi-key: secret\r\nx-api-key: secret",
        true,
    ),
    (
        "x-api-key: no\r\nx-api-key: no\r\nAuthorization: Bearer secret",
        true,
    ),
];

/// Returns the status of a request, which must not depend on earlier requests of the client.
fn status(client: &mut Client, method: &str, target: &str, field: &str) -> u16 {
    client.send(request(method, target, &[field], r#"{"dimensions":2}"#));
    let heads: &[usize] = if method == "HEAD" { &[0] } else { &[] };
    let mut answers = client.answers_with_heads(heads);
    assert_eq!(answers.len(), 1, "{method} {target} {field}");
    let answer = answers.remove(0);
    if answer.status == 403 && method != "HEAD" {
        let text = String::from_utf8_lossy(&answer.content);
        assert_eq!(answer.error().0, "invalid_api_key");
        assert!(!text.contains("secre"), "no part of a key is shown: {text}");
    }
    if answer.closes() {
        client.reconnect();
    }
    answer.status
}

#[test]
fn credentials_are_the_same_on_every_route() {
    let mut client = Client::new(&guarded("Bearer secret"));
    let mut open = Client::plain();
    for (method, target, with) in TARGETS {
        for (field, valid) in FIELDS {
            let name = format!("{method} {target} {field}");
            let want = if *valid || *with == 400 { *with } else { 403 };
            assert_eq!(status(&mut client, method, target, field), want, "{name}");
            // Without the setting, every request is accepted.
            assert_eq!(status(&mut open, method, target, field), *with, "{name}");
        }
    }
}

#[test]
fn credentials_are_recognised_wherever_they_are_cut() {
    for (field, valid) in FIELDS {
        for path in ["/v1/responses", "/openai/deployments/m/embeddings"] {
            let bytes = request("POST", path, &[field], r#"{"dimensions":2}"#) + HEALTH;
            let outcome = in_every_cut(field, &guarded("Bearer secret"), bytes.as_bytes());
            let status = if *valid { 200 } else { 403 };
            assert_eq!(outcome.statuses(), [status, 200], "{path} {field}");
        }
    }
}

/// Tests combinations of a setting, field lines, and whether they are accepted.
#[test]
fn a_key_is_accepted_only_with_a_bearer_setting() {
    for (auth, field, valid) in [
        ("Bearer a b", "api-key: a b", true),
        ("Bearer a b", "x-api-key: a b", true),
        ("Bearer a b", "x-api-key: b", false),
        ("Bearer Bearer k", "api-key: Bearer k", true),
        ("Bearer Bearer k", "api-key: k", false),
        ("bearer k", "api-key: k", false),
        ("BEARER k", "x-api-key: k", false),
        ("Bearer\tk", "x-api-key: k", false),
        ("Bearer", "api-key:", false),
        ("Bearer", "api-key: Bearer", false),
        ("Bearer", "Authorization: Bearer", true),
        ("Basic k", "api-key: k", false),
        ("Basic k", "x-api-key: Basic k", false),
        ("Basic k", "Authorization: Basic k", true),
        ("k", "api-key: k", false),
        ("k", "x-api-key: k", false),
        ("k", "Authorization: k", true),
    ] {
        let mut client = Client::new(&guarded(auth));
        for (method, target) in [("POST", "/v1/moderations"), ("GET", "/metrics")] {
            let want = if valid { 200 } else { 403 };
            let got = status(&mut client, method, target, field);
            assert_eq!(got, want, "{auth}: {target} {field}");
        }
    }
}

#[test]
fn an_unknown_path_is_404_with_any_credentials() {
    let mut client = Client::new(&guarded("Bearer secret"));
    for (field, _) in FIELDS {
        for (method, target) in [("POST", "/v1/nothing"), ("GET", "/openai/deployments/m")] {
            assert_eq!(status(&mut client, method, target, field), 404, "{field}");
        }
        assert_eq!(status(&mut client, "GET", "/health", field), 200, "{field}");
    }
}

/// Without `-auth-metrics`, measurements are public.
#[test]
fn metrics_require_credentials_only_if_configured() {
    let mut client = Client::new(&Settings {
        auth_metrics: false,
        ..guarded("Bearer secret")
    });
    for target in ["/metrics", "/stats", "/"] {
        assert_eq!(status(&mut client, "GET", target, "X: y"), 200, "{target}");
    }
}
