//! Tests of the fields of request heads. What RFC 9112 and RFC 9110 forbid is rejected and closes
//! the connection, and nothing after it is treated as a request; what they allow is served.

use mocker::internals::settings::Settings;

use super::client::{HEALTH, in_every_cut};

const GET: &str = "GET /health HTTP/1.1";
pub const HOST: &str = "Host: mocker";

/// Sections, request lines, field lines (separated by CR LF), and statuses.
const REFUSED: &[(&str, &str, &str, u16)] = &[
    // Fields.
    ("9112 5.1 space before colon", GET, "Host: a\r\nX : y", 400),
    ("9112 5.1 tab before colon", GET, "Host: a\r\nX\t: y", 400),
    (
        "9112 5.1 before framing",
        GET,
        "Host: a\r\nContent-Length : 3",
        400,
    ),
    ("9112 5 no colon", GET, "Host: a\r\nX", 400),
    ("9112 5 no name", GET, "Host: a\r\n: y", 400),
    ("9112 5 space in name", GET, "Host: a\r\nX Y: z", 400),
    ("9112 5 name no token", GET, "Host: a\r\nX(Y): z", 400),
    ("9112 5 name no token", GET, "Host: a\r\nX\"Y: z", 400),
    ("9112 5 name no token", GET, "Host: a\r\nX\u{e9}: z", 400),
    ("9112 5 name no token", GET, "Host: a\r\nX\0: z", 400),
    ("9112 2.2 space before fields", GET, " Host: a", 400),
    ("9112 2.2 tab before fields", GET, "\tX: y\r\nHost: a", 400),
    ("9112 5.2 fold", GET, "Host: a\r\nX: y\r\n z", 400),
    ("9112 5.2 fold", GET, "Host: a\r\nX: y\r\n\tz", 400),
    ("9112 5.2 fold", GET, "Host: a\r\nX:\r\n z", 400),
    ("9110 5.5 NUL", GET, "Host: a\r\nX: \0", 400),
    ("9110 5.5 bare CR", GET, "Host: a\r\nX: y\rZ: z", 400),
    ("9110 5.5 bare CR", GET, "Host: a\r\nX: y\r\rZ: z", 400),
    ("9110 5.5 control byte", GET, "Host: a\r\nX: y\u{1}", 400),
    ("9110 5.5 control byte", GET, "Host: a\r\nX: y\u{7f}z", 400),
    ("9110 5.5 control byte", GET, "Host: a\r\nX: y\u{b}", 400),
    ("9112 2.2 bare LF", GET, "Host: a\nX: y", 400),
    ("9112 2.2 bare LF", "GET /health HTTP/1.1\nX: y", HOST, 400),
    (
        "9112 2.2 bare LF in front",
        "\nGET /health HTTP/1.1",
        HOST,
        400,
    ),
    // Host.
    ("9112 3.2 no Host", GET, "X: y", 400),
    ("9112 3.2 empty Host", GET, "Host:", 400),
    ("9112 3.2 empty Host", GET, "Host: \t ", 400),
    ("9112 3.2 empty Host", GET, "Host: :", 400),
    ("9112 3.2 empty Host", GET, "Host: :80", 400),
    (
        "9112 3.2 empty Host",
        "OPTIONS /health HTTP/1.1",
        "Host:",
        400,
    ),
    ("9112 3.2 1.0, empty", "GET /health HTTP/1.0", "Host:", 400),
    (
        "9112 3.2.2 absolute, malformed Host",
        "GET http://a/health HTTP/1.1",
        "Host: :80",
        400,
    ),
    (
        "9112 3.2.2 absolute, two empty Hosts",
        "GET http://a/health HTTP/1.1",
        "Host:\r\nHost:",
        400,
    ),
    ("9112 3.2 two Hosts", GET, "Host: a\r\nHost: b", 400),
    ("9112 3.2 two equal Hosts", GET, "Host: a\r\nhost: a", 400),
    (
        "9112 3.2 absolute, no Host",
        "GET http://a/health HTTP/1.1",
        "X: y",
        400,
    ),
    ("9110 7.2 user", GET, "Host: u@a", 400),
    ("9110 7.2 path", GET, "Host: a/b", 400),
    ("9110 7.2 list", GET, "Host: a, b", 400),
    ("9110 7.2 list", GET, "Host: a,b", 400),
    ("9110 7.2 space", GET, "Host: a b", 400),
    ("9110 7.2 port", GET, "Host: a:b", 400),
    ("9110 7.2 port", GET, "Host: a:80:80", 400),
    ("9110 7.2 port", GET, "Host: a:-1", 400),
    ("9110 7.2 query", GET, "Host: a?b", 400),
    ("9110 7.2 scheme", GET, "Host: http://a", 400),
    ("9110 7.2 not ASCII", GET, "Host: \u{e9}", 400),
    ("9110 7.2 literal", GET, "Host: ::1", 400),
    ("9110 7.2 literal", GET, "Host: [::1", 400),
    ("9110 7.2 literal", GET, "Host: [::1]a", 400),
    ("9110 7.2 literal", GET, "Host: [::1]:x", 400),
    (
        "9110 7.2 1.0, malformed",
        "GET /health HTTP/1.0",
        "Host: a b",
        400,
    ),
    (
        "9112 3.2 1.0, two",
        "GET /health HTTP/1.0",
        "Host: a\r\nHost: a",
        400,
    ),
    // Expect.
    ("9110 10.1.1 unknown", GET, "Host: a\r\nExpect: 200-ok", 417),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: 100-continue, x",
        417,
    ),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: x, 100-continue",
        417,
    ),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: 100-continue;a=b",
        417,
    ),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: 100-continue=a",
        417,
    ),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: 100-continue 100-continue",
        417,
    ),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: a=\"b,100-continue\"",
        417,
    ),
    (
        "9110 10.1.1 unknown",
        GET,
        "Host: a\r\nExpect: 100-continue\r\nExpect: x",
        417,
    ),
];

/// Asserts that a head is rejected, and that nothing after it is treated as a request.
pub fn refused(name: &str, head: &str, status: u16) {
    // If the length were read as 0, or the body as chunked, HEALTH would get a response.
    for rest in ["", "0\r\n\r\n"] {
        let bytes = format!("{head}\r\n\r\n{rest}{HEALTH}{HEALTH}");
        let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
        let shown = head.escape_debug();
        assert_eq!(outcome.statuses(), [status], "{name}: {shown}");
        assert!(outcome.answers[0].closes(), "{name}: {shown}");
        assert!(outcome.ended, "{name}: {shown}");
    }
}

#[test]
fn invalid_heads_are_rejected() {
    for (name, line, fields, status) in REFUSED {
        refused(name, &format!("{line}\r\n{fields}"), *status);
    }
}

/// Tests with bytes before and after that are not line ends themselves.
#[test]
fn bare_line_ends_are_rejected_anywhere() {
    for bytes in [
        format!("GET /health HTTP/1.1\nHost: a\n\n{HEALTH}"),
        format!("GET /health HTTP/1.1\r\nHost: a\r\n\n{HEALTH}\n\n"),
        format!("GET /health HTTP/1.1\r\nHost: a\n\r\n{HEALTH}"),
        format!("\r\n\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n{HEALTH}"),
        format!("GET /health HTTP/1.1\r\nHost: a\r\n\r{HEALTH}"),
        format!("\rGET /health HTTP/1.1\r\nHost: a\r\n\r\n{HEALTH}"),
    ] {
        let outcome = in_every_cut("9112 2.2", &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [400], "{}", bytes.escape_debug());
        assert!(outcome.ended && outcome.answers[0].closes());
    }
}

/// Request lines and fields that are served.
const SERVED: &[(&str, &str, &str)] = &[
    (
        "9112 2.2 empty lines in front",
        "\r\n\r\nGET /health HTTP/1.1",
        HOST,
    ),
    (
        "9112 3.2.2 absolute",
        "GET http://mocker/health HTTP/1.1",
        HOST,
    ),
    (
        "9112 3.2.2 its Host",
        "GET http://x:9/health?a HTTP/1.1",
        "Host: y",
    ),
    (
        "9112 3.2.2 any case",
        "GET HTTPS://[::1]:443/health HTTP/1.1",
        HOST,
    ),
    (
        "9112 3.2.2 absolute, empty Host",
        "GET http://mocker/health HTTP/1.1",
        "Host:",
    ),
    (
        "9112 3.2.2 absolute, empty Host",
        "GET HTTP://a:1/health HTTP/1.0",
        "Connection: keep-alive\r\nHost: \t",
    ),
    ("9110 10.1.1 list", GET, "Host: a\r\nExpect: 100-continue, "),
    (
        "9110 10.1.1 list",
        GET,
        "Host: a\r\nExpect: ,100-continue,,100-CONTINUE",
    ),
    (
        "9110 10.1.1 list",
        GET,
        "Host: a\r\nExpect: 100-continue\r\nexpect: 100-continue",
    ),
    ("9110 10.1.1 empty list", GET, "Host: a\r\nExpect:"),
    (
        "9110 10.1.1 empty list",
        GET,
        "Host: a\r\nExpect: ,\r\nExpect: , ,",
    ),
    ("9110 7.2 port", GET, "Host: a:8000"),
    ("9110 7.2 empty port", GET, "Host: a:"),
    ("9110 7.2 address", GET, "Host: 127.0.0.1:1"),
    ("9110 7.2 literal", GET, "Host: [::1]"),
    ("9110 7.2 literal", GET, "Host: [2001:db8::1.2.3.4]:80"),
    ("9110 7.2 name", GET, "HOST:a_b-c.d~%41!$&'()*+;="),
    ("9112 5.1 no space", GET, "Host:a\r\nX:y"),
    (
        "9112 5.1 spaces around",
        GET,
        "Host: \t a \t \r\nX:  \t y\t",
    ),
    ("9110 5.5 empty value", GET, "Host: a\r\nX:\r\nY: "),
    ("9110 5.5 obs-text", GET, "Host: a\r\nX: \u{e9}\u{ff}"),
    ("9110 5.1 odd name", GET, "Host: a\r\n!#$%&'*+-.^_`|~9: y"),
    ("9112 6.2 zeros", GET, "Host: a\r\nContent-Length: 000"),
    (
        "9112 3 any query",
        "GET /health?a=/b?c:d@e!$&'()*+,;=-._~%00 HTTP/1.1",
        HOST,
    ),
    (
        "9110 10.1.1 no body",
        GET,
        "Host: a\r\nExpect: 100-Continue",
    ),
    ("9110 10.1.4 TE", GET, "Host: a\r\nTE: trailers, gzip"),
];

/// Asserts that a head is served, and the request after it too.
pub fn served(name: &str, head: &str) {
    let bytes = format!("{head}\r\n\r\n{HEALTH}");
    let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
    let shown = head.escape_debug();
    assert_eq!(outcome.statuses(), [200, 200], "{name}: {shown}");
    assert!(!outcome.ended);
}

#[test]
fn valid_heads_are_served() {
    for (name, line, fields) in SERVED {
        served(name, &format!("{line}\r\n{fields}"));
    }
}

/// `OPTIONS *` applies to the server as a whole, which has no host.
#[test]
fn the_asterisk_target_needs_no_host() {
    for (fields, status) in [
        ("Host:", 204),
        ("Host: \t", 204),
        ("Host: a", 204),
        ("Host: :80", 400),
        ("X: y", 400),
    ] {
        let bytes = format!("OPTIONS * HTTP/1.1\r\n{fields}\r\n\r\n");
        let outcome = in_every_cut(fields, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [status], "{fields}");
    }
}

#[test]
fn an_error_comes_after_the_responses_to_earlier_requests() {
    let bytes = format!("{HEALTH}{HEALTH}GET /health HTTP/1.1\r\nX : y\r\n\r\n{HEALTH}");
    let outcome = in_every_cut("pipelined", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200, 200, 400]);
    assert!(outcome.ended);
}
