//! Tests of every limit: one below it, at it, and one above it.

use std::time::Duration;

use mocker::internals::conn::EMPTY_LINES_MAX;
use mocker::internals::http::head::{FIELDS_MAX, HEAD_MAX};
use mocker::internals::http::line::TARGET_MAX;
use mocker::internals::settings::Settings;

use super::client::{Client, End, HEALTH, chat, chunked, in_every_cut, post};

/// A limit: a request of variable size, its largest size, and the status and `error.code` beyond
/// it.
struct Limit {
    name: &'static str,
    make: fn(usize) -> String,
    max: usize,
    status: u16,
    code: &'static str,
    /// True if the rejection closes the connection.
    ends: bool,
}

const fn limit(
    name: &'static str,
    make: fn(usize) -> String,
    max: usize,
    (status, code): (u16, &'static str),
    ends: bool,
) -> Limit {
    Limit {
        name,
        make,
        max,
        status,
        code,
        ends,
    }
}

/// The maximum body size that these tests set.
const BODY_MAX: usize = 5000;

const LIMITS: &[Limit] = &[
    limit(
        "head, one field",
        long_field,
        HEAD_MAX,
        (431, "headers_too_large"),
        true,
    ),
    limit(
        "head, many fields",
        many_fields,
        HEAD_MAX,
        (431, "headers_too_large"),
        true,
    ),
    limit(
        "empty lines",
        |count| "\r\n".repeat(count) + HEALTH,
        EMPTY_LINES_MAX as usize,
        (400, "invalid_request"),
        true,
    ),
    limit("target", target, TARGET_MAX, (414, "target_too_long"), true),
    limit(
        "absolute target",
        absolute,
        TARGET_MAX,
        (414, "target_too_long"),
        true,
    ),
    limit(
        "fields",
        fields,
        FIELDS_MAX,
        (431, "too_many_headers"),
        true,
    ),
    limit(
        "body by length",
        length,
        BODY_MAX,
        (413, "request_too_large"),
        true,
    ),
    limit(
        "body by chunk",
        one_chunk,
        BODY_MAX,
        (413, "request_too_large"),
        true,
    ),
    limit(
        "body by chunks",
        chunks,
        BODY_MAX,
        (413, "request_too_large"),
        true,
    ),
    limit("model", model, 256, (400, "invalid_value"), false),
    limit(
        "model, escaped",
        escaped_model,
        256,
        (400, "invalid_value"),
        false,
    ),
    limit("lists", lists, 128, (400, "invalid_json"), false),
    limit("objects", objects, 128, (400, "invalid_json"), false),
    limit("inputs", inputs, 2048, (400, "invalid_value"), false),
    limit(
        "token lists",
        token_lists,
        2048,
        (400, "invalid_value"),
        false,
    ),
    limit("n", n, 128, (400, "invalid_value"), false),
    limit(
        "dimensions",
        dimensions,
        4096,
        (400, "invalid_value"),
        false,
    ),
];

fn long_field(len: usize) -> String {
    let head = "GET /health HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
    head.replace("X: ", &format!("X: {}", "x".repeat(len - head.len())))
}

fn many_fields(len: usize) -> String {
    let fields = format!("X: {}\r\n", "x".repeat(195)).repeat(70);
    let head = format!("GET /health HTTP/1.1\r\n{fields}Host: a\r\nX: \r\n\r\n");
    head.replace("X: \r", &format!("X: {}\r", "x".repeat(len - head.len())))
}

fn target(len: usize) -> String {
    let target = format!("/health?{}", "x".repeat(len - 8));
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn absolute(len: usize) -> String {
    let target = format!("http://a/health?{}", "x".repeat(len - 16));
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn fields(count: usize) -> String {
    let rest = "X: y\r\n".repeat(count - 1);
    format!("GET /health HTTP/1.1\r\nHost: a\r\n{rest}\r\n")
}

fn padded(len: usize) -> String {
    format!("{{\"n\":2}}{}", " ".repeat(len - 7))
}

fn length(len: usize) -> String {
    chat(&padded(len))
}

fn one_chunk(len: usize) -> String {
    chunked(&format!("{len:x}\r\n{}\r\n0\r\n\r\n", padded(len)))
}

fn chunks(len: usize) -> String {
    let body = padded(len);
    let chunk = |piece: &str| format!("{:x}\r\n{piece}\r\n", piece.len());
    let (first, rest) = body.split_at(1000);
    chunked(&format!("{}{}0\r\n\r\n", chunk(first), chunk(rest)))
}

fn model(len: usize) -> String {
    chat(&format!("{{\"model\":\"{}\"}}", "m".repeat(len)))
}

/// Escapes count with their length in the request.
fn escaped_model(len: usize) -> String {
    chat(&format!(
        "{{\"model\":\"{}{}\"}}",
        "\\u0041".repeat(42),
        "m".repeat(len - 252)
    ))
}

fn lists(depth: usize) -> String {
    let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
    chat(&format!("{{\"a\":{open}{close}}}"))
}

fn objects(depth: usize) -> String {
    let (open, close) = ("{\"a\":".repeat(depth - 1), "}".repeat(depth - 1));
    post("/v1/responses", &format!("{open}{{}}{close}"))
}

fn embeddings(inputs: usize, one: &str) -> String {
    let list = vec![one; inputs].join(",");
    post(
        "/v1/embeddings",
        &format!("{{\"dimensions\":1,\"input\":[{list}]}}"),
    )
}

fn inputs(count: usize) -> String {
    embeddings(count, "\"x\"")
}

fn token_lists(count: usize) -> String {
    embeddings(count, "[1]")
}

fn n(n: usize) -> String {
    chat(&format!("{{\"n\":{n}}}"))
}

fn dimensions(dimensions: usize) -> String {
    post(
        "/v1/embeddings",
        &format!("{{\"dimensions\":{dimensions}}}"),
    )
}

#[test]
fn limits_are_exact() {
    for limit in LIMITS {
        for size in [limit.max - 1, limit.max, limit.max + 1] {
            let name = format!("{} of {size}", limit.name);
            // The maximum body size applies only to its own tests; inputs have longer bodies.
            let cap = if limit.status == 413 {
                BODY_MAX
            } else {
                1 << 20
            };
            let settings = Settings {
                max_body: cap as u64,
                ..Settings::default()
            };
            let bytes = (limit.make)(size) + HEALTH;
            let outcome = in_every_cut(&name, &settings, bytes.as_bytes());
            if size <= limit.max {
                assert_eq!(outcome.statuses(), [200, 200], "{name}");
                continue;
            }
            let first = &outcome.answers[0];
            assert_eq!(
                (first.status, &*first.error().0),
                (limit.status, limit.code),
                "{name}"
            );
            assert_eq!(first.closes(), limit.ends, "{name}");
            assert_eq!(outcome.ended, limit.ends, "{name}");
            assert_eq!(outcome.answers.len(), 2 - usize::from(limit.ends), "{name}");
        }
    }
}

#[test]
fn a_length_over_the_maximum_is_rejected_before_the_body() {
    let settings = Settings {
        max_body: 100,
        auth: "Bearer k".into(),
        ..Settings::default()
    };
    // Even then, the route, credentials and method are checked first.
    for (line, fields, status) in [
        ("POST /v1/responses", "Authorization: Bearer k", 413),
        (
            "POST /v1/responses",
            "Authorization: Bearer k\r\nExpect: 100-continue",
            413,
        ),
        ("POST /v1/responses", "X: y", 403),
        ("GET /v1/responses", "Authorization: Bearer k", 405),
        ("POST /nothing", "X: y", 404),
        ("GET /health", "X: y", 413),
    ] {
        let mut client = Client::new(&settings);
        client.send(format!(
            "{line} HTTP/1.1\r\nHost: a\r\n{fields}\r\nContent-Length: 101\r\n\r\n"
        ));
        let answers = client.answers();
        assert_eq!(
            (answers.len(), answers[0].status),
            (1, status),
            "{line} {fields}"
        );
        assert!(answers[0].closes());
        assert_eq!(answers[0].interim, 0);
        // A body that is sent nevertheless is discarded, and everything after it too.
        assert_eq!(client.end, End::Lingering);
        client.send(" ".repeat(101) + HEALTH);
        client.end_sending();
        assert_eq!((client.answers().len(), client.end), (0, End::Closed));
    }
}

#[test]
fn an_endless_line_is_rejected_when_the_buffer_is_full() {
    for (bytes, status) in [
        (format!("GET /{}", "x".repeat(20_000)), 414),
        (
            format!("GET /health HTTP/1.1\r\nX: {}", "x".repeat(20_000)),
            431,
        ),
        (
            format!("GET /health HTTP/1.1\r\n{}", "x".repeat(20_000)),
            431,
        ),
    ] {
        let mut client = Client::plain();
        client.send(&bytes);
        let answers = client.answers();
        assert_eq!(answers.len(), 1);
        assert!(answers[0].closes());
        assert_eq!(answers[0].status, status);
        assert_eq!(client.end, End::Lingering);
    }
}

/// The limit of tokens times choices: at the limit, the stream begins, and continues an hour later.
#[test]
fn the_number_of_tokens_is_limited() {
    let settings = Settings {
        tokens: Some(100_000..=100_000),
        itl: Duration::from_secs(3600),
        ..Settings::default()
    };
    for (prompts, status) in [(999, 200), (1000, 200), (1001, 400)] {
        let prompts = vec!["\"x\""; prompts].join(",");
        let body = format!(r#"{{"prompt":[{prompts}],"stream":true}}"#);
        let mut client = Client::new(&settings);
        client.send(post("/v1/completions", &body));
        let line = format!("HTTP/1.1 {status} ");
        assert!(client.out.starts_with(line.as_bytes()), "{status}");
    }
}
