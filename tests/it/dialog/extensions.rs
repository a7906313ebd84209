//! Tests of chunk extensions (RFC 9112, section 7.1.1): valid ones are ignored, anything else is
//! rejected, and their total length in a body is limited.

use mocker::internals::http::body::{CHUNK_LINE_MAX, EXTENSIONS_MAX};
use mocker::internals::settings::Settings;

use super::client::{HEALTH, chunked, in_every_cut};

/// Texts after a chunk size, and whether they are valid extensions.
const EXTENSIONS: &[(&str, bool)] = &[
    (";a", true),
    (";a;b", true),
    (";a=b", true),
    (";a=b;c=d;e", true),
    (";!#$%&'*+-.^_`|~9=!#$%&'*+-.^_`|~9", true),
    (";a=\"b\"", true),
    (";a=\"\"", true),
    (";a=\"b c\td\"", true),
    (";a=\"b;c=d;0\"", true),
    (";a=\"b\\\"c\"", true),
    (";a=\"b\\\\\"", true),
    (";a=\"\\;\\a\\ \\\t\"", true),
    (";a=\"\u{e9}\\\u{e9}\"", true),
    (";a=\"b\";c=\"d\"", true),
    // White space around semicolons and equals signs.
    (" ;a", true),
    ("\t;a", true),
    ("; a", true),
    (" \t ; \t a \t = \t b \t ; \t c", true),
    (";a ;b", true),
    (";a =b", true),
    (";a= b", true),
    (";a= \"b\" ;c", true),
    // And nowhere else.
    (" ", false),
    ("\t", false),
    (";a ", false),
    (";a=b ", false),
    (";a=\"b\" ", false),
    (";a b", false),
    (";a b=c", false),
    (";a=b c", false),
    (";a=\"b\" c", false),
    // Missing names and values.
    (";", false),
    (" ;", false),
    ("; ", false),
    (";;", false),
    (";;a", false),
    (";a;", false),
    (";a; ;b", false),
    (";=", false),
    (";=b", false),
    (";a=", false),
    (";a= ", false),
    (";a=;b", false),
    (";a==b", false),
    (";a=b=c", false),
    // Names and values that are not tokens.
    (";\"a\"", false),
    (";\"a\"=b", false),
    (";a(b", false),
    (";a/b", false),
    (";a,b", false),
    (";a@b=c", false),
    (";[a]=b", false),
    (";a=b,c", false),
    (";a=b/c", false),
    (";a={b}", false),
    (";\u{e9}", false),
    (";a=\u{e9}", false),
    (";a\0", false),
    (";a=b\u{7f}", false),
    ("=a", false),
    ("a;b=c;d=e g", false),
    // Invalid quoted strings.
    (";a=\"", false),
    (";a=\"b", false),
    (";a=\"b\\", false),
    (";a=\"b\\\"", false),
    (";a=b\"c\"", false),
    (";a=\"b\"c", false),
    (";a=\"b\"\"c\"", false),
    (";a=\"b\"=c", false),
    (";a='b c'", false),
    (";a=\"\0\"", false),
    (";a=\"\\\0\"", false),
    (";a=\"\u{7f}\"", false),
    (";a=\"b\rc\"", false),
    (";a=\"b\\\rc\"", false),
    (";a=\"b\nc\"", false),
    (";a=\"b\r\nc\"", false),
    (";a=\"b\r\n c\"", false),
    // Invalid line ends.
    (";a\rb", false),
    (";\ra", false),
    (";a=\rb", false),
    (";a\r", false),
    (";a\nb", false),
    (";a\n", false),
    (";a=b\n", false),
    (";a\r\n ;b", false),
];

#[test]
fn extensions_follow_the_grammar_or_are_rejected() {
    for (extension, valid) in EXTENSIONS {
        let first = format!("7{extension}\r\n{{\"n\":2}}\r\n0\r\n\r\n");
        let last = format!("7\r\n{{\"n\":2}}\r\n0{extension}\r\n\r\n");
        for body in [first, last] {
            let name = body.escape_debug().to_string();
            let bytes = chunked(&body) + HEALTH;
            let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
            match valid {
                true => {
                    assert_eq!(outcome.statuses(), [200, 200], "{name}");
                    let choices = &outcome.answers[0].json()["choices"];
                    assert_eq!(choices.as_array().map(Vec::len), Some(2), "{name}");
                }
                false => {
                    assert_eq!(outcome.statuses(), [400], "{name}");
                    assert_eq!(outcome.answers[0].error().0, "invalid_chunk", "{name}");
                    assert!(outcome.ended && outcome.answers[0].closes(), "{name}");
                }
            }
        }
    }
}

/// Returns a body of one-byte chunks, with extensions of equal length and `total` bytes altogether.
fn extended(total: usize, chunks: usize) -> String {
    let mut left = total;
    let mut body = String::new();
    for rest in (1..=chunks).rev() {
        let len = left / rest;
        left -= len;
        body += &format!("1;{}\r\n \r\n", "x".repeat(len - 1));
    }
    chunked(&(body + "7\r\n{\"n\":2}\r\n0\r\n\r\n")) + HEALTH
}

#[test]
fn the_total_length_of_extensions_is_limited() {
    let max = usize::from(EXTENSIONS_MAX);
    // Few long extensions and many short ones.
    for chunks in [max / usize::from(CHUNK_LINE_MAX) + 1, 100, max / 8] {
        for (total, statuses) in [
            (max - 1, &[200, 200][..]),
            (max, &[200, 200]),
            (max + 1, &[400]),
            (max * 2, &[400]),
        ] {
            // No single line is too long.
            if total / chunks + 2 > usize::from(CHUNK_LINE_MAX) {
                continue;
            }
            let name = format!("{total} bytes in {chunks} chunks");
            let bytes = extended(total, chunks);
            let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
            assert_eq!(outcome.statuses(), statuses, "{name}");
        }
    }
    // The limit applies to each body, not to a connection, and excludes chunk sizes.
    let bytes = extended(max, 100).repeat(3);
    let outcome = in_every_cut("three", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200; 6]);
    let sizes = "0000000000000001\r\n \r\n".repeat(2000) + "7\r\n{\"n\":2}\r\n0\r\n\r\n";
    let bytes = chunked(&sizes) + HEALTH;
    let outcome = in_every_cut("sizes", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200, 200]);
}
