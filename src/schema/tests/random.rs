//! Random schemas that are satisfiable because each was built around a value. Generation must
//! succeed for all of them, and an independent implementation must accept each result.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::instance;

/// The number of schemas per test run; the environment variable `SCHEMAS` overrides it.
const SCHEMAS: usize = 4_000;

const NAMES: [&str; 8] = ["a", "b", "name", "x-1", "é", "a/b", "id", "Zed 9"];

#[test]
fn random_satisfiable_schemas_are_satisfied() {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let count = number("SCHEMAS").unwrap_or(SCHEMAS as u64);
    let first = number("SCHEMA_SEED").unwrap_or(0);
    let (mut failed, mut keywords) = (Vec::new(), Map::new());
    for seed in first..first + count {
        let schema = satisfiable(seed);
        tally(&schema, &mut keywords);
        match instance(&schema) {
            Ok(made) if is_valid(&schema, &made) => {}
            Ok(made) => failed.push(format!("SCHEMA_SEED={seed}: {schema} is not {made}")),
            Err(why) => failed.push(format!("SCHEMA_SEED={seed}: {why:?}: {schema}")),
        }
    }
    let shown = failed.iter().take(10).map(|it| format!("{it:.1500}"));
    let shown: Vec<String> = shown.collect();
    assert!(
        failed.is_empty(),
        "{} of {count}:\n{}",
        failed.len(),
        shown.join("\n")
    );
    assert!(count < 1000 || keywords.len() > 30, "{:?}", keywords.keys());
}

/// Collects the keywords of a schema, so that the test can check its own coverage.
fn tally(schema: &Value, keywords: &mut Map<String, Value>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                keywords.insert(name.clone(), true.into());
                tally(member, keywords);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| tally(item, keywords)),
        _ => {}
    }
}

fn is_valid(schema: &Value, value: &Value) -> bool {
    let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
    let validator = options.build(schema);
    validator.is_ok_and(|validator| validator.is_valid(value))
}

/// Returns a random schema that some value satisfies.
fn satisfiable(seed: u64) -> Value {
    let mut rng = Rng::with_seed(seed);
    loop {
        let value = value(&mut rng, 2);
        let mut around = Around {
            rng: &mut rng,
            definitions: Map::new(),
        };
        let mut schema = around.schema(&value, 2);
        let definitions = std::mem::take(&mut around.definitions);
        if let Value::Object(members) = &mut schema
            && !definitions.is_empty()
        {
            members.insert("$defs".to_owned(), definitions.into());
        }
        // Skip schemas that the other implementation interprets differently.
        if schema.is_object() && is_valid(&schema, &value) {
            return schema;
        }
    }
}

fn value(rng: &mut Rng, depth: u32) -> Value {
    let parts = if depth > 0 { 4 } else { 0 };
    match rng.u32(0..6 + parts) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => rng.i64(-20..200).into(),
        3 => [
            json!(0.5),
            json!(-2.25),
            json!(19.99),
            json!(1e20),
            json!(i64::MAX),
        ][rng.usize(..5)]
        .clone(),
        4 | 5 => text(rng).into(),
        6 | 7 => (0..rng.usize(0..4))
            .map(|_| value(rng, depth - 1))
            .collect(),
        _ => {
            let count = rng.usize(0..5);
            let member = |_| {
                let name = NAMES[rng.usize(..NAMES.len())].to_owned();
                (name, value(rng, depth - 1))
            };
            (0..count).map(member).collect::<Map<_, _>>().into()
        }
    }
}

fn text(rng: &mut Rng) -> String {
    const CHARS: [char; 10] = ['a', 'b', 'Z', '0', '7', '-', ' ', '.', 'é', '🙂'];
    let length = rng.usize(0..8);
    (0..length)
        .map(|_| CHARS[rng.usize(..CHARS.len())])
        .collect()
}

/// Builder of schemas around values.
struct Around<'a> {
    rng: &'a mut Rng,
    definitions: Map<String, Value>,
}

impl Around<'_> {
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    /// Returns a schema that `value` satisfies.
    fn schema(&mut self, value: &Value, depth: u32) -> Value {
        if self.chance(4) {
            return [json!({}), json!(true), json!({"title": "any"})][self.rng.usize(..3)].clone();
        }
        if depth > 0 && self.chance(35) {
            return self.combined(value, depth - 1);
        }
        if self.chance(8) {
            return json!({"const": value});
        }
        if self.chance(8) {
            let mut values = vec![value.clone()];
            (0..self.rng.usize(0..3)).for_each(|_| values.push(super::random::value(self.rng, 1)));
            self.rng.shuffle(&mut values);
            return json!({"enum": values});
        }
        let mut schema = self.plain(value, depth);
        if depth > 0 && self.chance(12) {
            let other = self.unlike(value);
            schema.insert("not".to_owned(), other);
        }
        schema.into()
    }

    /// Returns a schema that `value` does not satisfy.
    fn other(&mut self, value: &Value, depth: u32) -> Value {
        for _ in 0..20 {
            let unlike = super::random::value(self.rng, 1);
            let schema = self.schema(&unlike, depth);
            let whole = json!({"allOf": [schema], "$defs": self.definitions});
            if !is_valid(&whole, value) {
                return schema;
            }
        }
        json!(false)
    }

    /// Returns a schema that `value` does not satisfy, such as people put in `not`: a value, a type
    /// or a member.
    fn unlike(&mut self, value: &Value) -> Value {
        let unlike = super::random::value(self.rng, 1);
        let name = NAMES[self.rng.usize(..NAMES.len())];
        let forbidden = match (self.rng.u32(0..5), &unlike) {
            (0, _) => json!({"const": unlike}),
            (1, _) => json!({"enum": [unlike, "other"]}),
            (2, Value::Object(_) | Value::Array(_)) => json!({"required": [name]}),
            (3, Value::Object(_) | Value::Array(_)) => json!({"maxItems": 0, "maxProperties": 0}),
            (_, Value::Object(_) | Value::Array(_)) => json!({"type": ["object", "array"]}),
            _ => self.plain(&unlike, 0).into(),
        };
        match is_valid(&forbidden, value) || !unlike.is_object() && unlike == *value {
            true => json!({"const": {"no": "such"}}),
            false => forbidden,
        }
    }

    fn combined(&mut self, value: &Value, depth: u32) -> Value {
        match self.rng.u32(0..8) {
            0 | 1 => {
                let mut branches = vec![self.schema(value, depth)];
                for _ in 0..self.rng.usize(0..3) {
                    let unlike = super::random::value(self.rng, 1);
                    branches.push(self.schema(&unlike, depth));
                }
                self.rng.shuffle(&mut branches);
                json!({"anyOf": branches})
            }
            2 => {
                let mut branches = vec![self.schema(value, depth)];
                for _ in 0..self.rng.usize(0..3) {
                    branches.push(self.unlike(value));
                }
                self.rng.shuffle(&mut branches);
                let mut schema = self.plain(value, depth);
                schema.insert("oneOf".to_owned(), branches.into());
                schema.into()
            }
            3 | 4 => {
                // Avoid choices within nested arrays, which would exceed the depth limits.
                let depth = if value.is_array() || value.is_object() {
                    0
                } else {
                    depth
                };
                let parts = 1 + self.rng.usize(0..3);
                let parts: Vec<Value> = (0..parts).map(|_| self.schema(value, depth)).collect();
                let mut schema = self.plain(value, depth);
                schema.insert("allOf".to_owned(), parts.into());
                schema.into()
            }
            5 => {
                let (holds, fails) = (self.schema(value, depth), self.unlike(value));
                let (then, otherwise) = (self.schema(value, depth), self.other(value, depth));
                match self.chance(50) {
                    true => json!({"if": holds, "then": then, "else": otherwise}),
                    false => json!({"if": fails, "then": otherwise, "else": then}),
                }
            }
            _ => {
                let schema = self.schema(value, depth);
                let name = format!(
                    "d{} {}",
                    self.definitions.len(),
                    "/~"[..self.rng.usize(0..3)].to_owned()
                );
                let pointer = name
                    .replace('~', "~0")
                    .replace('/', "~1")
                    .replace(' ', "%20");
                self.definitions.insert(name, schema);
                json!({"$ref": format!("#/$defs/{pointer}")})
            }
        }
    }

    /// Returns keywords of the value's own type.
    fn plain(&mut self, value: &Value, depth: u32) -> Map<String, Value> {
        let mut schema = Map::new();
        let (name, wider) = match value {
            Value::Null => ("null", "null"),
            Value::Bool(_) => ("boolean", "boolean"),
            Value::Number(number)
                if number.is_f64() && number.as_f64().is_some_and(|it| it.fract() != 0.0) =>
            {
                ("number", "number")
            }
            Value::Number(_) => ("integer", "number"),
            Value::String(_) => ("string", "string"),
            Value::Array(_) => ("array", "array"),
            Value::Object(_) => ("object", "object"),
        };
        match self.rng.u32(0..10) {
            0 => {}
            1 => drop(schema.insert("type".to_owned(), wider.into())),
            2 => {
                let other = *self
                    .rng
                    .choice(&["null", "boolean", "string"])
                    .unwrap_or(&"null");
                let types = if other == name {
                    json!([name])
                } else {
                    json!([other, name])
                };
                schema.insert("type".to_owned(), types);
            }
            _ => drop(schema.insert("type".to_owned(), name.into())),
        }
        let more = match value {
            Value::Number(number) => self.of_number(number.as_f64().unwrap_or(0.0)),
            Value::String(text) => self.of_text(text),
            Value::Array(items) => self.of_items(items, depth),
            Value::Object(members) => self.of_members(members, depth),
            _ => json!({}),
        };
        if let Value::Object(more) = more {
            schema.extend(more);
        }
        schema
    }

    /// Keeps each of these members with a probability of `percent`.
    fn some(&mut self, all: Value, percent: u32) -> Value {
        let Value::Object(all) = all else { return all };
        let kept = all.into_iter().filter(|_| self.chance(percent));
        kept.collect::<Map<_, _>>().into()
    }

    fn of_number(&mut self, number: f64) -> Value {
        let room = f64::from(self.rng.u32(0..5)) / 2.0;
        let integer = number.fract() == 0.0 && number.abs() < 1e15;
        let mut all = json!({
            "minimum": number - room,
            "maximum": number + room,
            "exclusiveMinimum": number - room - 0.5,
            "exclusiveMaximum": number + room + 0.5,
        });
        if integer && number.abs() >= 1.0 {
            let step = if number % 7.0 == 0.0 {
                7.0
            } else if number % 2.0 == 0.0 {
                2.0
            } else {
                0.5
            };
            all["multipleOf"] = json!(step);
        } else if number == 19.99 {
            all["multipleOf"] = json!(0.01);
        }
        self.some(all, 30)
    }

    fn of_text(&mut self, text: &str) -> Value {
        let length = text.chars().count();
        let class = |char: char| match char {
            'a'..='z' => "[a-z]".to_owned(),
            'A'..='Z' => "[A-Z]".to_owned(),
            '0'..='9' => "\\d".to_owned(),
            '.' | '-' => format!("\\{char}"),
            char => char.to_string(),
        };
        let mask: String = text.chars().map(class).collect();
        let start: String = text.chars().take(2).map(class).collect();
        let pattern = match self.rng.u32(0..5) {
            0 => format!("^{mask}$"),
            1 => format!("^{start}"),
            2 => format!("^(?:{mask}|x{{3,5}}y)$"),
            3 => format!("^.{{{},{}}}$", length.saturating_sub(1), length + 2),
            _ => mask,
        };
        let all = json!({
            "minLength": length.saturating_sub(self.rng.usize(0..3)),
            "maxLength": length + self.rng.usize(0..3),
            "pattern": pattern,
        });
        self.some(all, 40)
    }

    fn of_items(&mut self, items: &[Value], depth: u32) -> Value {
        let mut all = json!({
            "minItems": items.len().saturating_sub(self.rng.usize(0..2)),
            "maxItems": items.len() + self.rng.usize(0..2),
        });
        let deeper = depth.saturating_sub(2);
        if let Some(first) = items.first() {
            let each: Vec<Value> = items.iter().map(|item| self.schema(item, deeper)).collect();
            all["items"] = json!({"anyOf": each});
            if self.chance(30) {
                let last = items.len() - 1;
                all["prefixItems"] = each[..=self.rng.usize(..=last)].into();
            }
            all["contains"] = self.schema(first, deeper);
            if self.chance(30) {
                all["minContains"] = self.rng.usize(0..2).into();
            }
        }
        let repeats = |at: usize| items[..at].iter().any(|item| *item == items[at]);
        if !(1..items.len()).any(repeats) {
            all["uniqueItems"] = true.into();
        }
        self.some(all, 45)
    }

    fn of_members(&mut self, members: &Map<String, Value>, depth: u32) -> Value {
        let deeper = depth.saturating_sub(2);
        let mut properties = Map::new();
        for (name, member) in members.iter() {
            if self.chance(75) {
                properties.insert(name.clone(), self.schema(member, deeper));
            }
        }
        let all_declared = properties.len() == members.len();
        let required: Vec<&String> = members.keys().filter(|_| self.rng.bool()).collect();
        if self.chance(40) {
            let unlike = super::random::value(self.rng, 1);
            let name = NAMES[self.rng.usize(..NAMES.len())];
            if !members.contains_key(name) {
                properties.insert(name.to_owned(), self.schema(&unlike, deeper));
            }
        }
        let names = [
            json!({"maxLength": 6}),
            json!({"type": "string"}),
            json!({}),
        ];
        let names = names[self.rng.usize(..3)].clone();
        let mut all = json!({
            "properties": properties,
            "required": required,
            "minProperties": members.len().saturating_sub(self.rng.usize(0..2)),
            "maxProperties": members.len() + self.rng.usize(0..2),
            "propertyNames": names,
        });
        if all_declared {
            all["additionalProperties"] = false.into();
        } else if self.chance(50) {
            let each: Vec<Value> = members.values().map(|it| self.schema(it, deeper)).collect();
            all["additionalProperties"] = json!({"anyOf": each});
        }
        if let Some(first) = members.keys().next() {
            let names: Vec<&String> = members.keys().filter(|_| self.rng.bool()).collect();
            all["dependentRequired"] = json!({ first: names });
            let each: Vec<Value> = members
                .values()
                .map(|it| self.plain(it, 0).into())
                .collect();
            all["patternProperties"] = json!({"^[a-z]": {"anyOf": each}});
            let value = Value::Object(members.clone());
            if depth > 1 {
                all["dependentSchemas"] = json!({ first: self.schema(&value, 0) });
            }
        }
        let mut kept = self.some(all, 45);
        // Undeclared members must not be forbidden.
        if kept.get("properties").is_none()
            && kept.get("additionalProperties") == Some(&json!(false))
        {
            kept["additionalProperties"] = true.into();
        }
        kept
    }
}
