//! Tests of the values generated for schemas.
#![cfg_attr(fuzzing, allow(dead_code))]

#[cfg(test)]
mod limits;
#[cfg(test)]
mod random;

use serde_json::{Map, Value, json};

use super::*;

fn instance(schema: &Value) -> Result<Value, SchemaError> {
    let mut generator = Generator::new(Rc::new(Tree::from(schema)), 0, false);
    loop {
        match generator.run(STEPS_PER_CALL) {
            Progress::Done(text) => {
                return Ok(serde_json::from_str(&text).expect("the value is JSON"));
            }
            Progress::More => {}
            Progress::Failed(why) => return Err(why),
        }
    }
}

/// Asserts that the value generated for each schema is the expected one.
fn assert_values<const N: usize>(cases: [(Value, Value); N]) {
    for (schema, expected) in cases {
        assert_eq!(instance(&schema), Ok(expected), "{schema}");
    }
}

#[test]
fn strings_satisfy_length_and_format() {
    assert_values([
        (json!({}), json!("mocked")),
        (json!(true), json!("mocked")),
        (json!({"type": "string"}), json!("mocked")),
        (json!({"type": "string", "minLength": 8}), json!("mockedmo")),
        (json!({"type": "string", "maxLength": 3}), json!("moc")),
        (
            json!({"type": "string", "format": "email", "pattern": "x"}),
            json!("mock@example.com"),
        ),
        (
            json!({"type": "string", "format": "unheard-of"}),
            json!("mocked"),
        ),
        (
            json!({"type": "string", "not": {"pattern": "^[a-z]"}, "maxLength": 10,
                "minLength": 1}),
            json!("111111"),
        ),
        (
            json!({"type": "string", "allOf": [{"pattern": "-$"}, {"pattern": "^<"}]}),
            json!("<-"),
        ),
    ]);
}

#[test]
fn numbers_satisfy_bounds_and_multiples() {
    assert_values([
        (json!({"type": "integer"}), json!(1)),
        (
            json!({"type": "integer", "minimum": 18, "maximum": 20}),
            json!(18),
        ),
        (
            json!({"type": "integer", "exclusiveMinimum": 1.5}),
            json!(2),
        ),
        (json!({"type": "integer", "exclusiveMaximum": 0}), json!(-1)),
        (
            json!({"type": "integer", "minimum": 7, "multipleOf": 5}),
            json!(10),
        ),
        (
            json!({"type": "integer", "maximum": -7, "multipleOf": 5}),
            json!(-10),
        ),
        (
            json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true}),
            json!(4),
        ),
        (
            json!({"type": "integer", "maximum": -7, "exclusiveMaximum": true}),
            json!(-8),
        ),
        (
            json!({"type": "integer", "not": {"minimum": -500, "maximum": 500}}),
            json!(1000),
        ),
        (
            json!({"type": "array", "minItems": 2, "uniqueItems": true,
                "items": {"type": "integer", "exclusiveMinimum": u64::MAX}}),
            json!([18_446_744_073_709_551_616.0, 18_446_744_073_709_555_712.0]),
        ),
        (json!({"type": "number"}), json!(1.5)),
        (
            json!({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
            json!(0),
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 0.2, "exclusiveMaximum": 0.4}),
            json!(0.30000000000000004),
        ),
        (
            json!({"type": "number", "multipleOf": 0.25, "minimum": 2.1, "maximum": 2.4}),
            json!(2.25),
        ),
    ]);
}

#[test]
fn choices_and_references_are_satisfied() {
    assert_values([
        (json!({"type": "boolean"}), json!(true)),
        (json!({"type": "boolean", "allOf": []}), json!(true)),
        (json!({"type": "null"}), json!(null)),
        (json!({"type": ["null", "integer"]}), json!(1)),
        (json!({"enum": ["red", "green"]}), json!("red")),
        (
            json!({"enum": [1, "green"], "type": "string"}),
            json!("green"),
        ),
        (json!({"const": {"a": [1]}}), json!({"a": [1]})),
        (
            json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}),
            json!(1),
        ),
        (json!({"anyOf": [{}, {"type": "null"}]}), json!(null)),
        (
            json!({"anyOf": [{"not": {}}, {"type": "null"}]}),
            json!(null),
        ),
        (
            json!({"oneOf": [{"const": 1}, {"const": 2}], "minimum": 2}),
            json!(2),
        ),
        (
            json!({"allOf": [{"properties": {"a": {"type": "integer"}}}, {"required": ["a"]}]}),
            json!({"a": 1}),
        ),
        (
            json!({"allOf": [{"type": "number"}, {"type": "integer"}]}),
            json!(1),
        ),
        (
            json!({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 3}}}),
            json!(3),
        ),
        (
            json!({"$ref": "#/$defs/~01", "$defs": {"~1": {"const": 7}}}),
            json!(7),
        ),
        (
            json!({"$ref": "#x", "$defs": {"a": {"$id": "#x", "type": "integer"}}}),
            json!(1),
        ),
        (
            json!({"$id": "https://a.example/s", "$defs": {"t": {"$id": "t"},
                "u": {"$ref": "#/$defs/v"}, "v": {"const": 3}}, "$ref": "#/$defs/u"}),
            json!(3),
        ),
    ]);
}

#[test]
fn arrays_satisfy_their_item_schemas() {
    assert_values([
        (
            json!({"type": "array", "items": {"type": "boolean"}}),
            json!([true]),
        ),
        (
            json!({"type": "array", "items": {"type": "null"}, "minItems": 3}),
            json!([null, null, null]),
        ),
        (json!({"type": "array", "maxItems": 0}), json!([])),
        (json!({"type": "array", "items": false}), json!([])),
        (
            json!({"prefixItems": [{"type": "integer"}, {"const": "b"}], "items": false}),
            json!([1, "b"]),
        ),
        (
            json!({"items": [{"type": "integer"}], "additionalItems": false}),
            json!([1]),
        ),
    ]);
}

#[test]
fn objects_have_every_property_that_may_be() {
    assert_values([
        (json!({"type": "object"}), json!({})),
        (
            json!({"properties": {"b": {"type": "integer"}, "a": {}}}),
            json!({"b": 1, "a": "mocked"}),
        ),
        (
            json!({"type": "object", "required": ["x"]}),
            json!({"x": "mocked"}),
        ),
        (
            json!({"properties": {"a": false, "b": true}}),
            json!({"b": "mocked"}),
        ),
    ]);
}

/// Schemas as people and libraries write them, and a value of each; several are as zod and pydantic
/// have them.
#[test]
fn schemas_of_libraries_have_values() {
    let pair = json!({
        "type": "array",
        "prefixItems": [{"type": "boolean"}, {"enum": ["on", "off"]}],
        "minItems": 2,
        "maxItems": 2,
    });
    assert_values([
        (
            json!({"type": "array", "items": pair, "minItems": 4, "uniqueItems": true}),
            json!([[true, "on"], [false, "on"], [true, "off"], [false, "off"]]),
        ),
        (
            json!({"maxLength": 8, "allOf": [{"pattern": "^<.*"}, {"pattern": "-"},
                {"pattern": ".*>$"}]}),
            json!("<->"),
        ),
        (
            json!({"type": "string", "contentMediaType": "application/json",
                "contentSchema": {"type": "array", "items": {"type": "integer"}}}),
            json!("[1]"),
        ),
        (
            json!({"type": "string", "format": "emoji", "minLength": 3, "pattern": "^(?=x)"}),
            json!("🙂🙂🙂"),
        ),
        (
            json!({"type": "integer", "minimum": 9_007_199_254_740_993i64}),
            json!(9_007_199_254_740_993i64),
        ),
        (
            json!({"type": "integer", "minimum": u64::MAX}),
            json!(u64::MAX),
        ),
        (
            json!({"format": "date", "type": "string", "pattern": "^2027"}),
            json!("2027-01-01"),
        ),
        (
            json!({"type": "string", "format": "uuid",
                "not": {"const": "00000000-0000-4000-8000-000000000000"}}),
            json!("00000000-0000-4000-8000-000000000001"),
        ),
        (
            json!({"type": "integer", "maximum": -1e300, "multipleOf": 3}),
            json!(-1e300),
        ),
        (
            json!({"type": "integer", "exclusiveMaximum": -1e20}),
            json!(-100_000_000_000_000_016_384.0),
        ),
        (
            json!({"format": "date", "type": "string", "pattern": "^2027"}),
            json!("2027-01-01"),
        ),
        (
            json!({"format": "uuid", "not": {"const": "00000000-0000-4000-8000-000000000000"}}),
            json!("00000000-0000-4000-8000-000000000001"),
        ),
        (
            json!({"type": "integer", "exclusiveMaximum": -1e20}),
            json!(-100_000_000_000_000_016_384.0),
        ),
    ]);
}

#[test]
fn combinations_of_keywords_are_satisfied() {
    assert_values([
        (
            json!({"type": "array", "contains": {"const": 3}, "minContains": 2,
                "items": {"type": "integer"}}),
            json!([3, 3]),
        ),
        (
            json!({"type": "object", "propertyNames": {"pattern": "^[a-z]{2}$"},
                "minProperties": 2}),
            json!({"mo": "mocked", "oo": "mocked"}),
        ),
        (
            json!({"type": "object", "patternProperties": {"^n_\\d$": {"type": "integer"}},
                "required": ["n_1"]}),
            json!({"n_1": 1}),
        ),
        (
            json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}),
            json!({"a": 1}),
        ),
        (
            json!({"if": {"properties": {"a": {"const": 1}}, "required": ["a"]},
                "then": {"required": ["b"]},
                "type": "object", "properties": {"a": {"const": 1}}}),
            json!({"a": 1, "b": "mocked"}),
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "integer"}},
                "dependentRequired": {"a": ["b"]}}),
            json!({"a": 1, "b": "mocked"}),
        ),
        (
            json!({"$id": "https://a.example/s", "$ref": "t#x", "$defs": {"t": {"$id": "t", "$defs":
                {"x": {"$anchor": "x", "type": "integer"}}}}}),
            json!(1),
        ),
        (
            json!({"$ref": "#/$defs/a%20b", "$defs": {"a b": {"$ref": "#c"}, "c": {"$anchor": "c",
                "const": 5}}}),
            json!(5),
        ),
        (
            json!({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}],
                "$defs": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/a", "minimum": 4}}}),
            json!(4),
        ),
        (
            json!({"$ref": "#/$defs/n", "required": ["n"], "$defs": {"n": {"type": "object",
                "properties": {"n": {"$ref": "#/$defs/n"}}}}}),
            json!({"n": {}}),
        ),
    ]);
}

/// A value listed in `enum` or `const` is used only if all other keywords allow it.
#[test]
fn listed_values_are_validated() {
    assert_values([
        (
            json!({"enum": [{"a": 1}, {"a": 7}], "properties": {"a": {"type": "integer"}},
                "patternProperties": {"^a": {"minimum": 5}}}),
            json!({"a": 7}),
        ),
        (
            json!({"enum": [{"a": 1}, {"a": 1, "b": 2}], "dependentRequired": {"a": ["b"]}}),
            json!({"a": 1, "b": 2}),
        ),
        (
            json!({"enum": [[1, 1], [1, 2]], "contains": {"const": 1}, "maxContains": 1}),
            json!([1, 2]),
        ),
        (
            json!({"const": {"b": 2, "a": 1}, "allOf": [{"enum": [{"a": 1, "b": 2}]}]}),
            json!({"b": 2, "a": 1}),
        ),
        (json!({"const": 1, "allOf": [{"enum": [1.0]}]}), json!(1)),
        (
            json!({"const": [1], "allOf": [{"const": [1.0]}]}),
            json!([1]),
        ),
    ]);
}

/// These are valid as a whole only if their elements or members are chosen accordingly.
#[test]
fn arrays_and_objects_are_varied() {
    assert_values([
        (
            json!({"type": "array", "minItems": 1, "maxItems": 1,
                "items": {"type": ["integer", "string", "boolean"]},
                "not": {"items": {"type": ["integer", "string"]}}}),
            json!([true]),
        ),
        (
            json!({"type": "array", "minItems": 2, "uniqueItems": true,
                "items": {"anyOf": [{"type": "string", "pattern": "^a$"}, {"type": "integer"}]}}),
            json!(["a", 1]),
        ),
        (
            json!({"type": "array", "allOf": [{"contains": {"const": 1}},
                {"contains": {"const": 2}}]}),
            json!([1, 2]),
        ),
        (
            json!({"type": "object", "properties": {"a": {}, "b": {}},
                "not": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}),
            json!({}),
        ),
        (
            json!({"properties": {"a": {}, "b": {}}, "required": ["c"], "maxProperties": 2}),
            json!({"a": "mocked", "c": "mocked"}),
        ),
    ]);
}

#[test]
fn the_last_of_duplicate_properties_applies() {
    let mut tree = Tree::default();
    let schema = tree.open(true);
    tree.push_string("properties");
    let properties = tree.open(true);
    for schema in [json!({"type": "null"}), json!({"type": "integer"})] {
        tree.push_string("a");
        tree.copy(&Tree::from(&schema), 0);
    }
    tree.close(properties, 2);
    tree.close(schema, 1);
    let mut generator = Generator::new(Rc::new(tree), 0, true);
    let expected = Progress::Done(r#"{"a":1}"#.to_owned());
    assert_eq!(generator.run(u32::MAX), expected);
}

#[test]
fn properties_keep_the_order_of_the_schema() {
    let schema = r#"{"properties":{"z":{},"a":{},"m":{}},"required":["m"]}"#;
    let schema: Value = serde_json::from_str(schema).unwrap();
    let made = instance(&schema).unwrap().to_string();
    assert_eq!(made, r#"{"z":"mocked","a":"mocked","m":"mocked"}"#);
}

#[test]
fn recursive_schemas_end_as_soon_as_they_can() {
    let tree = |children: Value| {
        json!({
            "$ref": "#/$defs/node",
            "$defs": {"node": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "child": children},
                "required": ["name", "child"],
            }},
        })
    };
    let node = json!({"$ref": "#/$defs/node"});
    let leaf = |child: Value| Ok(json!({"name": "mocked", "child": child}));
    assert_eq!(
        instance(&tree(json!({"type": "array", "items": node}))),
        leaf(json!([]))
    );
    assert_eq!(
        instance(&tree(json!({"anyOf": [node, {"type": "null"}]}))),
        leaf(json!(null))
    );
    assert_eq!(instance(&tree(node)), Err(SchemaError::Endless));
    let itself = json!({"properties": {"again": {"$ref": "#"}}});
    assert_eq!(instance(&itself), Ok(json!({"again": {}})));
    assert_eq!(instance(&json!({"$ref": "#"})), Err(SchemaError::Endless));
}

#[test]
fn invalid_schemas_report_the_reason() {
    for (schema, why) in [
        (json!(3), SchemaError::Malformed),
        (json!({"type": 3}), SchemaError::Malformed),
        (json!({"type": "text"}), SchemaError::Malformed),
        (json!({"anyOf": {}}), SchemaError::Malformed),
        (json!({"properties": 5}), SchemaError::Malformed),
        (json!({"minLength": "long"}), SchemaError::Malformed),
        (
            json!({"type": "object", "minProperties": 3_000_000_000u32,
                "patternProperties": {"a": {}}}),
            SchemaError::TooLarge,
        ),
        (json!({"multipleOf": 0}), SchemaError::Malformed),
        (json!({"multipleOf": -2.5}), SchemaError::Malformed),
        (
            json!({"not": {"unevaluatedItems": false, "type": "string"}}),
            SchemaError::Keyword("unevaluatedItems"),
        ),
        (
            json!({"$ref": "#/allOf/+0", "allOf": [true]}),
            SchemaError::Reference,
        ),
    ] {
        assert_eq!(instance(&schema), Err(why), "{schema}");
    }
}

#[test]
fn schemas_without_a_value_report_the_reason() {
    for (schema, why) in [
        (json!(false), SchemaError::Contradiction),
        (json!({"enum": []}), SchemaError::Contradiction),
        (json!({"anyOf": []}), SchemaError::Contradiction),
        (
            json!({"type": "string", "oneOf": []}),
            SchemaError::Contradiction,
        ),
        (
            json!({"type": "number", "minimum": 2, "maximum": 1}),
            SchemaError::Contradiction,
        ),
        (
            json!({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}),
            SchemaError::Contradiction,
        ),
        (
            json!({"allOf": [{"type": "string"}, {"type": "null"}]}),
            SchemaError::Contradiction,
        ),
        (json!({"oneOf": [{}, true]}), SchemaError::Contradiction),
        (
            json!({"type": "array", "minItems": 3, "uniqueItems": true,
                "items": {"type": "boolean"}}),
            SchemaError::Contradiction,
        ),
        (
            json!({"type": "object", "required": ["a"], "additionalProperties": false}),
            SchemaError::Contradiction,
        ),
        (
            json!({"type": "string", "pattern": "("}),
            SchemaError::BadPattern,
        ),
        (
            json!({"type": "object", "minProperties": 2, "additionalProperties": false,
                "patternProperties": {"^a$": {}}}),
            SchemaError::Contradiction,
        ),
        (
            json!({"type": "string", "pattern": "^(?=a)"}),
            SchemaError::LookAround,
        ),
        (
            json!({"type": "object", "properties": {"a": {"not": {}}}, "required": ["a"]}),
            SchemaError::Contradiction,
        ),
        (
            json!({"type": "object", "unevaluatedProperties": false}),
            SchemaError::Keyword("unevaluatedProperties"),
        ),
        (
            json!({"$ref": "https://example.com/schema"}),
            SchemaError::Reference,
        ),
        (json!({"$ref": "#/$defs/none"}), SchemaError::Reference),
        (
            json!({"type": "array", "minItems": 1_000_000}),
            SchemaError::TooLarge,
        ),
        (
            json!({"type": "string", "minLength": 1_000_000_000}),
            SchemaError::TooLarge,
        ),
    ] {
        assert_eq!(instance(&schema), Err(why), "{schema}");
    }
}

/// Generates a value for arbitrary JSON or, if `data` is not JSON, for random keywords. Asserts
/// that each call ends soon, and that both the total work and the value are within their limits.
pub fn fuzz(data: &[u8]) {
    let schema = match serde_json::from_slice(data) {
        Ok(schema) => schema,
        Err(_) => {
            let seed = data.iter().fold(0u64, |seed, byte| {
                seed.rotate_left(8).wrapping_mul(31) ^ u64::from(*byte)
            });
            junk(
                &mut fastrand::Rng::with_seed(seed),
                2 + data.len() as u32 % 4,
            )
        }
    };
    let object = !data.len().is_multiple_of(2);
    let tree = Rc::new(Tree::from(&schema));
    let kilobytes = 1 + schema.to_string().len() as u64 / 1024;
    let mut generator = Generator::new(tree, 0, object);
    let budget = generator.steps_left();
    assert!(
        budget <= STEPS + STEPS_PER_NODE * 512 * kilobytes,
        "{budget} steps"
    );
    let value = loop {
        let before = generator.steps_left();
        let progress = generator.run(STEPS_PER_CALL);
        let spent = before - generator.steps_left();
        assert!(spent < 40_000, "a call of {spent} steps: {schema}");
        match progress {
            Progress::More => {}
            Progress::Done(text) => break text,
            Progress::Failed(_) => return,
        }
    };
    assert!(value.len() < 4 * BYTES_MAX, "{} bytes", value.len());
    let read: Value = serde_json::from_str(&value).expect("the value is JSON");
    assert!(!object || read.is_object(), "{value}");
    // The value does not depend on how the work is divided into calls.
    let mut again = Generator::new(Rc::new(Tree::from(&schema)), 0, object);
    assert_eq!(again.run(u32::MAX), Progress::Done(value), "{schema}");
}

/// Runs the fuzz target on its corpus: seeds, and past findings.
#[test]
fn the_corpus_stays_within_its_limits() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/schema");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().collect();
    assert!(files.len() > 10, "{} files", files.len());
    for file in files {
        fuzz(&std::fs::read(file.unwrap().path()).unwrap());
    }
}

/// Generates values for random keywords, which must neither panic nor loop.
#[test]
fn random_keywords_never_break_it() {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut made = 0;
    for _ in 0..20_000 {
        let schema = junk(&mut rng, 4);
        made += usize::from(instance(&schema).is_ok());
    }
    assert!(
        (2_000..18_000).contains(&made),
        "{made} of 20000 had a value"
    );
}

fn junk(rng: &mut fastrand::Rng, depth: u32) -> Value {
    const KEYWORDS: [&str; 26] = [
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "prefixItems",
        "additionalProperties",
        "pattern",
        "format",
        "not",
        "minProperties",
        "$defs",
    ];
    const TYPES: [&str; 7] = [
        "object", "array", "string", "integer", "number", "boolean", "null",
    ];
    if depth == 0 {
        return rng
            .choice([json!(true), json!({}), json!(1), json!("a"), json!(null)])
            .unwrap();
    }
    let mut map = Map::new();
    for _ in 0..rng.usize(1..4) {
        let keyword = rng.choice(KEYWORDS).unwrap();
        let value = match keyword {
            _ if rng.u8(..) < 10 => junk(rng, depth - 1),
            "type" => rng.choice(TYPES).unwrap().into(),
            "properties" | "$defs" => {
                let names = ["a", "b"].into_iter().map(str::to_owned);
                names
                    .map(|name| (name, junk(rng, depth - 1)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "required" => json!(["a"]),
            "enum" | "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                (0..rng.usize(0..3)).map(|_| junk(rng, depth - 1)).collect()
            }
            "$ref" => rng
                .choice(["#", "#/properties/a", "#/$defs/b", "x"])
                .unwrap()
                .into(),
            "format" => rng.choice(["email", "uuid", "x"]).unwrap().into(),
            "pattern" => "a".into(),
            "uniqueItems" => rng.bool().into(),
            "items" | "not" | "const" | "additionalProperties" => junk(rng, depth - 1),
            _ => rng.u32(0..5).into(),
        };
        map.insert(keyword.to_owned(), value);
    }
    map.into()
}
