//! Tests of chat completions: the fields, choices, limits and lengths of responses.

use std::collections::HashSet;

use mocker::internals::settings::Settings;
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, UNIX, chat, in_every_cut, post};

/// The number of words, which is that of tokens, in the fixed sentence.
pub const WORDS: usize = 15;

pub fn big() -> Settings {
    Settings {
        big_payload: true,
        ..Settings::default()
    }
}

fn content(answer: &Answer) -> String {
    let json = answer.json();
    let text = json["choices"][0]["message"]["content"].as_str();
    text.expect("a text").into()
}

#[test]
fn the_response_has_every_field_of_the_schema() {
    let body = r#"{"model":"gpt-x","messages":[{"role":"user","content":"hi"}]}"#;
    let outcome = in_every_cut("chat", &Settings::default(), chat(body).as_bytes());
    assert_eq!((outcome.statuses(), outcome.ended), (vec![200], false));
    let answer = &outcome.answers[0];
    assert_eq!(answer.field("openai-processing-ms"), Some("0"));
    assert_eq!(answer.field("connection"), Some("keep-alive"));
    let mut json = answer.json();
    assert_eq!(json["id"], format!("cmpl-mock{}", answer.id()));
    json["id"].take();
    check_usage(
        &mut json["usage"],
        ["prompt_tokens", "completion_tokens"],
        None,
    );
    let text = json["choices"][0]["message"]["content"].take();
    let words: Vec<_> = text.as_str().unwrap().split(' ').collect();
    assert_eq!(words.len(), WORDS, "the other tests count in these words");
    let want = json!({
        "id": null,
        "object": "chat.completion",
        "created": UNIX,
        "model": "gpt-x",
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant", "content": null, "refusal": null, "annotations": []
            },
            "logprobs": null,
            "finish_reason": "stop"
        }],
        "usage": {
            "prompt_tokens": null,
            "completion_tokens": null,
            "total_tokens": null,
            "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0
            }
        }
    });
    assert_eq!(json, want);
}

/// Asserts that the usage adds up, and removes its numbers. `sent` is the limited number of tokens.
pub fn check_usage(usage: &mut Value, [prompt, completion]: [&str; 2], sent: Option<u64>) {
    let mut number = |name: &str| usage[name].take().as_u64().expect("a number");
    let (prompt, completion) = (number(prompt), number(completion));
    match sent {
        // None of these requests has a prompt.
        Some(sent) => assert_eq!((prompt, completion), (1, sent)),
        None => assert!(
            (100..=499).contains(&prompt) && (100..=499).contains(&completion),
            "{prompt}, {completion}"
        ),
    }
    assert_eq!(number("total_tokens"), prompt + completion);
}

#[test]
fn the_model_is_echoed_verbatim() {
    let long = "m".repeat(256);
    let names: &[&str] = &[
        "gpt-4o",
        r#"a\"bé"#,
        r"a\u0022b\u00e9\/\n\\",
        "模型-😀",
        &"m".repeat(44),
        &"m".repeat(45),
        &long,
        r"\u0041".repeat(42).leak(),
    ];
    for name in names {
        for path in ["/v1/chat/completions", "/v1/responses", "/v1/embeddings"] {
            let body = format!(r#"{{"model":"{name}","input":"a","dimensions":2}}"#);
            let bytes = post(path, &body);
            let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
            let text = String::from_utf8(outcome.answers[0].content.clone()).unwrap();
            assert!(text.contains(&format!("\"model\":\"{name}\"")), "{text}");
        }
    }
}

#[test]
fn n_is_the_number_of_choices() {
    for (settings, all) in [
        (Settings::default(), &[1, 2, 127, 128][..]),
        (big(), &[1, 8]),
    ] {
        for &n in all {
            let bytes = chat(&format!(r#"{{"n":{n},"max_tokens":3}}"#));
            let name = format!("n {n}");
            let answer = in_every_cut(&name, &settings, bytes.as_bytes())
                .answers
                .remove(0);
            let json = answer.json();
            let choices = json["choices"].as_array().unwrap();
            assert_eq!(choices.len(), n);
            for (index, choice) in choices.iter().enumerate() {
                assert_eq!(choice["index"], index);
                assert_eq!(choice["message"], choices[0]["message"]);
                assert_eq!(choice["finish_reason"], "length");
            }
        }
    }
}

#[test]
fn many_large_choices_are_sent_in_pieces() {
    // 128 times 10 KB: more than the outbox can hold.
    let bytes = chat(r#"{"n":128}"#);
    let mut client = Client::new(&big());
    let json = client.ask(&bytes).json();
    assert_eq!(json["choices"].as_array().unwrap().len(), 128);
    for (index, choice) in json["choices"].as_array().unwrap().iter().enumerate() {
        assert_eq!(choice["index"], index);
        assert!(choice["message"]["content"].as_str().unwrap().len() > 9_000);
    }
    check_usage(
        &mut json["usage"].clone(),
        ["prompt_tokens", "completion_tokens"],
        None,
    );
}

#[test]
fn a_token_limit_truncates_and_is_reported() {
    let all = content(&Client::plain().ask(chat("{}")));
    for (field, limit, sent) in [
        ("max_tokens", 1, 1),
        ("max_tokens", 3, 3),
        ("max_completion_tokens", 5, 5),
        ("max_tokens", WORDS - 1, WORDS - 1),
        ("max_tokens", WORDS, WORDS),
        ("max_completion_tokens", WORDS + 1, WORDS),
        ("max_tokens", 4_294_967_295, WORDS),
        ("max_tokens", 99_999_999_999_999, WORDS),
    ] {
        let name = format!("{field} {limit}");
        let bytes = chat(&format!(r#"{{"{field}":{limit}}}"#));
        let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
        let mut json = outcome.answers[0].json();
        let words: Vec<_> = all.split(' ').take(sent).collect();
        assert_eq!(content(&outcome.answers[0]), words.join(" "), "{name}");
        let reason = if sent < WORDS { "length" } else { "stop" };
        assert_eq!(json["choices"][0]["finish_reason"], reason, "{name}");
        let names = ["prompt_tokens", "completion_tokens"];
        check_usage(&mut json["usage"], names, Some(sent as u64));
    }
    let both = chat(r#"{"max_tokens":9,"max_completion_tokens":2}"#);
    assert_eq!(content(&Client::plain().ask(both)).split(' ').count(), 2);
}

#[test]
fn big_payload_is_about_ten_kilobytes() {
    let outcome = in_every_cut("big", &big(), chat("{}").as_bytes());
    let len = content(&outcome.answers[0]).len();
    assert!((9_500..10_500).contains(&len), "{len}");
}

#[test]
fn responses_to_one_request_have_equal_lengths_and_different_ids() {
    let embeddings = r#"{"input":["a","b"],"dimensions":8}"#;
    for (settings, path, body) in [
        (Settings::default(), "/v1/chat/completions", "{}"),
        (Settings::default(), "/v1/chat/completions", r#"{"n":3}"#),
        (Settings::default(), "/v1/responses", "{}"),
        (Settings::default(), "/v1/embeddings", embeddings),
        (big(), "/v1/chat/completions", "{}"),
    ] {
        let mut client = Client::new(&settings);
        let mut lengths = HashSet::new();
        let mut ids = HashSet::new();
        let mut usages = HashSet::new();
        for _ in 0..200 {
            let answer = client.ask(post(path, body));
            lengths.insert(answer.len);
            assert!(ids.insert(answer.id().to_owned()), "an id came twice");
            usages.insert(answer.json()["usage"].to_string());
        }
        assert_eq!(lengths.len(), 1, "{path} {body}: {lengths:?}");
        assert!(usages.len() > 50, "usage is drawn anew: {}", usages.len());
    }
}
