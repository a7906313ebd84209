//! Tests of tool calls, streamed or not, and of the errors of impossible ones.

use mocker::internals::settings::Settings;
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{Client, chat, in_every_cut, post};
use super::streams::{chunks, events, streamed};

/// Tools in the format of chat completions.
pub fn tools() -> Value {
    json!([
        {"type": "custom", "custom": {"name": "shell"}},
        {"type": "function", "function": {"name": "weather \"x\"", "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city"],
        }}},
        {"type": "function", "function": {"name": "now"}},
    ])
}

/// The same tools in the format of responses.
fn flat(tools: &Value) -> Value {
    let tools = tools.as_array().unwrap().iter();
    let flat = tools.map(|tool| {
        let kind = tool["type"].as_str().unwrap();
        let mut inner = tool[kind].clone();
        inner["type"] = kind.into();
        inner
    });
    flat.collect()
}

const WEATHER: &str = r#"{"city":"mocked","days":2}"#;

/// Returns values of `tool_choice` for chat completions and responses, and the function that they
/// call.
fn choices() -> Vec<(Value, Value, Option<&'static str>)> {
    let named = |name: &str| {
        (
            json!({"type": "function", "function": {"name": name}}),
            json!({"type": "function", "name": name}),
        )
    };
    let allowed = |mode: &str, names: [&str; 2]| {
        let tools = names.map(named);
        let [one, two] = tools.clone().map(|(chat, _)| chat);
        let chat = json!({"mode": mode, "tools": [one, two]});
        let [one, two] = tools.map(|(_, responses)| responses);
        (
            json!({"type": "allowed_tools", "allowed_tools": chat}),
            json!({"type": "allowed_tools", "mode": mode, "tools": [one, two]}),
        )
    };
    let same = |choice: Value| (choice.clone(), choice);
    let cases = [
        (same(json!("required")), Some("weather \"x\"")),
        (named("now"), Some("now")),
        (allowed("required", ["none", "now"]), Some("now")),
        (allowed("auto", ["now", "now"]), None),
        (same(json!("auto")), None),
        (same(json!("none")), None),
        (same(json!(null)), None),
    ];
    cases
        .map(|((chat, responses), called)| (chat, responses, called))
        .to_vec()
}

fn arguments(name: &str) -> &'static str {
    if name == "now" { "{}" } else { WEATHER }
}

pub fn ask(request: &str) -> Answer {
    let mut outcome = in_every_cut("tools", &Settings::default(), request.as_bytes());
    assert_eq!(outcome.answers.len(), 1);
    outcome.answers.remove(0)
}

#[test]
fn a_chat_calls_the_chosen_function() {
    for (choice, _, called) in choices() {
        // In either order of the fields.
        for body in [
            format!(r#"{{"n":2,"tools":{},"tool_choice":{choice}}}"#, tools()),
            format!(r#"{{"tool_choice":{choice},"tools":{},"n":2}}"#, tools()),
        ] {
            let json = ask(&chat(&body)).json();
            for (index, chosen) in json["choices"].as_array().unwrap().iter().enumerate() {
                assert_eq!(chosen["index"], index);
                let message = &chosen["message"];
                let Some(name) = called else {
                    assert_eq!(chosen["finish_reason"], "stop", "{choice}");
                    assert!(message["content"].is_string() && message.get("tool_calls").is_none());
                    continue;
                };
                assert_eq!(chosen["finish_reason"], "tool_calls", "{choice}");
                assert_eq!(message["content"], Value::Null);
                let id = message["tool_calls"][0]["id"].as_str().unwrap();
                assert!(id.starts_with("call_mock"));
                let function = json!({"name": name, "arguments": arguments(name)});
                let want = json!([{"id": id, "type": "function", "function": function}]);
                assert_eq!(message["tool_calls"], want, "{choice}");
            }
        }
    }
}

#[test]
fn a_response_calls_the_chosen_function() {
    for (_, choice, called) in choices() {
        let tools = flat(&tools());
        let body = format!(r#"{{"tools":{tools},"tool_choice":{choice}}}"#);
        let json = ask(&post("/v1/responses", &body)).json();
        let item = &json["output"][0];
        assert_eq!(json["output"].as_array().unwrap().len(), 1);
        let Some(name) = called else {
            assert_eq!(item["type"], "message", "{choice}");
            continue;
        };
        let want = json!({
            "type": "function_call",
            "id": item["id"],
            "call_id": item["call_id"],
            "name": name,
            "arguments": arguments(name),
            "status": "completed",
        });
        assert_eq!(*item, want, "{choice}");
        assert!(item["id"].as_str().unwrap().starts_with("fc_mock"));
        assert!(item["call_id"].as_str().unwrap().starts_with("call_mock"));
    }
}

#[test]
fn a_call_streams_its_arguments_in_pieces() {
    let body = format!(
        r#"{{"stream":true,"n":2,"tools":{},"tool_choice":"required"}}"#,
        tools()
    );
    let (_, content) = streamed(&Settings::default(), chat(&body));
    let chunks = chunks(&content);
    for choice in 0..2 {
        let of_choice = chunks.iter().map(|chunk| &chunk["choices"][0]);
        let mine: Vec<&Value> = of_choice.filter(|c| c["index"] == choice).collect();
        let first = &mine[0]["delta"];
        assert_eq!(
            (&first["role"], &first["content"]),
            (&json!("assistant"), &Value::Null)
        );
        let call = &first["tool_calls"][0];
        assert_eq!(
            (&call["index"], &call["type"]),
            (&json!(0), &json!("function"))
        );
        assert_eq!(
            call["function"],
            json!({"name": "weather \"x\"", "arguments": ""})
        );
        let (last, pieces) = mine[1..].split_last().unwrap();
        assert_eq!(last["finish_reason"], "tool_calls");
        assert_eq!(last["delta"], json!({}));
        let pieces = pieces.iter().map(|piece| &piece["delta"]["tool_calls"][0]);
        let said: String = pieces
            .inspect(|piece| assert_eq!(piece["index"], 0))
            .map(|piece| piece["function"]["arguments"].as_str().unwrap())
            .collect();
        assert_eq!(said, WEATHER);
        assert!(mine.len() > 5, "in pieces");
    }
    let tools = flat(&tools());
    let body = format!(r#"{{"stream":true,"tools":{tools},"tool_choice":"required"}}"#);
    let (_, content) = streamed(&Settings::default(), post("/v1/responses", &body));
    let events = events(&content);
    let sequence = events
        .iter()
        .map(|(_, data)| data["sequence_number"].as_u64());
    assert!(sequence.eq((0..events.len() as u64).map(Some)));
    let mut kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.unwrap()).collect();
    kinds.dedup();
    let want = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds, want);
    let deltas = events.iter().filter_map(|(_, data)| data["delta"].as_str());
    assert_eq!(deltas.collect::<String>(), WEATHER);
    let (_, end) = events.last().unwrap();
    assert_eq!(end["response"]["output"][0]["arguments"], WEATHER);
    assert_eq!(events[2].1["item"]["arguments"], "");
}

/// Rejected bodies, in which TOOLS stands for tools, with the field and the message of the error.
const BODIES: &[(&str, &str, &str)] = &[
    (
        r#"{"tool_choice":"required"}"#,
        "tools",
        "must hold a function",
    ),
    (
        r#"{"tool_choice":"required","tools":[{"type":"custom"}]}"#,
        "tools",
        "must hold a function",
    ),
    (
        r#"{"tool_choice":"any","tools":TOOLS}"#,
        "tool_choice",
        "\"none\", \"auto\" or \"required\"",
    ),
    (
        r#"{"tool_choice":{"type":"custom","custom":{"name":"shell"}},"tools":TOOLS}"#,
        "tool_choice",
        "functions",
    ),
    (
        r#"{"tool_choice":{"type":"function","function":{"name":"f"}},"tools":TOOLS}"#,
        "tool_choice",
        "is in 'tools'",
    ),
    (
        r#"{"tool_choice":{"type":"allowed_tools"},"tools":TOOLS}"#,
        "tool_choice",
        "allowed",
    ),
    (
        r#"{"response_format":{"type":"xml"}}"#,
        "response_format",
        "\"json_object\"",
    ),
    (
        r#"{"response_format":{}}"#,
        "response_format",
        "\"json_object\"",
    ),
    (
        r#"{"response_format":"json_object"}"#,
        "response_format",
        "an object",
    ),
    (r#"{"tools":{}}"#, "tools", "a list"),
];

/// Parameters for which there are no arguments, and the message.
const PARAMETERS: &[(&str, &str)] = &[
    (r#"{"type":"string"}"#, "No value"),
    (
        r#"{"properties":{"a":{"type":"string","pattern":"(?=b)"}},"required":["a"]}"#,
        "look-around",
    ),
    (
        r#"{"properties":{"a":{"type":"string","pattern":"("}},"required":["a"]}"#,
        "regular expression",
    ),
    ("[]", "not a valid JSON Schema"),
];

const ENDLESS: &str = r##"{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}"##;

/// Schemas of impossible structured outputs, and the message.
const SCHEMAS: &[(&str, &str)] = &[
    (ENDLESS, "infinite nesting"),
    (r#"{"$ref":"http://example.com"}"#, "'$ref'"),
    (r#"{"type":"array","minItems":1000000000}"#, "too large"),
];

fn assert_refused(body: &str, code: &str, param: &str, message: &str) {
    let answer = ask(&chat(body));
    assert_eq!(answer.status, 400, "{body}");
    let want = (code.to_owned(), Some(param.to_owned()));
    assert_eq!(answer.error(), want, "{body}");
    let json = answer.json();
    let told = json["error"]["message"].as_str().unwrap();
    assert!(
        told.contains(message) && !told.contains(['{', '}']),
        "{told}"
    );
}

#[test]
fn impossible_calls_and_outputs_are_rejected() {
    let tools = tools().to_string();
    for (body, param, message) in BODIES {
        let body = body.replace("TOOLS", &tools);
        assert_refused(&body, "invalid_value", param, message);
    }
    for (parameters, message) in PARAMETERS {
        let function = format!(r#"{{"name":"f","parameters":{parameters}}}"#);
        let tools = format!(r#"[{{"type":"function","function":{function}}}]"#);
        let body = format!(r#"{{"tools":{tools},"tool_choice":"required"}}"#);
        assert_refused(&body, "invalid_schema", "tools", message);
    }
    for (schema, message) in SCHEMAS {
        let format = format!(r#"{{"type":"json_schema","json_schema":{{"schema":{schema}}}}}"#);
        let body = format!(r#"{{"response_format":{format}}}"#);
        assert_refused(&body, "invalid_schema", "response_format", message);
    }
    let format = format!(r#"{{"type":"json_schema","name":"n","schema":{ENDLESS}}}"#);
    let body = format!(r#"{{"text":{{"format":{format}}}}}"#);
    let answer = ask(&post("/v1/responses", &body));
    assert_eq!(
        answer.error(),
        ("invalid_schema".to_owned(), Some("text".to_owned()))
    );
}

#[test]
fn tools_of_many_megabytes_are_accepted() {
    let padding = "x".repeat(5_000_000);
    for (choice, status) in [("auto", 200), ("required", 400)] {
        let function = format!(r#"{{"name":"f","description":"{padding}"}}"#);
        let tools = format!(r#"[{{"type":"function","function":{function}}}]"#);
        let body = format!(r#"{{"tools":{tools},"tool_choice":"{choice}"}}"#);
        let mut client = Client::plain();
        let answer = client.ask(chat(&body));
        assert_eq!(answer.status, status, "{choice}");
        if status == 400 {
            let json = answer.json();
            let told = json["error"]["message"].as_str().unwrap();
            assert_eq!(told, "'tools' must be at most 1048576 bytes.");
        }
    }
}
