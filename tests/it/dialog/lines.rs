//! Tests of request lines (RFC 9112, section 3): malformed ones get a 400, unsupported versions a
//! 505, and all minor versions of HTTP/1 are served.

use mocker::internals::http::head::HEAD_MAX;
use mocker::internals::http::line::{METHOD_MAX, TARGET_MAX};
use mocker::internals::settings::Settings;

use super::client::{Client, End, HEALTH, in_every_cut};
use super::heads::{HOST, refused, served};

/// Sections, request lines, and statuses.
const REFUSED: &[(&str, &str, u16)] = &[
    ("9112 3 two spaces", "GET  /health HTTP/1.1", 400),
    ("9112 3 two spaces", "GET /health  HTTP/1.1", 400),
    ("9112 3 space in front", " GET /health HTTP/1.1", 400),
    ("9112 3 space behind", "GET /health HTTP/1.1 ", 400),
    ("9112 3 tab", "GET\t/health HTTP/1.1", 400),
    ("9112 3 tab", "GET /health\tHTTP/1.1", 400),
    ("9112 3 bare CR", "GET /health\rHTTP/1.1", 400),
    ("9112 3 bare CR", "GET /health HTTP/1.1\r", 400),
    ("9112 3 only a method", "GET", 400),
    ("9112 3 no target", "GET HTTP/1.1", 400),
    ("9112 3.1 no token", "G@T /health HTTP/1.1", 400),
    ("9112 3.1 no token", "G(T /health HTTP/1.1", 400),
    ("9112 3.1 no token", "G\u{e9}T /health HTTP/1.1", 400),
    ("9112 3.1 no token", "\"GET\" /health HTTP/1.1", 400),
    ("9112 3.1 no token", "G\0T /health HTTP/1.1", 400),
    ("9112 3.1 TLS", "\u{16}\u{3}\u{1}", 400),
    ("9112 2.3 version 0.9", "GET /health", 400),
    ("9112 2.3 version 0.9", "GET /health HTTP/0.9", 505),
    ("9112 2.3 version 2.0", "GET /health HTTP/2.0", 505),
    ("9112 2.3 version 11.1", "GET /health HTTP/11.1", 400),
    ("9112 2.3 version 1", "GET /health HTTP/1", 400),
    ("9112 2.3 version 1.10", "GET /health HTTP/1.10", 400),
    ("9112 2.3 lower case", "GET /health http/1.1", 400),
    ("9112 2.3 no HTTP", "GET /health HTTQ/1.1", 400),
    ("9112 2.3 HTTP/2 preface", "PRI * HTTP/2.0", 505),
    ("9112 3.2 no slash", "GET health HTTP/1.1", 400),
    ("9112 3.2 fragment", "GET /health#a HTTP/1.1", 400),
    ("9112 3.2 not ASCII", "GET /h\u{e9}alth HTTP/1.1", 400),
    ("9112 3.2 control byte", "GET /health\u{1} HTTP/1.1", 400),
    ("9112 3.2 control byte", "GET /health\u{7f} HTTP/1.1", 400),
    ("9112 3.2 NUL", "GET /\0health HTTP/1.1", 400),
    ("9112 3.2 quote", "GET /health?\" HTTP/1.1", 400),
    ("9112 3.2.4 asterisk", "GET * HTTP/1.1", 400),
    ("9112 3.2.4 asterisk", "OPTIONS ** HTTP/1.1", 400),
    ("9112 3.2.3 CONNECT", "CONNECT mocker:80 HTTP/1.1", 501),
    ("9112 3.2.3 CONNECT", "CONNECT /health HTTP/1.1", 501),
    ("9112 3.2.3 authority", "GET mocker:80 HTTP/1.1", 400),
    ("9112 3.2.2 scheme", "GET ftp://mocker/health HTTP/1.1", 400),
    (
        "9112 3.2.2 no authority",
        "GET http:///health HTTP/1.1",
        400,
    ),
    ("9112 3.2.2 no authority", "GET http:/health HTTP/1.1", 400),
    (
        "9112 3.2.2 user",
        "GET http://u@mocker/health HTTP/1.1",
        400,
    ),
    (
        "9112 3.2.2 port",
        "GET http://mocker:8o/health HTTP/1.1",
        400,
    ),
    ("9112 3 many spaces", "GET /health    HTTP/1.1", 400),
    ("9112 3 many spaces", "GET    /health HTTP/1.1", 400),
    ("9112 3 space in the target", "GET /hea lth HTTP/1.1", 400),
    (
        "9112 3 space in the target",
        "GET /health?a b HTTP/1.1",
        400,
    ),
    (
        "9112 3 space in the query",
        "GET /health?q=a b c HTTP/1.1",
        400,
    ),
    (
        "9112 3 space in the query",
        "GET /health? HTTP/1.1 HTTP/1.1",
        400,
    ),
    (
        "9112 3 space in absolute",
        "GET http://a/hea lth HTTP/1.1",
        400,
    ),
    ("9112 3 four words", "GET /health HTTP/1.1 x", 400),
    ("9112 3 four words", "GET /health HTTP/1.1 HTTP/1.1", 400),
    ("9112 3 four words", "GET /health HTTP/2.0 x", 400),
    ("9112 3 spaces behind", "GET /health HTTP/1.1   ", 400),
    ("9112 3 space behind", "GET /health HTTP/1.2 ", 400),
    ("9112 3 tab behind", "GET /health HTTP/1.1\t", 400),
    ("9112 3 tab behind", "GET /health HTTP/1.2\t", 400),
    ("9112 3 tab in front", "\tGET /health HTTP/1.1", 400),
    ("9112 3 tab and space", "GET \t/health HTTP/1.1", 400),
    ("9112 3 tab and space", "GET /health\t HTTP/1.1", 400),
    ("9112 3 vertical tab", "GET\u{b}/health HTTP/1.1", 400),
    ("9112 3 bare CR, 1.2", "GET /hea\rlth HTTP/1.2", 400),
    ("9112 3 PROXY", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2", 400),
    (
        "9112 3 PROXY",
        "PROXY TCP6 ::1 ::1 1 2\r\nGET /health HTTP/1.1",
        400,
    ),
    ("9112 3 PROXY", "PROXY UNKNOWN\r\nGET /health HTTP/1.1", 400),
    ("9112 3 PROXY 2", "\r\n\r\n\0\r\nQUIT\n", 400),
    ("9112 3.1 no token", "G@T /health HTTP/2.0", 400),
    ("9112 3.1 no token", "G\u{e9}T /health HTTP/1.2", 400),
    ("9112 2.3 version 0.9", "GET /health ", 400),
    ("9112 2.3 no version", "GET /health HTTP", 400),
    ("9112 2.3 no version", "GET /health HTTP/", 400),
    ("9112 2.3 version 1.", "GET /health HTTP/1.", 400),
    ("9112 2.3 version .1", "GET /health HTTP/.1", 400),
    ("9112 2.3 version 01.1", "GET /health HTTP/01.1", 400),
    ("9112 2.3 version 1.01", "GET /health HTTP/1.01", 400),
    ("9112 2.3 version 1.1.1", "GET /health HTTP/1.1.1", 400),
    ("9112 2.3 version 1,1", "GET /health HTTP/1,1", 400),
    ("9112 2.3 version 1.x", "GET /health HTTP/1.x", 400),
    ("9112 2.3 version x.1", "GET /health HTTP/x.1", 400),
    ("9112 2.3 version -1.1", "GET /health HTTP/-1.1", 400),
    ("9112 2.3 version +1.1", "GET /health HTTP/+1.1", 400),
    ("9112 2.3 version 2", "GET /health HTTP/2", 400),
    ("9112 2.3 version 3", "GET /health HTTP/3", 400),
    ("9112 2.3 version 20.0", "GET /health HTTP/20.0", 400),
    ("9112 2.3 version 1.1a", "GET /health HTTP/1.1a", 400),
    ("9112 2.3 spaces within", "GET /health HTTP/ 1.1", 400),
    ("9112 2.3 spaces within", "GET /health HTTP /1.1", 400),
    ("9112 2.3 spaces within", "GET /health HTTP/1. 1", 400),
    ("9112 2.3 other digits", "GET /health HTTP/\u{661}.1", 400),
    ("9112 2.3 mixed case", "GET /health Http/1.1", 400),
    ("9112 2.3 lower case", "GET /health http/2.0", 400),
    ("9112 2.3 no HTTP", "GET /health HTTPS/1.1", 400),
    ("9112 2.3 no HTTP", "GET /health XHTTP/1.1", 400),
    ("9112 2.3 no HTTP", "GET /health 1.1", 400),
    ("9112 2.3 RTSP", "OPTIONS * RTSP/1.0", 400),
    ("9112 2.3 version 2.9", "GET /health HTTP/2.9", 505),
    ("9112 2.3 version 3.0", "GET /health HTTP/3.0", 505),
    ("9112 2.3 version 0.0", "GET /health HTTP/0.0", 505),
    ("9112 2.3 version 9.9", "POST /v1/responses HTTP/9.9", 505),
    ("9112 2.3 of any target", "GET health HTTP/2.0", 505),
    ("9112 3.2 bad target, 2.0", "GET /\u{1} HTTP/2.0", 400),
    ("9112 3.2 bad target, 1.2", "GET /health#a HTTP/1.2", 400),
    ("9112 3.2 bad target, 1.2", "GET health HTTP/1.2", 400),
    ("9112 3.2.4 asterisk, 1.2", "GET * HTTP/1.2", 400),
    ("9112 3.2.3 CONNECT, 1.2", "CONNECT a:80 HTTP/1.2", 501),
];

#[test]
fn malformed_lines_are_rejected() {
    for (name, line, status) in REFUSED {
        refused(name, &format!("{line}\r\n{HOST}"), *status);
    }
}

/// RFC 9110, section 2.5: a message of a higher minor version can be processed as 1.1.
#[test]
fn higher_minor_versions_are_served_as_1_1() {
    for minor in 1..=9 {
        let name = format!("9112 2.3 version 1.{minor}");
        served(&name, &format!("GET /health HTTP/1.{minor}\r\n{HOST}"));
        let absolute = format!("GET http://a/health?b HTTP/1.{minor}\r\nHost:");
        served(&name, &absolute);
        // Fields are checked as strictly as with 1.1, and have the same meaning.
        for (fields, status) in [
            ("X: y", 400),
            ("Host: a\r\nX : y", 400),
            ("Host: a\r\nX: y\r\n z", 400),
            ("Host: a\r\nX: \0", 400),
            ("Host: a\nX: y", 400),
            ("Host: a\r\nContent-Length: +0", 400),
            ("Host: a\r\nTransfer-Encoding: gzip, chunked", 501),
            ("Host: a\r\nExpect: x", 417),
        ] {
            let head = format!("GET /health HTTP/1.{minor}\r\n{fields}");
            refused(&name, &head, status);
        }
        let chunked = format!(
            "POST /v1/chat/completions HTTP/1.{minor}\r\n{HOST}\r\n\
             Transfer-Encoding: chunked\r\n\r\n7\r\n{{\"n\":2}}\r\n0\r\n\r\n{HEALTH}"
        );
        let outcome = in_every_cut(&name, &Settings::default(), chunked.as_bytes());
        assert_eq!(outcome.statuses(), [200, 200], "{name}");
        let fields = "X: y\r\n".repeat(100);
        let many = format!("GET /health HTTP/1.{minor}\r\n{HOST}\r\n{fields}\r\n");
        let outcome = in_every_cut(&name, &Settings::default(), many.as_bytes());
        assert_eq!(outcome.statuses(), [431], "{name}");
    }
}

/// Tests lengths of methods, and statuses.
#[test]
fn a_method_is_a_token_of_bounded_length() {
    for (len, status) in [
        (METHOD_MAX - 1, 405),
        (METHOD_MAX, 405),
        (METHOD_MAX + 1, 400),
        (10_000, 400),
        (HEAD_MAX, 400),
        (100_000, 400),
    ] {
        for rest in ["/health HTTP/1.1", "/health HTTP/1.2", "/health HTTP/2.0"] {
            let method = "M".repeat(len);
            let bytes = format!("{method} {rest}\r\n{HOST}\r\n\r\n");
            let name = format!("9112 3.1 method of {len}, {rest}");
            let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
            let other = rest.ends_with("2.0") && status == 405;
            let status = if other { 505 } else { status };
            assert_eq!(outcome.statuses(), [status], "{name}");
        }
    }
}

/// A line that fills the buffer has no end yet, but the error still names the part that is too
/// long.
#[test]
fn the_part_that_is_too_long_is_named() {
    let long = "x".repeat(TARGET_MAX + 1);
    let end = "x".repeat(HEAD_MAX);
    for (line, status, code) in [
        (end.clone(), 400, "method_too_long"),
        (
            format!("GET /{long} HTTP/1.1\r\n\r\n"),
            414,
            "target_too_long",
        ),
        (
            format!("GET /{long} HTTP/1.2\r\n\r\n"),
            414,
            "target_too_long",
        ),
        (format!("GET /{end}"), 414, "target_too_long"),
        (format!("GET http://a/{end}"), 414, "target_too_long"),
        (
            format!("GET /{long} HTTP/1.1\r\nX: {end}"),
            414,
            "target_too_long",
        ),
        (
            format!("GET / HTTP/1.1\r\nX: {end}"),
            431,
            "headers_too_large",
        ),
        (
            format!("GET / HTTP/1.2\r\nX: {end}"),
            431,
            "headers_too_large",
        ),
        (format!("GET / {end}"), 400, "invalid_request"),
        (format!("GET / HTTP/1.1{end}"), 400, "invalid_request"),
        (format!("PROXY TCP4 {end}"), 400, "invalid_request"),
    ] {
        let shown = &line[..line.len().min(20)];
        let outcome = in_every_cut(shown, &Settings::default(), line.as_bytes());
        assert_eq!(outcome.statuses(), [status], "{shown}");
        assert_eq!(outcome.answers[0].error().0, code, "{shown}");
        assert!(outcome.ended && outcome.answers[0].closes());
    }
}

#[test]
fn an_incomplete_line_is_rejected() {
    for line in [
        "GET",
        "GET /health",
        "GET /health HTTP/1.2",
        "GET /health HTTP/2.0\r",
    ] {
        let mut client = Client::plain();
        client.send(line);
        assert_eq!((client.came().len(), client.end), (0, End::Open), "{line}");
        client.end_sending();
        assert_eq!(client.came(), [400], "{line}");
    }
}
