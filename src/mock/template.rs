//! A JSON file, cut at start into bytes to copy and slots to fill. A slot is a whole string of the
//! form "$name"; what fills it is written where the string stood. Knows no endpoint.

/// What can stand in a template in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The answer's own number: 16 hexadecimal digits.
    Id,
    /// When the answer was made: Unix time in seconds.
    Created,
    /// The model's name, a JSON string.
    Model,
    /// Where an answer's items go, comma between them: its choices, its vectors.
    Items,
    /// Which item this is, from 0.
    Index,
    /// The text that was "generated", as the inside of a JSON string.
    Content,
    /// Why a choice ended: `"stop"`, `"length"` or `"tool_calls"`; null in a stream before its end.
    FinishReason,
    /// How a response stands: `"in_progress"`, `"completed"` or `"incomplete"`.
    Status,
    /// Null, or why a response is incomplete.
    IncompleteDetails,
    /// What a chunk of a chat completion adds: an object.
    Delta,
    /// The probabilities of the tokens beside it, as each API has them; mostly null or nothing.
    Logprobs,
    /// The tokens of request and answer: an object.
    Usage,
    /// The same as a member that may be missing: the comma and the name go with it.
    UsageMember,
    /// The name of the function that is called, a JSON string.
    Function,
    /// A stream's event as it counts: from 0.
    Sequence,
    /// The format that a response's text has: an object, as the request has it.
    Format,
    /// A whole response, as some events carry it.
    Response,
    /// The one item of a response's output.
    Output,
    /// The items of its list: none before there is any.
    Outputs,
    /// The one part of a message's content.
    Part,
    /// The parts of its list: none before there is any.
    Parts,
    /// One embedding: a list of numbers, or a string of base64.
    Embedding,
    /// Tokens of the request.
    Prompt,
    /// Tokens of the answer.
    Completion,
    /// Both together.
    Total,
    /// An error's type.
    Type,
    /// An error's code.
    Code,
    /// What went wrong, for people.
    Message,
    /// The request's field that was wrong, or null.
    Param,
}

/// A slot's name in the files, with the constant bytes that go before and after what fills it.
const SLOTS: &[(&str, &str, Slot, &str)] = &[
    ("chat_id", "\"cmpl-mock", Slot::Id, "\""),
    ("response_id", "\"resp-mock", Slot::Id, "\""),
    ("message_id", "\"msg_mock", Slot::Id, "\""),
    ("call_id", "\"call_mock", Slot::Id, "\""),
    ("function_call_id", "\"fc_mock", Slot::Id, "\""),
    ("moderation_id", "\"modr-mock", Slot::Id, "\""),
    ("created", "", Slot::Created, ""),
    ("model", "", Slot::Model, ""),
    ("items", "", Slot::Items, ""),
    ("index", "", Slot::Index, ""),
    ("content", "\"", Slot::Content, "\""),
    ("finish_reason", "", Slot::FinishReason, ""),
    ("status", "", Slot::Status, ""),
    ("incomplete_details", "", Slot::IncompleteDetails, ""),
    ("delta", "", Slot::Delta, ""),
    ("logprobs", "", Slot::Logprobs, ""),
    ("usage", "", Slot::Usage, ""),
    ("usage_member", "", Slot::UsageMember, ""),
    ("function", "", Slot::Function, ""),
    ("format", "", Slot::Format, ""),
    ("sequence", "", Slot::Sequence, ""),
    ("response", "", Slot::Response, ""),
    ("output", "", Slot::Output, ""),
    ("outputs", "", Slot::Outputs, ""),
    ("part", "", Slot::Part, ""),
    ("parts", "", Slot::Parts, ""),
    ("embedding", "", Slot::Embedding, ""),
    ("prompt", "", Slot::Prompt, ""),
    ("completion", "", Slot::Completion, ""),
    ("total", "", Slot::Total, ""),
    ("type", "", Slot::Type, ""),
    ("code", "", Slot::Code, ""),
    ("message", "", Slot::Message, ""),
    ("param", "", Slot::Param, ""),
];

/// A template, ready to render.
#[derive(Debug, Default)]
pub struct Template {
    text: Vec<u8>,
    /// Each slot, and where in `text` it goes.
    slots: Vec<(usize, Slot)>,
}

impl Template {
    /// Cuts the text of a template file. The files are compiled in, so a bad one is our own error
    /// and panics at start: text that is no JSON, or a slot that does not exist.
    pub fn parse(json: &str) -> Template {
        serde_json::from_str::<serde_json::Value>(json).expect("templates are JSON");
        let mut template = Template::default();
        let mut rest = json;
        while let Some(open) = rest.find('"') {
            template.push_structure(&rest[..open]);
            let string = &rest[open..open + string_len(&rest[open..])];
            template.push_string(string);
            rest = &rest[open + string.len()..];
        }
        template.push_structure(rest);
        template
    }

    /// Whether a slot stands in this template.
    pub fn has(&self, slot: Slot) -> bool {
        self.slots.iter().any(|&(_, known)| known == slot)
    }

    /// The parts before and after a slot that stands once in this template.
    pub fn split(mut self, slot: Slot) -> (Template, Template) {
        let found = self
            .slots
            .iter()
            .position(|&(_, s)| s == slot)
            .expect("the slot stands in it");
        let cut = self.slots[found].0;
        let after = Template {
            text: self.text.split_off(cut),
            slots: self.slots[found + 1..]
                .iter()
                .map(|&(at, slot)| (at - cut, slot))
                .collect(),
        };
        self.slots.truncate(found);
        (self, after)
    }

    /// Appends the template to `out`; `fill` writes what goes into each slot.
    pub fn render(&self, out: &mut Vec<u8>, mut fill: impl FnMut(Slot, &mut Vec<u8>)) {
        let mut from = 0;
        for &(at, slot) in &self.slots {
            out.extend_from_slice(&self.text[from..at]);
            fill(slot, out);
            from = at;
        }
        out.extend_from_slice(&self.text[from..]);
    }

    fn push_structure(&mut self, json: &str) {
        self.text
            .extend(json.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    }

    fn push_string(&mut self, string: &str) {
        let Some(name) = string.strip_prefix("\"$").and_then(|s| s.strip_suffix('"')) else {
            self.text.extend_from_slice(string.as_bytes());
            return;
        };
        let known = SLOTS.iter().find(|row| row.0 == name);
        let &(_, before, slot, after) = known.expect("templates name only slots that exist");
        if slot == Slot::UsageMember {
            let member = self.text.iter().rposition(|&byte| byte == b',');
            self.text
                .truncate(member.expect("it is not the first member"));
        }
        self.text.extend_from_slice(before.as_bytes());
        self.slots.push((self.text.len(), slot));
        self.text.extend_from_slice(after.as_bytes());
    }
}

/// The length of the JSON string that `json` begins with, quotes included.
fn string_len(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    unreachable!("the text was checked to be JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(template: &Template) -> String {
        let mut out = Vec::new();
        template.render(&mut out, |slot, out| {
            out.extend(format!("<{slot:?}>").bytes())
        });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn white_space_goes_and_slots_are_found() {
        let template = Template::parse(
            r#"{ "id": "$chat_id", "a b": [ "$index", "x \"$y\" \\", "$content" ], "e": 1.0 }"#,
        );
        let want = r#"{"id":"cmpl-mock<Id>","a b":[<Index>,"x \"$y\" \\","<Content>"],"e":1.0}"#;
        assert_eq!(show(&template), want);
    }

    #[test]
    fn a_member_that_may_be_missing_goes_with_its_name() {
        let template = Template::parse(r#"{"a": 1, "usage": "$usage_member"}"#);
        assert_eq!(show(&template), r#"{"a":1<UsageMember>}"#);
    }

    #[test]
    fn a_template_splits_at_a_slot() {
        let (before, after) =
            Template::parse(r#"{"m":"$model","l":["$items"],"p":"$prompt"}"#).split(Slot::Items);
        assert_eq!(show(&before), r#"{"m":<Model>,"l":["#);
        assert_eq!(show(&after), r#"],"p":<Prompt>}"#);
    }

    #[test]
    #[should_panic(expected = "slots that exist")]
    fn an_unknown_slot_is_refused() {
        Template::parse(r#"{"a":"$nothing"}"#);
    }

    #[test]
    #[should_panic(expected = "templates are JSON")]
    fn what_is_no_json_is_refused() {
        Template::parse(r#"{"a":}"#);
    }
}
