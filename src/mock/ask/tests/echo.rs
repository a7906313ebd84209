//! What the user said last, where answers say it again.

use super::super::echo::ECHO_MAX;
use super::*;

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
