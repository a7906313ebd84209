//! Tests of `-content echo` and of `-strict`.

use mocker::internals::settings::{ContentMode, Settings};

use super::client::{Client, chat, in_every_cut, post, request};
use super::streams::{chunks, streamed};

fn echoing() -> Settings {
    Settings {
        content: ContentMode::Echo,
        ..Settings::default()
    }
}

const BODY: &str = r#"{"messages":[{"role":"user","content":"say \"this\" é"},
    {"role":"assistant","content":"no"}],"n":2}"#;

#[test]
fn the_last_user_message_is_echoed() {
    let outcome = in_every_cut("echo", &echoing(), chat(BODY).as_bytes());
    let json = outcome.answers[0].json();
    for choice in 0..2 {
        let text = &json["choices"][choice]["message"]["content"];
        assert_eq!(*text, "say \"this\" é");
    }
    let (_, content) = streamed(
        &echoing(),
        chat(r#"{"stream":true,"messages":[{"role":"user","content":"a b"}]}"#),
    );
    let deltas = chunks(&content);
    let deltas: Vec<_> = deltas
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(deltas, ["", "a", " b"]);
    // There is no user message.
    let json = Client::new(&echoing()).ask(chat("{}")).json();
    let text = json["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.starts_with("This is a mocked response"));
    // Echoes are not mixed up with those of other requests.
    let mut client = Client::new(&echoing());
    for said in ["one", "two", "one", "one"] {
        let body = format!(r#"{{"input":"{said}"}}"#);
        let json = client.ask(post("/v1/responses", &body)).json();
        assert_eq!(json["output"][0]["content"][0]["text"], said);
    }
}

#[test]
fn echoed_tokens_are_counted_and_limited() {
    let settings = Settings {
        tokens: Some(5..=5),
        ..echoing()
    };
    let mut client = Client::new(&settings);
    let json = client
        .ask(post("/v1/completions", r#"{"prompt":"a b"}"#))
        .json();
    assert_eq!(json["choices"][0]["text"], "a b a b a");
    assert_eq!(json["usage"]["completion_tokens"], 5);
    let json = Client::new(&echoing())
        .ask(chat(
            r#"{"max_tokens":1,"messages":[{"role":"user","content":"a b"}]}"#,
        ))
        .json();
    assert_eq!(json["choices"][0]["message"]["content"], "a");
    assert_eq!(json["choices"][0]["finish_reason"], "length");
    assert_eq!(json["usage"]["completion_tokens"], 1);
}

/// Returns the message, the code and the param of an error.
type Told = (&'static str, Option<&'static str>, Option<&'static str>);

const NO_MODEL: Told = ("you must provide a model parameter", None, None);
const NO_MESSAGES: Told = (
    "Missing required parameter: 'messages'.",
    Some("missing_required_parameter"),
    Some("messages"),
);
const NO_INPUT: Told = (
    "Missing required parameter: 'input'.",
    Some("missing_required_parameter"),
    Some("input"),
);
const NO_NUMBER: Told = (
    "Invalid type for 'n': expected an integer, but got a string instead.",
    Some("invalid_type"),
    Some("n"),
);

const CHAT: &str = "/v1/chat/completions";
const AZURE: &str = "/openai/deployments/m/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";

/// Paths, bodies, and the errors in strict mode.
const STRICT: &[(&str, &str, Option<Told>)] = &[
    (CHAT, "", Some(NO_MODEL)),
    (CHAT, r#"{"messages":[{}]}"#, Some(NO_MODEL)),
    (CHAT, r#"{"model":"m"}"#, Some(NO_MESSAGES)),
    (CHAT, r#"{"model":"m","messages":[{"role":"user"}]}"#, None),
    (AZURE, r#"{"messages":[{}]}"#, None),
    (AZURE, "{}", Some(NO_MESSAGES)),
    ("/v1/responses", r#"{"model":"m"}"#, Some(NO_INPUT)),
    (EMBEDDINGS, r#"{"model":"m"}"#, Some(NO_INPUT)),
    (EMBEDDINGS, r#"{"model":"m","input":"a"}"#, None),
    (
        CHAT,
        r#"{"model":"m","messages":[{}],"n":"2"}"#,
        Some(NO_NUMBER),
    ),
];

#[test]
fn strict_mode_rejects_what_openai_rejects() {
    let strict = Settings {
        strict: true,
        ..Settings::default()
    };
    for (path, body, want) in STRICT {
        let bytes = post(path, body);
        let outcome = in_every_cut("strict", &strict, bytes.as_bytes());
        let json = outcome.answers[0].json();
        let error = &json["error"];
        let told = error["message"].as_str().map(|message| {
            assert_eq!(error["type"], "invalid_request_error");
            (message, error["code"].as_str(), error["param"].as_str())
        });
        assert_eq!(told, *want, "{path} {body}");
        // Without -strict, defaults replace what is missing.
        let status = Client::plain().ask(&bytes).status;
        assert_eq!(
            status,
            if body.contains("\"2\"") { 400 } else { 200 },
            "{body}"
        );
    }
    assert_eq!(
        Client::new(&strict)
            .ask(request("GET", "/v1/models", &[], ""))
            .status,
        200
    );
}
