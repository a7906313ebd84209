//! The cost of values for schemas: the largest that OpenAI accepts, and hostile ones. Prints for
//! each the result, its steps, the nanoseconds per step, the total time, and the longest call that
//! a core makes between other work. Times are the best of several runs. An argument selects the
//! rows whose names contain it.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

use std::rc::Rc;
use std::time::Instant;

use mocker::internals::json::Tree;
use mocker::internals::schema::{Generator, Progress, STEPS_PER_CALL};
use serde_json::{Map, Value, json};

/// The number of runs for each schema.
const RUNS: u32 = 15;

fn main() {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    println!(
        "{:28} {:>12} {:>8} {:>8} {:>9} {:>11}",
        "schema", "result", "steps", "ns/step", "ms", "longest us"
    );
    for (name, schema) in schemas() {
        if only.as_deref().is_none_or(|only| name.contains(only)) {
            measure(name, &schema);
        }
    }
}

fn measure(name: &str, schema: &Value) {
    let tree = Rc::new(Tree::from(schema));
    let (mut best, mut longest) = (u128::MAX, u128::MAX);
    let (mut steps, mut result) = (0, String::new());
    for _ in 0..RUNS {
        let mut generator = Generator::new(tree.clone(), 0, false);
        let (before, start, mut slowest) = (generator.steps_left(), Instant::now(), 0);
        loop {
            let call = Instant::now();
            let progress = generator.run(STEPS_PER_CALL);
            slowest = slowest.max(call.elapsed().as_nanos());
            result = match progress {
                Progress::More => continue,
                Progress::Done(text) => format!("{} bytes", text.len()),
                Progress::Failed(why) => format!("{why:?}"),
            };
            break;
        }
        best = best.min(start.elapsed().as_nanos());
        // Another process may take the core in one run; a long call is long in every run.
        longest = longest.min(slowest);
        steps = before - generator.steps_left();
    }
    println!(
        "{name:28} {result:>12.12} {steps:>8} {:>8.1} {:>9.3} {:>11.1}",
        best as f64 / steps as f64,
        best as f64 / 1e6,
        longest as f64 / 1e3
    );
}

fn object(count: usize, member: impl Fn(usize) -> Value) -> Value {
    let names: Vec<String> = (0..count).map(|at| format!("property_{at}")).collect();
    let members = names
        .iter()
        .enumerate()
        .map(|(at, name)| (name.clone(), member(at)));
    json!({
        "type": "object",
        "properties": members.collect::<Map<_, _>>(),
        "required": names,
        "additionalProperties": false,
    })
}

fn nested(depth: usize, inner: Value) -> Value {
    (0..depth).fold(inner, |inner, _| object(1, |_| inner.clone()))
}

fn doubled(pair: fn(Value) -> Value) -> Value {
    let mut definitions = Map::new();
    for at in 0..60 {
        let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
        definitions.insert(format!("d{at}"), pair(next));
    }
    definitions.insert("d60".to_owned(), json!({"type": "integer"}));
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}

/// Returns the schemas by name.
fn schemas() -> Vec<(&'static str, Value)> {
    [large(), hostile(), of_patterns()].concat()
}

/// Returns large schemas, up to OpenAI's limits.
fn large() -> Vec<(&'static str, Value)> {
    let text = json!({"type": "string"});
    let values: Vec<String> = (0..1000).map(|at| format!("value_{at}")).collect();
    let junk = (0..100_000).map(|at| (format!("k{at}"), json!(1)));
    let groups = object(100, |_| object(49, |_| text.clone()));
    let filtered = json!({"enum": values, "not": {"const": "value_0"}});
    let integers = json!({"type": "integer"});
    vec![
        ("5000 properties", object(5000, |_| text.clone())),
        ("5000 in groups, 10 levels", nested(8, groups)),
        ("1000 enum values", object(1, |_| filtered.clone())),
        (
            "100,000 unknown keywords",
            junk.collect::<Map<_, _>>().into(),
        ),
        (
            "unique integers",
            json!({"minItems": 1000, "uniqueItems": true, "items": integers}),
        ),
        (
            "unique enum values",
            json!({"minItems": 900, "uniqueItems": true, "items": {"enum": values}}),
        ),
        ("large const", json!({"const": vec![vec![1; 40]; 40]})),
        ("long enum value", json!({"enum": ["x".repeat(120_000)]})),
        (
            "long string",
            json!({"type": "string", "minLength": 65_536}),
        ),
        (
            "long strings",
            json!({"minItems": 40, "items": {"type": "string", "minLength": 8000}}),
        ),
    ]
}

/// Returns the schemas whose cost is at the server's limits.
fn hostile() -> Vec<(&'static str, Value)> {
    let kinds = json!({"type": vec!["string"; 20]});
    let names: Vec<String> = (0..60_000).map(|at| format!("k{at}")).collect();
    let never =
        |next: Value| json!({"anyOf": [next, next], "type": "integer", "minimum": 2, "maximum": 1});
    vec![
        ("allOf of type lists", json!({"allOf": vec![kinds; 7]})),
        ("anyOf, doubled", doubled(never)),
        (
            "allOf, doubled",
            doubled(|next| json!({"allOf": [next, next]})),
        ),
        (
            "properties, doubled",
            doubled(|next| json!({"properties": {"a": next, "b": next}})),
        ),
        (
            "items, doubled",
            doubled(|next| json!({"type": "array", "items": next, "minItems": 2})),
        ),
        (
            "not",
            json!({"not": {"type": ["string", "number", "boolean", "null"]}}),
        ),
        (
            "60,000 required names",
            json!({"type": "object", "required": names}),
        ),
    ]
}

fn of_patterns() -> Vec<(&'static str, Value)> {
    let text = |pattern: String, least: usize| {
        json!({"type": "string", "pattern": pattern,
        "minLength": least})
    };
    let names = (0..16).map(|at| (format!("^(a|b|ab)*{at}$"), json!({})));
    let names: Map<String, Value> = names.collect();
    let class = "a-z\\p{Lu}é".repeat(4);
    vec![
        (
            "patterns of names",
            json!({"minProperties": 20, "patternProperties": names}),
        ),
        ("(a?){300}a{300}", text("^(a?){300}a{300}$".to_owned(), 300)),
        (
            "nested repetition",
            text("^((a{1,100}){1,100}){1,100}$".to_owned(), 2000),
        ),
        (
            "lengths of words",
            text("^(abc|defgh|ijklmnopq){5,}$".to_owned(), 200),
        ),
        ("classes of letters", text("\\p{L}".repeat(4), 0)),
        ("a long pattern", text("[a-z0-9]x?".repeat(100), 0)),
        ("many groups", text("(a|b)".repeat(125), 0)),
        (
            "letters of any case",
            text(format!("(?i){}", "ab".repeat(126)), 0),
        ),
        ("a class of many", text(format!("[{class}]"), 0)),
    ]
}
