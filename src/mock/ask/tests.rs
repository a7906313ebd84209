//! The reader of bodies, in every cut: what all these tests read with. Knows no answer and no HTTP.
#![cfg_attr(fuzzing, allow(dead_code, unused_imports))]

#[cfg(test)]
mod echo;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod held;
#[cfg(test)]
mod json;
#[cfg(test)]
mod options;
mod oracle;
#[cfg(test)]
mod random;
#[cfg(test)]
mod strict;

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

/// The value of a field that is held, as serde_json has it.
fn held_value(facts: &Facts, field: Field) -> Result<Option<Value>, Unread> {
    let tree = facts.held.value(field)?;
    Ok(tree.map(|tree| {
        let mut text = String::new();
        tree.write(0, &mut text);
        serde_json::from_str(&text).expect("a tree is written as JSON")
    }))
}

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
        held: HELD.map(|field| held_value(facts, field)),
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

/// Reads a body in pieces of every size (of a long one, of some), and says what `tell` tells of it.
fn read_in_cuts<T: PartialEq + std::fmt::Debug>(
    reading: Reading,
    endpoint: Endpoint,
    body: &str,
    tell: impl Fn(Result<&Facts, Bad>) -> T,
) -> T {
    let mut ask = Ask::new(reading);
    let mut read = |size: usize| {
        ask.begin(endpoint);
        let pieces = body.as_bytes().chunks(size);
        pieces.for_each(|piece| ask.feed(piece));
        let told = tell(ask.finish());
        ask.rest();
        told
    };
    let whole = read(body.len().max(1));
    let sizes: Vec<usize> = match body.len() {
        0..1000 => (1..body.len()).collect(),
        _ => vec![4096, 10_007],
    };
    for size in sizes {
        assert!(read(size) == whole, "in pieces of {size}: {body:.200}");
    }
    whole
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

/// What is said of a field that is not as it must be.
fn refused(field: Field) -> Bad {
    let (param, message) = REFUSALS[field as usize];
    Bad::Field { param, message }
}

fn refusal(field: Field) -> Result<Plain, Bad> {
    Err(refused(field))
}
