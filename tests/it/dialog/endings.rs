//! Tests of clients that close their sending side: complete requests get responses, and incomplete
//! ones are rejected.

use mocker::internals::settings::Settings;

use super::answer::Answer;
use super::chat::big;
use super::client::{Client, End, HEALTH, chat, chunked, in_every_cut, post};

/// Returns the test cases: the bytes that a client sends before it closes its side, and the
/// expected statuses.
fn cases() -> Vec<(&'static str, String, Vec<u16>)> {
    let two = format!("{HEALTH}{HEALTH}");
    let cut = |text: String, less: usize| text[..text.len() - less].to_owned();
    vec![
        ("nothing", String::new(), vec![]),
        ("empty lines", "\r\n\r\n".into(), vec![]),
        (
            "an empty line behind a request",
            format!("{HEALTH}\r\n"),
            vec![200],
        ),
        ("one request", HEALTH.into(), vec![200]),
        ("two", two.clone(), vec![200, 200]),
        ("a byte of a head", "G".into(), vec![400]),
        ("half a line", "GET /hea".into(), vec![400]),
        ("a line", "GET /health HTTP/1.1\r\n".into(), vec![400]),
        ("a head but a byte", cut(HEALTH.into(), 1), vec![400]),
        (
            "a head but its empty line",
            cut(HEALTH.into(), 2),
            vec![400],
        ),
        ("two and a half", two + "GET /h", vec![200, 200, 400]),
        ("a head without its body", cut(chat("{}"), 2), vec![400]),
        ("half a body", cut(chat("{}"), 1), vec![400]),
        ("half a body that is JSON", cut(chat("{} "), 1), vec![400]),
        (
            "half a body for nobody",
            cut(post("/nothing", "{}"), 1),
            vec![400],
        ),
        ("no chunk", chunked(""), vec![400]),
        ("half a size", chunked("2"), vec![400]),
        ("half a chunk", chunked("2\r\n{"), vec![400]),
        (
            "all content, no last chunk",
            chunked("2\r\n{}\r\n"),
            vec![400],
        ),
        (
            "no end of the last chunk",
            chunked("2\r\n{}\r\n0\r\n"),
            vec![400],
        ),
        (
            "half a trailer",
            chunked("2\r\n{}\r\n0\r\nX: y\r\n"),
            vec![400],
        ),
        ("one byte short", chunked("2\r\n{}\r\n0\r\n\r"), vec![400]),
        ("whole", chunked("2\r\n{}\r\n0\r\n\r\n"), vec![200]),
    ]
}

#[test]
fn complete_requests_get_responses_and_incomplete_ones_are_rejected() {
    for (name, bytes, want) in cases() {
        // The harness closes the client's side after the last byte.
        let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), want, "{name}");
        assert!(!outcome.ended, "{name}: the connection was open until then");
        if let Some(last) = outcome.answers.last().filter(|last| last.status == 400) {
            assert!(last.closes(), "{name}");
            assert_eq!(last.error().0, "incomplete_request", "{name}");
        }
    }
}

#[test]
fn a_half_closed_client_gets_every_response() {
    // This includes those that did not fit in the outbox, and the long one that was partially
    // written.
    for (request, count) in [
        (HEALTH.to_owned(), 200),
        (chat("{}"), 100),
        (chat(r#"{"n":128}"#), 2),
        (post("/v1/embeddings", r#"{"input":["a","b","c","d"]}"#), 5),
    ] {
        let mut client = Client::new(&big());
        client.takes(0);
        client.receive(request.repeat(count).as_bytes());
        client.end_sending();
        assert_eq!(client.end, End::Open, "nothing was read yet");
        client.takes(5000);
        let answers = client.answers();
        assert_eq!(answers.len(), count);
        // They are the same as for any other client.
        let stands = |answer: &Answer| !answer.closes();
        assert!(answers.iter().all(stands));
        assert_eq!(client.end, End::Closed);
    }
}

#[test]
fn a_head_request_with_an_incomplete_body_gets_no_content() {
    // RFC 9110, section 9.3.2: a response to HEAD has no content, not even an error.
    let head = chunked("x\r\n").replace("POST /v1/chat/completions", "HEAD /health");
    let mut client = Client::plain();
    client.send(head);
    let answer = client.answers_with_heads(&[0]).remove(0);
    assert_eq!((answer.status, client.end), (400, End::Lingering));
}
