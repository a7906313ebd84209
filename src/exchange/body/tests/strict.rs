//! The missing fields and the wrong types that `-strict` reports.

use super::*;

/// Returns the fields that the body lacks, or its error.
fn strictly(
    endpoint: &'static Endpoint,
    body: &str,
) -> Result<(bool, Option<&'static str>), Problem> {
    let reading = Reading {
        strict: true,
        ..Reading::default()
    };
    read_in_cuts(reading, endpoint, body, |facts| {
        facts.map(|facts| (facts.lacks.model, facts.lacks.subject))
    })
}

#[test]
fn missing_fields_are_reported() {
    for (endpoint, body, want) in [
        (CHAT, "", (true, Some("messages"))),
        (CHAT, "{}", (true, Some("messages"))),
        (CHAT, r#"{"model":"m"}"#, (false, Some("messages"))),
        (
            CHAT,
            r#"{"model":null,"input":"a"}"#,
            (true, Some("messages")),
        ),
        (CHAT, r#"{"mode\u006c":"m","messages":[{}]}"#, (false, None)),
        (RESPONSES, r#"{"model":"m"}"#, (false, Some("input"))),
        (RESPONSES, r#"{"model":"m","input":"a"}"#, (false, None)),
        (
            RESPONSES,
            r#"{"model":"m","prompt":{"id":"pmpt_1"}}"#,
            (false, None),
        ),
        (
            RESPONSES,
            r#"{"model":"m","prompt":null}"#,
            (false, Some("input")),
        ),
        (COMPLETIONS, r#"{"model":"m"}"#, (false, Some("prompt"))),
        (
            EMBEDDINGS,
            r#"{"input":[1],"x":{"model":"m"}}"#,
            (true, None),
        ),
        (MODERATIONS, r#"{}"#, (false, Some("input"))),
    ] {
        assert_eq!(strictly(endpoint, body), Ok(want), "{body}");
    }
}

/// Checks that the body is refused in these words.
#[track_caller]
fn is_wrong(endpoint: &'static Endpoint, fields: &str, name: &str, expected: &str, got: &str) {
    let body = format!("{{{fields}}}");
    let problem = strictly(endpoint, &body).expect_err(&body);
    let want = format!("Invalid type for '{name}': expected {expected}, but got {got} instead.");
    assert_eq!(problem.text(), want, "{body}");
    assert_eq!(problem.code, Some("invalid_type"));
}

#[test]
fn wrong_types_are_reported_in_openais_words() {
    const OBJECTS: &str = "an array of objects";
    let second = r#""messages":[{"a":1},{"b":["c"]},3]"#;
    for (fields, name, expected, got) in [
        (r#""messages":"a""#, "messages", OBJECTS, "a string"),
        (r#""messages":null"#, "messages", OBJECTS, "null"),
        (r#""messages":{}"#, "messages", OBJECTS, "an object"),
        (second, "messages[2]", "an object", "an integer"),
        (
            r#""messages":["a"]"#,
            "messages[0]",
            "an object",
            "a string",
        ),
        (
            r#""messages":[{},[]]"#,
            "messages[1]",
            "an object",
            "an array",
        ),
        (r#""n":"2""#, "n", "an integer", "a string"),
        (r#""n":1.5"#, "n", "an integer", "a decimal"),
        (r#""stream":"yes""#, "stream", "a boolean", "a string"),
        (
            r#""temperature":"hot""#,
            "temperature",
            "a decimal",
            "a string",
        ),
        (
            r#""tool_choice":[]"#,
            "tool_choice",
            "one of a string or object",
            "an array",
        ),
        (r#""logprobs":1"#, "logprobs", "a boolean", "an integer"),
        (r#""model":5"#, "model", "a string", "an integer"),
    ] {
        is_wrong(CHAT, fields, name, expected, got);
    }
    let (name, got) = ("logprobs", "a boolean");
    let fields = r#""logprobs":true"#;
    is_wrong(COMPLETIONS, fields, name, "an integer", got);
    let (name, expected) = ("input", "one of a string or array");
    let fields = r#""input":5"#;
    is_wrong(RESPONSES, fields, name, expected, "an integer");
    let (fields, name) = (r#""prompt":"a""#, "prompt");
    is_wrong(RESPONSES, fields, name, "an object", "a string");
}

#[test]
fn a_chat_needs_a_message_and_null_is_no_wrong_type() {
    let empty = strictly(CHAT, r#"{"messages":[ ]}"#).expect_err("it has no message");
    assert_eq!(empty.code, Some("empty_array"));
    for fine in [
        r#"{"temperature":1,"n":null,"messages":[{}],"user":"u","stop":["a"]}"#,
        "{}",
    ] {
        assert!(strictly(CHAT, fine).is_ok(), "{fine}");
    }
}
