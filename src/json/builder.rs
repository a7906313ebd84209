//! Builds a [`Tree`] from parser events. Strings arrive in pieces, which may be cut at any byte.

use super::tree::{Node, Tree};

/// The length of the longest escape sequence in bytes: a surrogate pair such as `\uD83D\uDE00`.
const ESCAPE_MAX: usize = 12;

/// The reason why a well-formed JSON value cannot be stored in a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrepresentable {
    /// A string contains an unpaired surrogate, which UTF-8 cannot encode.
    Surrogate,
    /// A number is beyond the range of an `f64`.
    Number,
}

/// Builder of a [`Tree`]. The caller guarantees that the input is grammatical: strings are valid,
/// containers are closed in order, and names and values alternate.
#[derive(Debug, Default)]
pub struct Builder {
    tree: Tree,
    /// The open containers: the position of each and its number of elements or members so far.
    open: Vec<(u32, u32)>,
    /// True if the last node is a string that has not ended yet.
    in_string: bool,
    /// The bytes of an incomplete escape sequence or UTF-8 sequence.
    carry: Vec<u8>,
}

impl Builder {
    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.tree.bytes()
    }

    /// Adds `null`.
    pub fn null(&mut self) {
        self.count();
        self.tree.push(Node::Null);
    }

    /// Adds `true` or `false`.
    pub fn boolean(&mut self, truth: bool) {
        self.count();
        self.tree.push(Node::Bool(truth));
    }

    /// Adds a number, parsed from its JSON text.
    pub fn number(&mut self, raw: &[u8]) -> Result<(), Unrepresentable> {
        self.count();
        self.tree.push(number(raw).ok_or(Unrepresentable::Number)?);
        Ok(())
    }

    /// Adds the next piece of a string: raw JSON from between the quotes.
    pub fn string_piece(&mut self, raw: &[u8], is_name: bool) -> Result<(), Unrepresentable> {
        if !std::mem::replace(&mut self.in_string, true) {
            if !is_name {
                self.count();
            }
            self.tree.push_string("");
        }
        let joined;
        let raw = match self.carry.is_empty() {
            true => raw,
            false => {
                joined = [&self.carry, raw].concat();
                &joined
            }
        };
        let used = self.decode(raw)?;
        self.carry = raw[used..].to_vec();
        Ok(())
    }

    /// Ends the string.
    pub fn string_end(&mut self) -> Result<(), Unrepresentable> {
        self.in_string = false;
        // In a valid string, only half of a surrogate pair can still be incomplete here.
        match std::mem::take(&mut self.carry).is_empty() {
            true => Ok(()),
            false => Err(Unrepresentable::Surrogate),
        }
    }

    /// Begins an array or an object.
    pub fn begin(&mut self, object: bool) {
        self.count();
        let at = self.tree.open(object);
        self.open.push((at, 0));
    }

    /// Ends the innermost array or object.
    pub fn end(&mut self) {
        if let Some((at, len)) = self.open.pop() {
            self.tree.close(at, len);
        }
    }

    /// Returns whether the value is complete.
    pub fn is_complete(&self) -> bool {
        self.open.is_empty() && !self.tree.is_empty() && !self.in_string
    }

    /// Returns the tree. The value must be complete.
    pub fn finish(self) -> Tree {
        debug_assert!(self.is_complete());
        self.tree
    }

    /// Counts another element or member of the innermost container.
    fn count(&mut self) {
        if let Some((_, len)) = self.open.last_mut() {
            *len += 1;
        }
    }

    /// Decodes `raw` into the current string and returns the number of bytes consumed. An
    /// incomplete escape or UTF-8 sequence at the end is not consumed.
    fn decode(&mut self, raw: &[u8]) -> Result<usize, Unrepresentable> {
        let mut used = 0;
        while used < raw.len() {
            let rest = &raw[used..];
            if rest[0] == b'\\' {
                match escape(rest)? {
                    Some((char, len)) => {
                        self.tree.extend_string(char.encode_utf8(&mut [0; 4]));
                        used += len;
                    }
                    None => break,
                }
                continue;
            }
            let run = rest.iter().position(|byte| *byte == b'\\');
            let run = &rest[..run.unwrap_or(rest.len())];
            let valid = match std::str::from_utf8(run) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&run[..error.valid_up_to()])
                    .expect("this prefix is valid UTF-8"),
            };
            self.tree.extend_string(valid);
            used += valid.len();
            if valid.len() < run.len() {
                break;
            }
        }
        debug_assert!(raw.len() - used <= ESCAPE_MAX);
        Ok(used)
    }
}

/// Returns the character that an escape sequence stands for and the length of the sequence, or
/// `None` if it is incomplete.
fn escape(raw: &[u8]) -> Result<Option<(char, usize)>, Unrepresentable> {
    let Some(letter) = raw.get(1) else {
        return Ok(None);
    };
    let plain = match letter {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point(raw),
        letter => char::from(*letter),
    };
    Ok(Some((plain, 2)))
}

fn code_point(raw: &[u8]) -> Result<Option<(char, usize)>, Unrepresentable> {
    let unit = |digits: &[u8]| {
        digits.iter().fold(0u16, |code, digit| {
            code << 4 | char::from(*digit).to_digit(16).unwrap_or(0) as u16
        })
    };
    let Some(digits) = raw.get(2..6) else {
        return Ok(None);
    };
    let first = unit(digits);
    if let Some(char) = char::from_u32(first.into()) {
        return Ok(Some((char, 6)));
    }
    // RFC 8259, section 7: characters outside the Basic Multilingual Plane are escaped as a
    // surrogate pair.
    let second = &raw[6..raw.len().min(ESCAPE_MAX)];
    if first >= 0xDC00 || !second.iter().zip(b"\\u").all(|(a, b)| a == b) {
        return Err(Unrepresentable::Surrogate);
    }
    let Some(digits) = second.get(2..6) else {
        return Ok(None);
    };
    match char::decode_utf16([first, unit(digits)]).next() {
        Some(Ok(char)) => Ok(Some((char, ESCAPE_MAX))),
        _ => Err(Unrepresentable::Surrogate),
    }
}

fn number(raw: &[u8]) -> Option<Node> {
    let text = std::str::from_utf8(raw).ok()?;
    if let Ok(number) = text.parse() {
        // Only a floating-point number can be a negative zero.
        return Some(match number {
            0 if raw[0] == b'-' => Node::Float(-0.0),
            number => Node::Integer(number),
        });
    }
    if let Ok(number) = text.parse() {
        return Some(Node::Unsigned(number));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Node::Float(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the string that the pieces decode to.
    fn decoded(pieces: &[&[u8]]) -> Result<String, Unrepresentable> {
        let mut builder = Builder::default();
        for piece in pieces {
            builder.string_piece(piece, false)?;
        }
        builder.string_end()?;
        let tree = builder.finish();
        Ok(tree.text(0).expect("the value is a string").to_owned())
    }

    #[test]
    fn strings_are_decoded_wherever_they_are_cut() {
        for raw in [
            "",
            "plain",
            r"a\n\t\\\/\u0041\u00e9",
            r"\ud83d\ude42 and \uD83D\uDE00",
            "é€🙂",
            r"é\u0000🙂\b",
        ] {
            let expected: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            let raw = raw.as_bytes();
            for first in 0..=raw.len() {
                for second in first..=raw.len() {
                    let pieces = [&raw[..first], &raw[first..second], &raw[second..]];
                    assert_eq!(decoded(&pieces).as_ref(), Ok(&expected));
                }
            }
        }
    }

    #[test]
    fn unpaired_surrogates_are_rejected() {
        for raw in [
            r"\ud800",
            r"\udc00\ud800",
            r"\ud800x",
            r"\ud800\n",
            r"\ud800\u0041",
        ] {
            for cut in 0..raw.len() {
                let (head, tail) = raw.as_bytes().split_at(cut);
                assert_eq!(
                    decoded(&[head, tail]),
                    Err(Unrepresentable::Surrogate),
                    "{raw}"
                );
            }
        }
    }

    #[test]
    fn elements_and_members_are_counted() {
        let mut builder = Builder::default();
        builder.begin(true);
        builder.string_piece(b"a", true).unwrap();
        builder.string_end().unwrap();
        builder.begin(false);
        builder.null();
        builder.string_piece(b"b", false).unwrap();
        builder.string_end().unwrap();
        builder.end();
        builder.end();
        let expected = serde_json::json!({"a": [null, "b"]});
        assert_eq!(builder.finish(), Tree::from(&expected));
    }

    #[test]
    fn numbers_keep_their_exact_value() {
        for (raw, expected) in [
            ("0", Some(Node::Integer(0))),
            ("-0", Some(Node::Float(-0.0))),
            ("-9223372036854775808", Some(Node::Integer(i64::MIN))),
            ("18446744073709551615", Some(Node::Unsigned(u64::MAX))),
            (
                "18446744073709551616",
                Some(Node::Float(18_446_744_073_709_551_616.0)),
            ),
            ("2.0", Some(Node::Float(2.0))),
            ("1e999", None),
        ] {
            assert_eq!(number(raw.as_bytes()), expected, "{raw}");
        }
    }
}
