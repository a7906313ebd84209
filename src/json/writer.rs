//! Writes values of a tree as JSON text, piece by piece.

use super::tree::{Kind, Tree};

/// The bytes of a string that are written at once: a few microseconds' work.
const TEXT_PIECE: usize = 4096;

impl Tree {
    /// Writes the value at a place as JSON text without white space. Names that occur twice are
    /// written twice.
    pub fn write(&self, at: u32, out: &mut String) {
        let mut writer = Writer::new(at);
        while writer.step(self, out) {}
    }
}

/// Writes a value node by node.
#[derive(Clone, Debug)]
pub struct Writer {
    at: u32,
    end: Option<u32>,
    /// The containers that are open: where each ends, and whether it is an object.
    open: Vec<(u32, bool)>,
    /// What was written last: a comma or a colon may have to follow.
    after: After,
    /// The bytes of the string at this place that have been written, if some have.
    text: Option<usize>,
}

/// What was written last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    Opening,
    Name,
    Value,
}

impl Writer {
    /// A writer of the value at a place.
    pub fn new(at: u32) -> Writer {
        Writer {
            at,
            end: None,
            open: Vec::new(),
            after: After::Opening,
            text: None,
        }
    }

    /// Writes the next node, or the next piece of a long string. Returns false when the value is
    /// complete.
    pub fn step(&mut self, tree: &Tree, out: &mut String) -> bool {
        if self.text.is_some() {
            return self.text_step(tree, out);
        }
        let end = *self.end.get_or_insert_with(|| tree.end(self.at));
        while let Some(&(end, object)) = self.open.last()
            && end == self.at
        {
            out.push(if object { '}' } else { ']' });
            self.open.pop();
            self.after = After::Value;
        }
        if self.at == end {
            return false;
        }
        match self.after {
            After::Opening => {}
            After::Name => out.push(':'),
            After::Value => out.push(','),
        }
        let is_name =
            self.after != After::Name && self.open.last().is_some_and(|(_, object)| *object);
        self.after = if is_name { After::Name } else { After::Value };
        match tree.kind(self.at) {
            Kind::Null => out.push_str("null"),
            Kind::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
            Kind::Integer(number) => out.push_str(&number.to_string()),
            Kind::Unsigned(number) => out.push_str(&number.to_string()),
            Kind::Float(number) => out.push_str(&float(number)),
            Kind::Text { .. } => {
                out.push('"');
                self.text = Some(0);
                return self.text_step(tree, out);
            }
            Kind::List { end, .. } => self.container(end, false, out),
            Kind::Object { end, .. } => self.container(end, true, out),
        }
        self.at += 1;
        true
    }

    /// Writes the next piece of a string.
    fn text_step(&mut self, tree: &Tree, out: &mut String) -> bool {
        let text = tree.text(self.at).unwrap_or_default();
        let from = self.text.take().unwrap_or(0);
        let rest = &text[from..];
        let mut ends = (0..4).map(|cut| rest.len().min(TEXT_PIECE) - cut);
        let end = ends.find(|end| rest.is_char_boundary(*end));
        let piece = &rest[..end.unwrap_or(rest.len())];
        let quoted = serde_json::to_string(piece).expect("a string is JSON");
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

    fn container(&mut self, end: u32, object: bool, out: &mut String) {
        out.push(if object { '{' } else { '[' });
        self.open.push((end, object));
        self.after = After::Opening;
    }
}

/// Formats a number so that it round-trips: integers beyond 64 bits with all digits, others in the
/// shortest form.
fn float(number: f64) -> String {
    /// Beyond it, readers expect an exponent.
    const DIGITS_MAX: f64 = 1e21;
    if number.fract() == 0.0 && (u64::MAX as f64..DIGITS_MAX).contains(&number.abs()) {
        return format!("{number:.0}");
    }
    serde_json::to_string(&number).expect("a finite number is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tree(value: &Value) -> Tree {
        Tree::from(value)
    }

    #[test]
    fn what_is_written_is_what_was_read() {
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
        for (number, want) in [
            (1e20, "100000000000000000000"),
            (-1e20, "-100000000000000000000"),
            (1e21, "1e21"),
            (0.5, "0.5"),
        ] {
            assert_eq!(float(number).replace('+', ""), want);
        }
    }
}
