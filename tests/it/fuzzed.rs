//! Invariants of a connection for arbitrary input: its responses are well-formed, in order and
//! never early, its buffers are bounded, and its behaviour does not depend on how the input is cut.
//! `scripts/fuzz` searches for counterexamples; the corpus of seeds and findings is replayed here.

use std::time::Duration;

use fastrand::Rng;
use mocker::internals::conn::Want;
use mocker::internals::conn::outbox::OUTBOX_FULL;
use mocker::internals::settings::{ContentMode, Settings};
use serde_json::Value;

use crate::dialog::answer::dechunked;
use crate::dialog::client::{Client, Cut, DATE, End, START, without_numbers};

/// The largest outbox, which exceeds its limit by at most one item: the longest is a choice of 64
/// KiB, each byte of which is an escape of six.
const WAITING_MAX: usize = OUTBOX_FULL + 6 * 64 * 1024 + 4096;

/// The minimum delay of the settings with a delay.
const LEAST: Duration = Duration::from_millis(5);

/// Runs one input: two bytes select the settings, one selects the cuts, and the rest is the stream.
pub fn conn(data: &[u8]) {
    let Some((&[low, high, seed], bytes)) = data.split_first_chunk() else {
        return;
    };
    let settings = settings(u16::from_le_bytes([low, high]));
    let random = |more: u64| Cut::Random(Rng::with_seed(u64::from(seed) ^ more));
    let (whole, ended) = dialog(&settings, bytes, Cut::Whole);
    let whole = answers(&whole);
    // With an expectation, the response depends on whether the body has already arrived.
    let expects = bytes
        .to_ascii_lowercase()
        .windows(6)
        .any(|part| part == b"expect");
    for cut in [Cut::Bytes, random(0), random(1 << 32)] {
        let (cut, also_ended) = dialog(&settings, bytes, cut);
        let cut = answers(&cut);
        assert!(
            expects || (&cut, also_ended) == (&whole, ended),
            "{whole:#?}\n{cut:#?}"
        );
    }
}

fn settings(bits: u16) -> Settings {
    let chosen = |bit: u16| bits & (1 << bit) != 0;
    let millis =
        |bit: u16, millis: u64| Duration::from_millis(if chosen(bit) { millis } else { 0 });
    Settings {
        latency: millis(0, 10),
        jitter: millis(1, 5).min(millis(0, 5)),
        ttft: chosen(2).then_some(LEAST),
        itl: millis(3, 2),
        itl_jitter: millis(4, 1),
        tokens: chosen(5).then_some(2..=9),
        tokens_per_chunk: if chosen(6) { 4 } else { 1 },
        content: match (chosen(7), chosen(8)) {
            (true, true) => ContentMode::Random,
            (true, false) => ContentMode::Echo,
            _ => ContentMode::Fixed,
        },
        big_payload: chosen(9),
        strict: chosen(10),
        cors: chosen(11),
        auth: if chosen(12) { "Bearer k" } else { "" }.to_owned(),
        failure_percent: if chosen(13) { 300_000 } else { 0 },
        max_body: if chosen(14) { 64 } else { 50 << 20 },
        ..Settings::default()
    }
}

/// Runs one dialog. Returns the output, and whether the connection closed on its own.
pub fn dialog(settings: &Settings, bytes: &[u8], mut cut: Cut) -> (Vec<u8>, bool) {
    let least = settings
        .ttft
        .unwrap_or(settings.latency)
        .min(settings.latency - settings.jitter);
    let least = least.as_nanos() as u64;
    let mut client = Client::new(settings);
    let mut rest = bytes;
    while !rest.is_empty() && client.end != End::Closed {
        let (piece, tail) = rest.split_at(cut.next(rest.len()));
        rest = tail;
        let (waited, before) = (client.want() == Want::Wait, client.out.len());
        client.send(piece);
        assert!(
            client.most_waiting <= WAITING_MAX,
            "{} bytes",
            client.most_waiting
        );
        if least > 0 {
            let delayed = b"openai-processing-ms";
            let early = client.out[before..]
                .windows(delayed.len())
                .any(|part| part == delayed);
            assert!(!early, "what is delayed came with its request");
            if !waited && client.want() == Want::Wait {
                assert!(
                    START + client.deadline() >= client.core.now + least,
                    "it would be early"
                );
            }
        }
        client.pass(100_000);
    }
    let ended = finish(&mut client);
    client.end_sending();
    finish(&mut client);
    assert_eq!(client.end, End::Closed, "a half-closed client is let go");
    (client.out, ended)
}

/// Lets time pass until nothing is due. Returns whether the connection closed on its own.
fn finish(client: &mut Client) -> bool {
    while client.end != End::Closed && client.want() == Want::Wait {
        client.pass(START + client.deadline() - client.core.now);
    }
    client.end != End::Open
}

/// Returns each response without framing, and with its variable numbers replaced. Panics if a
/// response is malformed or incomplete, or if anything follows the last one.
pub fn answers(out: &[u8]) -> Vec<String> {
    let (found, rest) = whole_answers(out);
    assert_eq!(rest, 0, "cut short: {}", out.escape_ascii());
    found
}

/// Returns the complete responses, and the number of bytes after them.
pub fn whole_answers(out: &[u8]) -> (Vec<String>, usize) {
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let plain = without_numbers(out);
    let (mut found, mut rest, mut closes) = (Vec::new(), &plain[..], false);
    loop {
        rest = rest.strip_prefix(CONTINUE).unwrap_or(rest);
        assert!(
            rest.is_empty() || !closes,
            "bytes follow an answer that closes"
        );
        let Some(answer) = next_answer(rest).filter(|_| !rest.is_empty()) else {
            return (found, rest.len());
        };
        found.push(answer.text);
        (closes, rest) = (answer.closes, answer.rest);
    }
}

struct Answer<'a> {
    text: String,
    closes: bool,
    rest: &'a [u8],
}

/// Returns the response at the beginning of these bytes, or `None` if it is incomplete.
fn next_answer(out: &[u8]) -> Option<Answer<'_>> {
    let end = out.windows(4).position(|part| part == b"\r\n\r\n")?;
    let (head, content) = out.split_at(end + 4);
    let head = std::str::from_utf8(head).expect("heads are ASCII");
    let (status, fields) = head
        .strip_prefix("HTTP/1.1 ")
        .expect("a version")
        .split_at(3);
    let field = |name: &str| {
        let mut lines = fields.lines().filter_map(|line| line.split_once(": "));
        let found = lines.by_ref().find(|(known, _)| *known == name);
        assert!(lines.all(|(known, _)| known != name), "{name} stands once");
        found.map(|(_, value)| value)
    };
    assert_eq!(field("Date"), Some(DATE));
    let closes = field("Connection") == Some("close");
    // No content begins like a response, so a response without content here is to HEAD.
    let bodiless = content.is_empty() || content.starts_with(b"HTTP/1.1 ");
    let (text, rest) = match (field("Content-Length"), field("Transfer-Encoding")) {
        (None, None) if status == "204" => (Vec::new(), content),
        (None, None) => {
            assert!(closes, "what has no length ends with the connection");
            // A stream ends with an event, a document with its outermost brace.
            let is_whole = match field("Content-Type") {
                Some("application/json") => is_json(&numbered(content)),
                _ => content.ends_with(b"\n\n"),
            };
            is_whole.then_some(())?;
            (content.to_vec(), &b""[..])
        }
        (Some(length), None) if length != "0" && bodiless => (Vec::new(), content),
        (Some(length), None) => {
            let (text, rest) = content.split_at_checked(length.parse().expect("a length"))?;
            (text.to_vec(), rest)
        }
        (None, Some("chunked")) if bodiless => (Vec::new(), content),
        (None, Some("chunked")) => dechunked(content)?,
        framing => panic!("{framing:?}"),
    };
    if !text.is_empty() {
        check_content(field("Content-Type").expect("content has a type"), &text);
    }
    let text = format!("{head}{}", text.escape_ascii());
    Some(Answer { text, closes, rest })
}

/// Returns content with valid JSON in place of the numbers that were replaced.
fn numbered(content: &[u8]) -> String {
    String::from_utf8_lossy(content).replace('#', "1")
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

fn check_content(kind: &str, text: &[u8]) {
    let text = numbered(text);
    match kind {
        "application/json" => assert!(is_json(&text), "{text}"),
        // The page and the metrics have other formats.
        kind if !kind.starts_with("text/event-stream") => {}
        _ => {
            let events = text.strip_suffix("\n\n").expect("events end");
            for event in events.split("\n\n") {
                let data = event.lines().last().expect("an event has lines");
                let data = data.strip_prefix("data: ").expect("the last has the data");
                assert!(data == "[DONE]" || is_json(data), "{data}");
            }
        }
    }
}

#[test]
fn the_corpus_violates_no_invariant() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/conn");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10, "{} files", files.len());
    for file in files {
        conn(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
