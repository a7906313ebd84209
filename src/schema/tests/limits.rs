//! Tests of the limits on the cost of a schema, and schemas that would exceed them.

use serde_json::{Map, Value, json};

use super::*;

/// A function that returns a schema of the specified size.
type BySize<'a> = &'a dyn Fn(usize) -> Value;

/// Checks each limit at its edge: with a schema that is within it, and a larger one that is not.
#[test]
fn limits_hold_at_their_edges() {
    let arrays = |depth: usize| {
        let array = |items, _| json!({"type": "array", "minItems": 1, "items": items});
        (0..depth).fold(json!({"type": "null"}), array)
    };
    let demands = |count: usize| {
        let each = (1..count).map(|at| json!({"minimum": at}));
        json!({"type": "integer", "allOf": each.collect::<Vec<_>>()})
    };
    let bytes = |items: usize| {
        let long = "x".repeat(1 << 16);
        json!({"type": "array", "minItems": items, "items": {"const": long}})
    };
    let required = |count: usize| json!({"type": "object", "required": vec!["a"; count]});
    let text = |length: usize| {
        json!({"type": "string", "contentMediaType": "application/json",
            "contentSchema": {"type": "string", "minLength": length}})
    };
    let email = |length: usize| json!({"type": "string", "format": "email", "minLength": length});
    let dependents = |count: usize| {
        let each = (0..count).map(|at| (format!("d{at}"), json!([])));
        json!({"type": "object", "required": ["a"],
            "dependentRequired": each.collect::<Map<_, _>>()})
    };
    let listed = |count: usize| {
        json!({"type": "object", "required": ["a"],
            "dependentRequired": {"a": vec!["a"; count]}})
    };
    let anchors = |count: usize| {
        let each = (0..count).map(|at| (format!("d{at}"), json!({"$anchor": format!("a{at}")})));
        json!({"$ref": "#a0", "$defs": each.collect::<Map<_, _>>()})
    };
    let chain = |count: usize| {
        let next = |at: usize| json!({"$ref": format!("#/$defs/d{}", at + 1)});
        let each = (1..count).map(|at| (format!("d{at}"), next(at)));
        let mut each: Map<_, _> = each.collect();
        each.insert(format!("d{count}"), json!({"const": 1}));
        json!({"type": "string", "not": {"$ref": "#/$defs/d1"}, "$defs": each})
    };
    let sizes: [(BySize<'_>, usize, usize); 10] = [
        (&arrays, 99, 100),
        (&demands, 128, 129),
        (&bytes, 7, 8),
        (&required, 20_000, 20_001),
        (&text, 16 * 1024, 16 * 1024 + 1),
        (&email, 1 << 16, (1 << 16) + 1),
        (&dependents, 2000, 2001),
        (&listed, 999, 2001),
        (&anchors, 256, 257),
        (&chain, 998, 999),
    ];
    for (row, (schema, fits, more)) in sizes.into_iter().enumerate() {
        assert!(instance(&schema(fits)).is_ok(), "row {row}");
        let result = instance(&schema(more));
        assert_eq!(result.map(|_| ()), Err(SchemaError::TooLarge), "row {row}");
    }
}

/// Expensive work is spread over many calls, each of which writes little.
#[test]
fn each_call_is_short() {
    let ignored: Map<_, _> = (0..9000).map(|at| (format!("x{at}"), at.into())).collect();
    let pattern = "a".repeat(1000);
    let parsed = 2 * u64::from(pattern::Pattern::parse_cost(&pattern));
    for (schema, min, max) in [
        (Value::from(ignored), 9000, 1000),
        (
            json!({"type": "string", "pattern": pattern}),
            parsed,
            parsed,
        ),
        (
            json!({"const": format!("x{}", "é".repeat(50_000))}),
            5000,
            10_000,
        ),
        (json!({"const": vec![0; 1900]}), 5000, 5000),
    ] {
        let mut generator = Generator::new(Rc::new(Tree::from(&schema)), 0, false);
        let all = generator.steps_left();
        assert!(all <= STEPS_MAX, "{all} steps");
        loop {
            let (before, written) = (generator.steps_left(), generator.text.len());
            let progress = generator.run(STEPS_PER_CALL);
            let spent = before - generator.steps_left();
            assert!(spent < max, "a call of {spent} steps: {schema:.99}");
            match progress {
                Progress::More => assert!(generator.text.len() - written < 1 << 15),
                Progress::Done(text) => break assert!(text.len() - written < 1 << 15),
                Progress::Failed(why) => panic!("{why:?}"),
            }
        }
        let spent = all - generator.steps_left();
        assert!(spent >= min, "{spent} steps: {schema:.99}");
    }
}

/// Without the limits, each of these would take forever or overflow the stack.
#[test]
fn hostile_schemas_are_bounded() {
    let doubled = |count: usize, pair: fn(Value) -> Value| {
        let mut definitions = serde_json::Map::new();
        for at in 0..count {
            let next = json!({"$ref": format!("#/$defs/d{}", at + 1)});
            definitions.insert(format!("d{at}"), pair(next));
        }
        definitions.insert(format!("d{count}"), json!({"type": "integer"}));
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    for pair in [
        |next: Value| json!({"properties": {"a": next, "b": next}}),
        |next: Value| json!({"anyOf": [next, next], "minimum": 2, "maximum": 1}),
        |next: Value| json!({"oneOf": [next, next]}),
        |next: Value| json!({"allOf": [next, next]}),
        |next: Value| json!({"type": "array", "items": next, "minItems": 2}),
    ] {
        for count in [20, 90, 5000] {
            let schema = doubled(count, pair);
            // Optional members are omitted until the budget suffices.
            let optional = schema["$defs"]["d0"]["properties"].is_object();
            assert_eq!(instance(&schema).is_ok(), optional, "{count}");
        }
    }
    let choices = json!({"allOf": vec![json!({"anyOf": [{"type": "null"}, {}]}); 5000]});
    assert_eq!(instance(&choices), Err(SchemaError::TooLarge));
    let listed = json!({"type": "array", "minItems": 9000, "items": {"enum": vec![1; 9000]}});
    assert_eq!(instance(&listed), Ok(vec![1; 9000].into()));
    let unique = json!({"type": "array", "minItems": 1300, "uniqueItems": true,
        "items": {"type": "integer"}});
    assert_eq!(instance(&unique), Err(SchemaError::TooLarge));
    let long = json!({"type": "array", "minItems": 9000, "items": {"const": "x".repeat(1 << 16)}});
    assert_eq!(instance(&long), Err(SchemaError::TooLarge));
    let keys: Map<String, Value> = (0..2000)
        .map(|at| (format!("k{at}"), json!({"$ref": "#/$defs/long"})))
        .collect();
    let name = "x".repeat(1 << 16);
    let long = json!({"properties": keys, "$defs": {"long": {"required": [name]}}});
    assert_eq!(instance(&long), Err(SchemaError::TooLarge));
}
