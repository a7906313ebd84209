//! Tests of the content and the order of streams.

use mocker::internals::settings::Settings;
use serde_json::Value;

use super::answer::dechunked;
use super::client::{Client, End, chat, post};

pub const SENTENCE: &str = "This is a mocked response: its words are always the same, \
                        its numbers never are.";

/// Returns the head of a response, and its content without chunk framing.
pub fn parts(out: &[u8]) -> (String, String) {
    let text = std::str::from_utf8(out).expect("it is UTF-8");
    let (head, content) = text.split_once("\r\n\r\n").expect("a whole head");
    if !head.contains("Transfer-Encoding: chunked") {
        return (head.to_owned(), content.to_owned());
    }
    let (content, rest) = dechunked(content.as_bytes()).expect("the last chunk");
    assert!(rest.is_empty(), "nothing follows the last chunk");
    let content = String::from_utf8(content).expect("chunks are cut between characters");
    (head.to_owned(), content)
}

/// Returns the type, if any, and the data of each event.
pub fn events(content: &str) -> Vec<(Option<&str>, Value)> {
    let whole = content.strip_suffix("\n\n").expect("events end");
    let event = |text| match str::split_once(text, '\n') {
        Some((kind, data)) => (kind.strip_prefix("event: "), data),
        None => (None, text),
    };
    let parsed = whole.split("\n\n").map(event).map(|(kind, data)| {
        let data = data.strip_prefix("data: ").expect("data");
        let json = serde_json::from_str(data).unwrap_or_else(|_| Value::from(data));
        (kind, json)
    });
    parsed.collect()
}

/// Returns the chunks of a chat completion or a legacy one, without the final `[DONE]`.
pub fn chunks(content: &str) -> Vec<Value> {
    let mut events = events(content);
    assert_eq!(events.pop().expect("one").1, "[DONE]");
    events.into_iter().map(|(_, data)| data).collect()
}

pub fn streamed(settings: &Settings, request: impl AsRef<[u8]>) -> (String, String) {
    let mut client = Client::new(settings);
    client.send(request);
    parts(&client.out)
}

pub fn text_of(chunks: &[Value], choice: u64) -> String {
    let choices = chunks.iter().flat_map(|chunk| chunk["choices"].as_array());
    let of_choice = choices.flatten().filter(|c| c["index"] == choice);
    let text = |c: &Value| {
        let text = c["delta"]["content"].as_str().or(c["text"].as_str());
        text.unwrap_or("").to_owned()
    };
    of_choice.map(text).collect()
}

#[test]
fn a_chat_is_streamed_token_by_token() {
    let (head, content) = streamed(&Settings::default(), chat(r#"{"stream":true}"#));
    assert!(head.contains("\r\nContent-Type: text/event-stream; charset=utf-8"));
    assert!(head.contains("\r\nCache-Control: no-cache") && !head.contains("Content-Length"));
    let chunks = chunks(&content);
    let tokens = SENTENCE.split(' ').count();
    assert_eq!(chunks.len(), 1 + tokens + 1);
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        for same in ["id", "created", "model"] {
            assert_eq!(chunk[same], chunks[0][same]);
        }
        assert!(chunk.get("usage").is_none());
    }
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(text_of(&chunks, 0), SENTENCE);
    let (end, others) = chunks.split_last().expect("an end");
    assert_eq!(end["choices"][0]["delta"], serde_json::json!({}));
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert!(
        others
            .iter()
            .all(|c| c["choices"][0]["finish_reason"].is_null())
    );
}

#[test]
fn choices_take_turns_and_usage_comes_last() {
    let body = r#"{"stream":true,"n":3,"max_tokens":2,"stream_options":{"include_usage":true},
                   "messages":"12345"}"#;
    let (_, content) = streamed(&Settings::default(), chat(body));
    let mut chunks = chunks(&content);
    let last = chunks.pop().expect("usage");
    assert_eq!(last["choices"], serde_json::json!([]));
    // Seven bytes of prompt are two tokens.
    assert_eq!(last["usage"]["prompt_tokens"], 2);
    assert_eq!(last["usage"]["completion_tokens"], 6);
    assert_eq!(last["usage"]["total_tokens"], 8);
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["usage"].is_null() && chunk.get("usage").is_some())
    );
    let order: Vec<_> = chunks
        .iter()
        .map(|c| c["choices"][0]["index"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    for choice in 0..3 {
        assert_eq!(text_of(&chunks, choice), "This is");
    }
    let ends = chunks[9..]
        .iter()
        .map(|chunk| &chunk["choices"][0]["finish_reason"]);
    assert!(ends.into_iter().all(|why| why == "length"));
}

#[test]
fn a_response_has_every_event_in_order() {
    for (limit, last, status) in [
        ("", "response.completed", "completed"),
        (
            r#","max_output_tokens":3"#,
            "response.incomplete",
            "incomplete",
        ),
    ] {
        let body = format!(r#"{{"stream":true{limit}}}"#);
        let (_, content) = streamed(&Settings::default(), post("/v1/responses", &body));
        let events = events(&content);
        let deltas = if limit.is_empty() {
            SENTENCE.split(' ').count()
        } else {
            3
        };
        let delta = "response.output_text.delta";
        let mut want = vec![
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
        ];
        want.extend([delta].repeat(deltas));
        want.extend([
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            last,
        ]);
        assert_eq!(
            events
                .iter()
                .map(|(kind, _)| kind.unwrap())
                .collect::<Vec<_>>(),
            want
        );
        for (at, (kind, data)) in events.iter().enumerate() {
            assert_eq!(data["type"], kind.unwrap());
            assert_eq!(data["sequence_number"], at);
        }
        let told = events.iter().filter(|(kind, _)| *kind == Some(delta));
        let text: String = told
            .map(|(_, data)| data["delta"].as_str().unwrap())
            .collect();
        let (_, end) = events.last().unwrap();
        assert_eq!(end["response"]["status"], status);
        assert_eq!(end["response"]["output"][0]["content"][0]["text"], *text);
        assert!(end["response"]["usage"]["output_tokens"].is_u64());
        for (_, begun) in &events[..2] {
            assert_eq!(begun["response"]["output"], serde_json::json!([]));
            assert!(begun["response"].get("usage").is_none());
        }
    }
}

#[test]
fn every_prompt_of_a_legacy_completion_has_its_choices() {
    let body = r#"{"stream":true,"prompt":["a","b"],"n":2,"max_tokens":4}"#;
    let (_, content) = streamed(&Settings::default(), post("/v1/completions", body));
    let chunks = chunks(&content);
    for choice in 0..4 {
        assert_eq!(text_of(&chunks, choice), "This is a mocked");
    }
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["object"] == "text_completion")
    );
    assert_eq!(chunks.len(), 4 * (4 + 1));
}

#[test]
fn an_http_1_0_client_gets_no_chunks_and_the_connection_is_closed() {
    let body = r#"{"stream":true}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.0\r\nConnection: keep-alive\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut client = Client::plain();
    client.send(request);
    let (head, content) = parts(&client.out);
    assert!(!head.contains("Transfer-Encoding") && head.contains("\r\nConnection: close"));
    assert_eq!(text_of(&chunks(&content), 0), SENTENCE);
    assert_ne!(client.end, End::Open);
}

#[test]
fn each_token_has_probabilities() {
    let body = r#"{"stream":true,"logprobs":true,"top_logprobs":3,"max_tokens":4}"#;
    let (_, content) = streamed(&Settings::default(), chat(body));
    let chunks = chunks(&content);
    assert!(chunks[0]["choices"][0]["logprobs"].is_null());
    for chunk in &chunks[1..5] {
        let choice = &chunk["choices"][0];
        let told = &choice["logprobs"]["content"][0];
        assert_eq!(told["token"], choice["delta"]["content"]);
        assert_eq!(told["top_logprobs"].as_array().unwrap().len(), 3);
        assert!(told["logprob"].as_f64().unwrap() <= 0.0);
        let bytes: Vec<u8> = serde_json::from_value(told["bytes"].clone()).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            told["token"].as_str().unwrap()
        );
    }
}
