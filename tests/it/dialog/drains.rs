//! Tests of the shutdown: the requests that are still served, and the wait for them.

use super::client::{Client, End, HEALTH, chat};
use super::script::Step::{self, Came, Drain, Due, EndSending, Is, Pass, Reconnect, Send, Takes};
use super::script::{POST, play_all};

const SCRIPTS: &[(&str, &[Step])] = &[
    (
        "the answer says close",
        &[
            Send(POST),
            Drain,
            Is(End::Open),
            Due(10_000),
            Send("{  }"),
            Came(&[200]),
            Is(End::Lingering),
            Pass(1_000),
            Is(End::Closed),
        ],
    ),
    (
        "half a head is waited for",
        &[
            Send("GET /health HTTP/1.1\r\n"),
            Drain,
            Is(End::Open),
            Due(10_000),
            Send("Host: a\r\n\r\n"),
            Came(&[200]),
            Is(End::Lingering),
            EndSending,
            Is(End::Closed),
        ],
    ),
    (
        "who rests is closed",
        &[
            Send(HEALTH),
            Came(&[200]),
            Drain,
            Is(End::Closed),
            Came(&[]),
        ],
    ),
    (
        "who has asked for nothing yet is given a moment",
        &[
            Pass(5_000),
            Drain,
            Is(End::Open),
            Due(6_000),
            Pass(999),
            Is(End::Open),
            Send(HEALTH),
            Came(&[200]),
            Is(End::Lingering),
            Reconnect,
            Due(6_999),
            Pass(999),
            Drain,
            Due(6_999),
            Is(End::Open),
            Pass(1),
            Is(End::Closed),
            Came(&[]),
        ],
    ),
    (
        "a moment is never longer than the idle timeout",
        &[Pass(59_500), Drain, Due(60_000), Pass(500), Is(End::Closed)],
    ),
    (
        "a waiting answer leaves",
        &[
            Takes(0),
            Send(HEALTH),
            Drain,
            Is(End::Open),
            Takes(usize::MAX),
            Came(&[200]),
            Is(End::Open),
            Drain,
            Is(End::Closed),
        ],
    ),
    (
        "a bad request is refused as ever",
        &[
            Drain,
            Send("\0"),
            Came(&[400]),
            Is(End::Lingering),
            Pass(1_000),
            Is(End::Closed),
        ],
    ),
];

#[test]
fn a_draining_server_waits_for_requests_in_flight() {
    play_all(SCRIPTS);
}

#[test]
fn a_draining_server_announces_close() {
    let mut client = Client::plain();
    client.core.draining = true;
    let answer = client.ask(chat("{}"));
    assert!(answer.status == 200 && answer.closes());
    // The client sent this request before it could know that the connection would be closed.
    assert_eq!(client.end, End::Lingering);
    // Only the first request of a pipeline gets a response, which announces the close to the
    // others.
    client.reconnect();
    client.send(chat("{}").repeat(3));
    assert_eq!((client.answers().len(), client.end), (1, End::Lingering));
    client.reconnect();
    let old = client.ask("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(old.closes());
}
