//! A template: bytes to copy, and slots to fill. It is made at start from a JSON file, in which a
//! slot is a whole string of the form "$name"; its value replaces the string, quotes included. A
//! string that ends in "$id" keeps what precedes the id.

/// A placeholder in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The response's number: 16 hexadecimal digits.
    Id,
    /// The Unix time in seconds at which the response was made.
    Created,
    /// The model's name, a JSON string.
    Model,
    /// The items of a list: choices, vectors, models.
    Items,
    /// The comma between two items.
    Comma,
    /// The number of an item, from 0.
    Index,
    /// The generated text, as the inside of a JSON string.
    Content,
    /// A JSON value that says how far a text has come, in the words of an API.
    Ending(&'static Endings),
    /// The object that a chunk of a chat completion adds.
    Delta,
    /// The log probabilities of the tokens of the text next to it, in the form of each API.
    Logprobs,
    /// The object that counts the tokens of the request and of the response.
    Usage,
    /// The same as a member that may be missing: its comma and its name go with it.
    UsageMember,
    /// The name of the called function, a JSON string.
    Function,
    /// The number of an event in its stream, from 0.
    Sequence,
    /// The format of a response's text: an object, as the request has it.
    Format,
    /// A whole response, as some events carry it.
    Response,
    /// The only item of a response's output.
    Output,
    /// The list that holds this item, without its brackets; empty at first.
    Outputs,
    /// The only part of a message's content.
    Part,
    /// The list that holds this part, without its brackets; empty at first.
    Parts,
    /// An embedding: a list of numbers, or a base64 string.
    Embedding,
    /// The number of tokens of the request.
    Prompt,
    /// The number of tokens of the response.
    Completion,
    /// The sum of both.
    Total,
    /// The type of an error.
    Type,
    /// The code of an error.
    Code,
    /// The message of an error.
    Message,
    /// The field of the request that caused an error, or null.
    Param,
    /// The text of a view of the server itself: the page, the metrics, the statistics.
    View,
}

/// The JSON values that say how far a text has come.
#[derive(Debug, PartialEq, Eq)]
pub struct Endings {
    /// Before its end.
    pub open: &'static str,
    /// It ended by itself.
    pub stop: &'static str,
    /// It was cut by a limit.
    pub cut: &'static str,
    /// It was a call.
    pub call: &'static str,
}

/// The names of the slots in the files, with the constant bytes before and after their values.
const SLOTS: &[(&str, &str, Slot, &str)] = &[
    ("created", "", Slot::Created, ""),
    ("model", "", Slot::Model, ""),
    ("items", "", Slot::Items, ""),
    ("index", "", Slot::Index, ""),
    ("content", "\"", Slot::Content, "\""),
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
#[derive(Clone, Debug, Default)]
pub struct Template {
    text: Vec<u8>,
    /// Each slot, and its place in `text`.
    slots: Vec<(usize, Slot)>,
}

impl Template {
    /// Cuts the text of a template file. The files are compiled in, so a bad one is our own error
    /// and panics at start: text that is no JSON, or a slot that does not exist. `endings` has the
    /// names of slots that say how far a text has come.
    pub fn parse(json: &str, endings: &'static [(&str, Endings)]) -> Template {
        serde_json::from_str::<serde_json::Value>(json).expect("templates are JSON");
        let mut template = Template::default();
        let mut rest = json;
        while let Some(open) = rest.find('"') {
            template.push_structure(&rest[..open]);
            let string = &rest[open..open + string_len(&rest[open..])];
            template.push_string(string, endings);
            rest = &rest[open + string.len()..];
        }
        template.push_structure(rest);
        template
    }

    /// Makes a template without slots.
    pub fn constant(text: &str) -> Template {
        Template {
            text: text.into(),
            slots: Vec::new(),
        }
    }

    /// Makes a template that is only a slot.
    pub fn only(slot: Slot) -> Template {
        Template {
            text: Vec::new(),
            slots: vec![(0, slot)],
        }
    }

    /// Returns true if the template has this slot.
    pub fn has(&self, slot: Slot) -> bool {
        self.slots.iter().any(|&(_, known)| known == slot)
    }

    /// Returns the parts before and after a slot.
    pub fn split(mut self, slot: Slot) -> (Template, Template) {
        let found = self.slots.iter().position(|&(_, known)| known == slot);
        let found = found.expect("the template has the slot");
        let cut = self.slots[found].0;
        let rest = self.slots[found + 1..].iter();
        let after = Template {
            text: self.text.split_off(cut),
            slots: rest.map(|&(at, slot)| (at - cut, slot)).collect(),
        };
        self.slots.truncate(found);
        (self, after)
    }

    /// Returns this template followed by another one.
    pub fn then(mut self, next: &Template) -> Template {
        let end = self.text.len();
        self.text.extend_from_slice(&next.text);
        let slots = next.slots.iter();
        self.slots.extend(slots.map(|&(at, slot)| (end + at, slot)));
        self
    }

    /// Returns this template with another one in place of a slot.
    pub fn with(self, slot: Slot, value: &Template) -> Template {
        let (mut rest, mut result) = (self, Template::default());
        while rest.has(slot) {
            let (before, after) = rest.split(slot);
            result = result.then(&before).then(value);
            rest = after;
        }
        result.then(&rest)
    }

    /// The number of slots.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Returns slot number `index` and the bytes that stand before it and after the slot before;
    /// `None` and the last bytes after the last slot.
    #[inline]
    pub fn piece(&self, index: usize) -> (&[u8], Option<Slot>) {
        let from = match index {
            0 => 0,
            _ => self.slots[index - 1].0,
        };
        match self.slots.get(index) {
            Some(&(at, slot)) => (&self.text[from..at], Some(slot)),
            None => (&self.text[from..], None),
        }
    }

    fn push_structure(&mut self, json: &str) {
        self.text
            .extend(json.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    }

    fn push_string(&mut self, string: &str, endings: &'static [(&str, Endings)]) {
        if let Some(before) = string.strip_suffix("$id\"") {
            self.text.extend_from_slice(before.as_bytes());
            self.slots.push((self.text.len(), Slot::Id));
            self.text.push(b'"');
            return;
        }
        let Some(name) = string.strip_prefix("\"$").and_then(|s| s.strip_suffix('"')) else {
            self.text.extend_from_slice(string.as_bytes());
            return;
        };
        if let Some((_, endings)) = endings.iter().find(|(known, _)| *known == name) {
            self.slots.push((self.text.len(), Slot::Ending(endings)));
            return;
        }
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
        let mut out = String::new();
        for index in 0..=template.slots() {
            let (text, slot) = template.piece(index);
            out += std::str::from_utf8(text).unwrap();
            out += &slot.map_or(String::new(), |slot| format!("<{slot:?}>"));
        }
        out
    }

    #[test]
    fn white_space_goes_and_slots_are_found() {
        let template = Template::parse(
            r#"{ "id": "cmpl-mock$id", "a b": [ "$index", "x \"$y\" \\", "$content" ], "e": 1.0 }"#,
            &[],
        );
        let want = r#"{"id":"cmpl-mock<Id>","a b":[<Index>,"x \"$y\" \\","<Content>"],"e":1.0}"#;
        assert_eq!(show(&template), want);
    }

    #[test]
    fn a_member_that_may_be_missing_goes_with_its_name() {
        let template = Template::parse(r#"{"a": 1, "usage": "$usage_member"}"#, &[]);
        assert_eq!(show(&template), r#"{"a":1<UsageMember>}"#);
    }

    #[test]
    fn a_template_splits_at_a_slot() {
        let (before, after) =
            Template::parse(r#"{"m":"$model","l":["$items"],"p":"$prompt"}"#, &[])
                .split(Slot::Items);
        assert_eq!(show(&before), r#"{"m":<Model>,"l":["#);
        assert_eq!(show(&after), r#"],"p":<Prompt>}"#);
    }

    #[test]
    fn a_template_takes_the_place_of_a_slot() {
        let inner = Template::parse(r#"[ "$index", 1 ]"#, &[]);
        let outer = Template::parse(r#"{"a":"$part","b":"$part","c":"$model"}"#, &[]);
        let want = r#"{"a":[<Index>,1],"b":[<Index>,1],"c":<Model>}"#;
        assert_eq!(show(&outer.with(Slot::Part, &inner)), want);
    }

    #[test]
    #[should_panic(expected = "slots that exist")]
    fn an_unknown_slot_is_refused() {
        Template::parse(r#"{"a":"$nothing"}"#, &[]);
    }

    #[test]
    #[should_panic(expected = "templates are JSON")]
    fn what_is_no_json_is_refused() {
        Template::parse(r#"{"a":}"#, &[]);
    }
}
