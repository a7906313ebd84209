//! The cost of values for schemas: the large ones that OpenAI accepts, and hostile ones. For each:
//! the result, its steps, nanoseconds of each step, the whole time, and the longest of the calls that
//! a core makes between other work. Times are the best of several runs; an argument names a row.

use std::rc::Rc;
use std::time::Instant;

use mocker::json::Tree;
use mocker::schema::{Maker, Progress, STEPS_PER_CALL};
use serde_json::{Map, Value, json};

/// How often each schema is filled.
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
        let mut maker = Maker::new(tree.clone(), 0, false);
        let (before, start, mut slowest) = (maker.steps_left(), Instant::now(), 0);
        loop {
            let call = Instant::now();
            let progress = maker.run(STEPS_PER_CALL);
            slowest = slowest.max(call.elapsed().as_nanos());
            result = match progress {
                Progress::More => continue,
                Progress::Done(text) => format!("{} bytes", text.len()),
                Progress::Refused(why) => format!("{why:?}"),
            };
            break;
        }
        best = best.min(start.elapsed().as_nanos());
        // Another process takes the core now and then; a call that is long is long each time.
        longest = longest.min(slowest);
        steps = before - maker.steps_left();
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

fn schemas() -> Vec<(&'static str, Value)> {
    let text = json!({"type": "string"});
    let values: Vec<String> = (0..1000).map(|at| format!("value_{at}")).collect();
    let junk = (0..100_000).map(|at| (format!("k{at}"), json!(1)));
    let names: Vec<String> = (0..60_000).map(|at| format!("k{at}")).collect();
    let groups = object(100, |_| object(49, |_| text.clone()));
    let kinds = vec!["string"; 20];
    let patterns = (0..16).map(|at| (format!("^(a|b|ab)*{at}$"), json!({})));
    vec![
        ("5000 properties", object(5000, |_| text.clone())),
        ("5000 in groups, 10 levels", nested(8, groups)),
        (
            "1000 enum values",
            object(1, |_| json!({"enum": values, "not": {"const": "value_0"}})),
        ),
        (
            "allOf of type lists",
            json!({"allOf": vec![json!({"type": kinds}); 7]}),
        ),
        (
            "anyOf, doubled",
            doubled(|next| json!({"anyOf": [next, next], "minimum": 2, "maximum": 1})),
        ),
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
            "100,000 unknown keywords",
            junk.collect::<Map<_, _>>().into(),
        ),
        (
            "60,000 required names",
            json!({"type": "object", "required": names}),
        ),
        (
            "unique integers",
            json!({"minItems": 2000, "uniqueItems": true, "items": {"type": "integer"}}),
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
        (
            "patterns of names",
            json!({"minProperties": 20, "patternProperties": patterns.collect::<Map<_, _>>()}),
        ),
        (
            "(a?){300}a{300}",
            json!({"type": "string", "pattern": "^(a?){300}a{300}$", "minLength": 300}),
        ),
        (
            "nested repetition",
            json!({"type": "string", "pattern": "^((a{1,100}){1,100}){1,100}$", "minLength": 2000}),
        ),
        (
            "lengths of words",
            json!({"type": "string", "pattern": "^(abc|defgh|ijklmnopq){5,}$", "minLength": 200, "maxLength": 201}),
        ),
        (
            "classes of letters",
            json!({"type": "string", "pattern": "\\p{L}".repeat(8)}),
        ),
        (
            "a long pattern",
            json!({"type": "string", "pattern": "[a-z0-9]x?".repeat(100)}),
        ),
        (
            "many groups",
            json!({"type": "string", "pattern": "(a|b)".repeat(140)}),
        ),
        (
            "a class of many",
            json!({"type": "string", "pattern": format!("[{}]", "a-z\\p{Lu}é".repeat(8))}),
        ),
    ]
}
