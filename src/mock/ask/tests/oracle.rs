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

/// What serde_json makes of a body: None if it cannot tell, for it refuses numbers over f64.
fn oracle(endpoint: Endpoint, body: &[u8]) -> Option<Result<Plain, Bad>> {
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
    Ok(plain)
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
    if let (Ok(ours), Ok(_)) = (&mut ours, &theirs) {
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
    let surrogates = letters(body.to_vec()) != body;
    let is_object = matches!(theirs, Ok(_) | Err(Bad::Field { .. }));
    if ours == refusal(Field::Model) && is_object && (body.len() > MODEL_MAX || surrogates) {
        return;
    }
    assert_eq!(ours, theirs, "{endpoint:?} {}", body.escape_ascii());
}
