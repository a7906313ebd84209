//! Limits of what a schema may cost, and schemas that would cost more.

use serde_json::{Map, Value, json};

use super::*;

/// Makes a schema of a size.
type BySize<'a> = &'a dyn Fn(usize) -> Value;

/// Each limit at its edge: a schema of one size, and the next one.
#[test]
fn limits_hold_at_their_edges() {
    let lists = |depth: usize| {
        let list = |items, _| json!({"type": "array", "minItems": 1, "items": items});
        (0..depth).fold(json!({"type": "null"}), list)
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
        (&lists, 99, 100),
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
        assert_eq!(result.map(|_| ()), Err(Unfit::TooLarge), "row {row}");
    }
}

/// What costs much takes many calls, each of which writes little.
#[test]
fn no_call_takes_long() {
    let ignored: Map<_, _> = (0..9000).map(|at| (format!("x{at}"), at.into())).collect();
    let pattern = "a".repeat(1000);
    let parsed = 2 * u64::from(pattern::Pattern::parse_cost(&pattern));
    for (schema, least, most) in [
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
        let mut maker = Maker::new(Rc::new(Tree::from(&schema)), 0, false);
        let all = maker.steps_left();
        assert!(all <= STEPS_MAX, "{all} steps");
        loop {
            let (before, written) = (maker.steps_left(), maker.text.len());
            let progress = maker.run(STEPS_PER_CALL);
            let spent = before - maker.steps_left();
            assert!(spent < most, "a call of {spent} steps: {schema:.99}");
            match progress {
                Progress::More => assert!(maker.text.len() - written < 1 << 15),
                Progress::Done(text) => break assert!(text.len() - written < 1 << 15),
                Progress::Refused(why) => panic!("{why:?}"),
            }
        }
        let spent = all - maker.steps_left();
        assert!(spent >= least, "{spent} steps: {schema:.99}");
    }
}

/// Each would take for ever, or all of the stack, but for the limits.
#[test]
fn hostile_schemas_end_soon() {
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
            // Where members are optional, most of them are left out.
            let optional = schema["$defs"]["d0"]["properties"].is_object();
            assert_eq!(instance(&schema).is_ok(), optional, "{count}");
        }
    }
    let choices = json!({"allOf": vec![json!({"anyOf": [{"type": "null"}, {}]}); 5000]});
    assert_eq!(instance(&choices), Err(Unfit::TooLarge));
    let listed = json!({"type": "array", "minItems": 9000, "items": {"enum": vec![1; 9000]}});
    assert_eq!(instance(&listed), Ok(vec![1; 9000].into()));
    let unique = json!({"type": "array", "minItems": 1300, "uniqueItems": true,
        "items": {"type": "integer"}});
    assert_eq!(instance(&unique), Err(Unfit::TooLarge));
    let long = json!({"type": "array", "minItems": 9000, "items": {"const": "x".repeat(1 << 16)}});
    assert_eq!(instance(&long), Err(Unfit::TooLarge));
    let keys: Map<String, Value> = (0..2000)
        .map(|at| (format!("k{at}"), json!({"$ref": "#/$defs/long"})))
        .collect();
    let name = "x".repeat(1 << 16);
    let long = json!({"properties": keys, "$defs": {"long": {"required": [name]}}});
    assert_eq!(instance(&long), Err(Unfit::TooLarge));
}
