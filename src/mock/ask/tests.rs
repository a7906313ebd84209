//! The reader of bodies, in every cut.
#![cfg_attr(fuzzing, allow(dead_code, unused_imports))]

#[cfg(test)]
mod extras;
#[cfg(test)]
mod options;
mod oracle;
#[cfg(test)]
mod random;

use super::field::*;
use super::fields::*;
use super::inputs::INPUTS_MAX;
use super::*;
use crate::mock::embedding::{DIMENSIONS_MAX, Encoding};
use crate::mock::name::MODEL_MAX;
use oracle::check;
use serde_json::Value;

const ENDPOINTS: [Endpoint; 3] = [Endpoint::Chat, Endpoint::Responses, Endpoint::Embeddings];

/// Facts with nothing left of how they are kept.
#[derive(Clone, Debug, PartialEq)]
struct Plain {
    model: Option<Vec<u8>>,
    stream: bool,
    n: u8,
    token_limit: Option<u32>,
    encoding: Encoding,
    dimensions: Option<u16>,
    inputs: u16,
    include_usage: bool,
    logprobs: Option<u8>,
    held: [Result<Option<Value>, Unread>; 4],
    echo: Option<String>,
}

const DEFAULT: Plain = Plain {
    model: None,
    stream: false,
    n: 1,
    token_limit: None,
    encoding: Encoding::Float,
    dimensions: None,
    inputs: 1,
    include_usage: false,
    logprobs: None,
    held: [const { Ok(None) }; 4],
    echo: None,
};

/// Bodies are read as where answers echo them.
const ECHO: Reading = Reading {
    echo: true,
    strict: false,
};

/// The fields that are held.
const HELD: [Field; 4] = [
    Field::Tools,
    Field::ToolChoice,
    Field::ResponseFormat,
    Field::Text,
];

fn fed<'a>(
    ask: &mut Ask,
    endpoint: Endpoint,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<Plain, Bad> {
    ask.begin(endpoint);
    pieces.for_each(|piece| ask.feed(piece));
    ask.finish().map(|facts| Plain {
        model: facts.model().map(<[u8]>::to_vec),
        stream: facts.stream,
        n: facts.n,
        token_limit: facts.token_limit,
        encoding: facts.encoding,
        dimensions: facts.dimensions,
        inputs: facts.inputs,
        include_usage: facts.include_usage,
        logprobs: facts.logprobs,
        held: HELD.map(|field| facts.held.value(field)),
        echo: facts.echo.clone(),
    })
}

/// The verdict on a body, which must be the same whole, byte by byte and in random cuts.
fn verdict(ask: &mut Ask, endpoint: Endpoint, body: &[u8]) -> Result<Plain, Bad> {
    let whole = fed(ask, endpoint, [body].into_iter());
    let bytes = fed(ask, endpoint, body.chunks(1));
    assert_eq!(whole, bytes, "byte by byte: {}", body.escape_ascii());
    for cut in [2, 3, 7, 8, 9, 64, 100] {
        let pieces = fed(ask, endpoint, body.chunks(cut));
        assert_eq!(whole, pieces, "cut by {cut}: {}", body.escape_ascii());
    }
    let mut rest = body;
    let pieces = std::iter::from_fn(|| {
        let (piece, tail) = rest.split_at(fastrand::usize(0..=rest.len().min(90)));
        let more = !rest.is_empty();
        rest = tail;
        more.then_some(piece)
    });
    let pieces = fed(ask, endpoint, pieces);
    assert_eq!(whole, pieces, "random cuts: {}", body.escape_ascii());
    whole
}

fn read(endpoint: Endpoint, body: &str) -> Result<Plain, Bad> {
    verdict(&mut Ask::new(ECHO), endpoint, body.as_bytes())
}

/// Reads a body as serde_json does, in every cut; the first byte says for which endpoint.
pub fn fuzz(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    fastrand::seed(data.len() as u64);
    let endpoint = ENDPOINTS[usize::from(*first) % ENDPOINTS.len()];
    check(&mut Ask::new(ECHO), endpoint, body);
}

/// What fuzzing found once, and the bodies that it set out from.
#[test]
fn the_corpus_is_read_as_serde_json_reads_it() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/ask");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10, "{} files", files.len());
    for file in files {
        fuzz(&std::fs::read(file.unwrap().path()).unwrap());
    }
}

fn syntax(at: u64) -> Result<Plain, Bad> {
    Err(Bad::Syntax { at })
}

fn field(param: &'static str, message: &'static str) -> Result<Plain, Bad> {
    Err(Bad::Field { param, message })
}

fn refusal(field: Field) -> Result<Plain, Bad> {
    let (param, message) = REFUSALS[field as usize];
    Err(Bad::Field { param, message })
}

#[test]
fn hand_written_documents_are_judged_like_serde_json_judges_them() {
    const VALUES: &str = r#"
        0 -0 1 -1 10 01 -01 00 1. .5 1.5 1.e5 1e 1e+ 1e5 1E-05 +1 - -a 0x1 0e 0e0 0.0 1.0
        1e0 1e400 NaN Infinity true false null tru nul truE nulll falsey "" "a" "\n" "\/"
        "\u00e9" "\u12g4" "\u123" "\uD800" "\uDC00\uD800" "\uD83D\uDE00" "\x" "\" "\\" "\""
        'a' "é" "漢字" "😀" "unended [] [1] [1,] [,1] [1,,2] [1 2] [[]] [[[]]] ] [} {] } {}
        {"a":1} {"a":1,} {"a"} {"a":} {:1} {a:1} {"a":1"b":2} {"a":1,"b":[{"c":null}]} {1:1}
        {"a"::1} [0] [00] [0,01,2,3,4,5,6,7] [1,2,3,4,5,6,7,8] [1,2,3,4,-5,6,7,8]
        [1,2,3,4,5,,6,7,8,9] [12345678,012345678] [12345678,0,12345678] [1234567,0,1,2,3]
        [1234567,00,1,2,3] "a","b" [1234567,12345678,] [1.5,2.5e3,-0.1,1e5]
        [11111111111111111111111111111111] [1:2] [1;2] [true,false,null] [truefalse] [1]]
        [1]} ["a","b"] ["a",""] ["a",1] [1,"a"] [[1],"a"] [[1],[2]] [[1],[]] [[1],["a"]]
        [[1],[[2]]] [[1],2] [[1,2,3,4,5,6,7,8,9],[1],[12,13]]"#;
    let mut ask = Ask::new(ECHO);
    let keys = [
        "model",
        "input",
        "n",
        "stream",
        "encoding_format",
        "dimensions",
        "other",
    ];
    for value in VALUES.split_ascii_whitespace() {
        for endpoint in ENDPOINTS {
            check(&mut ask, endpoint, value.as_bytes());
            for key in keys {
                let body = format!(r#" {{ "{key}" : {value} , "x":[{value}] }} "#);
                check(&mut ask, endpoint, body.as_bytes());
                check(
                    &mut ask,
                    endpoint,
                    format!(r#"{{"{key}":{value}}}"#).as_bytes(),
                );
                check(
                    &mut ask,
                    endpoint,
                    format!(r#"{{"{key}":[ {value}, 1]}}"#).as_bytes(),
                );
                check(
                    &mut ask,
                    endpoint,
                    format!(r#"{{"{key}":{value}"#).as_bytes(),
                );
            }
        }
    }
}

#[test]
fn the_first_byte_that_cannot_be_is_named() {
    let table: &[(&[u8], u64)] = &[
        (b" ", 1),
        (b" \n\t\r", 4),
        (b"\xEF\xBB\xBF{}", 0),
        (b"x", 0),
        (b"}", 0),
        (b"{", 1),
        (b"{,", 1),
        (b"{}x", 2),
        (b"{} \n {", 5),
        (b"{\"a\"", 4),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":1,}", 7),
        (b"{\"a\":01}", 6),
        (b"{\"a\":1.}", 7),
        (b"{\"a\":-}", 6),
        (b"{\"a\":1e+}", 8),
        (b"{\"a\":1e5.}", 8),
        (b"{\"a\":trux}", 8),
        (b"{\"a\":nul", 8),
        (b"{\"a\":[1}", 7),
        (b"{\"a\":[1,]}", 8),
        (b"{\"a\":[1234567,12345678,012]}", 24),
        (b"{\"a\":[1234567,12345678,,2,3,4,5]}", 23),
        (b"{\"a\":[1234567, 12345678 1, 2, 3]}", 24),
        (b"{\"a\":\"\n\"}", 6),
        (b"{\"a\":\"\x1f\"}", 6),
        (b"{\"a\":\"\\x\"}", 7),
        (b"{\"a\":\"\\u12x4\"}", 10),
        (b"{\"a\":\"\x80\"}", 6),
        (b"{\"a\":\"\xC1\x81\"}", 6),
        (b"{\"a\":\"\xC3\"}", 7),
        (b"{\"a\":\"\xE0\x9F\xBF\"}", 7),
        (b"{\"a\":\"\xED\xA0\x80\"}", 7),
        (b"{\"a\":\"\xE6\xBC\"}", 8),
        (b"{\"a\":\"\xF0\x8F\xBF\xBF\"}", 7),
        (b"{\"a\":\"\xF4\x90\x80\x80\"}", 7),
        (b"{\"a\":\"\xF5\x80\x80\x80\"}", 6),
        (b"{\"a\":\"\xF0\x9F\x98", 9),
        (b"{\"\xFF\":1}", 2),
    ];
    let mut ask = Ask::new(ECHO);
    for &(body, at) in table {
        let name = body.escape_ascii();
        assert_eq!(
            verdict(&mut ask, Endpoint::Chat, body),
            syntax(at),
            "{name}"
        );
    }
    // The same byte is found behind any length of text, so in any place of word and block.
    for len in 0..150 {
        for (bad, off) in [(&b"\x1F"[..], 0), (b"\\x", 1), (b"\xC3\"", 1), (b"\xFF", 0)] {
            for filler in ["a", "é", "漢", "😀"] {
                let text = filler.repeat(len);
                let body = [b"{\"a\":\"", text.as_bytes(), bad, b"aaaaaaaaaa\"}"].concat();
                let at = 6 + text.len() as u64 + off;
                assert_eq!(verdict(&mut ask, Endpoint::Chat, &body), syntax(at));
            }
        }
    }
}

#[test]
fn every_two_and_three_byte_sequence_is_utf8_or_not_as_std_says() {
    let mut ask = Ask::new(ECHO);
    let edges = [
        0x00, 0x22, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF,
    ];
    for lead in 0x80..=0xFF {
        for (second, third) in edges.iter().flat_map(|a| edges.map(|b| (*a, b))) {
            let text = [lead, second, third, 0x80];
            for used in 1..=4 {
                let body = [b"{\"a\":\"", &text[..used], b"\"}"].concat();
                check(&mut ask, Endpoint::Chat, &body);
            }
        }
    }
}

#[test]
fn no_body_is_every_default() {
    for endpoint in ENDPOINTS {
        assert_eq!(read(endpoint, ""), Ok(DEFAULT));
        assert_eq!(read(endpoint, "{}"), Ok(DEFAULT));
    }
}

#[test]
fn a_body_after_a_bad_one_is_read_as_if_it_were_the_first() {
    let mut ask = Ask::new(ECHO);
    let full = br#"{"model":"m","stream":true,"n":3,"max_tokens":5,"dimensions":9,
        "encoding_format":"base64","input":["a","b"],"max_output_tokens":7}"#;
    for endpoint in ENDPOINTS {
        for before in [&full[..], br#"{"n":0,"input":[[1,"#, b"[", b"{\"a\":\"\xE6"] {
            fed(&mut ask, endpoint, [before].into_iter()).ok();
            assert_eq!(fed(&mut ask, Endpoint::Chat, [].into_iter()), Ok(DEFAULT));
            fed(&mut ask, endpoint, [before].into_iter()).ok();
            assert_eq!(
                fed(&mut ask, endpoint, [&b"{}"[..]].into_iter()),
                Ok(DEFAULT)
            );
        }
    }
}

#[test]
fn nesting_is_accepted_to_128_levels() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let nested = |levels: usize| {
            let end = if open == "[" { "" } else { "1" };
            format!(
                "{{\"input\":{}{end}{}}}",
                open.repeat(levels),
                close.repeat(levels)
            )
        };
        assert_eq!(read(Endpoint::Chat, &nested(126)), Ok(DEFAULT));
        assert_eq!(read(Endpoint::Chat, &nested(127)), Ok(DEFAULT));
        assert_eq!(read(Endpoint::Chat, &nested(128)), Err(Bad::TooDeep));
    }
    let siblings = format!("{{\"a\":[{}1]}}", "[],{},".repeat(500));
    assert_eq!(read(Endpoint::Chat, &siblings), Ok(DEFAULT));
}

#[test]
fn syntax_wins_over_a_bad_field_and_the_first_field_over_the_next() {
    assert_eq!(
        read(Endpoint::Chat, r#"{"n":0,"stream":1}"#),
        refusal(Field::Stream)
    );
    assert_eq!(read(Endpoint::Chat, r#"{"n":0,"stream":1"#), syntax(17));
    assert_eq!(read(Endpoint::Chat, r#"[{"n":0}"#), Err(Bad::NotObject));
}

#[test]
fn a_model_has_at_most_256_raw_bytes() {
    for (unit, size) in [("a", 1), (r"\n", 2), ("😀", 4), (r"\u00e9", 6)] {
        for endpoint in ENDPOINTS {
            for len in [1, 254, 255, 256, 257, 258, 5000] {
                let pad = "b".repeat(len % size);
                let name = unit.repeat(len / size) + &pad;
                let model = Some(name.clone().into_bytes());
                let good = Ok(Plain { model, ..DEFAULT });
                let wanted = if len <= MODEL_MAX {
                    good
                } else {
                    refusal(Field::Model)
                };
                assert_eq!(read(endpoint, &format!(r#"{{"model":"{name}"}}"#)), wanted);
            }
        }
    }
}

#[test]
fn numbers_have_their_ranges() {
    let chat = |n, token_limit| {
        Ok(Plain {
            n,
            token_limit,
            ..DEFAULT
        })
    };
    for (n, good) in [
        ("0", false),
        ("1", true),
        ("2", true),
        ("127", true),
        ("128", true),
    ] {
        let wanted = if good {
            chat(n.parse().unwrap(), None)
        } else {
            refusal(Field::N)
        };
        assert_eq!(read(Endpoint::Chat, &format!("{{\"n\":{n}}}")), wanted);
    }
    let huge = "9".repeat(300);
    let fraction = format!("{huge}.0");
    for n in [
        "129",
        "256",
        "257",
        "4294967297",
        "-1",
        "1.0",
        "1e0",
        "-0",
        "\"1\"",
        &huge,
    ] {
        assert_eq!(
            read(Endpoint::Chat, &format!("{{\"n\":{n}}}")),
            refusal(Field::N)
        );
    }
    for (text, limit) in [
        ("1", 1),
        ("4294967294", u32::MAX - 1),
        ("4294967295", u32::MAX),
        ("4294967296", u32::MAX),
        (&huge, u32::MAX),
    ] {
        let body = format!("{{\"max_tokens\":{text}}}");
        assert_eq!(read(Endpoint::Chat, &body), chat(1, Some(limit)));
        let body = format!("{{\"max_output_tokens\":{text}}}");
        assert_eq!(read(Endpoint::Responses, &body), chat(1, Some(limit)));
    }
    for text in ["0", "-5", &fraction, "true", "[]", "{}"] {
        let body = format!("{{\"max_completion_tokens\":{text}}}");
        assert_eq!(
            read(Endpoint::Chat, &body),
            refusal(Field::MaxCompletionTokens)
        );
    }
    let both = r#"{"max_tokens":7,"max_completion_tokens":5}"#;
    assert_eq!(read(Endpoint::Chat, both), chat(1, Some(5)));
    for (text, good) in [("0", false), ("1", true), ("4095", true), ("4096", true)] {
        let dimensions = Some(text.parse().unwrap());
        let good = good.then_some(Ok(Plain {
            dimensions,
            ..DEFAULT
        }));
        let wanted = good.unwrap_or(refusal(Field::Dimensions));
        assert_eq!(
            read(Endpoint::Embeddings, &format!("{{\"dimensions\":{text}}}")),
            wanted
        );
    }
    let over = read(Endpoint::Embeddings, r#"{"dimensions":4097}"#);
    assert_eq!(over, refusal(Field::Dimensions));
}

#[test]
fn inputs_are_counted_to_2048_and_tokens_without_end() {
    let list = |element: &str, count: usize| {
        let list = vec![element; count].join(",");
        read(Endpoint::Embeddings, &format!("{{\"input\":[{list}]}}"))
    };
    for element in ["\"a\"", "[1]", "[1,2,3,4,5,6,7,8,9]"] {
        for inputs in [1, 2, 2047, 2048] {
            let wanted = Ok(Plain {
                inputs: inputs as u16,
                ..DEFAULT
            });
            assert_eq!(list(element, inputs), wanted);
        }
        assert_eq!(list(element, 2049), field("input", INPUT_TOO_MANY));
        assert_eq!(list(element, 70_000), field("input", INPUT_TOO_MANY));
    }
    assert_eq!(list("15339", 100_000), Ok(DEFAULT));
}

#[test]
fn messages_name_the_limits() {
    let message = |field: Field| REFUSALS[field as usize].1;
    assert!(message(Field::Model).contains(&MODEL_MAX.to_string()));
    assert!(message(Field::N).contains(&N_MAX.to_string()));
    assert!(message(Field::Dimensions).contains(&DIMENSIONS_MAX.to_string()));
    assert!(INPUT_TOO_MANY.contains(&INPUTS_MAX.to_string()));
    assert_eq!(REFUSALS[Field::Input as usize].0, "input");
}

#[test]
fn the_last_of_two_keys_wins_wholly() {
    for (value, wanted) in [
        ("[],\"n\":4", Ok(Plain { n: 4, ..DEFAULT })),
        ("4,\"n\":null", Ok(DEFAULT)),
        ("4,\"\\u006e\":0", refusal(Field::N)),
        (
            "4,\"m\":{\"n\":0,\"n\":[{\"n\":9}]}",
            Ok(Plain { n: 4, ..DEFAULT }),
        ),
    ] {
        assert_eq!(read(Endpoint::Chat, &format!("{{\"n\":{value}}}")), wanted);
    }
    let body = r#"{"input":[[1],"a"],"input":["a","b"],"input":null,"input":[1]}"#;
    assert_eq!(read(Endpoint::Embeddings, body), Ok(DEFAULT));
}

#[test]
fn the_scanner_stays_small() {
    assert!(size_of::<Ask>() <= 800, "{} bytes", size_of::<Ask>());
}
