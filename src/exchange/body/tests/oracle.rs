//! An oracle: the facts of a body from serde_json's value, by the rules of the fields.

use serde_json::Value;

use super::*;

/// Replaces the escapes of surrogates by those of a letter: serde_json refuses unpaired ones, which
/// RFC 8259 allows.
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

/// Returns serde_json's verdict on a body; None if it has none: it refuses numbers beyond f64, and
/// does not distinguish integers beyond u64.
fn oracle(endpoint: &'static Endpoint, body: &[u8]) -> Option<Result<Plain, Problem>> {
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
            return Some(Err(Problem::NOT_OBJECT));
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

fn expected(endpoint: &'static Endpoint, body: &Value) -> Result<Plain, Problem> {
    let wanted = Wanted { endpoint, body };
    let mut plain = DEFAULT;
    wanted.basics(&mut plain)?;
    wanted.embedding(&mut plain)?;
    wanted.options(&mut plain)?;
    wanted.held(&mut plain)?;
    plain.echo = match endpoint.route.path {
        "/chat/completions" => body.get("messages").and_then(last_said),
        "/responses" => body.get("input").and_then(last_said),
        _ => None,
    };
    Ok(plain)
}

/// A body and its endpoint.
struct Wanted<'a> {
    endpoint: &'static Endpoint,
    body: &'a Value,
}

impl<'a> Wanted<'a> {
    fn is(&self, endpoint: &'static Endpoint) -> bool {
        std::ptr::eq(self.endpoint, endpoint)
    }

    /// Returns the value of a field; None if it is null or not read.
    fn get(&self, name: &str, read: bool) -> Option<&'a Value> {
        self.body.get(name).filter(|it| read && !it.is_null())
    }

    /// Returns a number from 1 to `max`.
    fn limit(&self, name: &str, read: bool, field: &str, max: u64) -> Result<Option<u64>, Problem> {
        let in_range = |value: &Value| value.as_u64().filter(|it| (1..=max).contains(it));
        let value = self.get(name, read);
        value
            .map(|value| in_range(value).ok_or(refused(field)))
            .transpose()
    }

    fn basics(&self, plain: &mut Plain) -> Result<(), Problem> {
        let (chat, responses) = (self.is(CHAT), self.is(RESPONSES));
        if let Some(model) = self.get("model", true) {
            let name = model.as_str().ok_or(refused("model"))?;
            plain.model = Some(name.as_bytes().to_vec()).filter(|name| !name.is_empty());
        }
        if let Some(stream) = self.get("stream", !self.is(EMBEDDINGS)) {
            plain.stream = stream.as_bool().ok_or(refused("stream"))?;
        }
        plain.n = self.limit("n", chat, "n", 128)?.unwrap_or(1) as u8;
        let any = u64::MAX;
        let limits = [
            self.limit("max_tokens", chat, "max_tokens", any)?,
            self.limit("max_completion_tokens", chat, "max_completion_tokens", any)?,
            self.limit("max_output_tokens", responses, "max_output_tokens", any)?,
        ];
        let least = limits.into_iter().flatten().min();
        plain.token_limit = least.map(|number| number.min(u64::from(u32::MAX)) as u32);
        Ok(())
    }

    fn embedding(&self, plain: &mut Plain) -> Result<(), Problem> {
        let read = self.is(EMBEDDINGS);
        match self.get("encoding_format", read).map(Value::as_str) {
            None | Some(Some("float")) => {}
            Some(Some("base64")) => plain.encoding = Encoding::Base64,
            Some(_) => return Err(refused("encoding_format")),
        }
        let dimensions = self.limit("dimensions", read, "dimensions", 4096)?;
        plain.dimensions = dimensions.map(|number| number as u16);
        if let Some(input) = self.get("input", read) {
            let param = "input";
            plain.inputs = inputs(input).map_err(|message| Problem::field(param, message))?;
        }
        Ok(())
    }

    /// Reads the options for usage in streams and for log probabilities.
    fn options(&self, plain: &mut Plain) -> Result<(), Problem> {
        let chat = self.is(CHAT);
        if let Some(options) = self.get("stream_options", chat) {
            let options = options.as_object().ok_or(refused("stream_options"))?;
            let usage = options.get("include_usage").filter(|it| !it.is_null());
            if let Some(usage) = usage {
                plain.include_usage = usage.as_bool().ok_or(refused("stream_options"))?;
            }
        }
        let mut with_logprobs = false;
        if let Some(wanted) = self.get("logprobs", chat) {
            with_logprobs = wanted.as_bool().ok_or(refused("logprobs"))?;
        }
        let mut others = 0;
        if let Some(count) = self.get("top_logprobs", !self.is(EMBEDDINGS)) {
            let count = count.as_u64().filter(|count| *count <= 20);
            others = count.ok_or(refused("top_logprobs"))? as u8;
        }
        if let Some(include) = self.get("include", self.is(RESPONSES)) {
            let include = include.as_array().ok_or(refused("include"))?;
            for what in include.iter().filter(|what| !what.is_null()) {
                let what = what.as_str().ok_or(refused("include"))?;
                with_logprobs |= what == "message.output_text.logprobs";
            }
        }
        plain.logprobs = with_logprobs.then_some(others);
        Ok(())
    }

    fn held(&self, plain: &mut Plain) -> Result<(), Problem> {
        let prompted = !self.is(EMBEDDINGS);
        let is_choice = |it: &Value| it.is_string() || it.is_object();
        for (place, (name, read, allowed)) in [
            ("tools", prompted, Value::is_array as fn(&Value) -> bool),
            ("tool_choice", prompted, is_choice),
            ("response_format", self.is(CHAT), Value::is_object),
            ("text", self.is(RESPONSES), Value::is_object),
        ]
        .into_iter()
        .enumerate()
        {
            let value = self.get(name, read);
            if !value.is_none_or(allowed) {
                return Err(refused(HELD[place]));
            }
            plain.held[place] = Ok(value.cloned());
        }
        Ok(())
    }
}

/// Returns the text of the last message of the user, or the last string in its place.
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

/// Applies the rules of `input` one after the other, for lists up to the limit.
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

/// Compares the reader with the oracle. The oracle reports no offset of an error and resolves the
/// escapes in the name of a model, so serde_json resolves those of the raw name too.
pub fn check(reader: &mut BodyReader, endpoint: &'static Endpoint, body: &[u8]) {
    let mut ours = verdict(reader, endpoint, body);
    let Some(theirs) = oracle(endpoint, body) else {
        return;
    };
    // serde_json does not distinguish too deep nesting from other errors.
    if ours == Err(Problem::TOO_DEEP) && theirs.is_err() {
        return;
    }
    let surrogates = letters(body.to_vec()) != body;
    let is_half_pair = |param| ours == Err(half_pair(param));
    if surrogates && ["messages", "input"].into_iter().any(is_half_pair) {
        return;
    }
    if let (Ok(ours), Ok(theirs)) = (&mut ours, &theirs) {
        // serde_json read letters in their place.
        if surrogates {
            ours.held.clone_from(&theirs.held);
            ours.echo.clone_from(&theirs.echo);
        }
        ours.model = ours.model.take().map(|raw| {
            let quoted = letters([b"\"", &raw[..], b"\""].concat());
            serde_json::from_slice::<String>(&quoted).map_or(raw, String::into_bytes)
        });
    }
    if ours == Err(Problem::MARKED) {
        assert!(body.starts_with(b"\xef\xbb\xbf"));
        assert_eq!(theirs, syntax(0));
        return;
    }
    if let (Err(problem), true) = (&ours, theirs == syntax(0))
        && problem.message == Problem::NOT_JSON.message
    {
        assert!(problem.number <= body.len() as u64);
        return;
    }
    // Escapes can make a raw name too long that is short once resolved, or not a text.
    let is_object = theirs
        .as_ref()
        .err()
        .is_none_or(|problem| problem.param.is_some());
    if ours == refusal("model") && is_object && (body.len() > MODEL_MAX || surrogates) {
        return;
    }
    assert_eq!(ours, theirs, "{endpoint:?} {}", body.escape_ascii());
}
