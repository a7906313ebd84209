//! Tests of structured outputs, streamed or not.

use mocker::internals::settings::{ContentMode, Settings};
use serde_json::{Value, json};

use super::client::{chat, in_every_cut, post};
use super::streams::{chunks, streamed};
use super::tools::{ask, tools};

/// Returns formats of chat completions, the same formats of responses, and the expected values.
fn formats() -> Vec<(Value, Value, Option<Value>)> {
    let schema = json!({
        "type": "object",
        "properties": {
            "b": {"enum": ["x", "y"]},
            "a": {"type": "array", "items": {"$ref": "#/$defs/n"}},
        },
        "required": ["b", "a"],
        "additionalProperties": false,
        "$defs": {"n": {"type": "number", "minimum": 3}},
    });
    vec![
        (
            json!({
                "type": "json_schema",
                "json_schema": {"name": "n", "strict": true, "schema": schema},
            }),
            json!({"type": "json_schema", "name": "n", "strict": true, "schema": schema}),
            Some(json!({"b": "x", "a": [3]})),
        ),
        (
            json!({"type": "json_schema", "json_schema": {"name": "n"}}),
            json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}}),
            Some(json!({})),
        ),
        (
            json!({"type": "json_object"}),
            json!({"type": "json_object"}),
            Some(json!({"message": "This is a mocked response."})),
        ),
        (json!({"type": "text"}), json!({"type": "text"}), None),
    ]
}

#[test]
fn a_response_has_the_requested_structure() {
    // No setting changes the length or the words of JSON.
    let settings = Settings {
        content: ContentMode::Random,
        tokens: Some(1..=3),
        ..Settings::default()
    };
    for (chats, responses, want) in formats() {
        let check = |text: &Value| {
            let text = text.as_str().expect("text");
            assert_eq!(serde_json::from_str::<Value>(text).ok(), want, "{text}");
        };
        let body = format!(r#"{{"response_format":{chats}}}"#);
        let mut outcome = in_every_cut("formats", &settings, chat(&body).as_bytes());
        check(&outcome.answers.remove(0).json()["choices"][0]["message"]["content"]);
        let body = format!(r#"{{"stream":true,"response_format":{chats}}}"#);
        let (_, content) = streamed(&settings, chat(&body));
        let deltas = chunks(&content);
        let said = deltas
            .iter()
            .filter_map(|c| c["choices"][0]["delta"]["content"].as_str());
        check(&Value::from(said.collect::<String>()));
        let body = format!(r#"{{"text":{{"verbosity":"low","format":{responses}}}}}"#);
        let mut outcome = in_every_cut(
            "formats",
            &settings,
            post("/v1/responses", &body).as_bytes(),
        );
        let json = outcome.answers.remove(0).json();
        check(&json["output"][0]["content"][0]["text"]);
        assert_eq!(
            json["text"],
            json!({"format": responses}),
            "told as it was asked for"
        );
    }
    // A limit truncates it, like everything.
    let body = r#"{"response_format":{"type":"json_object"},"max_tokens":2}"#;
    let json = ask(&chat(body)).json();
    assert_eq!(json["choices"][0]["message"]["content"], "{\"messag");
    assert_eq!(json["choices"][0]["finish_reason"], "length");
    assert_eq!(json["usage"]["completion_tokens"], 2);
    // A call takes precedence over a format.
    let body = format!(
        r#"{{"response_format":{{"type":"json_object"}},"tools":{},"tool_choice":"required"}}"#,
        tools()
    );
    let json = ask(&chat(&body)).json();
    assert_eq!(json["choices"][0]["finish_reason"], "tool_calls");
}

/// Formats with a misplaced schema, and the missing part.
const MISPLACED: &[(&str, &str, &str)] = &[
    (
        "chat",
        r#"{"schema":SCHEMA}"#,
        "response_format.json_schema",
    ),
    (
        "chat",
        r#"{"json_schema":null}"#,
        "response_format.json_schema",
    ),
    (
        "chat",
        r#"{"json_schema":"n"}"#,
        "response_format.json_schema",
    ),
    (
        "chat",
        r#"{"name":"n","schema":SCHEMA}"#,
        "response_format.json_schema",
    ),
    (
        "chat",
        r#"{"json_schema":SCHEMA}"#,
        "response_format.json_schema.schema",
    ),
    (
        "chat",
        r#"{"json_schema":{"name":"n","type":"object"}}"#,
        "response_format.json_schema.schema",
    ),
    (
        "responses",
        r#"{"json_schema":{"name":"n","schema":SCHEMA}}"#,
        "text.format.schema",
    ),
    ("responses", r#"{"name":"n"}"#, "text.format.schema"),
    (
        "responses",
        r#"{"name":"n","schema":null}"#,
        "text.format.schema",
    ),
    ("responses", r#"{"schema":SCHEMA}"#, "text.format.name"),
    (
        "responses",
        r#"{"schema":SCHEMA,"name":3}"#,
        "text.format.name",
    ),
    ("responses", "{}", "text.format.schema"),
];

#[test]
fn a_misplaced_schema_is_reported_as_missing() {
    for (api, format, param) in MISPLACED {
        let schema = r#"{"type":"object","properties":{"v":{"type":"integer"}}}"#;
        let format = format.replace("SCHEMA", schema);
        let comma = if format == "{}" { "" } else { "," };
        let format = format.replacen('{', &format!(r#"{{"type":"json_schema"{comma}"#), 1);
        let request = match *api {
            "chat" => chat(&format!(r#"{{"response_format":{format}}}"#)),
            _ => post(
                "/v1/responses",
                &format!(r#"{{"text":{{"format":{format}}}}}"#),
            ),
        };
        let answer = in_every_cut(param, &Settings::default(), request.as_bytes());
        let answer = &answer.answers[0];
        assert_eq!(answer.status, 400, "{format}");
        let want = ("invalid_value".to_owned(), Some((*param).to_owned()));
        assert_eq!(answer.error(), want, "{format}");
        let json = answer.json();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains(param), "{message}");
    }
}
