//! What is held against a connection, whatever bytes it gets: that its answers are well-formed and
//! in order, that none is early, that it never holds more than it may, and that one stream of bytes
//! means the same however it is cut. `scripts/fuzz` looks for bytes that break it; what it set out
//! from and what it found is replayed here.

use std::time::Duration;

use fastrand::Rng;
use mocker::conn::Wish;
use mocker::conn::outbox::OUTBOX_FULL;
use mocker::settings::{Content, Settings};
use serde_json::Value;

use crate::dialog::answer::dechunked;
use crate::dialog::client::{Client, Cut, DATE, End, START, without_numbers};

/// An outbox is filled until it is full, and by at most one item more than that: the longest is a
/// choice of 64 KiB, each byte of it an escape of six.
const WAITING_MAX: usize = OUTBOX_FULL + 6 * 64 * 1024 + 4096;

/// The least delay of those settings that have one.
const LEAST: Duration = Duration::from_millis(5);

/// Two bytes choose the settings, one how the stream is cut, the others are the stream.
pub fn conn(data: &[u8]) {
    let Some((&[low, high, seed], bytes)) = data.split_first_chunk() else {
        return;
    };
    let settings = settings(u16::from_le_bytes([low, high]));
    let random = |more: u64| Cut::Random(Rng::with_seed(u64::from(seed) ^ more));
    let (whole, ended) = dialog(&settings, bytes, Cut::Whole);
    let whole = answers(&whole);
    // With an expectation it shows in what is answered whether the body was there already.
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
            (true, true) => Content::Random,
            (true, false) => Content::Echo,
            _ => Content::Fixed,
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

/// One dialog: what came out, and whether the connection had ended by itself.
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
        let (waited, before) = (client.wish() == Wish::Wait, client.out.len());
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
            if !waited && client.wish() == Wish::Wait {
                assert!(
                    START + client.deadline() >= client.now + least,
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

/// Lets all come that is due some time; whether the connection ends by itself.
fn finish(client: &mut Client) -> bool {
    while client.end != End::Closed && client.wish() == Wish::Wait {
        client.pass(START + client.deadline() - client.now);
    }
    client.end != End::Open
}

/// Each answer, its numbers made the same and its framing undone. Panics where one is not well
/// formed or cut short, or where anything follows the last one.
pub fn answers(out: &[u8]) -> Vec<String> {
    let (found, rest) = whole_answers(out);
    assert_eq!(rest, 0, "cut short: {}", out.escape_ascii());
    found
}

/// Those that are there whole, and how many bytes follow them.
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

/// The answer that these bytes begin with; None if it is cut short.
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
    // No content begins as an answer does: what has none here is an answer to HEAD.
    let bodiless = content.is_empty() || content.starts_with(b"HTTP/1.1 ");
    let (text, rest) = match (field("Content-Length"), field("Transfer-Encoding")) {
        (None, None) if status == "204" => (Vec::new(), content),
        (None, None) => {
            assert!(closes, "what has no length ends with the connection");
            content.ends_with(b"\n\n").then_some(())?;
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

fn check_content(kind: &str, text: &[u8]) {
    // Numbers were made the same with a sign that JSON has not.
    let text = std::str::from_utf8(text)
        .expect("content is UTF-8")
        .replace('#', "1");
    let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
    match kind {
        "application/json" => assert!(is_json(&text), "{text}"),
        // The page and the metrics have forms of their own.
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
fn the_corpus_breaks_nothing() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/conn");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10, "{} files", files.len());
    for file in files {
        conn(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
