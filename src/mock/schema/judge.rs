//! Whether a value satisfies a schema. Formats and patterns are taken on trust; knows nothing of
//! how a value is found.

use serde_json::{Map, Value};

use super::Maker;
use super::keyword::{Unfit, item_schema, list, member_schema, weight};

impl<'a> Maker<'a> {
    /// Whether a value satisfies a schema.
    pub(super) fn fits(&mut self, value: &Value, schema: &'a Value) -> Result<bool, Unfit> {
        match schema {
            Value::Bool(any) => Ok(*any),
            Value::Object(map) => self.fits_map(value, map),
            _ => Err(Unfit::Malformed),
        }
    }

    /// The same of a schema that is an object.
    pub(super) fn fits_map(
        &mut self,
        value: &Value,
        map: &'a Map<String, Value>,
    ) -> Result<bool, Unfit> {
        self.spend(1)?;
        self.nested(|judge| {
            Ok(judge.fits_references(value, map)?
                && judge.fits_constants(value, map)?
                && fits_type(value, map)
                && fits_scalar(value, map)
                && judge.fits_items(value, map)?
                && judge.fits_members(value, map)?)
        })
    }

    fn fits_references(
        &mut self,
        value: &Value,
        map: &'a Map<String, Value>,
    ) -> Result<bool, Unfit> {
        if let Some(reference) = map.get("$ref") {
            let target = self.target(reference)?;
            if !self.fits(value, target)? {
                return Ok(false);
            }
        }
        for part in list(map, "allOf")?.unwrap_or_default() {
            if !self.fits(value, part)? {
                return Ok(false);
            }
        }
        if let Some(branches) = list(map, "anyOf")?
            && self.fitting(value, branches)? == 0
        {
            return Ok(false);
        }
        Ok(match list(map, "oneOf")? {
            Some(branches) => self.fitting(value, branches)? == 1,
            None => true,
        })
    }

    /// How many of these schemas a value satisfies.
    fn fitting(&mut self, value: &Value, branches: &'a [Value]) -> Result<usize, Unfit> {
        let mut count = 0;
        for branch in branches {
            count += usize::from(self.fits(value, branch)?);
        }
        Ok(count)
    }

    fn fits_constants(&mut self, value: &Value, map: &Map<String, Value>) -> Result<bool, Unfit> {
        let constant = map.get("const").map(std::slice::from_ref);
        for values in [constant, list(map, "enum")?].into_iter().flatten() {
            let mut found = false;
            for allowed in values {
                self.spend(weight(allowed))?;
                found = found || equal(allowed, value);
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits_items(&mut self, value: &Value, map: &'a Map<String, Value>) -> Result<bool, Unfit> {
        let Some(items) = value.as_array() else {
            return Ok(true);
        };
        if !within(items.len(), map, "minItems", "maxItems") {
            return Ok(false);
        }
        if map.get("uniqueItems") == Some(&true.into()) {
            self.spend(items.len() * items.len() / 64)?;
            let again = |at: usize| items[..at].iter().any(|before| equal(before, &items[at]));
            if (1..items.len()).any(again) {
                return Ok(false);
            }
        }
        for (at, item) in items.iter().enumerate() {
            if let Some(schema) = item_schema(map, at)
                && !self.fits(item, schema)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn fits_members(&mut self, value: &Value, map: &'a Map<String, Value>) -> Result<bool, Unfit> {
        let Some(members) = value.as_object() else {
            return Ok(true);
        };
        let required = list(map, "required")?.unwrap_or_default();
        self.spend(required.len())?;
        let mut names = required.iter().filter_map(Value::as_str);
        if !names.all(|name| members.contains_key(name))
            || !within(members.len(), map, "minProperties", "maxProperties")
        {
            return Ok(false);
        }
        for (name, member) in members {
            if let Some(schema) = member_schema(map, name)
                && !self.fits(member, schema)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn fits_type(value: &Value, map: &Map<String, Value>) -> bool {
    let is = |kind: &Value| match kind.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        _ => false,
    };
    match map.get("type") {
        None => true,
        Some(Value::Array(kinds)) => kinds.iter().any(is),
        Some(kind) => is(kind),
    }
}

fn fits_scalar(value: &Value, map: &Map<String, Value>) -> bool {
    let bound = |keyword: &str| map.get(keyword).and_then(Value::as_f64);
    if let Some(number) = value.as_f64() {
        // Before draft 6 these were truth values beside `minimum` and `maximum`.
        let strict = |keyword: &str| map.get(keyword) == Some(&true.into());
        let (low, high) = (bound("minimum"), bound("maximum"));
        return low.is_none_or(|low| number >= low)
            && high.is_none_or(|high| number <= high)
            && bound("exclusiveMinimum").is_none_or(|low| number > low)
            && bound("exclusiveMaximum").is_none_or(|high| number < high)
            && !(strict("exclusiveMinimum") && low == Some(number))
            && !(strict("exclusiveMaximum") && high == Some(number))
            && bound("multipleOf").is_none_or(|step| is_multiple(number, step));
    }
    match value.as_str() {
        Some(text) => within(text.chars().count(), map, "minLength", "maxLength"),
        None => true,
    }
}

/// Whether a number is a multiple, as near as doubles can tell.
fn is_multiple(number: f64, step: f64) -> bool {
    let times = number / step;
    (times - times.round()).abs() < 1e-9
}

fn within(length: usize, map: &Map<String, Value>, least: &str, most: &str) -> bool {
    let bound = |keyword: &str| map.get(keyword).and_then(Value::as_f64);
    let length = length as f64;
    bound(least).is_none_or(|least| length >= least)
        && bound(most).is_none_or(|most| length <= most)
}

/// Equality as JSON Schema has it: 1 and 1.0 are equal.
fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}
