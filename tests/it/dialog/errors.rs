//! Tests of rejected request bodies and their errors.

use mocker::internals::settings::Settings;

use super::client::{HEALTH, chunked, in_every_cut, post};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const EMBEDDINGS: &str = "/v1/embeddings";

/// Paths, bodies, and the code and param of their errors.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    // Not JSON.
    (CHAT, "{", "invalid_json", ""),
    (CHAT, "{}}", "invalid_json", ""),
    (CHAT, "{]", "invalid_json", ""),
    (CHAT, "{\"a\":1,}", "invalid_json", ""),
    (CHAT, "{\"a\" 1}", "invalid_json", ""),
    (CHAT, "{'a':1}", "invalid_json", ""),
    (CHAT, "{\"a\":01}", "invalid_json", ""),
    (CHAT, "{\"a\":.5}", "invalid_json", ""),
    (CHAT, "{\"a\":NaN}", "invalid_json", ""),
    (CHAT, "{\"a\":tru}", "invalid_json", ""),
    (CHAT, "{\"a\":\"\n\"}", "invalid_json", ""),
    (CHAT, "{\"a\":\"\\x\"}", "invalid_json", ""),
    (CHAT, "{\"a\":\"\\u12g4\"}", "invalid_json", ""),
    (CHAT, "{\"a\":\"open}", "invalid_json", ""),
    (CHAT, "{} {}", "invalid_json", ""),
    (CHAT, "\u{feff}{}", "invalid_json", ""),
    (CHAT, " ", "invalid_json", ""),
    (RESPONSES, "model=gpt", "invalid_json", ""),
    (EMBEDDINGS, "{\"input\":[}", "invalid_json", ""),
    // JSON, but not an object.
    (CHAT, "[]", "invalid_json", ""),
    (CHAT, "null", "invalid_json", ""),
    (CHAT, "\"{}\"", "invalid_json", ""),
    (RESPONSES, " 1", "invalid_json", ""),
    (EMBEDDINGS, "[{}]", "invalid_json", ""),
    // Fields outside of their range.
    (CHAT, r#"{"n":0}"#, "invalid_value", "n"),
    (CHAT, r#"{"n":129}"#, "invalid_value", "n"),
    (CHAT, r#"{"n":"3"}"#, "invalid_value", "n"),
    (CHAT, r#"{"n":1.5}"#, "invalid_value", "n"),
    (CHAT, r#"{"n":-1}"#, "invalid_value", "n"),
    (CHAT, r#"{"n":true}"#, "invalid_value", "n"),
    (CHAT, r#"{"n":[1]}"#, "invalid_value", "n"),
    (
        CHAT,
        r#"{"n":99999999999999999999999}"#,
        "invalid_value",
        "n",
    ),
    (CHAT, r#"{"max_tokens":0}"#, "invalid_value", "max_tokens"),
    (CHAT, r#"{"max_tokens":"1"}"#, "invalid_value", "max_tokens"),
    (
        CHAT,
        r#"{"max_completion_tokens":-4}"#,
        "invalid_value",
        "max_completion_tokens",
    ),
    (
        RESPONSES,
        r#"{"max_output_tokens":0.5}"#,
        "invalid_value",
        "max_output_tokens",
    ),
    (CHAT, r#"{"model":5}"#, "invalid_value", "model"),
    (CHAT, r#"{"model":["a"]}"#, "invalid_value", "model"),
    (CHAT, r#"{"model":"a\ud800"}"#, "invalid_value", "model"),
    (
        EMBEDDINGS,
        r#"{"model":"\udc00\ud800"}"#,
        "invalid_value",
        "model",
    ),
    (EMBEDDINGS, r#"{"input":""}"#, "invalid_value", "input"),
    (EMBEDDINGS, r#"{"input":[]}"#, "invalid_value", "input"),
    (
        EMBEDDINGS,
        r#"{"input":["a",""]}"#,
        "invalid_value",
        "input",
    ),
    (
        EMBEDDINGS,
        r#"{"input":[[1],[]]}"#,
        "invalid_value",
        "input",
    ),
    (EMBEDDINGS, r#"{"input":["a",1]}"#, "invalid_value", "input"),
    (EMBEDDINGS, r#"{"input":{}}"#, "invalid_value", "input"),
    (EMBEDDINGS, r#"{"input":5}"#, "invalid_value", "input"),
    (
        EMBEDDINGS,
        r#"{"dimensions":0}"#,
        "invalid_value",
        "dimensions",
    ),
    (
        EMBEDDINGS,
        r#"{"dimensions":4097}"#,
        "invalid_value",
        "dimensions",
    ),
    (
        EMBEDDINGS,
        r#"{"dimensions":"3"}"#,
        "invalid_value",
        "dimensions",
    ),
    (
        EMBEDDINGS,
        r#"{"encoding_format":"hex"}"#,
        "invalid_value",
        "encoding_format",
    ),
    (
        EMBEDDINGS,
        r#"{"encoding_format":1}"#,
        "invalid_value",
        "encoding_format",
    ),
    (CHAT, r#"{"stream":"yes"}"#, "invalid_value", "stream"),
    (RESPONSES, r#"{"stream":1}"#, "invalid_value", "stream"),
    // The last of duplicate names counts.
    (CHAT, r#"{"n":1,"n":0}"#, "invalid_value", "n"),
    (CHAT, r#"{"\u006e":0}"#, "invalid_value", "n"),
];

#[test]
fn invalid_bodies_are_rejected_and_the_connection_continues() {
    for (path, body, code, param) in REFUSED {
        let name = format!("{path} {body}");
        let bytes = post(path, body) + HEALTH;
        let outcome = in_every_cut(&name, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [400, 200], "{name}");
        let (said, field) = outcome.answers[0].error();
        assert_eq!(
            (&*said, field.unwrap_or_default().as_str()),
            (*code, *param),
            "{name}"
        );
        assert!(!outcome.answers[0].closes(), "{name}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    for bad in [
        &b"\xff"[..],
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xe2\x82",
        b"\xf5\x80\x80\x80",
    ] {
        let body = [b"{\"a\":\"", bad, b"\"}"].concat();
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), &body, HEALTH.as_bytes()].concat();
        let outcome = in_every_cut("UTF-8", &Settings::default(), &bytes);
        assert_eq!(outcome.statuses(), [400, 200], "{}", bad.escape_ascii());
    }
}

/// Accepted bodies that are unusual: nulls, unknown fields, duplicate names.
const TAKEN: &[(&str, &str)] = &[
    (
        CHAT,
        r#"{"model":null,"stream":null,"n":null,"max_tokens":null,"max_completion_tokens":null}"#,
    ),
    (
        RESPONSES,
        r#"{"model":null,"stream":null,"max_output_tokens":null,"input":null}"#,
    ),
    (
        EMBEDDINGS,
        r#"{"model":null,"input":null,"encoding_format":null,"dimensions":null}"#,
    ),
    (CHAT, r#"{"stream":false}"#),
    (CHAT, r#"{"n":0,"n":1,"stream":true,"stream":false}"#),
    (
        CHAT,
        r#"{"messages":"none","dimensions":"x","x":{"n":0,"stream":true}}"#,
    ),
    (CHAT, "\t\r\n {\"a\":[1e5,-0.5,{\"n\":0}]} \r\n"),
    (EMBEDDINGS, r#"{"stream":true,"n":0,"input":"x"}"#),
];

#[test]
fn unusual_bodies_are_accepted() {
    for (path, body) in TAKEN {
        let bytes = post(path, body) + HEALTH;
        let outcome = in_every_cut(body, &Settings::default(), bytes.as_bytes());
        assert_eq!(outcome.statuses(), [200, 200], "{path} {body}");
    }
}

/// A body that begins with a byte order mark gets a specific message, wherever it is cut; anything
/// else is a syntax error at its position.
#[test]
fn a_byte_order_mark_has_a_specific_message() {
    for (body, marked, at) in [
        (&b"\xef\xbb\xbf{}"[..], true, 0),
        (b"\xef\xbb\xbf", true, 0),
        (b"\xef\xbb\xbf{\"n\":1}", true, 0),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", true, 0),
        (b"\xef\xbb\xbf[]", true, 0),
        (b"\xef\xbb\xbf {", true, 0),
        (b"\xef\xbb", false, 0),
        (b"\xef", false, 0),
        (b"\xef\xbb{}", false, 0),
        (b"\xef{}\xbb\xbf", false, 0),
        (b"\xef\xbb\xbe{}", false, 0),
        (b"\xbb\xbf{}", false, 0),
        (b"\xfe\xff{}", false, 0),
        (b" \xef\xbb\xbf{}", false, 1),
        (b"{}\xef\xbb\xbf", false, 2),
        (b"{\xef\xbb\xbf}", false, 1),
        (b"x\xef\xbb\xbf", false, 0),
    ] {
        let name = body.escape_ascii().to_string();
        let length = [
            format!(
                "POST {CHAT} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
                body.len()
            )
            .as_bytes(),
            body,
        ]
        .concat();
        let mut chunks = chunked("").into_bytes();
        for byte in body {
            chunks.extend([b"1\r\n", &[*byte][..], b"\r\n"].concat());
        }
        chunks.extend(b"0\r\n\r\n");
        for request in [length, chunks] {
            let bytes = [&request, HEALTH.as_bytes()].concat();
            let outcome = in_every_cut(&name, &Settings::default(), &bytes);
            assert_eq!(outcome.statuses(), [400, 200], "{name}");
            let json = outcome.answers[0].json();
            let message = json["error"]["message"].as_str().unwrap();
            assert_eq!(json["error"]["code"], "invalid_json", "{name}");
            assert_eq!(
                message.contains("byte order mark"),
                marked,
                "{name}: {message}"
            );
            let told = message.contains(&format!("at byte {at} "));
            assert_eq!(told, !marked, "{name}: {message}");
        }
    }
}
