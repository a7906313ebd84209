//! What only some bodies, or some servers, ask to be read: held fields, echoes, types. Every body
//! in every cut.

use serde_json::{Value, json};

use super::super::echo::ECHO_MAX;
use super::*;

/// Reads a body in pieces of every size (of a long one, of some), and says what `tell` tells of it.
fn read_in_cuts<T: PartialEq + std::fmt::Debug>(
    reading: Reading,
    endpoint: Endpoint,
    body: &str,
    tell: impl Fn(Result<&Facts, Bad>) -> T,
) -> T {
    let mut ask = Ask::new(reading);
    let mut read = |size: usize| {
        ask.begin(endpoint);
        let pieces = body.as_bytes().chunks(size);
        pieces.for_each(|piece| ask.feed(piece));
        let told = tell(ask.finish());
        ask.rest();
        told
    };
    let whole = read(body.len().max(1));
    let sizes: Vec<usize> = match body.len() {
        0..1000 => (1..body.len()).collect(),
        _ => vec![4096, 10_007],
    };
    for size in sizes {
        assert!(read(size) == whole, "in pieces of {size}: {body:.200}");
    }
    whole
}

type Read = Result<Option<Value>, Unread>;

fn held(endpoint: Endpoint, body: &str) -> [Read; 4] {
    read_in_cuts(Reading::default(), endpoint, body, |facts| {
        let held = &facts.expect("it is right").held;
        HELD.map(|field| held.value(field))
    })
}

const NONE: Read = Ok(None);

#[test]
fn held_fields_are_kept_as_they_are() {
    let body = r#" {"tools" : [ {"a":[1,"]}",{}]} ] ,"n":2, "tool_choice":"required",
        "other":{"tools":[3]},"response_format":{"type":"\u0061"}}"#;
    let tools = json!([{"a": [1, "]}", {}]}]);
    let format = json!({"type": "a"});
    assert_eq!(
        held(Endpoint::Chat, body),
        [
            Ok(Some(tools.clone())),
            Ok(Some(json!("required"))),
            Ok(Some(format)),
            NONE
        ]
    );
    // A field of another endpoint is none.
    assert_eq!(
        held(Endpoint::Responses, body),
        [Ok(Some(tools)), Ok(Some(json!("required"))), NONE, NONE]
    );
    assert_eq!(held(Endpoint::Embeddings, body), [NONE; 4]);
    let text = held(
        Endpoint::Responses,
        r#"{"text":{"format":null},"tools":null}"#,
    );
    assert_eq!(text, [NONE, NONE, NONE, Ok(Some(json!({"format": null})))]);
}

#[test]
fn of_two_values_the_last_is_held() {
    for (body, want) in [
        (r#"{"tools":[1],"tools":[22,3]}"#, Some(json!([22, 3]))),
        (r#"{"tools":[1],"n":1,"tool\u0073":[]}"#, Some(json!([]))),
        (r#"{"tools":[1],"tools":null}"#, None),
    ] {
        assert_eq!(held(Endpoint::Chat, body)[0], Ok(want), "{body}");
    }
}

#[test]
fn what_is_held_has_limits() {
    // Two brackets and two quotes belong to the value.
    for (text, fits) in [
        (HELD_MAX - 5, true),
        (HELD_MAX - 4, true),
        (HELD_MAX - 3, false),
    ] {
        let text = "x".repeat(text);
        for body in [
            format!("{{\"tools\": [\"{text}\"]}}"),
            format!("{{\"tools\":[\"{text}\"],\"n\":1}}"),
        ] {
            let [tools, ..] = held(Endpoint::Chat, &body);
            let want = if fits {
                Ok(Some(json!([text])))
            } else {
                Err(Unread::TooLong)
            };
            assert!(tools == want, "{fits}");
        }
    }
    let text = "x".repeat(HELD_MAX);
    let body = format!("{{\"tools\":[\"{text}\"],\"tool_choice\":\"auto\"}}");
    let read = held(Endpoint::Chat, &body);
    assert_eq!(read[0], Err(Unread::TooLong));
    assert_eq!(read[1], Ok(Some(json!("auto"))));
    for odd in [r#"["\ud800"]"#, "[1e999]"] {
        let body = format!("{{\"tools\":{odd}}}");
        assert_eq!(held(Endpoint::Chat, &body)[0], Err(Unread::Odd), "{odd}");
    }
}

#[test]
fn held_fields_have_an_outer_type() {
    for (endpoint, name, right) in [
        (Endpoint::Chat, "tools", "[]"),
        (Endpoint::Chat, "tool_choice", "\"auto\""),
        (Endpoint::Chat, "tool_choice", "{}"),
        (Endpoint::Chat, "response_format", "{}"),
        (Endpoint::Responses, "text", "{}"),
    ] {
        for value in ["[]", "{}", "\"auto\"", "1", "1.5", "true"] {
            let body = format!("{{\"{name}\":{value}}}");
            let refused = read_in_cuts(Reading::default(), endpoint, &body, |facts| facts.is_err());
            let allowed = value == right || name == "tool_choice" && "{}\"auto\"".contains(value);
            assert_eq!(refused, !allowed, "{body}");
        }
    }
}

fn echo(endpoint: Endpoint, body: &str) -> Result<Option<String>, Bad> {
    let reading = Reading {
        echo: true,
        ..Reading::default()
    };
    read_in_cuts(reading, endpoint, body, |facts| {
        facts.map(|facts| facts.echo.clone())
    })
}

#[test]
fn the_last_thing_a_user_said_is_echoed() {
    for (endpoint, body, want) in [
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","content":"a"}]}"#,
            Some("a"),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"content":"a \"b\" é\n","role":"user"}]}"#,
            Some("a \"b\" é\n"),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},
            {"role":"assistant","content":"b"},{"role":"user","content":"c"},
            {"role":"tool","content":"d"}],"n":1,"x":"e"}"#,
            Some("c"),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"one"},
            {"type":"image_url","image_url":{"url":"u","text":"no"}},{"text":"two"}]}]}"#,
            Some("one\ntwo"),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","name":"n","content":"a","x":["y",{"text":"z"}]}]}"#,
            Some("a"),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","content":""}]}"#,
            Some(""),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","content":null}]}"#,
            Some(""),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","content":"a","content":"b"}]}"#,
            Some("b"),
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"user","content":"a"}],"messages":[]}"#,
            None,
        ),
        (
            Endpoint::Chat,
            r#"{"messages":[{"role":"assistant","content":"a"}]}"#,
            None,
        ),
        (Endpoint::Chat, r#"{"messages":[],"input":"a"}"#, None),
        (Endpoint::Chat, r#"{"messages":null}"#, None),
        (
            Endpoint::Chat,
            r#"{"messages":[[["a"]],1,{"role":"user","content":"b"}]}"#,
            Some("b"),
        ),
        (Endpoint::Chat, "{}", None),
        (
            Endpoint::Responses,
            r#"{"input":"\ud83d\ude00 hi"}"#,
            Some("😀 hi"),
        ),
        (
            Endpoint::Responses,
            r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
            {"type":"function_call_output","output":"no"}]}"#,
            Some("a"),
        ),
        (Endpoint::Completions, r#"{"prompt":"once"}"#, Some("once")),
        (Endpoint::Completions, r#"{"prompt":["a", "b"]}"#, Some("b")),
        (Endpoint::Completions, r#"{"prompt":[1,2]}"#, None),
        (Endpoint::Embeddings, r#"{"input":"a"}"#, None),
    ] {
        assert_eq!(echo(endpoint, body), Ok(want.map(str::to_owned)), "{body}");
    }
    for half in [r#"{"input":"\ud83d"}"#, r#"{"input":"\ude00a"}"#] {
        assert_eq!(
            echo(Endpoint::Responses, half),
            Err(Bad::HalfPair),
            "{half}"
        );
    }
}

#[test]
fn an_echo_is_cut_between_characters() {
    for (unit, one) in [
        ("x", "x"),
        ("é", "é"),
        ("😀", "😀"),
        ("\\n", "\n"),
        ("\\ud83d\\ude00", "😀"),
    ] {
        for before in 0..13 {
            let times = ECHO_MAX / unit.len() + 2;
            let body = format!(
                "{{\"input\":\"{}{}\"}}",
                "-".repeat(before),
                unit.repeat(times)
            );
            let said = echo(Endpoint::Responses, &body).unwrap().unwrap();
            let rest = said[before..].strip_suffix(one).unwrap();
            assert_eq!(rest.replace(one, ""), "", "{unit}");
            let held = before + (rest.len() / one.len() + 1) * unit.len();
            assert!(
                held <= ECHO_MAX && held > ECHO_MAX - unit.len(),
                "{unit}: {held}"
            );
        }
    }
    // What is just as long is whole, and parts share the room.
    let text = "x".repeat(ECHO_MAX);
    let whole = echo(Endpoint::Responses, &format!("{{\"input\":\"{text}\"}}"));
    assert_eq!(whole, Ok(Some(text.clone())));
    let content = format!(r#"[{{"text":"a"}},{{"text":"{text}"}},{{"text":"b"}}]"#);
    let parts = format!(r#"{{"messages":[{{"role":"user","content":{content}}}]}}"#);
    let want = format!("a\n{}", "x".repeat(ECHO_MAX - 3));
    assert_eq!(echo(Endpoint::Chat, &parts), Ok(Some(want)));
    // That another's words were cut changes nothing for the user's.
    let other = format!(
        r#"{{"messages":[{{"content":"x{text}"}},
            {{"role":"user","content":[{{"text":"a"}},{{"text":"b"}}]}}]}}"#
    );
    assert_eq!(echo(Endpoint::Chat, &other), Ok(Some("a\nb".to_owned())));
}

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
