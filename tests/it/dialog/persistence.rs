//! Tests of persistence (RFC 9112, section 9.3), and its announcement in responses.

use std::time::Duration;

use mocker::internals::settings::Settings;

use super::client::{Client, End, HEALTH, chat, in_every_cut, in_every_cut_with_heads};

/// Versions, field lines, the announcement in the response, and whether the connection stays open.
const CASES: &[(&str, &str, &str, bool)] = &[
    ("1.1", "", "keep-alive", true),
    ("1.1", "Connection: keep-alive", "keep-alive", true),
    ("1.1", "Connection: Upgrade", "keep-alive", true),
    ("1.1", "Connection: ,", "keep-alive", true),
    ("1.1", "Connection: , ,\r\nConnection:", "keep-alive", true),
    ("1.1", "Connection: ,close", "close", false),
    (
        "1.1",
        "Connection:\r\nConnection: ,\tclose\t,",
        "close",
        false,
    ),
    ("1.1", "Connection: closed", "keep-alive", true),
    (
        "1.1",
        "Connection: not-close, close-not",
        "keep-alive",
        true,
    ),
    ("1.1", "Connection: \"close\"", "keep-alive", true),
    ("1.1", "Connection:", "keep-alive", true),
    ("1.1", "X-Connection: close", "keep-alive", true),
    ("1.1", "Connection: close", "close", false),
    ("1.1", "connection:CLOSE", "close", false),
    ("1.1", "Connection: Keep-Alive, close", "close", false),
    ("1.1", "Connection: close, keep-alive", "close", false),
    ("1.1", "Connection: TE,,\tClose ,", "close", false),
    (
        "1.1",
        "Connection: keep-alive\r\nConnection: close",
        "close",
        false,
    ),
    (
        "1.1",
        "Connection: close\r\nConnection: keep-alive",
        "close",
        false,
    ),
    ("1.0", "", "close", false),
    ("1.0", "Connection: close", "close", false),
    ("1.0", "Connection: upgrade", "close", false),
    ("1.0", "Keep-Alive: 5", "close", false),
    ("1.0", "Connection: keep-alive", "keep-alive", true),
    ("1.0", "Connection: Keep-Alive", "keep-alive", true),
    ("1.0", "Connection: , keep-alive ,", "keep-alive", true),
    ("1.0", "Connection: te, KEEP-ALIVE", "keep-alive", true),
    ("1.0", "Connection: keep-alive, close", "close", false),
    (
        "1.0",
        "Connection: close\r\nConnection: keep-alive",
        "close",
        false,
    ),
];

/// Requests, statuses, and bodies if there are any.
const ASKED: &[(&str, u16, &str)] = &[
    ("GET /health", 200, ""),
    ("HEAD /health", 200, ""),
    ("POST /v1/chat/completions", 200, "{\"model\":\"m\"}"),
    ("POST /v1/responses", 400, "{"),
    ("GET /nothing", 404, ""),
    ("HEAD /v1/responses", 405, ""),
    ("OPTIONS *", 204, ""),
];

#[test]
fn the_connection_is_persistent_as_announced() {
    for (version, fields, says, stays) in CASES {
        for (line, status, body) in ASKED {
            let name = format!("{line} {version} {fields}");
            let fields = match fields.is_empty() {
                true => String::new(),
                false => format!("{fields}\r\n"),
            };
            let length = match body.is_empty() {
                true => String::new(),
                false => format!("Content-Length: {}\r\n", body.len()),
            };
            let head = format!("{line} HTTP/{version}\r\nHost: a\r\n{fields}{length}\r\n");
            let bytes = format!("{head}{body}{HEALTH}");
            let heads: &[usize] = if line.starts_with("HEAD") { &[0] } else { &[] };
            let outcome =
                in_every_cut_with_heads(&name, &Settings::default(), bytes.as_bytes(), heads);
            let want = if *stays {
                vec![*status, 200]
            } else {
                vec![*status]
            };
            assert_eq!(outcome.statuses(), want, "{name}");
            let said = outcome.answers[0].field("connection").unwrap_or_default();
            assert_eq!(said, *says, "{name}");
            assert_eq!(outcome.ended, !stays, "{name}");
        }
    }
}

#[test]
fn http_1_0_may_lack_a_host() {
    let bytes = b"GET /health HTTP/1.0\r\n\r\n";
    let outcome = in_every_cut("no Host", &Settings::default(), bytes);
    assert_eq!((outcome.statuses(), outcome.ended), (vec![200], true));
}

#[test]
fn one_connection_serves_many() {
    let mut client = Client::plain();
    for _ in 0..1000 {
        assert!(!client.ask(HEALTH).closes());
    }
    assert_eq!(client.end, End::Open);
}

#[test]
fn bytes_after_the_last_request_delay_the_close() {
    // Closing a socket with unread bytes resets it, which may lose the response.
    let last = HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let mut client = Client::plain();
    client.send(last.clone() + HEALTH);
    assert_eq!((client.answers().len(), client.end), (1, End::Lingering));
    client.send(HEALTH.repeat(10));
    assert_eq!((client.answers().len(), client.end), (0, End::Lingering));
    client.reconnect();
    client.send(last);
    assert_eq!((client.answers().len(), client.end), (1, End::Closed));
}

/// Tests idle timeouts in seconds, and their announcement.
#[test]
fn persistent_connections_announce_the_idle_timeout() {
    for (idle, told) in [
        (0.001, "timeout=1"),
        (0.999, "timeout=1"),
        (1.0, "timeout=1"),
        (1.999, "timeout=1"),
        (2.0, "timeout=2"),
        (60.0, "timeout=60"),
        (86_400.0, "timeout=86400"),
    ] {
        let mut client = Client::new(&Settings {
            idle_timeout: Duration::from_secs_f64(idle),
            ..Settings::default()
        });
        let old = "GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
        for request in [HEALTH, &chat("{}"), &chat("[]"), old] {
            let answer = client.ask(request);
            assert_eq!(answer.field("keep-alive"), Some(told), "{idle}");
        }
        // The head of a stream is built separately.
        client.send(chat(r#"{"stream":true}"#));
        let line = format!("\r\nConnection: keep-alive\r\nKeep-Alive: {told}\r\n");
        let out = String::from_utf8(std::mem::take(&mut client.out)).unwrap();
        assert!(out.contains(&line), "{out}");
        // A response that closes the connection does not announce it.
        let last = client.ask(HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        assert_eq!(last.field("keep-alive"), None);
    }
}
