//! The reader of bodies in every cut, which all these tests use.
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

use super::*;
use crate::api::embedding::{DIMENSIONS_MAX, Encoding};
use crate::api::field::FieldRow;
use crate::api::held::{HELD_MAX, Unread};
use crate::api::inputs::*;
use crate::api::json_string::MODEL_MAX;
use oracle::check;
use serde_json::Value;

static CHAT: &Endpoint = &ENDPOINTS[0];
static RESPONSES: &Endpoint = &ENDPOINTS[1];
#[cfg(test)]
static COMPLETIONS: &Endpoint = &ENDPOINTS[2];
static EMBEDDINGS: &Endpoint = &ENDPOINTS[3];
#[cfg(test)]
static MODERATIONS: &Endpoint = &ENDPOINTS[4];

/// The endpoints that are fuzzed.
static FUZZED: [&Endpoint; 3] = [CHAT, RESPONSES, EMBEDDINGS];

/// Facts as plain values.
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

/// The options of a server that echoes.
const ECHO: Reading = Reading {
    echo: true,
    strict: false,
};

/// The fields that are held.
const HELD: [&str; 4] = ["tools", "tool_choice", "response_format", "text"];

/// Returns the value of a field that is held, as a value of serde_json.
fn held_value(facts: &Facts, field: &str) -> Result<Option<Value>, Unread> {
    let tree = facts.held.value(field)?;
    Ok(tree.map(|tree| {
        let mut text = String::new();
        tree.write(0, &mut text);
        serde_json::from_str(&text).expect("a tree is written as JSON")
    }))
}

fn fed<'a>(
    reader: &mut BodyReader,
    endpoint: &'static Endpoint,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<Plain, Problem> {
    reader.begin(endpoint);
    pieces.for_each(|piece| reader.feed(piece));
    reader.finish().map(|facts| Plain {
        model: Some(facts.model.clone()).filter(|name| !name.is_empty()),
        stream: facts.stream,
        n: facts.n,
        token_limit: facts.token_limit(),
        encoding: facts.encoding,
        dimensions: facts.dimensions,
        inputs: facts.inputs.count,
        include_usage: facts.include_usage,
        logprobs: facts.logprobs(),
        held: HELD.map(|field| held_value(facts, field)),
        echo: facts.echo.clone(),
    })
}

/// Returns the verdict on a body, which must be the same whole, byte by byte and in random cuts.
fn verdict(
    reader: &mut BodyReader,
    endpoint: &'static Endpoint,
    body: &[u8],
) -> Result<Plain, Problem> {
    let whole = fed(reader, endpoint, [body].into_iter());
    let bytes = fed(reader, endpoint, body.chunks(1));
    assert_eq!(whole, bytes, "byte by byte: {}", body.escape_ascii());
    for cut in [2, 3, 7, 8, 9, 64, 100] {
        let pieces = fed(reader, endpoint, body.chunks(cut));
        assert_eq!(whole, pieces, "cut by {cut}: {}", body.escape_ascii());
    }
    let mut rest = body;
    let pieces = std::iter::from_fn(|| {
        let (piece, tail) = rest.split_at(fastrand::usize(0..=rest.len().min(90)));
        let more = !rest.is_empty();
        rest = tail;
        more.then_some(piece)
    });
    let pieces = fed(reader, endpoint, pieces);
    assert_eq!(whole, pieces, "random cuts: {}", body.escape_ascii());
    whole
}

fn read(endpoint: &'static Endpoint, body: &str) -> Result<Plain, Problem> {
    verdict(&mut BodyReader::new(ECHO), endpoint, body.as_bytes())
}

/// Reads a body in pieces of every size (a long one in some sizes), and returns what `summarize`
/// makes of it.
fn read_in_cuts<T: PartialEq + std::fmt::Debug>(
    reading: Reading,
    endpoint: &'static Endpoint,
    body: &str,
    summarize: impl Fn(Result<&Facts, Problem>) -> T,
) -> T {
    let mut reader = BodyReader::new(reading);
    let mut read = |size: usize| {
        reader.begin(endpoint);
        let pieces = body.as_bytes().chunks(size);
        pieces.for_each(|piece| reader.feed(piece));
        let summary = summarize(reader.finish());
        reader.release();
        summary
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

/// Compares the reader with serde_json, in every cut; the first byte of `data` chooses the
/// endpoint.
pub fn fuzz(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    fastrand::seed(data.len() as u64);
    let endpoint = FUZZED[usize::from(*first) % FUZZED.len()];
    check(&mut BodyReader::new(ECHO), endpoint, body);
}

/// The findings of fuzzing, and the bodies with which it started.
#[test]
fn the_corpus_is_read_as_serde_json_reads_it() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/ask");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10, "{} files", files.len());
    for file in files {
        fuzz(&std::fs::read(file.unwrap().path()).unwrap());
    }
}

fn syntax(at: u64) -> Result<Plain, Problem> {
    Err(Problem::NOT_JSON.with_number(at))
}

fn field(param: &'static str, message: &'static str) -> Result<Plain, Problem> {
    Err(Problem::field(param, message))
}

/// Returns the row of a field.
fn row(name: &str) -> &'static FieldRow {
    let mut rows = CHAT.provider.fields.iter();
    rows.find(|row| row.name == name).expect("it is a field")
}

/// Returns the refusal of a field.
fn refused(field: &str) -> Problem {
    let row = row(field);
    Problem::field(
        row.name,
        row.accepts.message().expect("it is always the same"),
    )
}

fn refusal(field: &str) -> Result<Plain, Problem> {
    Err(refused(field))
}

/// Returns the error of an echo that holds an unpaired surrogate.
fn half_pair(param: &'static str) -> Problem {
    let message = "The message to be echoed must contain no unpaired surrogate.";
    Problem::field(param, message)
}
