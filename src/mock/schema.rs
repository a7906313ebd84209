//! A value that satisfies a JSON Schema (draft 2020-12, and what earlier drafts wrote otherwise):
//! the arguments of a call, or an answer of a given structure. It makes the plainest value that it
//! finds and then judges it, so it gives a right one or says why it gives none. Knows no endpoint.

mod judge;
mod keyword;
mod scalar;

use serde_json::{Map, Value};

pub use keyword::Unfit;
use keyword::{least_of, list, most_of};

/// How much work one schema may cost, in schemas looked at and 16 bytes of text: some milliseconds
/// of a core, and a value of some 100 KB.
const STEPS: usize = 10_000;

/// How deep schemas and values may nest, references followed: the stack is finite.
const DEPTH: usize = 100;

/// A value that satisfies `schema` and `base`; references refer to `schema`.
pub fn instance(schema: &Value, base: &Value) -> Result<Value, Unfit> {
    let mut maker = Maker {
        root: schema,
        steps: STEPS,
        depth: 0,
        open: Vec::new(),
    };
    let value = maker.make(&[schema, base])?;
    match maker.fits(&value, schema)? && maker.fits(&value, base)? {
        true => Ok(value),
        false => Err(Unfit::Contradiction),
    }
}

/// Keywords that demand what no value made here is sure to satisfy.
const REFUSED: [&str; 10] = [
    "not",
    "if",
    "contains",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "dependencies",
    "$dynamicRef",
    "$recursiveRef",
];

/// Makes values for the parts of one schema.
struct Maker<'a> {
    root: &'a Value,
    steps: usize,
    depth: usize,
    /// The targets of the references that led here: one that comes back would never end.
    open: Vec<&'a Value>,
}

/// What one value must satisfy.
#[derive(Clone, Default)]
struct Demands<'a> {
    /// All of these, their references and choices left aside.
    all: Vec<&'a Map<String, Value>>,
    /// One of each of these.
    choices: Vec<&'a [Value]>,
}

impl<'a> Maker<'a> {
    /// A value for all of these schemas.
    fn make(&mut self, schemas: &[&'a Value]) -> Result<Value, Unfit> {
        self.spend(1)?;
        let opened = self.open.len();
        let made = self.nested(|maker| {
            let mut demands = Demands::default();
            for schema in schemas {
                maker.gather(schema, &mut demands)?;
            }
            maker.choose(demands)
        });
        self.open.truncate(opened);
        made
    }

    /// Adds what a schema demands.
    fn gather(&mut self, schema: &'a Value, demands: &mut Demands<'a>) -> Result<(), Unfit> {
        self.spend(1)?;
        let map = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return Err(Unfit::Contradiction),
            Value::Object(map) => map,
            _ => return Err(Unfit::Malformed),
        };
        if let Some(keyword) = REFUSED.iter().find(|keyword| map.contains_key(**keyword)) {
            return Err(Unfit::Keyword(keyword));
        }
        if let Some(reference) = map.get("$ref") {
            let target = self.target(reference)?;
            if self.open.iter().any(|open| std::ptr::eq(*open, target)) {
                return Err(Unfit::Endless);
            }
            self.open.push(target);
            self.nested(|maker| maker.gather(target, demands))?;
        }
        if map.get("properties").is_some_and(|all| !all.is_object()) {
            return Err(Unfit::Malformed);
        }
        for part in list(map, "allOf")?.unwrap_or_default() {
            self.nested(|maker| maker.gather(part, demands))?;
        }
        for keyword in ["anyOf", "oneOf"] {
            demands.choices.extend(list(map, keyword)?);
        }
        demands.all.push(map);
        Ok(())
    }

    /// A value for what is demanded, by the first branches that have one. A branch that demands
    /// nothing is tried last: libraries write it for what they can't describe, and beside null.
    fn choose(&mut self, mut demands: Demands<'a>) -> Result<Value, Unfit> {
        let Some(branches) = demands.choices.pop() else {
            return self.value(&demands.all);
        };
        let (opened, mut why) = (self.open.len(), Unfit::Contradiction);
        let vague = |branch: &&Value| branch.as_object().is_some_and(Map::is_empty);
        let clear = branches.iter().filter(|branch| !vague(branch));
        for (at, branch) in clear.chain(branches.iter().filter(vague)).enumerate() {
            self.spend(demands.all.len())?;
            let mut tried = demands.clone();
            let made = self.nested(|maker| {
                maker.gather(branch, &mut tried)?;
                maker.choose(tried)
            });
            match made {
                Ok(_) | Err(Unfit::TooLarge) => return made,
                Err(unfit) if at == 0 => why = unfit,
                Err(_) => {}
            }
            self.open.truncate(opened);
        }
        Err(why)
    }

    /// A value for schemas without references and choices.
    fn value(&mut self, all: &[&'a Map<String, Value>]) -> Result<Value, Unfit> {
        let listed = all.iter().find_map(|map| match map.get("const") {
            Some(constant) => Some(std::slice::from_ref(constant)),
            None => map.get("enum").and_then(Value::as_array).map(Vec::as_slice),
        });
        if let Some(values) = listed {
            return self.first_fit(values.iter(), all);
        }
        match scalar::kind(all)? {
            "object" => self.object(all),
            "array" => self.array(all),
            kind => self.first_fit(scalar::candidates(kind, all)?.iter(), all),
        }
    }

    fn first_fit<'v>(
        &mut self,
        values: impl Iterator<Item = &'v Value>,
        all: &[&'a Map<String, Value>],
    ) -> Result<Value, Unfit> {
        for value in values {
            self.spend(keyword::weight(value))?;
            let mut fits = true;
            for map in all {
                fits = fits && self.fits_map(value, map)?;
            }
            if fits {
                return Ok(value.clone());
            }
        }
        Err(Unfit::Contradiction)
    }

    fn array(&mut self, all: &[&'a Map<String, Value>]) -> Result<Value, Unfit> {
        let least = most_of(all, "minItems")?.unwrap_or(0) as usize;
        let most = least_of(all, "maxItems")?.map_or(usize::MAX, |most| most as usize);
        let tuple = all
            .iter()
            .filter_map(|map| keyword::prefix(map))
            .map(<[Value]>::len);
        let usual = tuple.max().unwrap_or(1).max(1).min(most).max(least);
        let mut items = Vec::new();
        while items.len() < usual {
            self.spend(all.len())?;
            let schemas: Vec<&Value> = all
                .iter()
                .filter_map(|map| keyword::item_schema(map, items.len()))
                .collect();
            match self.make(&schemas) {
                Ok(item) => items.push(item),
                Err(unfit) if items.len() < least || unfit == Unfit::TooLarge => return Err(unfit),
                Err(_) => break,
            }
        }
        Ok(items.into())
    }

    fn object(&mut self, all: &[&'a Map<String, Value>]) -> Result<Value, Unfit> {
        let mut made = Map::new();
        let mut required = Vec::new();
        for map in all {
            required.extend(list(map, "required")?.unwrap_or_default());
        }
        self.spend(required.len())?;
        let required: std::collections::HashSet<&str> =
            required.iter().filter_map(|name| name.as_str()).collect();
        let declared = all.iter().flat_map(|map| keyword::properties(map));
        let declared: Vec<&str> = declared.map(|(name, _)| name.as_str()).collect();
        for &name in declared.iter().chain(&required) {
            self.spend(all.len() + name.len() / 16)?;
            if made.contains_key(name) {
                continue;
            }
            let schemas: Vec<&Value> = all
                .iter()
                .filter_map(|map| keyword::member_schema(map, name))
                .collect();
            match self.make(&schemas) {
                Ok(value) => drop(made.insert(name.to_owned(), value)),
                Err(unfit) if required.contains(name) || unfit == Unfit::TooLarge => {
                    return Err(unfit);
                }
                // A property that need not be there.
                Err(_) => {}
            }
        }
        Ok(made.into())
    }

    /// What a `$ref` refers to: a JSON Pointer into the schema (RFC 6901, 6).
    fn target(&mut self, reference: &Value) -> Result<&'a Value, Unfit> {
        let text = reference.as_str().ok_or(Unfit::Malformed)?;
        let pointer = text.strip_prefix('#').ok_or(Unfit::Reference)?;
        self.spend(pointer.len() / 16)?;
        self.root.pointer(pointer).ok_or(Unfit::Reference)
    }

    fn nested<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, Unfit>) -> Result<T, Unfit> {
        if self.depth == DEPTH {
            return Err(Unfit::TooLarge);
        }
        self.depth += 1;
        let done = step(self);
        self.depth -= 1;
        done
    }

    fn spend(&mut self, steps: usize) -> Result<(), Unfit> {
        self.steps = self.steps.checked_sub(steps).ok_or(Unfit::TooLarge)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
