//! What the keywords of a schema hold. Knows no value.

use serde_json::{Map, Value};

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is neither an object nor a truth value, or a keyword holds what it may not.
    Malformed,
    /// A keyword that is not followed here, such as `not`.
    Keyword(&'static str),
    /// A `$ref` to something else than a part of the schema.
    Reference,
    /// Every value would hold itself.
    Endless,
    /// It takes more work than a request may cost, or nests too deeply.
    TooLarge,
    /// No value was found that satisfies all of it.
    Contradiction,
}

/// The list that a keyword holds, if it is there.
pub fn list<'a>(map: &'a Map<String, Value>, keyword: &str) -> Result<Option<&'a [Value]>, Unfit> {
    match map.get(keyword) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(_) => Err(Unfit::Malformed),
    }
}

/// The largest number that a keyword holds in any of these.
pub fn most_of(all: &[&Map<String, Value>], keyword: &str) -> Result<Option<u64>, Unfit> {
    Ok(counts(all, keyword)?.into_iter().max())
}

/// The smallest.
pub fn least_of(all: &[&Map<String, Value>], keyword: &str) -> Result<Option<u64>, Unfit> {
    Ok(counts(all, keyword)?.into_iter().min())
}

fn counts(all: &[&Map<String, Value>], keyword: &str) -> Result<Vec<u64>, Unfit> {
    let values = all.iter().filter_map(|map| map.get(keyword));
    values
        .map(|value| value.as_u64().ok_or(Unfit::Malformed))
        .collect()
}

/// The schemas of an array's first items: `prefixItems`, or before 2020 a list in `items`.
pub fn prefix(map: &Map<String, Value>) -> Option<&[Value]> {
    let list = map.get("prefixItems").or(map.get("items"))?.as_array()?;
    Some(list)
}

/// The schema of item `at` of an array.
pub fn item_schema(map: &Map<String, Value>, at: usize) -> Option<&Value> {
    let rest = match map.get("items") {
        Some(Value::Array(_)) => map.get("additionalItems"),
        items => items,
    };
    prefix(map).and_then(|prefix| prefix.get(at)).or(rest)
}

/// The properties that a schema declares.
pub fn properties(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let properties = map.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten()
}

/// The schema of the member of an object that has this name.
pub fn member_schema<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let declared = map.get("properties").and_then(|all| all.get(name));
    declared.or(map.get("additionalProperties"))
}

/// What a value costs to copy or to compare, in steps.
pub fn weight(value: &Value) -> usize {
    1 + match value {
        Value::String(text) => text.len() / 16,
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, it)| name.len() / 16 + weight(it))
            .sum(),
        _ => 0,
    }
}
