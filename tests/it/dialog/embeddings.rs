//! Tests of embeddings: the number, size and encoding of vectors, and responses too long to buffer.

use mocker::internals::conn::outbox::OUTBOX_FULL;
use mocker::internals::settings::Settings;
use serde_json::{Value, json};

use super::answer::Answer;
use super::chat::big;
use super::client::{Client, in_every_cut, post};

fn embed(body: &str) -> String {
    post("/v1/embeddings", body)
}

/// Returns the vectors of a response in either encoding.
fn vectors(answer: &Answer) -> Vec<Vec<f32>> {
    let json = answer.json();
    let data = json["data"].as_array().expect("a list");
    let vector = |(index, item): (usize, &Value)| {
        assert_eq!(item["object"], "embedding");
        assert_eq!(item["index"], index);
        match &item["embedding"] {
            Value::String(text) => floats(text),
            list => serde_json::from_value(list.clone()).expect("numbers"),
        }
    };
    data.iter().enumerate().map(vector).collect()
}

/// Decodes little-endian floats in base64 with padding.
fn floats(base64: &str) -> Vec<f32> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(base64.len() % 4, 0, "padded");
    let digits = base64.trim_end_matches('=');
    assert!(base64.len() - digits.len() <= 2);
    let (mut bits, mut room, mut bytes) = (0u32, 0, Vec::new());
    for digit in digits.chars() {
        bits = bits << 6 | DIGITS.find(digit).expect("a base64 digit") as u32;
        room += 6;
        if room >= 8 {
            room -= 8;
            bytes.push((bits >> room) as u8);
        }
    }
    assert_eq!(bytes.len() % 4, 0, "whole floats");
    let number = |four: &[u8]| f32::from_le_bytes(four.try_into().unwrap());
    bytes.chunks(4).map(number).collect()
}

#[test]
fn the_response_has_every_field_of_the_schema() {
    let bytes = embed(r#"{"model":"e","input":"hi","dimensions":2}"#);
    let outcome = in_every_cut("embeddings", &Settings::default(), bytes.as_bytes());
    assert_eq!(outcome.statuses(), [200]);
    let mut json = outcome.answers[0].json();
    let tokens = json["usage"]["prompt_tokens"].take().as_u64().unwrap();
    assert!((100..=499).contains(&tokens));
    assert_eq!(json["usage"]["total_tokens"].take(), tokens);
    json["data"][0]["embedding"].take();
    let want = json!({
        "object": "list",
        "data": [{ "object": "embedding", "index": 0, "embedding": null }],
        "model": "e",
        "usage": { "prompt_tokens": null, "total_tokens": null }
    });
    assert_eq!(json, want);
}

#[test]
fn every_kind_of_input_has_the_right_number_of_vectors() {
    let strings = format!("[{}]", vec!["\"x\""; 2048].join(","));
    let lists = format!("[{}]", vec!["[1]"; 2048].join(","));
    let tokens = format!("[{}]", vec!["7"; 5000].join(","));
    for (input, want) in [
        (r#""one""#, 1),
        (r#"["one"]"#, 1),
        (r#"["a","b","a"]"#, 3),
        ("[1,2,3]", 1),
        (&tokens, 1),
        ("[[1],[2,3]]", 2),
        (r#"["a","b","c","d","e","f","g"]"#, 7),
        (&strings, 2048),
        (&lists, 2048),
        ("null", 1),
    ] {
        let name = &input[..input.len().min(40)];
        let bytes = embed(&format!(r#"{{"dimensions":3,"input":{input}}}"#));
        let outcome = in_every_cut(name, &Settings::default(), bytes.as_bytes());
        let vectors = vectors(&outcome.answers[0]);
        assert_eq!(vectors.len(), want, "{name}");
        let mut distinct = vectors[..want.min(4)].to_vec();
        distinct.dedup();
        assert_eq!(distinct.len(), want.min(4), "neighbours differ");
    }
}

#[test]
fn both_encodings_have_the_same_unit_vectors_in_all_sizes() {
    for (settings, asked, want) in [
        (Settings::default(), "", 1536),
        (big(), "", 4096),
        (Settings::default(), r#","dimensions":1"#, 1),
        (Settings::default(), r#","dimensions":4096"#, 4096),
        (Settings::default(), r#","dimensions":null"#, 1536),
        (big(), r#","dimensions":256"#, 256),
    ] {
        let answer = |format: &str| {
            let body = format!(r#"{{"input":["a","b"]{asked}{format}}}"#);
            let outcome = in_every_cut(asked, &settings, embed(&body).as_bytes());
            outcome.answers.into_iter().next().unwrap()
        };
        let list = answer("");
        assert!(list.json()["data"][0]["embedding"].is_array(), "by default");
        let base64 = answer(r#","encoding_format":"base64""#);
        assert!(base64.json()["data"][0]["embedding"].is_string());
        let (list, base64) = (vectors(&list), vectors(&base64));
        assert_eq!(list, base64);
        for vector in list {
            assert_eq!(vector.len(), want);
            let square: f64 = vector.iter().map(|n| f64::from(*n).powi(2)).sum();
            assert!((square - 1.0).abs() < 1e-4, "unit length, not {square}");
        }
    }
    let float = embed(r#"{"encoding_format":"float","dimensions":2}"#);
    assert!(Client::plain().ask(float).json()["data"][0]["embedding"].is_array());
}

/// The expected content of a body of over 100 MB, without parsing it: the beginning, items copied
/// from a small response that was parsed, and the end.
struct Want {
    small: Vec<u8>,
    items: Vec<Vec<u8>>,
}

impl Want {
    /// Creates the expectation from `small`, the content of a response to four inputs, because
    /// there are four different vectors.
    fn new(small: &Answer) -> Want {
        small.json();
        let text = &small.content;
        let find = |from: usize, what: &str| {
            let found = text[from..]
                .windows(what.len())
                .position(|w| w == what.as_bytes());
            from + found.expect("it stands there")
        };
        let mut starts: Vec<usize> = vec![find(0, "{\"object\":\"embedding\"")];
        while starts.len() < 4 {
            starts.push(find(
                starts[starts.len() - 1] + 1,
                "{\"object\":\"embedding\"",
            ));
        }
        starts.push(find(starts[3], "],\"model\"") + 1);
        let items = starts
            .windows(2)
            .map(|ends| text[ends[0]..ends[1] - 1].to_vec());
        let items: Vec<_> = items.collect();
        Want {
            small: small.content.clone(),
            items,
        }
    }

    fn opening(&self) -> &[u8] {
        &self.small[..self.small.windows(1).position(|w| w == b"[").unwrap() + 1]
    }

    /// Returns item `index` with the comma before it.
    fn item(&self, index: usize) -> Vec<u8> {
        let item = String::from_utf8(self.items[index % 4].clone()).unwrap();
        let (was, is) = (index % 4, index);
        let item = item.replacen(&format!("\"index\":{was}"), &format!("\"index\":{is}"), 1);
        let comma = if index > 0 { "," } else { "" };
        [comma.as_bytes(), item.as_bytes()].concat()
    }

    /// Checks the end, after the last item. The token counts are random.
    fn is_closing(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        serde_json::from_str::<Value>(&format!("{{\"data\":[{text}"))
            .is_ok_and(|json| json["usage"]["total_tokens"].is_u64() && json["model"].is_string())
    }
}

/// Compares a long response while it is sent, `sip` bytes at a time, and asserts that the outbox
/// stays within its limit.
fn streams(inputs: usize, dimensions: usize, encoding: &str, sip: usize) -> u64 {
    let settings = Settings::default();
    let body = |inputs: usize| {
        let list = vec!["\"x\""; inputs].join(",");
        format!(r#"{{"dimensions":{dimensions},"encoding_format":"{encoding}","input":[{list}]}}"#)
    };
    let want = Want::new(&Client::new(&settings).ask(embed(&body(4))));
    let item_max = want.items.iter().map(Vec::len).max().unwrap() + 10;
    let mut client = Client::new(&settings);
    client.takes(0);
    client.send(embed(&body(inputs)));
    let end = |out: &[u8]| out.windows(4).position(|w| w == b"\r\n\r\n");
    while end(&client.out).is_none() {
        client.take(sip);
    }
    let head = end(&client.out).unwrap() + 4;
    let text = String::from_utf8(client.out[..head].to_vec()).unwrap();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length: u64 = length.expect("the length is said").parse().unwrap();
    client.out.drain(..head);
    let mut came = 0;
    let mut expect = |client: &mut Client, bytes: &[u8]| {
        while client.out.len() < bytes.len() && client.waiting() > 0 {
            client.take(sip);
        }
        assert!(client.out.starts_with(bytes), "byte {came} and on");
        client.out.drain(..bytes.len());
        came += bytes.len() as u64;
    };
    expect(&mut client, want.opening());
    (0..inputs).for_each(|index| expect(&mut client, &want.item(index)));
    while client.waiting() > 0 {
        client.take(sip);
    }
    assert!(
        want.is_closing(&client.out),
        "{:?}",
        client.out.escape_ascii()
    );
    assert_eq!(came + client.out.len() as u64, length);
    let most = OUTBOX_FULL + item_max + 1024;
    assert!(client.most_waiting <= most, "{}", client.most_waiting);
    client.out.clear();
    client.takes(usize::MAX);
    assert_eq!(client.ask(super::client::HEALTH).status, 200);
    length
}

#[test]
fn a_hundred_megabytes_are_sent_in_pieces() {
    let length = streams(2048, 4096, "float", 60_000);
    assert!(length > 80_000_000, "{length}");
}

#[test]
fn long_responses_are_sent_to_slow_readers() {
    for (inputs, dimensions, encoding, sip) in [
        (2048, 16, "float", 100),
        (300, 200, "base64", 1),
        (40, 4096, "base64", 70_000),
        (30, 1536, "float", 4096),
    ] {
        streams(inputs, dimensions, encoding, sip);
    }
}
