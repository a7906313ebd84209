//! The last text of the user, for responses that echo it.

use super::*;
use crate::exchange::body::echo::ECHO_MAX;

fn echo(endpoint: &'static Endpoint, body: &str) -> Result<Option<String>, Problem> {
    let reading = Reading {
        echo: true,
        ..Reading::default()
    };
    read_in_cuts(reading, endpoint, body, |facts| {
        facts.map(|facts| facts.echo.clone())
    })
}

#[track_caller]
fn echoes(endpoint: &'static Endpoint, body: &str, want: Option<&str>) {
    assert_eq!(echo(endpoint, body), Ok(want.map(str::to_owned)), "{body}");
}

#[test]
fn the_last_thing_a_user_said_is_echoed() {
    for (messages, want) in [
        (r#"[{"role":"user","content":"a"}]"#, Some("a")),
        (
            r#"[{"content":"a \"b\" é\n","role":"user"}]"#,
            Some("a \"b\" é\n"),
        ),
        (
            r#"[{"role":"system","content":"s"},{"role":"user","content":"a"},
            {"role":"assistant","content":"b"},{"role":"user","content":"c"},
            {"role":"tool","content":"d"}],"n":1,"x":"e""#,
            Some("c"),
        ),
        (
            r#"[{"role":"user","content":[{"type":"text","text":"one"},
            {"type":"image_url","image_url":{"url":"u","text":"no"}},{"text":"two"}]}]"#,
            Some("one\ntwo"),
        ),
        (
            r#"[{"role":"user","name":"n","content":"a","x":["y",{"text":"z"}]}]"#,
            Some("a"),
        ),
        (r#"[{"role":"user","content":""}]"#, Some("")),
        (r#"[{"role":"user","content":null}]"#, Some("")),
        (
            r#"[{"role":"user","content":"a","content":"b"}]"#,
            Some("b"),
        ),
        (r#"[{"role":"user","content":"a"}],"messages":[]"#, None),
        (r#"[{"role":"assistant","content":"a"}]"#, None),
        (r#"[],"input":"a""#, None),
        ("null", None),
        (r#"[[["a"]],1,{"role":"user","content":"b"}]"#, Some("b")),
    ] {
        echoes(CHAT, &format!("{{\"messages\":{messages}}}"), want);
    }
    echoes(CHAT, "{}", None);
}

#[test]
fn each_api_has_a_place_for_what_the_user_said() {
    for (endpoint, body, want) in [
        (RESPONSES, r#"{"input":"\ud83d\ude00 hi"}"#, Some("😀 hi")),
        (
            RESPONSES,
            r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]},
            {"type":"function_call_output","output":"no"}]}"#,
            Some("a"),
        ),
        (COMPLETIONS, r#"{"prompt":"once"}"#, Some("once")),
        (COMPLETIONS, r#"{"prompt":["a", "b"]}"#, Some("b")),
        (COMPLETIONS, r#"{"prompt":[1,2]}"#, None),
        (EMBEDDINGS, r#"{"input":"a"}"#, None),
    ] {
        echoes(endpoint, body, want);
    }
}

#[test]
fn half_a_pair_of_surrogates_is_no_text_to_echo() {
    for half in [r#"{"input":"\ud83d"}"#, r#"{"input":"\ude00a"}"#] {
        let echo = echo(RESPONSES, half);
        assert_eq!(echo, Err(half_pair("input")), "{half}");
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
            let said = echo(RESPONSES, &body).unwrap().unwrap();
            let rest = said[before..].strip_suffix(one).unwrap();
            assert_eq!(rest.replace(one, ""), "", "{unit}");
            let held = before + (rest.len() / one.len() + 1) * unit.len();
            assert!(
                held <= ECHO_MAX && held > ECHO_MAX - unit.len(),
                "{unit}: {held}"
            );
        }
    }
    // A text of the exact limit is whole, and parts share the room.
    let text = "x".repeat(ECHO_MAX);
    let whole = echo(RESPONSES, &format!("{{\"input\":\"{text}\"}}"));
    assert_eq!(whole, Ok(Some(text.clone())));
    // White space before a text takes none of its room.
    let spaces = " ".repeat(ECHO_MAX + 5000);
    let spaced = echo(RESPONSES, &format!("{{\"input\":{spaces}\"{text}\"}}"));
    assert_eq!(spaced, Ok(Some(text.clone())));
    let content = format!(r#"[{{"text":"a"}},{{"text":"{text}"}},{{"text":"b"}}]"#);
    let parts = format!(r#"{{"messages":[{{"role":"user","content":{content}}}]}}"#);
    let want = format!("a\n{}", "x".repeat(ECHO_MAX - 3));
    assert_eq!(echo(CHAT, &parts), Ok(Some(want)));
    // A cut text of another role does not affect the user's.
    let other = format!(
        r#"{{"messages":[{{"content":"x{text}"}},
            {{"role":"user","content":[{{"text":"a"}},{{"text":"b"}}]}}]}}"#
    );
    assert_eq!(echo(CHAT, &other), Ok(Some("a\nb".to_owned())));
}
