//! Tests of chunked bodies (RFC 9112, section 7).

use mocker::internals::http::body::{CHUNK_LINE_MAX, TRAILERS_MAX};
use mocker::internals::settings::Settings;

use super::client::{HEALTH, chunked, in_every_cut};

/// Valid chunked bodies of `{"n":2}`, with their framing.
const READ: &[(&str, &str)] = &[
    ("one chunk", "7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("two chunks", "3\r\n{\"n\r\n4\r\n\":2}\r\n0\r\n\r\n"),
    (
        "a byte each",
        "1\r\n{\r\n1\r\n\"\r\n1\r\nn\r\n1\r\n\"\r\n1\r\n:\r\n1\r\n2\r\n1\r\n}\r\n0\r\n\r\n",
    ),
    ("lower case", "a\r\n{\"n\":2}   \r\n0\r\n\r\n"),
    ("upper case", "A\r\n{\"n\":2}   \r\n0\r\n\r\n"),
    (
        "two digits",
        "1a\r\n{\"n\":2}                   \r\n0\r\n\r\n",
    ),
    ("zeros in front", "0007\r\n{\"n\":2}\r\n000\r\n\r\n"),
    ("extension", "7;a\r\n{\"n\":2}\r\n0;b\r\n\r\n"),
    (
        "extension with value",
        "7;a=b;c=d\r\n{\"n\":2}\r\n0\r\n\r\n",
    ),
    (
        "space before extension",
        "7 ; a = b\r\n{\"n\":2}\r\n0\r\n\r\n",
    ),
    ("tab before extension", "7\t;a\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("quoted extension", "7;a=\"b\"\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("quoted semicolon", "7;a=\"b;0\"\r\n{\"n\":2}\r\n0\r\n\r\n"),
    (
        "quoted quote",
        "7;a=\"b\\\"c;\\\\\"\r\n{\"n\":2}\r\n0;x=\"\"\r\n\r\n",
    ),
    ("trailer", "7\r\n{\"n\":2}\r\n0\r\nX: y\r\n\r\n"),
    (
        "trailers",
        "7\r\n{\"n\":2}\r\n0\r\nX: y\r\nEmpty:\r\nZ:z\r\n\r\n",
    ),
    (
        "trailers that look like framing",
        "7\r\n{\"n\":2}\r\n0\r\nHost: b\r\nContent-Length: 900\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\nExpect: x\r\n\r\n",
    ),
];

/// Invalid chunked bodies.
const REFUSED: &[(&str, &str)] = &[
    ("plus", "+7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("minus", "-7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("0x", "0x7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("space before", " 7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("tab before", "\t7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("space behind", "7 \r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("space within", "0 7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("no size", "\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("no size but extension", ";a\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("underscore", "0_7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("comma", "7,7\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("fraction", "7.0\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("no hexadecimal", "g\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("quoted size", "\"7\"\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("NUL", "7\0\r\n{\"n\":2}\r\n0\r\n\r\n"),
    (
        "overflow by one",
        "10000000000000000\r\n{\"n\":2}\r\n0\r\n\r\n",
    ),
    (
        "overflow to seven",
        "10000000000000007\r\n{\"n\":2}\r\n0\r\n\r\n",
    ),
    (
        "overflow by far",
        "fffffffffffffffffffffff7\r\n{\"n\":2}\r\n0\r\n\r\n",
    ),
    ("no CR after size", "7\n{\"n\":2}\r\n0\r\n\r\n"),
    ("no LF after size", "7\r{\"n\":2}\r\n0\r\n\r\n"),
    ("CR in extension", "7;a\rb\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("LF in extension", "7;a\n{\"n\":2}\r\n0\r\n\r\n"),
    ("NUL in extension", "7;a\0\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("CR in quotes", "7;a=\"\r\n\"\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("LF in quotes", "7;a=\"\n\"\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("quote not closed", "7;a=\"b\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("no line end after data", "7\r\n{\"n\":2}0\r\n\r\n"),
    ("no CR after data", "7\r\n{\"n\":2}\n0\r\n\r\n"),
    ("no LF after data", "7\r\n{\"n\":2}\r0\r\n\r\n"),
    ("data too long", "6\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("data too short", "8\r\n{\"n\":2}\r\n0\r\n\r\n"),
    ("no CR after the last chunk", "7\r\n{\"n\":2}\r\n0\n\r\n"),
    ("bare LF at the end", "7\r\n{\"n\":2}\r\n0\r\n\n"),
    ("bare CR at the end", "7\r\n{\"n\":2}\r\n0\r\n\r\r\n"),
    (
        "trailer without a name",
        "7\r\n{\"n\":2}\r\n0\r\n: y\r\n\r\n",
    ),
    (
        "space before trailer",
        "7\r\n{\"n\":2}\r\n0\r\n X: y\r\n\r\n",
    ),
    (
        "folded trailer",
        "7\r\n{\"n\":2}\r\n0\r\nX: y\r\n z\r\n\r\n",
    ),
    ("bare LF in trailers", "7\r\n{\"n\":2}\r\n0\r\nX: y\n\r\n"),
    (
        "bare CR in trailers",
        "7\r\n{\"n\":2}\r\n0\r\nX: y\rZ: z\r\n\r\n",
    ),
    ("NUL in trailers", "7\r\n{\"n\":2}\r\n0\r\nX: \0\r\n\r\n"),
    (
        "trailer without a colon",
        "7\r\n{\"n\":2}\r\n0\r\nX\r\n\r\n",
    ),
    (
        "space before a trailer's colon",
        "7\r\n{\"n\":2}\r\n0\r\nX : y\r\n\r\n",
    ),
];

#[test]
fn chunks_are_joined_and_the_next_request_is_served() {
    for (name, body) in READ {
        let bytes = chunked(body) + HEALTH;
        let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [200, 200], "{name}");
        let choices = outcome.answers[0].json()["choices"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(choices, 2, "{name}");
        assert!(!outcome.ended);
    }
}

#[test]
fn broken_framing_is_rejected_and_nothing_after_it_is_read() {
    for (name, body) in REFUSED {
        let bytes = chunked(body) + HEALTH;
        let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [400], "{name}");
        assert!(outcome.ended && outcome.answers[0].closes(), "{name}");
    }
}

#[test]
fn no_chunk_at_all_is_an_empty_body() {
    let bytes = chunked("0\r\n\r\n") + HEALTH;
    let outcome = in_every_cut("empty", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200, 200]);
}

#[test]
fn framing_is_the_same_for_rejected_requests() {
    let smuggled = format!("{:x}\r\n{HEALTH}\r\n0\r\n\r\n", HEALTH.len());
    for (line, status) in [
        ("GET /health", 200),
        ("GET /nothing", 404),
        ("GET /v1/responses", 405),
        ("OPTIONS /v1/responses", 204),
        ("POST /v1/responses", 400),
        ("DELETE *x", 400),
    ] {
        let bytes =
            format!("{line} HTTP/1.1\r\nHost: a\r\ntransfer-encoding: ChunkeD\r\n\r\n{smuggled}");
        let outcome = in_every_cut(line, &Settings::default(), (bytes + HEALTH).as_bytes());
        match line.starts_with("DELETE") {
            true => assert_eq!(outcome.statuses(), [status], "{line}"),
            false => assert_eq!(outcome.statuses(), [status, 200], "{line}"),
        }
    }
}

#[test]
fn size_lines_and_trailers_are_bounded() {
    let line = CHUNK_LINE_MAX as usize;
    let trailers = TRAILERS_MAX as usize;
    let size = |len: usize| format!("7;{}\r\n{{\"n\":2}}\r\n0\r\n\r\n", "x".repeat(len - 2));
    let last = |len: usize| format!("7\r\n{{\"n\":2}}\r\n0;{}\r\n\r\n", "x".repeat(len - 2));
    let quoted = |len: usize| {
        format!(
            "7;a=\"{}\"\r\n{{\"n\":2}}\r\n0\r\n\r\n",
            "x".repeat(len - 6)
        )
    };
    // The length of a trailer section includes line ends (RFC 9112, section 7.1.2).
    let one = |len: usize| {
        format!(
            "7\r\n{{\"n\":2}}\r\n0\r\nX: {}\r\n\r\n",
            "x".repeat(len - 5)
        )
    };
    let many = |len: usize| {
        let rest = "Y: y\r\n".repeat((len - 100) / 6);
        let first = "x".repeat(len - rest.len() - 5);
        format!("7\r\n{{\"n\":2}}\r\n0\r\nX: {first}\r\n{rest}\r\n")
    };
    type Make<'a> = &'a dyn Fn(usize) -> String;
    let cases: [(&str, Make, usize, u16); 5] = [
        ("size line", &size, line, 400),
        ("last size line", &last, line, 400),
        ("quoted", &quoted, line, 400),
        ("trailer", &one, trailers, 431),
        ("trailers", &many, trailers, 431),
    ];
    for (name, make, max, status) in cases {
        for (len, want) in [(max - 1, 200), (max, 200), (max + 1, status)] {
            let bytes = chunked(&make(len)) + HEALTH;
            let name = format!("{name} of {len}");
            let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
            match want {
                200 => assert_eq!(outcome.statuses(), [200, 200], "{name}"),
                refused => assert_eq!(outcome.statuses(), [refused], "{name}"),
            }
        }
    }
}

#[test]
fn a_long_body_is_not_buffered() {
    let piece = " ".repeat(4000);
    let chunks = format!("{:x}\r\n{piece}\r\n", piece.len()).repeat(30);
    let bytes = chunked(&format!("{chunks}7\r\n{{\"n\":2}}\r\n0\r\n\r\n")) + HEALTH;
    let outcome = in_every_cut("long", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200, 200]);
}
