//! Strings, numbers and the like for a schema: what could satisfy it, the plainest first. What
//! really does is judged elsewhere; knows no lists and no objects.

use serde_json::{Map, Value};

use super::keyword::{Unfit, least_of, most_of};

/// What strings say.
const WORD: &str = "mocked";

/// The longest string that is made to measure, in characters.
const LENGTH_MAX: u64 = 65_536;

/// Formats of JSON Schema (Validation, 7.3) and a string of each.
const FORMATS: [(&str, &str); 16] = [
    ("date-time", "2025-01-01T12:00:00Z"),
    ("date", "2025-01-01"),
    ("time", "12:00:00Z"),
    ("duration", "P1D"),
    ("email", "mock@example.com"),
    ("idn-email", "mock@example.com"),
    ("hostname", "example.com"),
    ("idn-hostname", "example.com"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/"),
    ("uri-reference", "https://example.com/"),
    ("iri", "https://example.com/"),
    ("uuid", "00000000-0000-4000-8000-000000000000"),
    ("json-pointer", "/mocked"),
    ("regex", "mocked"),
];

/// The types of JSON Schema and a keyword that only values of the type answer to.
const HINTS: [(&str, &str); 12] = [
    ("properties", "object"),
    ("required", "object"),
    ("additionalProperties", "object"),
    ("items", "array"),
    ("prefixItems", "array"),
    ("minItems", "array"),
    ("minimum", "number"),
    ("maximum", "number"),
    ("exclusiveMinimum", "number"),
    ("exclusiveMaximum", "number"),
    ("multipleOf", "number"),
    ("minLength", "string"),
];

/// The type of the value: the first that all of these allow, null last. Where none is named, the
/// one that other keywords speak of, or else a string.
pub fn kind<'a>(all: &[&'a Map<String, Value>]) -> Result<&'a str, Unfit> {
    let mut allowed: Option<Vec<&str>> = None;
    for map in all {
        let Some(types) = map.get("type") else {
            continue;
        };
        let types = match types {
            Value::String(one) => vec![one.as_str()],
            Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
            _ => return Err(Unfit::Malformed),
        };
        allowed = Some(match allowed {
            None => types,
            Some(before) => before
                .iter()
                .flat_map(|one| types.iter().filter_map(|other| common(one, other)))
                .collect(),
        });
    }
    let Some(types) = allowed else {
        let hinted = HINTS
            .iter()
            .find(|(keyword, _)| all.iter().any(|map| map.contains_key(*keyword)));
        return Ok(hinted.map_or("string", |(_, kind)| kind));
    };
    let first = types.iter().find(|kind| **kind != "null").or(types.first());
    first.copied().ok_or(Unfit::Contradiction)
}

/// The type of the values that are of both.
fn common<'a>(one: &'a str, other: &'a str) -> Option<&'a str> {
    match (one, other) {
        _ if one == other => Some(one),
        ("number", "integer") => Some(other),
        ("integer", "number") => Some(one),
        _ => None,
    }
}

/// Values of a type that could satisfy all of these.
pub fn candidates(kind: &str, all: &[&Map<String, Value>]) -> Result<Vec<Value>, Unfit> {
    Ok(match kind {
        "null" => vec![Value::Null],
        "boolean" => vec![true.into(), false.into()],
        "integer" => numbers(all).into_iter().filter_map(integer).collect(),
        "number" => [1.5]
            .into_iter()
            .chain(numbers(all))
            .map(|number| integer(number).unwrap_or(number.into()))
            .collect(),
        "string" => vec![string(all)?],
        _ => return Err(Unfit::Malformed),
    })
}

fn string(all: &[&Map<String, Value>]) -> Result<Value, Unfit> {
    let format = all.iter().find_map(|map| {
        let name = map.get("format")?.as_str()?;
        FORMATS.iter().find(|(known, _)| *known == name)
    });
    if let Some((_, text)) = format {
        return Ok((*text).into());
    }
    // With a format that is known, the pattern says the same again.
    if all.iter().any(|map| map.contains_key("pattern")) {
        return Err(Unfit::Keyword("pattern"));
    }
    let least = most_of(all, "minLength")?.unwrap_or(0);
    let most = least_of(all, "maxLength")?.unwrap_or(u64::MAX);
    let length = (WORD.len() as u64).min(most).max(least);
    if length > LENGTH_MAX {
        return Err(Unfit::TooLarge);
    }
    let text: String = WORD.chars().cycle().take(length as usize).collect();
    Ok(text.into())
}

/// Numbers about the bounds and steps that these name.
fn numbers(all: &[&Map<String, Value>]) -> Vec<f64> {
    let named = |keyword: &str| -> Vec<f64> {
        let values = all.iter().filter_map(|map| map.get(keyword));
        values.filter_map(Value::as_f64).collect()
    };
    let lows = [named("minimum"), named("exclusiveMinimum")].concat();
    let highs = [named("maximum"), named("exclusiveMaximum")].concat();
    let low = lows.iter().copied().reduce(f64::max);
    let high = highs.iter().copied().reduce(f64::min);
    let mut numbers = vec![1.0, 0.0];
    for bound in [low, high].into_iter().flatten() {
        numbers.extend([
            bound,
            bound.ceil(),
            bound.floor(),
            bound.floor() + 1.0,
            bound.ceil() - 1.0,
        ]);
    }
    if let (Some(low), Some(high)) = (low, high) {
        numbers.push((low + high) / 2.0);
    }
    for step in named("multipleOf") {
        let multiple = |bound: f64| (bound / step).ceil() * step;
        let near = low.or(high.map(|high| high - step)).unwrap_or(step);
        numbers.extend([
            step,
            multiple(near),
            multiple(near) + step,
            multiple(near) - step,
        ]);
    }
    numbers
}

/// A number as an integer, if it is one that a double holds exactly.
fn integer(number: f64) -> Option<Value> {
    // 2^53: below it every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| (number as i64).into())
}
