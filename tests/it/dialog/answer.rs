//! A strict parser of responses, which panics on any violation of RFC 9110 and RFC 9112.

use serde_json::Value;

/// A response.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// The fields in order, with names in lower case.
    pub fields: Vec<(String, String)>,
    pub content: Vec<u8>,
    /// The length of the head and the content in bytes.
    pub len: usize,
    /// The number of 100 (Continue) responses before it.
    pub interim: usize,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} stands once");
        Some(value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.content).expect("the content is JSON")
    }

    /// Returns the number in the response's request id.
    pub fn id(&self) -> &str {
        let id = self.field("x-request-id").expect("every answer has one");
        id.strip_prefix("req_mock").expect("it begins req_mock")
    }

    /// Returns `error.code` and `error.param`.
    pub fn error(&self) -> (String, Option<String>) {
        let error = &self.json()["error"];
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        (text("code").expect("errors have a code"), text("param"))
    }

    /// Returns whether the response announces that the connection will be closed.
    pub fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Parses all responses in `out`, which must contain nothing else. Those at the indexes `heads` are
/// to HEAD requests.
pub fn read_all(out: &[u8], date: &str, heads: &[usize]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut rest = out;
    while !rest.is_empty() {
        let mut interim = 0;
        while let Some(after) = rest.strip_prefix(CONTINUE) {
            interim += 1;
            rest = after;
        }
        if rest.is_empty() {
            break;
        }
        let bodiless = heads.contains(&answers.len());
        let answer = read(rest, date, bodiless, interim);
        rest = &rest[answer.len..];
        answers.push(answer);
    }
    answers
}

fn read(out: &[u8], date: &str, bodiless: bool, interim: usize) -> Answer {
    let end = out
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .expect("the head ends");
    let head = std::str::from_utf8(&out[..end]).expect("the head is ASCII");
    assert!(head.is_ascii());
    let mut lines = head.split("\r\n");
    let status = read_status(lines.next().expect("there is a first line"));
    let fields: Vec<_> = lines.map(read_field).collect();
    let mut answer = Answer {
        status,
        fields,
        content: Vec::new(),
        len: end + 4,
        interim,
    };
    assert_eq!(answer.field("date"), Some(date), "{head}");
    assert!(is_imf_fixdate(date));
    let id = answer.id();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    check_persistence(&answer);
    if answer.field("transfer-encoding").is_some() {
        return read_chunked(out, answer, bodiless);
    }
    let said = answer.field("content-length").map(str::to_owned);
    let Some(said) = said else {
        assert_eq!(status, 204, "an answer with content is framed: {head}");
        assert_eq!(answer.field("content-type"), None);
        return answer;
    };
    assert_ne!(status, 204, "RFC 9110, 8.6: no Content-Length with 204");
    assert!(said.bytes().all(|byte| byte.is_ascii_digit()), "{head}");
    if !bodiless {
        let length: usize = said.parse().expect("a length");
        assert!(out.len() >= answer.len + length, "cut short: {head}");
        answer.content = out[answer.len..answer.len + length].to_vec();
        // All content is JSON except the page and the metrics, which have unique beginnings.
        let kind = match &answer.content {
            page if page.starts_with(b"<!doctype html>") => "text/html; charset=utf-8",
            metrics if metrics.starts_with(b"# HELP ") => {
                "text/plain; version=0.0.4; charset=utf-8"
            }
            _ => "application/json",
        };
        assert_eq!(answer.field("content-type"), Some(kind), "{head}");
        answer.len += length;
        if status >= 400 {
            check_error(&answer);
        }
    }
    answer
}

/// Reads the content of a long response, whose length was not known in advance.
fn read_chunked(out: &[u8], mut answer: Answer, bodiless: bool) -> Answer {
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"));
    assert_eq!(answer.field("content-length"), None);
    assert_eq!(answer.field("content-type"), Some("application/json"));
    assert_eq!(answer.status, 200);
    if !bodiless {
        let (content, rest) = dechunked(&out[answer.len..]).expect("the chunks end");
        assert!(content.len() > 40_000, "{} bytes", content.len());
        answer.content = content;
        answer.len = out.len() - rest.len();
    }
    answer
}

/// Returns the content of chunks and the bytes after them, or `None` if they are incomplete.
pub fn dechunked(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut content = Vec::new();
    loop {
        let end = rest.windows(2).position(|part| part == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        content.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        let after = rest.get(end + 2 + size..end + 4 + size)?;
        assert_eq!(after, b"\r\n", "a chunk ends");
        rest = &rest[end + 4 + size..];
        if size == 0 {
            return Some((content, rest));
        }
    }
}

fn read_status(line: &str) -> u16 {
    let rest = line.strip_prefix("HTTP/1.1 ").expect("the version");
    let (status, reason) = rest.split_once(' ').expect("a reason after the status");
    assert!(status.len() == 3 && !reason.is_empty(), "{line}");
    status.parse().expect("a status")
}

fn read_field(line: &str) -> (String, String) {
    let (name, value) = line.split_once(": ").expect("NAME: VALUE");
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    assert!(!name.is_empty() && name.bytes().all(token), "{line}");
    assert!(value.trim() == value && !value.is_empty(), "{line}");
    assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    (name.to_ascii_lowercase(), value.into())
}

/// Asserts the format `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn is_imf_fixdate(date: &str) -> bool {
    let shape: String = date
        .chars()
        .map(|char| match char {
            '0'..='9' => '0',
            'A'..='Z' => 'A',
            'a'..='z' => 'a',
            other => other,
        })
        .collect();
    shape == "Aaa, 00 Aaa 0000 00:00:00 AAA" && date.ends_with(" GMT")
}

/// Asserts that the response announces whether the connection stays open and for how long, and that
/// hop-by-hop fields are listed in `Connection` (RFC 9110, section 7.6.1).
fn check_persistence(answer: &Answer) {
    let timeout = answer.field("keep-alive");
    match answer.field("connection") {
        Some("close") => assert_eq!(timeout, None),
        Some("keep-alive") => {
            let seconds = timeout.and_then(|value| value.strip_prefix("timeout="));
            let seconds: Option<u32> = seconds.and_then(|seconds| seconds.parse().ok());
            assert!(seconds > Some(0), "{timeout:?}");
        }
        other => panic!("Connection: {other:?}"),
    }
}

/// Asserts that an error has OpenAI's format, with an event id.
fn check_error(answer: &Answer) {
    let json = answer.json();
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&json), ["error", "event_id"]);
    assert_eq!(json["event_id"], "evt_mock_error_12345");
    assert_eq!(keys(&json["error"]), ["code", "message", "param", "type"]);
    let kind = match answer.status {
        403 => "permission_error",
        429 | 500 => "server_error",
        _ => "invalid_request_error",
    };
    assert_eq!(json["error"]["type"], kind);
    let message = json["error"]["message"].as_str().expect("a string");
    assert!(message.len() > 10);
    // OpenAI has no code for a missing model.
    let code = json["error"]["code"].as_str();
    assert_eq!(
        code.is_none(),
        message == "you must provide a model parameter"
    );
    assert_ne!(code, Some(""));
}
