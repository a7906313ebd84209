//! Serializes values of a tree as JSON text, piece by piece.

use super::tree::{Node, Tree};

/// The most bytes of a string that are written in one step, so that a step takes a few
/// microseconds.
const TEXT_PIECE: usize = 4096;

impl Tree {
    /// Writes the value at a position as JSON text without whitespace. Duplicate names are kept.
    pub fn write(&self, at: u32, out: &mut String) {
        let mut writer = JsonWriter::new(at);
        while writer.step(self, out) {}
    }
}

/// Incremental writer of one value, node by node.
#[derive(Clone, Debug)]
pub struct JsonWriter {
    at: u32,
    end: Option<u32>,
    /// The open containers: the position of each one's end, and true if it is an object.
    open: Vec<(u32, bool)>,
    /// The last token, which decides whether a comma or a colon comes next.
    last: Token,
    /// The number of bytes already written of the string at `at`, if it has been begun.
    text: Option<usize>,
}

/// The kind of the token that was written last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Opening,
    Name,
    Value,
}

impl JsonWriter {
    /// Creates a writer of the value at a position.
    pub fn new(at: u32) -> JsonWriter {
        JsonWriter {
            at,
            end: None,
            open: Vec::new(),
            last: Token::Opening,
            text: None,
        }
    }

    /// Writes the next node, or the next piece of a long string. Returns false when the value is
    /// complete.
    pub fn step(&mut self, tree: &Tree, out: &mut String) -> bool {
        if self.text.is_some() {
            return self.string_step(tree, out);
        }
        let end = *self.end.get_or_insert_with(|| tree.end(self.at));
        while let Some((_, object)) = self.open.pop_if(|(end, _)| *end == self.at) {
            out.push(if object { '}' } else { ']' });
            self.last = Token::Value;
        }
        if self.at == end {
            return false;
        }
        match self.last {
            Token::Opening => {}
            Token::Name => out.push(':'),
            Token::Value => out.push(','),
        }
        let is_name =
            self.last != Token::Name && self.open.last().is_some_and(|(_, object)| *object);
        self.last = if is_name { Token::Name } else { Token::Value };
        match tree.node(self.at) {
            Node::Null => out.push_str("null"),
            Node::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
            Node::Integer(number) => out.push_str(&number.to_string()),
            Node::Unsigned(number) => out.push_str(&number.to_string()),
            Node::Float(number) => out.push_str(&float(number)),
            Node::String { .. } => {
                out.push('"');
                self.text = Some(0);
                return self.string_step(tree, out);
            }
            Node::Array { end, .. } | Node::Object { end, .. } => {
                let object = tree.is_object(self.at);
                out.push(if object { '{' } else { '[' });
                self.open.push((end, object));
                self.last = Token::Opening;
            }
        }
        self.at += 1;
        true
    }

    /// Writes the next piece of a string.
    fn string_step(&mut self, tree: &Tree, out: &mut String) -> bool {
        let text = tree.text(self.at).unwrap_or_default();
        let from = self.text.take().unwrap_or(0);
        let rest = &text[from..];
        let mut ends = (0..4).map(|cut| rest.len().min(TEXT_PIECE) - cut);
        let end = ends.find(|end| rest.is_char_boundary(*end));
        let piece = &rest[..end.unwrap_or(rest.len())];
        let quoted = serde_json::to_string(piece).expect("a string can be serialized");
        out.push_str(&quoted[1..quoted.len() - 1]);
        match piece.len() < rest.len() {
            true => self.text = Some(from + piece.len()),
            false => {
                out.push('"');
                self.at += 1;
            }
        }
        true
    }
}

/// Formats a number so that it round-trips: integers beyond 64 bits with all their digits, other
/// numbers in the shortest form.
fn float(number: f64) -> String {
    /// The number from which JavaScript writes an exponent.
    const DIGITS_MAX: f64 = 1e21;
    if number.fract() == 0.0 && (u64::MAX as f64..DIGITS_MAX).contains(&number.abs()) {
        return format!("{number:.0}");
    }
    serde_json::to_string(&number).expect("a finite number can be serialized")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tree(value: &Value) -> Tree {
        Tree::from(value)
    }

    #[test]
    fn written_json_parses_to_the_same_value() {
        for value in [
            json!(null),
            json!(-1.5),
            json!(u64::MAX),
            json!(i64::MIN),
            json!([]),
            json!({}),
            json!("é".repeat(TEXT_PIECE)),
            json!([[], {}, [1, [2]], {"a": {"b\n": [true, null, "\u{1}é"]}}]),
        ] {
            let tree = tree(&value);
            let mut text = String::new();
            tree.write(0, &mut text);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn large_integers_are_written_with_all_digits() {
        for (number, expected) in [
            (1e20, "100000000000000000000"),
            (-1e20, "-100000000000000000000"),
            (1e21, "1e21"),
            (0.5, "0.5"),
        ] {
            assert_eq!(float(number).replace('+', ""), expected);
        }
    }
}
