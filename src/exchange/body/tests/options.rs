//! The facts that only some requests need: usage in streams, log probabilities, prompts.

use super::*;

/// `include_usage`, `logprobs`, `inputs` and `prompt_bytes`, the same in every cut.
type Asked = (bool, Option<u8>, u16, u64);

fn asked(endpoint: &'static Endpoint, body: &str) -> Result<Asked, &'static str> {
    read_in_cuts(Reading::default(), endpoint, body, |facts| match facts {
        Ok(facts) => Ok((
            facts.include_usage,
            facts.logprobs(),
            facts.inputs.count,
            facts.prompt_bytes,
        )),
        Err(problem) => Err(problem.param.expect(body)),
    })
}

fn usage(value: &str) -> Result<bool, &'static str> {
    let body = format!(r#"{{"stream_options":{value},"n":1}}"#);
    let read = asked(CHAT, &body);
    assert_eq!(read, asked(COMPLETIONS, &body));
    // The responses have no such field.
    assert_eq!(asked(RESPONSES, &body), Ok((false, None, 1, 0)));
    read.map(|(usage, ..)| usage)
}

#[test]
fn usage_in_streams_is_asked_for_in_an_object() {
    for (value, wanted) in [
        ("null", false),
        ("{}", false),
        (r#"{"include_usage":true}"#, true),
        (r#"{"include_usage":false}"#, false),
        (r#"{"include_usage":null}"#, false),
        (r#"{"include\u005fusage": true }"#, true),
        (
            r#"{"include_usage":true,"other":[1,{"include_usage":5}]}"#,
            true,
        ),
        (
            r#"{"a":{"include_usage":5},"b":[[]],"c":"x","include_usage":true}"#,
            true,
        ),
        (r#"{"a":true,"include_usage":false,"z":true}"#, false),
    ] {
        assert_eq!(usage(value), Ok(wanted), "{value}");
    }
    for value in [
        "true",
        "1",
        "\"x\"",
        "[]",
        r#"["include_usage"]"#,
        r#"[{"include_usage":true}]"#,
        r#"{"include_usage":1}"#,
        r#"{"include_usage":"true"}"#,
        r#"{"include_usage":{}}"#,
        r#"{"include_usage":[]}"#,
    ] {
        assert_eq!(usage(value), Err("stream_options"), "{value}");
    }
    // The last of two keys wins wholly.
    let body = r#"{"stream_options":[],"stream_options":{"include_usage":true}}"#;
    assert_eq!(asked(CHAT, body), Ok((true, None, 1, 0)));
    let body = r#"{"stream_options":{"include_usage":true},"stream_options":{}}"#;
    assert_eq!(asked(CHAT, body), Ok((false, None, 1, 0)));
}

#[test]
fn each_api_asks_for_probabilities_in_its_way() {
    const INCLUDE: &str = r#""include":["a","message.output_text.logprobs"]"#;
    for (endpoint, body, wanted) in [
        (CHAT, r#"{}"#.to_owned(), Ok(None)),
        (
            CHAT,
            r#"{"logprobs":false,"top_logprobs":3}"#.into(),
            Ok(None),
        ),
        (CHAT, r#"{"logprobs":true}"#.into(), Ok(Some(0))),
        (
            CHAT,
            r#"{"top_logprobs":20,"logprobs":true}"#.into(),
            Ok(Some(20)),
        ),
        (
            CHAT,
            r#"{"logprobs":true,"top_logprobs":0}"#.into(),
            Ok(Some(0)),
        ),
        (
            CHAT,
            r#"{"logprobs":true,"top_logprobs":21}"#.into(),
            Err("top_logprobs"),
        ),
        (CHAT, r#"{"top_logprobs":-1}"#.into(), Err("top_logprobs")),
        (CHAT, r#"{"logprobs":1}"#.into(), Err("logprobs")),
        (CHAT, format!("{{{INCLUDE}}}"), Ok(None)),
        (COMPLETIONS, r#"{"logprobs":0}"#.into(), Ok(Some(0))),
        (COMPLETIONS, r#"{"logprobs":5}"#.into(), Ok(Some(5))),
        (COMPLETIONS, r#"{"logprobs":6}"#.into(), Err("logprobs")),
        (COMPLETIONS, r#"{"logprobs":true}"#.into(), Err("logprobs")),
        (COMPLETIONS, r#"{"logprobs":null}"#.into(), Ok(None)),
        (RESPONSES, format!("{{{INCLUDE}}}"), Ok(Some(0))),
        (
            RESPONSES,
            format!(r#"{{{INCLUDE},"top_logprobs":4}}"#),
            Ok(Some(4)),
        ),
        (RESPONSES, r#"{"top_logprobs":4}"#.into(), Ok(None)),
        (RESPONSES, r#"{"include":[]}"#.into(), Ok(None)),
        (RESPONSES, r#"{"include":["x"]}"#.into(), Ok(None)),
        (RESPONSES, r#"{"include":"x"}"#.into(), Err("include")),
        (RESPONSES, r#"{"include":{}}"#.into(), Err("include")),
        (RESPONSES, r#"{"include":[["x"]]}"#.into(), Err("include")),
        (RESPONSES, r#"{"include":[{}]}"#.into(), Err("include")),
        (RESPONSES, r#"{"include":[true]}"#.into(), Err("include")),
        (EMBEDDINGS, r#"{"logprobs":7,"include":3}"#.into(), Ok(None)),
    ] {
        let read = asked(endpoint, &body).map(|(_, logprobs, ..)| logprobs);
        assert_eq!(read, wanted, "{endpoint:?} {body}");
    }
}

#[test]
fn prompts_are_measured_as_they_stand_in_the_body() {
    for (endpoint, key) in [
        (CHAT, "messages"),
        (RESPONSES, "input"),
        (COMPLETIONS, "prompt"),
    ] {
        let long = format!("\"{}\"", "long é ".repeat(60));
        for prompt in [r#""x""#, r#"["a","b\n\u00e9"]"#, "[1,2,3]", &long] {
            for (before, after) in [("{", "}"), (r#"{"n":1,"#, r#","model":"m","x":[1]}"#)] {
                let body = format!(r#"{before}"{key}":{prompt}{after}"#);
                let (.., bytes) = asked(endpoint, &body).unwrap();
                assert_eq!(bytes, prompt.len() as u64, "{body}");
            }
        }
        for body in ["{}".to_owned(), format!(r#"{{"{key}":"x","{key}": null}}"#)] {
            assert_eq!(asked(endpoint, &body), Ok((false, None, 1, 0)), "{body}");
        }
    }
    let messages = r#"[{"role":"user","content":[{"type":"text","text":"x"}]},{"a":[[]]}]"#;
    let body = format!(r#"{{"messages":{messages},"n":2}}"#);
    assert_eq!(
        asked(CHAT, &body),
        Ok((false, None, 1, messages.len() as u64))
    );
}

#[test]
fn prompts_and_what_is_moderated_are_counted() {
    for (endpoint, body, wanted) in [
        (COMPLETIONS, r#"{"prompt":""}"#, Ok(1)),
        (COMPLETIONS, r#"{"prompt":["","b","c"]}"#, Ok(3)),
        (COMPLETIONS, r#"{"prompt":[1,2,3]}"#, Ok(1)),
        (COMPLETIONS, r#"{"prompt":[[1],[2,3]]}"#, Ok(2)),
        (COMPLETIONS, r#"{"prompt":[]}"#, Err("prompt")),
        (COMPLETIONS, r#"{"prompt":[[]]}"#, Err("prompt")),
        (COMPLETIONS, r#"{"prompt":["a",1]}"#, Err("prompt")),
        (COMPLETIONS, r#"{"prompt":[{}]}"#, Err("prompt")),
        (COMPLETIONS, r#"{"prompt":5}"#, Err("prompt")),
        (COMPLETIONS, r#"{"input":5}"#, Ok(1)),
        (MODERATIONS, r#"{"input":"x"}"#, Ok(1)),
        (MODERATIONS, r#"{"input":["x","y"]}"#, Ok(2)),
        (
            MODERATIONS,
            r#"{"input":[{"type":"text","text":"x"},{"type":"image_url","url":{"a":[1,{}]}}]}"#,
            Ok(1),
        ),
        (MODERATIONS, r#"{"input":[{"a":["b"]},"x"]}"#, Err("input")),
        (MODERATIONS, r#"{"input":{}}"#, Err("input")),
        (MODERATIONS, r#"{"input":""}"#, Err("input")),
    ] {
        let read = asked(endpoint, body).map(|(_, _, inputs, _)| inputs);
        assert_eq!(read, wanted, "{endpoint:?} {body}");
    }
}
