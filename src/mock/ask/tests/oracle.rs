//! What serde_json makes of a body, by the rules of the fields, to compare with.

use serde_json::Value;

use super::*;

/// A text with the escapes of surrogates made those of a letter: serde_json refuses lone
/// ones, which RFC 8259 allows.
fn letters(mut text: Vec<u8>) -> Vec<u8> {
    for at in 0..text.len().saturating_sub(5) {
        let escape = &mut text[at..at + 6];
        let is_hex = escape[2..].iter().all(u8::is_ascii_hexdigit);
        if escape.starts_with(b"\\u") && is_hex && escape[2].eq_ignore_ascii_case(&b'd') {
            escape.copy_from_slice(b"\\u0041");
        }
    }
    text
}

/// What serde_json makes of a body: None if it cannot tell, for it refuses numbers over f64, and
/// takes integers over u64 for others.
fn oracle(endpoint: Endpoint, body: &[u8]) -> Option<Result<Plain, Bad>> {
    if body
        .windows(20)
        .any(|run| run.iter().all(u8::is_ascii_digit))
    {
        return None;
    }
    let letters = letters(body.to_vec());
    match body.iter().find(|byte| !b" \t\r\n".contains(byte)) {
        None if body.is_empty() => return Some(Ok(DEFAULT)),
        Some(b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            return Some(Err(Bad::NotObject));
        }
        _ => {}
    }
    if std::str::from_utf8(&letters).is_err() {
        return Some(syntax(0));
    }
    match serde_json::from_slice::<Value>(&letters) {
        Ok(value) => Some(expected(endpoint, &value)),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(_) => Some(syntax(0)),
    }
}

fn expected(endpoint: Endpoint, body: &Value) -> Result<Plain, Bad> {
    let chat = endpoint == Endpoint::Chat;
    let embeddings = endpoint == Endpoint::Embeddings;
    let get = |name: &str, read: bool| body.get(name).filter(|it| read && !it.is_null());
    let limit = |name: &str, read: bool, field: Field, max: u64| match get(name, read) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) if (1..=max).contains(&number) => Ok(Some(number)),
            _ => Err(refusal(field).unwrap_err()),
        },
    };
    let any = u64::MAX;
    let mut plain = DEFAULT;
    if let Some(model) = get("model", true) {
        let name = model.as_str().ok_or(refusal(Field::Model).unwrap_err())?;
        plain.model = Some(name.as_bytes().to_vec()).filter(|name| !name.is_empty());
    }
    if let Some(stream) = get("stream", !embeddings) {
        plain.stream = stream
            .as_bool()
            .ok_or(refusal(Field::Stream).unwrap_err())?;
    }
    plain.n = limit("n", chat, Field::N, 128)?.unwrap_or(1) as u8;
    let limits = [
        limit("max_tokens", chat, Field::MaxTokens, any)?,
        limit(
            "max_completion_tokens",
            chat,
            Field::MaxCompletionTokens,
            any,
        )?,
        limit(
            "max_output_tokens",
            endpoint == Endpoint::Responses,
            Field::MaxOutputTokens,
            any,
        )?,
    ];
    let least = limits.into_iter().flatten().min();
    plain.token_limit = least.map(|number| number.min(u64::from(u32::MAX)) as u32);
    match get("encoding_format", embeddings).map(Value::as_str) {
        None | Some(Some("float")) => {}
        Some(Some("base64")) => plain.encoding = Encoding::Base64,
        Some(_) => return refusal(Field::EncodingFormat),
    }
    let dimensions = limit("dimensions", embeddings, Field::Dimensions, 4096)?;
    plain.dimensions = dimensions.map(|number| number as u16);
    if let Some(input) = get("input", embeddings) {
        plain.inputs = inputs(input).map_err(|why| field("input", why).unwrap_err())?;
    }
    let refused = |field: Field| refusal(field).unwrap_err();
    let responses = endpoint == Endpoint::Responses;
    if let Some(options) = get("stream_options", chat) {
        let options = options.as_object().ok_or(refused(Field::StreamOptions))?;
        let usage = options
            .get("include_usage")
            .filter(|usage| !usage.is_null());
        if let Some(usage) = usage {
            plain.include_usage = usage.as_bool().ok_or(refused(Field::StreamOptions))?;
        }
    }
    let mut with_logprobs = false;
    if let Some(wanted) = get("logprobs", chat) {
        with_logprobs = wanted.as_bool().ok_or(refused(Field::Logprobs))?;
    }
    let mut others = 0;
    if let Some(count) = get("top_logprobs", !embeddings) {
        let count = count.as_u64().filter(|count| *count <= 20);
        others = count.ok_or(refused(Field::TopLogprobs))? as u8;
    }
    if let Some(include) = get("include", responses) {
        let include = include.as_array().ok_or(refused(Field::Include))?;
        for what in include.iter().filter(|what| !what.is_null()) {
            let what = what.as_str().ok_or(refused(Field::Include))?;
            with_logprobs |= what == "message.output_text.logprobs";
        }
    }
    plain.logprobs = with_logprobs.then_some(others);
    for (place, (name, read, allowed)) in [
        ("tools", !embeddings, Value::is_array as fn(&Value) -> bool),
        ("tool_choice", !embeddings, |it| {
            it.is_string() || it.is_object()
        }),
        ("response_format", chat, Value::is_object),
        ("text", responses, Value::is_object),
    ]
    .into_iter()
    .enumerate()
    {
        let value = get(name, read);
        if !value.is_none_or(allowed) {
            return Err(refused(HELD[place]));
        }
        plain.held[place] = Ok(value.cloned());
    }
    plain.echo = match endpoint {
        Endpoint::Chat => body.get("messages").and_then(last_said),
        Endpoint::Responses => body.get("input").and_then(last_said),
        _ => None,
    };
    Ok(plain)
}

/// What the last user's message says, or the last string in its place.
fn last_said(messages: &Value) -> Option<String> {
    let list = match messages {
        Value::String(said) => return Some(said.clone()),
        messages => messages.as_array()?,
    };
    let said = |message: &Value| match message {
        Value::String(said) => Some(said.clone()),
        message if message["role"] == "user" => Some(match &message["content"] {
            Value::String(said) => said.clone(),
            content => {
                let parts = content.as_array().into_iter().flatten();
                parts
                    .filter_map(|part| part["text"].as_str())
                    .fold(String::new(), |said, part| match said.is_empty() {
                        true => part.to_owned(),
                        false => said + "\n" + part,
                    })
            }
        }),
        _ => None,
    };
    list.iter().filter_map(said).next_back()
}

/// The rules of `input` one after the other, for lists up to the limit.
fn inputs(input: &Value) -> Result<u16, &'static str> {
    let list = match input {
        Value::String(text) if text.is_empty() => return Err(INPUT_EMPTY_TEXT),
        Value::String(_) => return Ok(1),
        Value::Array(list) => list,
        _ => return Err(INPUT_TYPE),
    };
    let first = list.first().ok_or(INPUT_EMPTY_LIST)?;
    for element in list {
        let same = std::mem::discriminant(element) == std::mem::discriminant(first);
        match element {
            Value::String(_) | Value::Number(_) | Value::Array(_) if !same => {
                return Err(INPUT_MIXED);
            }
            Value::String(text) if text.is_empty() => return Err(INPUT_EMPTY_ELEMENT),
            Value::Array(tokens) if tokens.is_empty() => return Err(INPUT_EMPTY_ELEMENT),
            Value::Array(tokens) if !tokens.iter().all(Value::is_number) => {
                return Err(INPUT_TOKEN);
            }
            Value::String(_) | Value::Number(_) | Value::Array(_) => {}
            _ => return Err(INPUT_ELEMENT),
        }
    }
    Ok(if first.is_number() {
        1
    } else {
        list.len() as u16
    })
}

/// Compares with the oracle. Where it says "not JSON" it does not say where; where a model
/// has escapes it says the resolved name, so the raw one is resolved by serde_json too.
pub fn check(ask: &mut Ask, endpoint: Endpoint, body: &[u8]) {
    let mut ours = verdict(ask, endpoint, body);
    let Some(theirs) = oracle(endpoint, body) else {
        return;
    };
    // serde_json's depth is no error of its own.
    if let (Err(Bad::TooDeep), Err(_)) = (&ours, &theirs) {
        return;
    }
    let surrogates = letters(body.to_vec()) != body;
    if surrogates && ours == Err(Bad::HalfPair) {
        return;
    }
    if let (Ok(ours), Ok(theirs)) = (&mut ours, &theirs) {
        // serde_json was given other letters in their place.
        if surrogates {
            ours.held.clone_from(&theirs.held);
            ours.echo.clone_from(&theirs.echo);
        }
        ours.model = ours.model.take().map(|raw| {
            let quoted = letters([b"\"", &raw[..], b"\""].concat());
            serde_json::from_slice::<String>(&quoted).map_or(raw, String::into_bytes)
        });
    }
    if let (Err(Bad::Syntax { at }), Err(Bad::Syntax { .. })) = (&ours, &theirs) {
        assert!(*at <= body.len() as u64);
        return;
    }
    // Escapes can make a raw model too long that is not once resolved, and no text.
    let is_object = matches!(theirs, Ok(_) | Err(Bad::Field { .. }));
    if ours == refusal(Field::Model) && is_object && (body.len() > MODEL_MAX || surrogates) {
        return;
    }
    assert_eq!(ours, theirs, "{endpoint:?} {}", body.escape_ascii());
}
