//! Calls of functions and answers of a given structure: who asks gets them, whole and streamed, and
//! who asks for what can't be had is told.

use mocker::settings::{Content, Settings};
use serde_json::{Value, json};

use super::answer::Answer;
use super::client::{chat, in_every_cut, post};
use super::streams::{chunks, events, streamed};

/// Some tools, as chats have them.
fn tools() -> Value {
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

/// The same as responses have them.
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

/// Each `tool_choice` of chats and of responses, and the function that it calls.
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

fn ask(request: &str) -> Answer {
    let mut outcome = in_every_cut("tools", &Settings::default(), request.as_bytes());
    assert_eq!(outcome.answers.len(), 1);
    outcome.answers.remove(0)
}

#[test]
fn a_chat_calls_what_it_is_told_to() {
    for (choice, _, called) in choices() {
        // Whichever field comes first.
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
fn a_response_calls_what_it_is_told_to() {
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

/// Each format of chats, the same of responses, and what is said.
fn formats() -> Vec<(Value, Value, Option<Value>)> {
    let schema = json!({
        "type": "object",
        "properties": {"b": {"enum": ["x", "y"]}, "a": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
        "required": ["b", "a"],
        "additionalProperties": false,
        "$defs": {"n": {"type": "number", "minimum": 3}},
    });
    vec![
        (
            json!({"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}}),
            json!({"type": "json_schema", "name": "n", "strict": true, "schema": schema}),
            Some(json!({"b": "x", "a": [3]})),
        ),
        (
            json!({"type": "json_schema", "json_schema": {"name": "n"}}),
            json!({"type": "json_schema", "name": "n"}),
            Some(json!({})),
        ),
        (
            json!({"type": "json_object"}),
            json!({"type": "json_object"}),
            Some(json!({"message": "This is a mocked response."})),
        ),
        (json!({"type": "text"}), json!({"type": "text"}), None),
    ]
}

#[test]
fn an_answer_has_the_structure_that_is_asked_for() {
    // No setting makes JSON longer, shorter or other words.
    let settings = Settings {
        content: Content::Random,
        tokens: Some(1..=3),
        ..Settings::default()
    };
    for (chats, responses, want) in formats() {
        let check = |text: &Value| {
            let text = text.as_str().expect("text");
            assert_eq!(serde_json::from_str::<Value>(text).ok(), want, "{text}");
        };
        let body = format!(r#"{{"response_format":{chats}}}"#);
        let mut outcome = in_every_cut("formats", &settings, chat(&body).as_bytes());
        check(&outcome.answers.remove(0).json()["choices"][0]["message"]["content"]);
        let body = format!(r#"{{"stream":true,"response_format":{chats}}}"#);
        let (_, content) = streamed(&settings, chat(&body));
        let deltas = chunks(&content);
        let said = deltas
            .iter()
            .filter_map(|c| c["choices"][0]["delta"]["content"].as_str());
        check(&Value::from(said.collect::<String>()));
        let body = format!(r#"{{"text":{{"verbosity":"low","format":{responses}}}}}"#);
        let mut outcome = in_every_cut(
            "formats",
            &settings,
            post("/v1/responses", &body).as_bytes(),
        );
        let json = outcome.answers.remove(0).json();
        check(&json["output"][0]["content"][0]["text"]);
        assert_eq!(
            json["text"],
            json!({"format": responses}),
            "told as it was asked for"
        );
    }
    // A limit cuts it, as it cuts everything.
    let body = r#"{"response_format":{"type":"json_object"},"max_tokens":2}"#;
    let json = ask(&chat(body)).json();
    assert_eq!(json["choices"][0]["message"]["content"], "{\"messag");
    assert_eq!(json["choices"][0]["finish_reason"], "length");
    assert_eq!(json["usage"]["completion_tokens"], 2);
    // A call goes before a format.
    let body = format!(
        r#"{{"response_format":{{"type":"json_object"}},"tools":{},"tool_choice":"required"}}"#,
        tools()
    );
    let json = ask(&chat(&body)).json();
    assert_eq!(json["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn what_cannot_be_called_or_made_is_refused() {
    let call = |parameters: Value| {
        json!({
            "tools": [{"type": "function", "function": {"name": "f", "parameters": parameters}}],
            "tool_choice": "required",
        })
    };
    let schema = |schema: Value| {
        let format = json!({"type": "json_schema", "json_schema": {"schema": schema}});
        json!({"response_format": format})
    };
    let endless = json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]});
    for (body, code, param, message) in [
        (
            json!({"tool_choice": "required"}),
            "invalid_value",
            "tools",
            "must hold a function",
        ),
        (
            json!({"tool_choice": "required", "tools": [{"type": "custom"}]}),
            "invalid_value",
            "tools",
            "must hold a function",
        ),
        (
            json!({"tool_choice": "any", "tools": tools()}),
            "invalid_value",
            "tool_choice",
            "\"none\", \"auto\" or \"required\"",
        ),
        (
            json!({"tool_choice": {"type": "custom", "custom": {"name": "shell"}}, "tools": tools()}),
            "invalid_value",
            "tool_choice",
            "functions",
        ),
        (
            json!({"tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": tools()}),
            "invalid_value",
            "tool_choice",
            "is in 'tools'",
        ),
        (
            json!({"tool_choice": {"type": "allowed_tools"}, "tools": tools()}),
            "invalid_value",
            "tool_choice",
            "allowed",
        ),
        (
            call(json!({"type": "string"})),
            "invalid_schema",
            "tools",
            "no value",
        ),
        (
            call(json!({"properties": {"a": {"pattern": "b"}}, "required": ["a"]})),
            "invalid_schema",
            "tools",
            "'pattern'",
        ),
        (call(json!([])), "invalid_schema", "tools", "no JSON Schema"),
        (
            schema(endless.clone()),
            "invalid_schema",
            "response_format",
            "without end",
        ),
        (
            schema(json!({"$ref": "http://example.com"})),
            "invalid_schema",
            "response_format",
            "'$ref'",
        ),
        (
            schema(json!({"type": "array", "minItems": 1e9 as u64})),
            "invalid_schema",
            "response_format",
            "too large",
        ),
        (
            json!({"response_format": {"type": "xml"}}),
            "invalid_value",
            "response_format",
            "\"json_object\"",
        ),
        (
            json!({"response_format": {}}),
            "invalid_value",
            "response_format",
            "\"json_object\"",
        ),
        (
            json!({"response_format": "json_object"}),
            "invalid_value",
            "response_format",
            "an object",
        ),
        (json!({"tools": {}}), "invalid_value", "tools", "a list"),
    ] {
        let answer = ask(&chat(&body.to_string()));
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(
            answer.error(),
            (code.to_owned(), Some(param.to_owned())),
            "{body}"
        );
        let json = answer.json();
        let told = json["error"]["message"].as_str().unwrap();
        assert!(
            told.contains(message) && !told.contains(['{', '}']),
            "{told}"
        );
    }
    let format = json!({"format": {"type": "json_schema", "schema": endless}});
    let answer = ask(&post("/v1/responses", &json!({"text": format}).to_string()));
    assert_eq!(
        answer.error(),
        ("invalid_schema".to_owned(), Some("text".to_owned()))
    );
}

#[test]
fn tools_of_many_megabytes_are_no_harm() {
    let padding = "x".repeat(5_000_000);
    for (choice, status) in [("auto", 200), ("required", 400)] {
        let body = format!(
            r#"{{"tools":[{{"type":"function","function":{{"name":"f","description":"{padding}"}}}}],
                "tool_choice":"{choice}"}}"#
        );
        let mut client = super::client::Client::plain();
        let answer = client.ask(chat(&body));
        assert_eq!(answer.status, status, "{choice}");
        if status == 400 {
            let json = answer.json();
            let told = json["error"]["message"].as_str().unwrap();
            assert_eq!(told, "'tools' must take at most 1048576 bytes here.");
        }
    }
}
