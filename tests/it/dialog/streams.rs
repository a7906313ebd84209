//! Streams: what they say, in what order, and when each piece of them leaves.

use std::collections::HashSet;
use std::time::Duration;

use mocker::conn::Wish;
use mocker::conn::outbox::OUTBOX_FULL;
use mocker::settings::{Content, Settings};
use serde_json::Value;

use super::client::{Client, End, HEALTH, MILLI, START, chat, post, request};

const SENTENCE: &str = "This is a mocked response: its words are always the same, \
                        its numbers never are.";

/// The head of an answer, and its content with the chunks' framing taken away.
fn parts(out: &[u8]) -> (String, String) {
    let text = String::from_utf8(out.to_vec()).expect("it is UTF-8");
    let (head, mut rest) = text.split_once("\r\n\r\n").expect("a whole head");
    let mut content = String::new();
    if head.contains("Transfer-Encoding: chunked") {
        let mut last = false;
        while !last {
            let (size, tail) = rest.split_once("\r\n").expect("a chunk's size");
            let size = usize::from_str_radix(size, 16).expect("in hexadecimal");
            content += &tail[..size];
            rest = tail[size..].strip_prefix("\r\n").expect("a chunk's end");
            last = size == 0;
        }
        assert_eq!(rest, "", "nothing follows the last chunk");
    } else {
        content += rest;
    }
    (head.to_owned(), content)
}

/// The type (where told) and the data of each event.
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

/// The chunks of a chat completion or a legacy one, without the last word.
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

fn text_of(chunks: &[Value], choice: u64) -> String {
    let choices = chunks.iter().flat_map(|chunk| chunk["choices"].as_array());
    let of_choice = choices.flatten().filter(|c| c["index"] == choice);
    let text = |c: &Value| {
        let text = c["delta"]["content"].as_str().or(c["text"].as_str());
        text.unwrap_or("").to_owned()
    };
    of_choice.map(text).collect()
}

#[test]
fn a_chat_comes_token_by_token() {
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
fn a_response_tells_every_event_in_order() {
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
fn an_old_client_gets_no_chunks_and_the_connection_ends() {
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

fn paced() -> Settings {
    Settings {
        ttft: Some(Duration::from_millis(200)),
        itl: Duration::from_millis(20),
        tokens: Some(5..=5),
        ..Settings::default()
    }
}

/// Head, role and first token at the time to the first token; then each at its own, whole.
#[test]
fn each_token_leaves_when_it_is_due_and_not_before() {
    let mut client = Client::new(&paced());
    client.send(chat(r#"{"stream":true}"#));
    client.pass(200 * MILLI - 1);
    assert!(client.out.is_empty());
    client.pass(1);
    for token in 0..5 {
        let words = SENTENCE
            .split(' ')
            .take(token + 1)
            .collect::<Vec<_>>()
            .join(" ");
        let whole = [&client.out[..], b"0\r\n\r\n"].concat();
        let whole = if token < 4 { whole } else { client.out.clone() };
        let (_, content) = parts(&whole);
        let said: Vec<Value> = events(&content).into_iter().map(|(_, data)| data).collect();
        assert_eq!(text_of(&said, 0), words);
        assert_eq!(said.last().unwrap() == "[DONE]", token == 4);
        let before = client.out.len();
        if token < 4 {
            client.pass(20 * MILLI - 1);
            assert_eq!(
                client.out.len(),
                before,
                "token {token} is followed too early"
            );
            client.pass(1);
        }
    }
    // The connection goes on.
    client.out.clear();
    client.send(HEALTH);
    assert_eq!(client.answers().len(), 1);
}

/// A loop that wakes late writes all that is due, and what follows is not late for it.
#[test]
fn lateness_does_not_add_up() {
    let mut client = Client::new(&paced());
    client.send(chat(r#"{"stream":true}"#));
    let said = |client: &Client| {
        let (_, content) = parts(&[&client.out[..], b"0\r\n\r\n"].concat());
        let said: Vec<Value> = events(&content).into_iter().map(|(_, data)| data).collect();
        text_of(&said, 0)
    };
    // The first token is 7 ms late, then the second and third leave together.
    client.oversleep(207 * MILLI);
    assert_eq!(said(&client), "This");
    assert_eq!(client.deadline(), 220 * MILLI);
    client.oversleep(38 * MILLI);
    assert_eq!(said(&client), "This is a");
    assert_eq!(client.deadline(), 260 * MILLI);
    client.pass(15 * MILLI);
    assert_eq!(said(&client), "This is a mocked");
    assert_eq!(client.deadline(), 280 * MILLI);
}

#[test]
fn all_choices_have_their_tokens_at_the_same_times() {
    let mut client = Client::new(&paced());
    client.send(chat(r#"{"stream":true,"n":3}"#));
    client.pass(220 * MILLI);
    let (_, content) = parts(&[&client.out[..], b"0\r\n\r\n"].concat());
    let said: Vec<Value> = events(&content).into_iter().map(|(_, data)| data).collect();
    for choice in 0..3 {
        assert_eq!(text_of(&said, choice), "This is");
    }
    assert_eq!(client.deadline(), 240 * MILLI);
}

#[test]
fn chunks_carry_as_many_tokens_as_was_set_and_leave_with_their_first() {
    let settings = Settings {
        tokens_per_chunk: 2,
        ..paced()
    };
    let mut client = Client::new(&settings);
    client.send(chat(r#"{"stream":true}"#));
    client.pass(200 * MILLI);
    assert_eq!(client.deadline(), 240 * MILLI);
    client.pass(80 * MILLI);
    let (_, content) = parts(&client.out);
    let chunks = chunks(&content);
    assert_eq!(chunks.len(), 1 + 3 + 1);
    let words = SENTENCE.split(' ').take(5).collect::<Vec<_>>().join(" ");
    assert_eq!(text_of(&chunks, 0), words);
}

#[test]
fn the_first_token_comes_with_the_latency_unless_it_has_a_time_of_its_own() {
    let latency = Duration::from_millis(50);
    for (ttft, due) in [(None, 50), (Some(Duration::from_millis(10)), 10)] {
        let settings = Settings {
            latency,
            ttft,
            ..Settings::default()
        };
        let mut client = Client::new(&settings);
        client.send(chat(r#"{"stream":true}"#));
        assert_eq!(client.deadline(), due * MILLI);
        // What does not stream has the latency.
        let mut client = Client::new(&settings);
        client.send(chat("{}"));
        assert_eq!(client.deadline(), 50 * MILLI);
    }
}

#[test]
fn gaps_vary_evenly_by_what_was_set_and_follow_from_the_seed() {
    let settings = Settings {
        itl: Duration::from_millis(20),
        itl_jitter: Duration::from_millis(5),
        tokens: Some(2000..=2000),
        ..Settings::default()
    };
    let run = || {
        let mut client = Client::new(&settings);
        client.send(chat(r#"{"stream":true}"#));
        let mut dues = vec![client.deadline()];
        while client.wish() == Wish::Wait {
            client.pass(START + client.deadline() - client.now);
            dues.push(client.deadline());
        }
        dues
    };
    let dues = run();
    let gaps: Vec<u64> = dues[..1998]
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .collect();
    assert!(
        gaps.iter()
            .all(|gap| (15 * MILLI..=25 * MILLI).contains(gap))
    );
    let mean = gaps.iter().sum::<u64>() / gaps.len() as u64;
    assert!((19_700_000..20_300_000).contains(&mean), "{mean}");
    assert!(gaps.iter().any(|gap| *gap < 16 * MILLI) && gaps.iter().any(|gap| *gap > 24 * MILLI));
    assert_eq!(dues, run());
}

/// One who reads slowly, or not at all, costs no more than a full outbox and loses nothing.
#[test]
fn a_slow_reader_is_waited_for_and_loses_nothing() {
    let settings = Settings {
        tokens: Some(5000..=5000),
        ..Settings::default()
    };
    for sip in [1000, 70_000] {
        let mut client = Client::new(&settings);
        client.takes(0);
        client.send(chat(r#"{"stream":true}"#));
        assert!(client.waiting() >= OUTBOX_FULL);
        assert!(
            client.waiting() < OUTBOX_FULL + 2048,
            "{}",
            client.waiting()
        );
        while client.waiting() > 0 {
            client.take(sip);
            if client.wish() == Wish::Again {
                client.resume();
            }
        }
        let (_, content) = parts(&client.out);
        let text = text_of(&chunks(&content), 0);
        assert_eq!(text.split(' ').count(), 5000);
        assert!(client.most_waiting < OUTBOX_FULL + 2048);
    }
}

#[test]
fn a_stream_whose_client_reads_nothing_ends_with_the_write_timeout() {
    let settings = Settings {
        write_timeout: Duration::from_secs(3),
        tokens: Some(5000..=5000),
        ..Settings::default()
    };
    let mut client = Client::new(&settings);
    client.takes(0);
    client.send(chat(r#"{"stream":true}"#));
    client.pass(2000 * MILLI);
    // A byte read is a sign of life.
    client.take(1);
    client.pass(2999 * MILLI);
    assert_eq!(client.end, End::Open);
    client.pass(2 * MILLI);
    assert_eq!(client.end, End::Closed);
}

#[test]
fn text_is_as_long_as_was_set_and_counted() {
    for content in [Content::Fixed, Content::Random] {
        let settings = Settings {
            tokens: Some(50..=60),
            content,
            ..Settings::default()
        };
        let mut client = Client::new(&settings);
        let mut seen = HashSet::new();
        for _ in 0..300 {
            let json = client.ask(chat(r#"{"messages":[]}"#)).json();
            let text = json["choices"][0]["message"]["content"].as_str().unwrap();
            let tokens = text.split(' ').count();
            assert_eq!(json["usage"]["completion_tokens"], tokens);
            assert_eq!(json["usage"]["prompt_tokens"], 1);
            assert_eq!(json["choices"][0]["finish_reason"], "stop");
            seen.insert(tokens);
        }
        assert_eq!(seen.len(), 11, "every length from 50 to 60 comes");
        let cut = client.ask(chat(r#"{"max_tokens":7}"#)).json();
        assert_eq!(cut["choices"][0]["finish_reason"], "length");
        assert_eq!(cut["usage"]["completion_tokens"], 7);
    }
}

#[test]
fn random_words_are_others_each_time() {
    let mut client = Client::new(&Settings {
        content: Content::Random,
        ..Settings::default()
    });
    let mut ask = || client.ask(chat("{}")).json()["choices"][0]["message"]["content"].take();
    let texts: HashSet<String> = (0..100).map(|_| ask().to_string()).collect();
    assert_eq!(texts.len(), 100);
}

/// Of 5 tokens or 6, a limit of 5 cuts only the latter; both answers are equally long otherwise.
#[test]
fn an_answer_says_that_it_was_cut_only_when_it_was() {
    let mut client = Client::new(&Settings {
        tokens: Some(5..=6),
        ..Settings::default()
    });
    let mut ask = || client.ask(chat(r#"{"max_tokens":5}"#)).json();
    let ends = (0..200).map(|_| ask()["choices"][0]["finish_reason"].to_string());
    let cut = ends.filter(|end| end == "\"length\"").count();
    assert!((60..140).contains(&cut), "{cut} of 200");
}

#[test]
fn what_streams_says_the_same_as_what_does_not() {
    for content in [Content::Fixed, Content::Random] {
        let settings = Settings {
            content,
            ..Settings::default()
        };
        // The first answer of a seed has one id, whatever its form; so random words are the same.
        let (_, streamed) = streamed(&settings, chat(r#"{"stream":true}"#));
        let whole = Client::new(&settings).ask(chat("{}")).json();
        let text = text_of(&chunks(&streamed), 0);
        assert_eq!(whole["choices"][0]["message"]["content"], *text);
    }
}

#[test]
fn probabilities_are_told_of_each_token() {
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

#[test]
fn models_and_moderations_are_answered() {
    let mut client = Client::plain();
    let list = client.ask(request("GET", "/v1/models", &[], "")).json();
    assert_eq!(list["data"][0]["id"], "gpt-4o-mini");
    let one = client
        .ask(request("GET", "/openai/v1/models/a%2Fb", &[], ""))
        .json();
    assert_eq!(
        (&one["id"], &one["object"]),
        (&"a/b".into(), &"model".into())
    );
    for (input, results) in [
        (r#""x""#, 1),
        (r#"["x","y","z"]"#, 3),
        (r#"[{"type":"text","text":"x"},{"type":"image_url"}]"#, 1),
    ] {
        let body = format!(r#"{{"input":{input}}}"#);
        let json = client.ask(post("/v1/moderations", &body)).json();
        assert_eq!(
            json["results"].as_array().unwrap().len(),
            results,
            "{input}"
        );
        assert_eq!(json["results"][0]["flagged"], false);
    }
}

#[test]
fn a_page_may_read_only_where_it_was_allowed() {
    let options = request(
        "OPTIONS",
        "/v1/chat/completions",
        &["Origin: https://a.example"],
        "",
    );
    for cors in [false, true] {
        let mut client = Client::new(&Settings {
            cors,
            ..Settings::default()
        });
        for request in [&options, &chat("{}")] {
            client.send(request);
            let out = String::from_utf8(std::mem::take(&mut client.out)).unwrap();
            assert_eq!(
                out.contains("\r\nAccess-Control-Allow-Origin: *\r\n"),
                cors,
                "{out}"
            );
        }
    }
}
