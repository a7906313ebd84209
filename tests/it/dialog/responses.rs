//! Tests of the Responses API, a superset that satisfies both the SDKs and older clients of mock
//! servers.

use mocker::internals::settings::Settings;
use serde_json::{Value, json};

use super::chat::{WORDS, check_usage};
use super::client::{UNIX, in_every_cut, post};

#[test]
fn the_response_is_the_superset() {
    let bytes = post("/v1/responses", r#"{"model":"gpt-x","input":"hi"}"#);
    let outcome = in_every_cut("responses", &Settings::default(), bytes.as_bytes());
    assert_eq!((outcome.statuses(), outcome.ended), (vec![200], false));
    let answer = &outcome.answers[0];
    assert_eq!(answer.field("openai-processing-ms"), Some("0"));
    let mut json = answer.json();
    assert_eq!(json["id"].take(), format!("resp-mock{}", answer.id()));
    let item = json["output"][0]["id"].take();
    assert!(item.as_str().unwrap().starts_with("msg_mock"));
    assert!(item.as_str().unwrap().len() > "msg_mock".len());
    let text = json["output"][0]["content"][0]["text"].take();
    assert_eq!(text.as_str().unwrap().split(' ').count(), WORDS);
    let nested = json["output"][0]["message"]["content"][0]["text"].take();
    assert_eq!(nested, text);
    check_both_vocabularies(&mut json["usage"], None);
    let part = json!({ "type": "output_text", "text": null, "annotations": [], "logprobs": [] });
    let want = json!({
        "id": null,
        "object": "response",
        "created": UNIX,
        "created_at": UNIX,
        "status": "completed",
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "metadata": {},
        "model": "gpt-x",
        "output": [{
            "type": "message",
            "id": null,
            "status": "completed",
            "role": "assistant",
            "content": [part],
            "message": { "role": "assistant", "content": [part] }
        }],
        "parallel_tool_calls": true,
        "temperature": 1.0,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": null,
            "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
            "output_tokens": null,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "prompt_tokens": null,
            "completion_tokens": null,
            "total_tokens": null
        }
    });
    assert_eq!(json, want);
}

fn check_both_vocabularies(usage: &mut Value, sent: Option<u64>) {
    assert_eq!(usage["input_tokens"].take(), usage["prompt_tokens"]);
    assert_eq!(usage["output_tokens"].take(), usage["completion_tokens"]);
    check_usage(usage, ["prompt_tokens", "completion_tokens"], sent);
}

#[test]
fn a_token_limit_makes_it_incomplete() {
    for (limit, sent) in [
        (1, 1),
        (4, 4),
        (WORDS - 1, WORDS - 1),
        (WORDS, WORDS),
        (99, WORDS),
    ] {
        let name = format!("max_output_tokens {limit}");
        let bytes = post("/responses", &format!(r#"{{"max_output_tokens":{limit}}}"#));
        let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
        let mut json = outcome.answers[0].json();
        let (status, why) = match sent < WORDS {
            true => ("incomplete", json!({ "reason": "max_output_tokens" })),
            false => ("completed", Value::Null),
        };
        assert_eq!(json["status"], status, "{name}");
        assert_eq!(json["output"][0]["status"], status, "{name}");
        assert_eq!(json["incomplete_details"], why, "{name}");
        let content = &json["output"][0]["content"];
        assert_eq!(json["output"][0]["message"]["content"], *content);
        let text = content[0]["text"].as_str().unwrap();
        assert_eq!(text.split(' ').count(), sent, "{name}");
        check_both_vocabularies(&mut json["usage"], Some(sent as u64));
    }
}

#[test]
fn the_limits_of_chat_are_ignored() {
    let bytes = post("/responses", r#"{"max_tokens":1,"n":"x"}"#);
    let outcome = in_every_cut("chat's fields", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.answers[0].json()["status"], "completed");
}
