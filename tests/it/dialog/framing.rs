//! Tests of message body length (RFC 9112, section 6): ambiguous framing is rejected.

use super::heads::refused;

/// Sections, field lines besides Host, and statuses.
const LENGTHS: &[(&str, &str, u16)] = &[
    ("9112 6.2 empty", "Content-Length:", 400),
    ("9112 6.2 sign", "Content-Length: +0", 400),
    ("9112 6.2 sign", "Content-Length: -0", 400),
    ("9112 6.2 hexadecimal", "Content-Length: 0x0", 400),
    ("9112 6.2 hexadecimal", "Content-Length: a", 400),
    ("9112 6.2 spaces", "Content-Length: 0 0", 400),
    ("9112 6.2 fraction", "Content-Length: 0.0", 400),
    ("9112 6.2 underscore", "Content-Length: 0_0", 400),
    ("9112 6.2 quoted", "Content-Length: \"0\"", 400),
    ("9112 6.2 other digits", "Content-Length: \u{660}", 400),
    (
        "9112 6.2 overflow",
        "Content-Length: 18446744073709551616",
        400,
    ),
    (
        "9112 6.2 overflow",
        "Content-Length: 99999999999999999999999999",
        400,
    ),
    (
        "9112 6.2 over the cap",
        "Content-Length: 18446744073709551615",
        413,
    ),
    ("9112 6.3 list", "Content-Length: 0, 0", 400),
    ("9112 6.3 list", "Content-Length: 0,", 400),
    (
        "9112 6.3 different",
        "Content-Length: 0\r\nContent-Length: 1",
        400,
    ),
    (
        "9112 6.3 equal",
        "Content-Length: 0\r\ncontent-length: 0",
        400,
    ),
    (
        "9112 6.1 both",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        400,
    ),
    (
        "9112 6.1 both",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        400,
    ),
];

/// Values of Transfer-Encoding (`+` separates field lines), and statuses.
const CODINGS: &[(&str, u16)] = &[
    ("chunked, chunked", 400),
    ("chunked+chunked", 400),
    ("chunked, gzip", 400),
    ("chunked+gzip", 400),
    ("chunked, identity", 400),
    ("gzip", 400),
    ("identity", 400),
    ("gzip, deflate", 400),
    ("gzip, chunked", 501),
    ("GZIP , Chunked", 501),
    ("gzip+chunked", 501),
    ("identity, chunked", 501),
    ("xchunked, chunked", 501),
    ("chunked, gzip, chunked", 400),
    ("chunked;a=b", 400),
    ("chunked; a=b", 400),
    ("\"chunked\"", 400),
    ("chun ked", 400),
    ("chunked\u{b}", 400),
    ("\u{b}chunked", 400),
    ("", 400),
    ("+chunked", 400),
    ("chunked+", 400),
    (",", 400),
    (", ,", 400),
    (",+Content-Length: 0", 400),
];

#[test]
fn lengths_are_one_decimal_number_or_rejected() {
    for (name, fields, status) in LENGTHS {
        for line in ["GET /health", "POST /v1/responses"] {
            refused(
                name,
                &format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}"),
                *status,
            );
        }
    }
}

#[test]
fn only_the_chunked_transfer_coding_is_accepted() {
    for (codings, status) in CODINGS {
        let lines = codings.split('+').map(|coding| match coding.contains(':') {
            true => coding.to_owned(),
            false => format!("Transfer-Encoding: {coding}"),
        });
        let lines = lines.collect::<Vec<_>>().join("\r\n");
        let line = "POST /v1/responses HTTP/1.1\r\nHost: a";
        refused("9112 6.1", &format!("{line}\r\n{lines}"), *status);
    }
    let old = "POST /v1/responses HTTP/1.0\r\nTransfer-Encoding: chunked";
    refused("9112 6.1 on 1.0", old, 400);
    let old = "POST /v1/responses HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked";
    refused("9112 6.1 on 1.0", old, 400);
}
