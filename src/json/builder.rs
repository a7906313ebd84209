//! Builds a tree of values that arrive one by one, with strings in pieces that are cut anywhere.

use super::tree::{Kind, Tree};

/// The longest escape of one character, a surrogate pair, in bytes.
const ESCAPE_MAX: usize = 12;

/// The reason why a JSON text that is well formed cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A string contains an unpaired surrogate, which is not a character.
    Surrogate,
    /// A number is beyond the range of a double.
    Number,
}

/// Builds a tree. The caller vouches for the grammar: that strings are valid, that containers are
/// closed in order and that names and values alternate.
#[derive(Debug, Default)]
pub struct Builder {
    tree: Tree,
    /// The containers that are open, and the number of items or members of each.
    open: Vec<(u32, u32)>,
    /// True if the last node is a string whose end is still to come.
    in_text: bool,
    /// Bytes of an escape or a character that has not arrived whole.
    carry: Vec<u8>,
}

impl Builder {
    /// Adds `null`.
    pub fn null(&mut self) {
        self.count();
        self.tree.push(Kind::Null);
    }

    /// Adds `true` or `false`.
    pub fn truth(&mut self, truth: bool) {
        self.count();
        self.tree.push(Kind::Bool(truth));
    }

    /// Adds a number from its JSON text.
    pub fn number(&mut self, raw: &[u8]) -> Result<(), Unreadable> {
        self.count();
        self.tree.push(number(raw).ok_or(Unreadable::Number)?);
        Ok(())
    }

    /// Adds the next piece of a string, as it stands between the quotes.
    pub fn text_piece(&mut self, raw: &[u8], is_name: bool) -> Result<(), Unreadable> {
        if !std::mem::replace(&mut self.in_text, true) {
            if !is_name {
                self.count();
            }
            self.tree.push_text("");
        }
        let mut rest = raw;
        while !self.carry.is_empty() {
            let Some((byte, more)) = rest.split_first() else {
                return Ok(());
            };
            self.carry.push(*byte);
            rest = more;
            let carry = std::mem::take(&mut self.carry);
            let used = self.decode(&carry)?;
            self.carry.extend_from_slice(&carry[used..]);
        }
        let used = self.decode(rest)?;
        self.carry.extend_from_slice(&rest[used..]);
        Ok(())
    }

    /// Ends the string.
    pub fn text_end(&mut self) -> Result<(), Unreadable> {
        self.in_text = false;
        // Only half of a surrogate pair can wait for more that does not come.
        match std::mem::take(&mut self.carry).is_empty() {
            true => Ok(()),
            false => Err(Unreadable::Surrogate),
        }
    }

    /// Begins a list or an object.
    pub fn begin(&mut self, object: bool) {
        self.count();
        let at = self.tree.open(object);
        self.open.push((at, 0));
    }

    /// Ends the innermost list or object.
    pub fn end(&mut self) {
        if let Some((at, len)) = self.open.pop() {
            self.tree.close(at, len);
        }
    }

    /// Returns whether the value is complete.
    pub fn is_complete(&self) -> bool {
        self.open.is_empty() && !self.tree.is_empty() && !self.in_text
    }

    /// The tree, of a value that is complete.
    pub fn finish(self) -> Tree {
        debug_assert!(self.is_complete());
        self.tree
    }

    /// Another item or member of the innermost container begins.
    fn count(&mut self) {
        if let Some((_, len)) = self.open.last_mut() {
            *len += 1;
        }
    }

    /// Decodes `raw` into the string and returns the number of bytes consumed: an escape or a
    /// character that is cut at its end is left.
    fn decode(&mut self, raw: &[u8]) -> Result<usize, Unreadable> {
        let mut used = 0;
        while used < raw.len() {
            let rest = &raw[used..];
            if rest[0] == b'\\' {
                match escape(rest)? {
                    Some((char, len)) => {
                        self.tree.extend_text(char.encode_utf8(&mut [0; 4]));
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
                    .expect("it is valid up to there"),
            };
            self.tree.extend_text(valid);
            used += valid.len();
            if valid.len() < run.len() {
                break;
            }
        }
        debug_assert!(raw.len() - used <= ESCAPE_MAX);
        Ok(used)
    }
}

/// The character that an escape spells and the length of the escape; `None` if it is cut.
fn escape(raw: &[u8]) -> Result<Option<(char, usize)>, Unreadable> {
    let Some(sign) = raw.get(1) else {
        return Ok(None);
    };
    let plain = match sign {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return code_point(raw),
        sign => char::from(*sign),
    };
    Ok(Some((plain, 2)))
}

fn code_point(raw: &[u8]) -> Result<Option<(char, usize)>, Unreadable> {
    let unit = |digits: &[u8]| {
        digits.iter().fold(0, |code, digit| {
            code << 4 | char::from(*digit).to_digit(16).unwrap_or(0)
        })
    };
    let Some(digits) = raw.get(2..6) else {
        return Ok(None);
    };
    let first = unit(digits);
    if let Some(char) = char::from_u32(first) {
        return Ok(Some((char, 6)));
    }
    // RFC 8259, 7: what is outside the Basic Multilingual Plane is written as a surrogate pair.
    let second = &raw[6..raw.len().min(ESCAPE_MAX)];
    if first >= 0xDC00 || !second.iter().zip(b"\\u").all(|(a, b)| a == b) {
        return Err(Unreadable::Surrogate);
    }
    let Some(digits) = second.get(2..6) else {
        return Ok(None);
    };
    let low = unit(digits);
    if !(0xDC00..0xE000).contains(&low) {
        return Err(Unreadable::Surrogate);
    }
    let code = 0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00);
    let char = char::from_u32(code).ok_or(Unreadable::Surrogate)?;
    Ok(Some((char, ESCAPE_MAX)))
}

fn number(raw: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(raw).ok()?;
    if let Ok(number) = text.parse() {
        // Only a double has a negative zero.
        return Some(match number {
            0 if raw[0] == b'-' => Kind::Float(-0.0),
            number => Kind::Integer(number),
        });
    }
    if let Ok(number) = text.parse() {
        return Some(Kind::Unsigned(number));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Kind::Float(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The string that these pieces spell.
    fn spelled(pieces: &[&[u8]]) -> Result<String, Unreadable> {
        let mut builder = Builder::default();
        for piece in pieces {
            builder.text_piece(piece, false)?;
        }
        builder.text_end()?;
        let tree = builder.finish();
        Ok(tree.text(0).expect("it is a text").to_owned())
    }

    #[test]
    fn strings_are_read_in_every_cut() {
        for raw in [
            "",
            "plain",
            r"a\n\t\\\/\u0041\u00e9",
            r"\ud83d\ude42 and \uD83D\uDE00",
            "é€🙂",
            r"é\u0000🙂\b",
        ] {
            let want: String = serde_json::from_str(&format!("\"{raw}\"")).unwrap();
            let raw = raw.as_bytes();
            for first in 0..=raw.len() {
                for second in first..=raw.len() {
                    let pieces = [&raw[..first], &raw[first..second], &raw[second..]];
                    assert_eq!(spelled(&pieces).as_ref(), Ok(&want));
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
                assert_eq!(spelled(&[head, tail]), Err(Unreadable::Surrogate), "{raw}");
            }
        }
    }

    #[test]
    fn members_and_items_are_counted() {
        let mut builder = Builder::default();
        builder.begin(true);
        builder.text_piece(b"a", true).unwrap();
        builder.text_end().unwrap();
        builder.begin(false);
        builder.null();
        builder.text_piece(b"b", false).unwrap();
        builder.text_end().unwrap();
        builder.end();
        builder.end();
        let want = serde_json::json!({"a": [null, "b"]});
        assert_eq!(builder.finish(), Tree::from(&want));
    }

    #[test]
    fn numbers_are_kept_exactly() {
        for (raw, want) in [
            ("0", Some(Kind::Integer(0))),
            ("-0", Some(Kind::Float(-0.0))),
            ("-9223372036854775808", Some(Kind::Integer(i64::MIN))),
            ("18446744073709551615", Some(Kind::Unsigned(u64::MAX))),
            (
                "18446744073709551616",
                Some(Kind::Float(18_446_744_073_709_551_616.0)),
            ),
            ("2.0", Some(Kind::Float(2.0))),
            ("1e999", None),
        ] {
            assert_eq!(number(raw.as_bytes()), want, "{raw}");
        }
    }
}
