//! Fields that are kept whole.

use serde_json::json;

use super::*;

type Read = Result<Option<Value>, Unread>;

fn held(endpoint: &'static Endpoint, body: &str) -> [Read; 4] {
    read_in_cuts(Reading::default(), endpoint, body, |facts| {
        let facts = facts.expect("it is right");
        HELD.map(|field| held_value(facts, field))
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
        held(CHAT, body),
        [
            Ok(Some(tools.clone())),
            Ok(Some(json!("required"))),
            Ok(Some(format)),
            NONE
        ]
    );
    // A field of another endpoint is ignored.
    assert_eq!(
        held(RESPONSES, body),
        [Ok(Some(tools)), Ok(Some(json!("required"))), NONE, NONE]
    );
    assert_eq!(held(EMBEDDINGS, body), [NONE; 4]);
    let text = held(RESPONSES, r#"{"text":{"format":null},"tools":null}"#);
    assert_eq!(text, [NONE, NONE, NONE, Ok(Some(json!({"format": null})))]);
}

#[test]
fn of_two_values_the_last_is_held() {
    for (body, want) in [
        (r#"{"tools":[1],"tools":[22,3]}"#, Some(json!([22, 3]))),
        (r#"{"tools":[1],"n":1,"tool\u0073":[]}"#, Some(json!([]))),
        (r#"{"tools":[1],"tools":null}"#, None),
    ] {
        assert_eq!(held(CHAT, body)[0], Ok(want), "{body}");
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
            let [tools, ..] = held(CHAT, &body);
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
    let read = held(CHAT, &body);
    assert_eq!(read[0], Err(Unread::TooLong));
    assert_eq!(read[1], Ok(Some(json!("auto"))));
    for odd in [r#"["\ud800"]"#, "[1e999]"] {
        let body = format!("{{\"tools\":{odd}}}");
        assert_eq!(held(CHAT, &body)[0], Err(Unread::Odd), "{odd}");
    }
}

#[test]
fn held_fields_have_an_outer_type() {
    for (endpoint, name, right) in [
        (CHAT, "tools", "[]"),
        (CHAT, "tool_choice", "\"auto\""),
        (CHAT, "tool_choice", "{}"),
        (CHAT, "response_format", "{}"),
        (RESPONSES, "text", "{}"),
    ] {
        for value in ["[]", "{}", "\"auto\"", "1", "1.5", "true"] {
            let body = format!("{{\"{name}\":{value}}}");
            let refused = read_in_cuts(Reading::default(), endpoint, &body, |facts| facts.is_err());
            let allowed = value == right || name == "tool_choice" && "{}\"auto\"".contains(value);
            assert_eq!(refused, !allowed, "{body}");
        }
    }
}
