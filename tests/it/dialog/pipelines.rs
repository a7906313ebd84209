//! Tests of pipelining: responses are complete and in order, and turns and buffers are bounded.

use mocker::internals::conn::Want;
use mocker::internals::conn::outbox::OUTBOX_FULL;
use mocker::internals::settings::Settings;

use super::chat::big;
use super::client::{Client, End, HEALTH, chat, chunked, in_every_cut, post, request};

/// Returns a hundred different requests, and the status and a part of the content of each response.
fn hundred() -> (String, Vec<(u16, String)>) {
    let (mut bytes, mut want) = (String::new(), Vec::new());
    for at in 0..100 {
        let model = format!("m-{at}");
        let body = format!(r#"{{"model":"{model}","input":"x","dimensions":4}}"#);
        let (request, status, text) = match at % 10 {
            0 => (chat(&body), 200, format!("\"{model}\"")),
            1 => (post("/responses", &body), 200, format!("\"{model}\"")),
            2 => (post("/v1/embeddings", &body), 200, format!("\"{model}\"")),
            3 => (HEALTH.into(), 200, "healthy".into()),
            4 => (post("/nothing", HEALTH), 404, "unknown_path".into()),
            5 => (
                request("PUT", "/v1/responses", &[], HEALTH),
                405,
                "POST".into(),
            ),
            6 => (
                request("OPTIONS", "/v1/responses", &[], HEALTH),
                204,
                String::new(),
            ),
            7 => {
                let body = format!("{}x", " ".repeat(at));
                (chat(&body), 400, format!("byte {at} "))
            }
            8 => {
                let chunk = format!("{:x}\r\n{body}\r\n0\r\nX: y\r\n\r\n", body.len());
                (chunked(&chunk), 200, format!("\"{model}\""))
            }
            _ => {
                let path = format!("/openai/deployments/d{at}/chat/completions");
                (post(&path, &body), 200, format!("\"d{at}\""))
            }
        };
        bytes += &request;
        want.push((status, text));
    }
    (bytes, want)
}

#[test]
fn a_hundred_requests_get_responses_in_order() {
    let (bytes, want) = hundred();
    let outcome = in_every_cut("a hundred", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.answers.len(), 100);
    assert!(!outcome.ended);
    for (at, (answer, (status, text))) in outcome.answers.iter().zip(want).enumerate() {
        let content = String::from_utf8_lossy(&answer.content);
        assert_eq!(answer.status, status, "{at}");
        assert!(content.contains(&text), "{at}: {text:?} in {content}");
    }
}

/// Requests that fill a buffer, each of which is much work and has a short response; and their
/// number.
fn different() -> (String, usize) {
    let request = |number| {
        let dimensions = 10 + number % 90;
        let body = format!(r#"{{"model":"m","input":"a","dimensions":{dimensions}}}"#);
        post("/v1/embeddings", &body)
    };
    let count = 16_384 / request(0).len();
    ((0..count).map(request).collect(), count)
}

#[test]
fn a_turn_ends_when_its_units_are_spent() {
    let (requests, count) = different();
    let mut client = Client::plain();
    client.takes(0);
    client.receive(requests.as_bytes());
    let (mut responses, mut turns) = (0, 0);
    loop {
        turns += 1;
        let left = client.core.meter.left();
        client.take(usize::MAX);
        assert_eq!(client.waiting(), 0, "no more is sent before the next poll");
        responses += client.answers().len();
        if client.want() == Want::Read {
            break;
        }
        assert_eq!(client.want(), Want::Again);
        assert!((-10_000..=0).contains(&left), "{left} units are left");
        client.resume();
    }
    assert_eq!(responses, count);
    assert!(turns > 2, "{turns} turns");
}

/// A single request that is much work takes several turns, whatever the work is.
#[test]
fn expensive_responses_are_made_over_several_turns() {
    // No value satisfies it, which takes some 100,000 steps to find out.
    let schema =
        r#"{"type":"array","items":{"type":"integer"},"minItems":1000,"uniqueItems":true}"#;
    let format =
        format!(r#"{{"type":"json_schema","json_schema":{{"name":"a","schema":{schema}}}}}"#);
    let tool = r#"{"type":"function","function":{"name":"f"}},"#.repeat(2000);
    let choice = r#"{"type":"function","function":{"name":"g"}}"#;
    let text = "x".repeat(500_000);
    for (path, fields) in [
        (
            "/v1/chat/completions",
            format!(r#""response_format":{format}"#),
        ),
        (
            "/v1/chat/completions",
            format!(r#""tools":[{tool}{choice}],"tool_choice":{choice}"#),
        ),
        (
            "/v1/responses",
            format!(r#""input":"a","text":{{"format":{{"type":"json_object","x":"{text}"}}}}"#),
        ),
        (
            "/v1/embeddings",
            r#""input":"a","dimensions":4096"#.to_owned(),
        ),
    ] {
        let mut client = Client::plain();
        client.takes(0);
        let request = post(path, &format!(r#"{{"model":"m",{fields}}}"#)).into_bytes();
        // Everything but the last byte is received before the turns are counted.
        for piece in request[..request.len() - 1].chunks(16_384) {
            client.receive(piece);
            while client.want() == Want::Again {
                client.resume();
            }
        }
        client.receive(&request[request.len() - 1..]);
        let mut turns = 1;
        while client.want() == Want::Again {
            client.resume();
            client.take(usize::MAX);
            turns += 1;
        }
        assert!(turns > 3, "{path} {:.40}: {turns} turns", fields);
    }
}

/// A client that sends without reading takes little memory, and is served once it reads.
#[test]
fn a_client_that_reads_nothing_takes_little_memory() {
    for (settings, request, largest) in [
        (Settings::default(), HEALTH.to_owned(), 1 << 10),
        (Settings::default(), chat("{}"), 2 << 10),
        (big(), chat("{}"), 12 << 10),
        (big(), chat(r#"{"n":6}"#), 64 << 10),
        (big(), chat(r#"{"n":128}"#), 12 << 10),
        (big(), post("/v1/embeddings", "{}"), 64 << 10),
        (
            big(),
            post("/v1/embeddings", r#"{"input":["a","b","c"]}"#),
            64 << 10,
        ),
    ] {
        let mut client = Client::new(&settings);
        client.send(&request);
        let whole = client.out.len();
        let content = client.answers()[0].content.len();
        client.takes(0);
        client.resume();
        let count = (16_384 / request.len()).min(64);
        client.receive(request.repeat(count).as_bytes());
        assert!(
            client.waiting() >= OUTBOX_FULL.min(whole * count),
            "it is made use of"
        );
        assert!(
            client.waiting() < OUTBOX_FULL + largest,
            "{}",
            client.waiting()
        );
        client.takes(10_000);
        assert!(
            client.most_waiting < OUTBOX_FULL + largest,
            "{}",
            client.most_waiting
        );
        let responses = client.answers();
        assert_eq!(responses.len(), count);
        assert!(responses.iter().all(|one| one.content.len() == content));
    }
}

#[test]
fn an_invalid_request_ends_the_pipeline() {
    let bytes = chat("{}") + &chunked("7\r\n{\"n\":2}X\r\n0\r\n\r\n") + HEALTH;
    let outcome = in_every_cut("bad chunk", &Settings::default(), bytes.as_bytes());
    assert_eq!((outcome.statuses(), outcome.ended), (vec![200, 400], true));
    let closing = request("GET", "/health", &["Connection: close"], "");
    let bytes = chat("{}") + &closing + HEALTH + "\0\n";
    let outcome = in_every_cut("close", &Settings::default(), bytes.as_bytes());
    assert_eq!((outcome.statuses(), outcome.ended), (vec![200, 200], true));
}

#[test]
fn empty_lines_between_requests_are_ignored() {
    let bytes = format!("{}\r\n{HEALTH}\r\n\r\n{}", chat("{}"), chat("{}"));
    let outcome = in_every_cut("empty lines", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200, 200, 200]);
}

#[test]
fn a_slow_reader_gets_every_byte() {
    let (bytes, _) = hundred();
    let mut whole = Client::plain();
    whole.send(&bytes);
    let mut slow = Client::plain();
    slow.takes(1);
    slow.send(&bytes);
    assert_eq!(slow.out.len(), whole.out.len());
    assert_eq!((slow.answers().len(), slow.end), (100, End::Open));
}
