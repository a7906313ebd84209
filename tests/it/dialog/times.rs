//! Tests of the deadlines of waiting connections, of slow clients and of closing connections.

use mocker::internals::SECOND;
use mocker::internals::conn::LINGER_MAX;

use super::client::{Client, End, HEALTH, embeddings};
use super::script::Step::{self, Came, Due, EndSending, Is, Pass, Send, Take, Takes};
use super::script::{POST, play_all, settings};

const CHUNKED: &str =
    "POST /v1/responses HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const CLOSING: &str = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

const SCRIPTS: &[(&str, &[Step])] = &[
    (
        "an idle connection closes without a word",
        &[
            Due(60_000),
            Pass(59_999),
            Is(End::Open),
            Pass(1),
            Is(End::Closed),
            Came(&[]),
        ],
    ),
    (
        "so does one that has had its answers",
        &[
            Pass(5_000),
            Send(HEALTH),
            Came(&[200]),
            Due(65_000),
            Pass(59_999),
            Is(End::Open),
            Pass(1),
            Is(End::Closed),
            Came(&[]),
        ],
    ),
    (
        "the idle deadline starts over with each answer",
        &[
            Pass(50_000),
            Send(HEALTH),
            Due(110_000),
            Pass(50_000),
            Send(HEALTH),
            Due(160_000),
            Pass(59_999),
            Send(HEALTH),
            Due(219_999),
            Came(&[200, 200, 200]),
        ],
    ),
    (
        "a slow head is told at the read timeout",
        &[
            Pass(30_000),
            Send("G"),
            Due(40_000),
            Pass(5_000),
            Send("ET /health HTTP/1.1\r\nHost: a\r\n"),
            Due(40_000),
            Pass(4_999),
            Came(&[]),
            Is(End::Open),
            Pass(1),
            Came(&[408]),
            Is(End::Lingering),
            Send("\r\n"),
            Send(HEALTH),
            Came(&[]),
            Due(41_000),
            Pass(1_000),
            Is(End::Closed),
        ],
    ),
    (
        "an empty line is no request to wait for",
        &[
            Send(HEALTH),
            Pass(1_000),
            Send("\r\n"),
            Due(61_000),
            Came(&[200]),
            Pass(1_000),
            Send("\r\nGET"),
            Due(12_000),
            Pass(10_000),
            Came(&[408]),
        ],
    ),
    (
        "so is a slow body",
        &[
            Send(POST),
            Due(10_000),
            Pass(9_000),
            Send("{}"),
            Due(10_000),
            Pass(999),
            Came(&[]),
            Pass(1),
            Came(&[408]),
            Is(End::Lingering),
        ],
    ),
    (
        "and slow chunks",
        &[
            Send("POST /v1/responses HTTP/1.1\r\n"),
            Pass(6_000),
            Send("Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Pass(3_000),
            Send("1\r\n{\r\n"),
            Due(10_000),
            Pass(999),
            Came(&[]),
            Pass(1),
            Came(&[408]),
        ],
    ),
    (
        "a body in time is served",
        &[
            Send(POST),
            Pass(9_999),
            Send("{  }"),
            Came(&[200]),
            Due(69_999),
        ],
    ),
    (
        "chunks in time are served",
        &[
            Send(CHUNKED),
            Pass(9_999),
            Send("0\r\n\r\n"),
            Came(&[200]),
            Due(69_999),
        ],
    ),
    (
        "a body that nobody reads is waited for no longer",
        &[
            Send("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"),
            Due(10_000),
            Pass(10_000),
            Came(&[408]),
            Is(End::Lingering),
        ],
    ),
    (
        "what came of the next request counts from then",
        &[
            Pass(1_000),
            Send("GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\n"),
            Came(&[200]),
            Due(11_000),
            Pass(10_000),
            Came(&[408]),
        ],
    ),
    (
        "also when it came behind a slow body",
        &[
            Send(POST),
            Pass(6_000),
            Send("{  }GET /health HTTP/1.1\r\n"),
            Came(&[200]),
            Due(16_000),
            Pass(10_000),
            Came(&[408]),
        ],
    ),
    (
        "an awaited body has the read timeout, too",
        &[
            Send(
                "POST /v1/responses HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\
                 Content-Length: 4\r\n\r\n",
            ),
            Due(10_000),
            Pass(9_999),
            Is(End::Open),
            Pass(1),
            Came(&[100, 408]),
            Is(End::Lingering),
        ],
    ),
    (
        "one who reads nothing is dropped at the write timeout",
        &[
            Takes(0),
            Send(HEALTH),
            Due(20_000),
            Pass(19_999),
            Is(End::Open),
            Pass(1),
            Is(End::Closed),
            Came(&[]),
        ],
    ),
    (
        "some bytes taken buy no time",
        &[
            Takes(0),
            Send(HEALTH),
            Pass(19_000),
            Take(10),
            Due(20_000),
            Pass(1_000),
            Is(End::Closed),
        ],
    ),
    (
        "one who reads late goes on",
        &[
            Takes(0),
            Send(HEALTH),
            Pass(19_999),
            Takes(usize::MAX),
            Came(&[200]),
            Due(79_999),
            Send(HEALTH),
            Came(&[200]),
        ],
    ),
    (
        "a refusal that is not read is given up, too",
        &[
            Takes(0),
            Send("\0"),
            Due(20_000),
            Pass(20_000),
            Is(End::Closed),
        ],
    ),
    (
        "lingering ends after a second",
        &[
            Pass(500),
            Send("\0"),
            Came(&[400]),
            Is(End::Lingering),
            Due(1_500),
            Pass(600),
            Send(HEALTH),
            Due(1_500),
            Pass(399),
            Is(End::Lingering),
            Pass(1),
            Is(End::Closed),
            Came(&[]),
        ],
    ),
    (
        "lingering ends when the client has ended",
        &[
            Send("\0"),
            Came(&[400]),
            Is(End::Lingering),
            EndSending,
            Is(End::Closed),
        ],
    ),
    (
        "an answered close is no wait",
        &[Send(CLOSING), Came(&[200]), Is(End::Closed)],
    ),
];

#[test]
fn deadlines_are_exact() {
    play_all(SCRIPTS);
}

#[test]
fn lingering_is_limited_in_bytes() {
    let mut client = Client::plain();
    client.send("\0");
    assert_eq!((client.answers().len(), client.end), (1, End::Lingering));
    let piece = [b'x'; 16 * 1024];
    let mut left = LINGER_MAX;
    while left > piece.len() as u64 {
        client.send(piece);
        left -= piece.len() as u64;
    }
    client.send(&piece[1..]);
    assert_eq!(client.end, End::Lingering, "one byte is left");
    client.send("x");
    assert_eq!(client.end, End::Closed);
}

/// A turn that ends with work left may leave part of a request unread, whose read timeout has
/// begun.
#[test]
fn unread_input_after_a_turn_has_the_read_timeout() {
    let many = 300;
    let mut client = Client::new(&settings());
    client.send(HEALTH.repeat(many) + "GET /health HTTP/1.1\r\n");
    assert_eq!(client.answers().len(), many);
    assert_eq!(client.deadline(), 10 * SECOND);
    client.pass(10 * SECOND);
    assert_eq!(client.answers()[0].status, 408);
}

#[test]
fn the_write_timeout_of_a_long_response_starts_at_its_beginning() {
    let mut client = Client::new(&settings());
    client.takes(0);
    client.send(embeddings(100));
    for _ in 0..19 {
        client.pass(SECOND);
        client.take(100_000);
        assert_eq!((client.end, client.deadline()), (End::Open, 20 * SECOND));
    }
    client.pass(SECOND);
    assert_eq!(client.end, End::Closed);
}
