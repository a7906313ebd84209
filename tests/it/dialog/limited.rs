//! Tests of the rate limit on virtual time: its begin, its end, its responses and its precedence.

use std::time::Duration;

use mocker::internals::SECOND;
use mocker::internals::settings::Settings;

use super::client::{Client, HEALTH, START, chat, post, request};

/// The time from the client's start to the begin of the limit, in seconds.
const BEGINS: u64 = 10;

fn settings(duration: u32, retry_after: u32) -> Settings {
    Settings {
        tpm: (START / SECOND + BEGINS) as u32,
        tpm_duration: duration,
        retry_after,
        ..Settings::default()
    }
}

/// Creates a client one nanosecond before the limit begins.
fn client_before(settings: &Settings) -> Client {
    let mut client = Client::new(settings);
    client.pass(BEGINS * SECOND - 1);
    client
}

fn api() -> [String; 4] {
    [
        chat("{}"),
        post("/responses", "{}"),
        post("/v1/embeddings", r#"{"input":"x"}"#),
        post("/openai/deployments/a/chat/completions", "{}"),
    ]
}

#[test]
fn the_limit_begins_and_ends_to_the_nanosecond() {
    for (duration, retry_after) in [(0, "7"), (3, "3")] {
        let mut client = client_before(&settings(duration, 7));
        for request in api() {
            assert_eq!(client.ask(request).status, 200, "before");
        }
        client.pass(1);
        for request in api() {
            let answer = client.ask(&request);
            assert_eq!(answer.status, 429, "{request}");
            assert_eq!(answer.field("retry-after"), Some(retry_after));
            assert!(!answer.closes());
            let body = r#"{"event_id":"evt_mock_error_12345","error":{"type":"server_error","#
                .to_owned()
                + r#""code":"internal_server_error","message":"#
                + r#""Rate limit exceeded. Please retry after some time.","param":null}}"#;
            let text = String::from_utf8(answer.content).expect("it is UTF-8");
            assert_eq!(text, body);
        }
        assert_eq!(client.ask(HEALTH).status, 200, "health is for all");
        client.pass(3 * SECOND - 1);
        assert_eq!(client.ask(chat("{}")).status, 429, "at its last");
        client.pass(1);
        for request in api() {
            let after = if duration == 0 { 429 } else { 200 };
            assert_eq!(client.ask(request).status, after, "after");
        }
        client.pass(50 * SECOND);
        let much_later = if duration == 0 { 429 } else { 200 };
        assert_eq!(client.ask(chat("{}")).status, much_later);
    }
}

#[test]
fn retry_after_is_the_remaining_time_or_the_setting() {
    for (duration, setting, waits) in [
        // Nanoseconds into the limit, and the expected value.
        (
            3,
            7,
            &[(0, Some("3")), (1, Some("3")), (SECOND - 1, Some("3"))] as &[_],
        ),
        (3, 7, &[(SECOND, Some("2")), (3 * SECOND - 1, Some("1"))]),
        (3, 0, &[(0, Some("3"))]),
        (31_536_000, 0, &[(0, Some("31536000"))]),
        (0, 7, &[(0, Some("7")), (30 * SECOND, Some("7"))]),
        (0, 0, &[(0, None), (30 * SECOND, None)]),
        (0, 86_400, &[(0, Some("86400"))]),
    ] {
        for (wait, said) in waits {
            let mut client = client_before(&settings(duration, setting));
            client.pass(1 + wait);
            let answer = client.ask(chat("{}"));
            assert_eq!(
                answer.field("retry-after"),
                *said,
                "{duration} {setting} {wait}"
            );
        }
    }
}

#[test]
fn a_request_counts_when_it_is_complete() {
    let request = chat("{}");
    let (first, second) = request.split_at(40);
    let mut client = client_before(&settings(3, 1));
    client.send(first);
    client.pass(1);
    client.send(second);
    assert_eq!(client.came(), [429]);
    client.send(first);
    client.pass(3 * SECOND);
    client.send(second);
    assert_eq!(client.came(), [200]);
}

/// Requests that were accepted before the limit get their response during it, including those
/// accepted with a 100.
#[test]
fn accepted_requests_get_their_response() {
    let late = Settings {
        latency: Duration::from_secs(2),
        ..settings(0, 1)
    };
    let mut client = client_before(&late);
    client.send(chat("{}"));
    client.pass(2 * SECOND);
    assert_eq!(client.came(), [200]);
    assert_eq!(client.ask(chat("{}")).status, 429, "without delay");

    let mut client = client_before(&settings(0, 1));
    let expects = request("POST", "/v1/responses", &["Expect: 100-continue"], "{}");
    let (head, body) = expects.split_at(expects.len() - 2);
    client.send(head);
    assert_eq!(client.came(), [100]);
    client.pass(1);
    client.send(body);
    assert_eq!(client.came(), [429], "at its last byte");
}

/// Each request has one more error than the one below it.
#[test]
fn the_first_failing_check_decides() {
    let (key, coded) = ("Authorization: k", "Content-Encoding: br");
    let limited = Settings {
        auth: "k".into(),
        failure_percent: 1_000_000,
        max_body: 10,
        ..settings(5, 1)
    };
    let long = "x".repeat(11);
    let steps = [
        (404, request("POST", "/nothing", &[coded], "[]")),
        (204, request("OPTIONS", "/v1/responses", &[coded], "[]")),
        (403, request("PUT", "/v1/responses", &[coded], "[]")),
        (405, request("PUT", "/v1/responses", &[key, coded], "[]")),
        (413, request("POST", "/v1/responses", &[key, coded], &long)),
        (429, request("POST", "/v1/responses", &[key, coded], "[]")),
        (429, request("POST", "/v1/responses", &[key], "[]")),
        (429, request("POST", "/v1/responses", &[key], "{}")),
    ];
    for (status, request) in &steps {
        let mut client = client_before(&limited);
        client.pass(1);
        assert_eq!(client.ask(request).status, *status, "{request}");
        client.reconnect();
        // After the limit, the same request fails before its body is checked.
        client.pass(5 * SECOND);
        let behind = if *status == 429 { 500 } else { *status };
        assert_eq!(client.ask(request).status, behind, "{request}");
    }
}
