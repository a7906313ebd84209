//! What a body lacks and which types are wrong, where that is refused.

use super::*;

/// What the body lacks, or what is wrong with it.
fn strictly(endpoint: Endpoint, body: &str) -> Result<(bool, Option<&'static str>), Bad> {
    let reading = Reading {
        strict: true,
        ..Reading::default()
    };
    read_in_cuts(reading, endpoint, body, |facts| {
        facts.map(|facts| (facts.lacks.model, facts.lacks.subject))
    })
}

#[test]
fn what_a_body_lacks_is_told() {
    for (endpoint, body, want) in [
        (Endpoint::Chat, "", (true, Some("messages"))),
        (Endpoint::Chat, "{}", (true, Some("messages"))),
        (
            Endpoint::Chat,
            r#"{"model":"m"}"#,
            (false, Some("messages")),
        ),
        (
            Endpoint::Chat,
            r#"{"model":null,"input":"a"}"#,
            (true, Some("messages")),
        ),
        (
            Endpoint::Chat,
            r#"{"mode\u006c":"m","messages":[{}]}"#,
            (false, None),
        ),
        (
            Endpoint::Responses,
            r#"{"model":"m"}"#,
            (false, Some("input")),
        ),
        (
            Endpoint::Responses,
            r#"{"model":"m","input":"a"}"#,
            (false, None),
        ),
        (
            Endpoint::Completions,
            r#"{"model":"m"}"#,
            (false, Some("prompt")),
        ),
        (
            Endpoint::Embeddings,
            r#"{"input":[1],"x":{"model":"m"}}"#,
            (true, None),
        ),
        (Endpoint::Moderations, r#"{}"#, (false, Some("input"))),
    ] {
        assert_eq!(strictly(endpoint, body), Ok(want), "{body}");
    }
}

#[test]
fn wrong_types_are_told_in_openais_words() {
    for (endpoint, fields, message) in [
        (
            Endpoint::Chat,
            r#""messages":"a""#,
            "'messages': expected an array of objects, but got a string",
        ),
        (
            Endpoint::Chat,
            r#""messages":null"#,
            "'messages': expected an array of objects, but got null",
        ),
        (
            Endpoint::Chat,
            r#""messages":{}"#,
            "'messages': expected an array of objects, but got an object",
        ),
        (
            Endpoint::Chat,
            r#""messages":[{"a":1},{"b":["c"]},3]"#,
            "'messages[2]': expected an object, but got an integer",
        ),
        (
            Endpoint::Chat,
            r#""messages":["a"]"#,
            "'messages[0]': expected an object, but got a string",
        ),
        (
            Endpoint::Chat,
            r#""messages":[{},[]]"#,
            "'messages[1]': expected an object, but got an array",
        ),
        (
            Endpoint::Chat,
            r#""n":"2""#,
            "'n': expected an integer, but got a string",
        ),
        (
            Endpoint::Chat,
            r#""n":1.5"#,
            "'n': expected an integer, but got a decimal",
        ),
        (
            Endpoint::Chat,
            r#""stream":"yes""#,
            "'stream': expected a boolean, but got a string",
        ),
        (
            Endpoint::Chat,
            r#""temperature":"hot""#,
            "'temperature': expected a decimal, but got a string",
        ),
        (
            Endpoint::Chat,
            r#""tool_choice":[]"#,
            "'tool_choice': expected one of a string or object, but got an array",
        ),
        (
            Endpoint::Chat,
            r#""logprobs":1"#,
            "'logprobs': expected a boolean, but got an integer",
        ),
        (
            Endpoint::Completions,
            r#""logprobs":true"#,
            "'logprobs': expected an integer, but got a boolean",
        ),
        (
            Endpoint::Chat,
            r#""model":5"#,
            "'model': expected a string, but got an integer",
        ),
        (
            Endpoint::Responses,
            r#""input":5"#,
            "'input': expected one of a string or array, but got an integer",
        ),
    ] {
        let body = format!("{{{fields}}}");
        let bad = strictly(endpoint, &body).expect_err(&body);
        let problem = crate::mock::problem::Problem::of_body(bad, endpoint);
        assert_eq!(
            problem.text(),
            format!("Invalid type for {message} instead."),
            "{body}"
        );
        assert_eq!(problem.code, Some("invalid_type"));
    }
    let empty = strictly(Endpoint::Chat, r#"{"messages":[ ]}"#);
    assert_eq!(empty, Err(Bad::Strict(Wrong::NoMessage)));
    for fine in [
        r#"{"temperature":1,"n":null,"messages":[{}],"user":"u","stop":["a"]}"#,
        "{}",
    ] {
        assert!(strictly(Endpoint::Chat, fine).is_ok(), "{fine}");
    }
}
