//! Translation of JavaScript regular expressions into the syntax of regex-syntax. The two differ in
//! ASCII classes, escapes and literal brackets. Syntax of Python and Rust that JavaScript lacks
//! (`\A`, `\Z`, `(?P<name>`, `(?i)`) is accepted too, because pydantic emits it.

use std::char::decode_utf16;
use std::fmt::Write;

use SchemaError::{BadPattern, LookAround, TooLarge};

use crate::schema::error::SchemaError;

/// The class `\d` (ECMA-262, section 22.2.2.9), to be put in brackets.
const DIGITS: &str = "0-9";
/// The class `\w`.
const WORDS: &str = "0-9A-Za-z_";
/// The class `\s`. U+0085 is white space in Unicode but not in JavaScript; U+FEFF is the opposite.
const SPACES: &str = r"[\p{White_Space}\x{FEFF}--\x{85}]";

/// The escapes that match between characters, and their translations.
const LOOKS: [(&str, &str); 5] = [
    ("b", r"(?-u:\b)"),
    ("B", r"(?-u:\B)"),
    ("A", "^"),
    ("Z", "$"),
    ("z", "$"),
];

/// The most Unicode property classes in a pattern: each expands to hundreds of ranges.
const PROPERTIES_MAX: usize = 4;

/// The longest translation in bytes. Parsing takes two calls of regex-syntax, which cannot be
/// suspended; each takes up to 100 nanoseconds per byte of densely nested groups (bench `schema`).
const TRANSLATED_MAX: usize = 1024;

/// The longest translation with `(?i)`: folding the case of a letter takes up to 200 nanoseconds.
const FOLDED_MAX: usize = 256;

/// The largest repetition count.
const REPEAT_MAX: u32 = 100_000;

/// Translates a pattern into the syntax of regex-syntax.
pub fn from_javascript(pattern: &str) -> Result<String, SchemaError> {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(2 * pattern.len()),
        properties: 0,
        dot_all: false,
        longest: TRANSLATED_MAX,
    };
    while let Some(char) = translator.next() {
        translator.top(char)?;
        TooLarge.when(translator.out.len() > translator.longest)?;
    }
    Ok(translator.out)
}

struct Translator<'a> {
    /// The rest of the pattern.
    rest: &'a str,
    out: String,
    properties: usize,
    /// True if a dot also matches line terminators, after `(?s)`.
    dot_all: bool,
    /// The longest translation that is accepted, in bytes.
    longest: usize,
}

/// One element of a class, or an escape.
enum Atom {
    Char(char),
    /// A class, to be put in brackets.
    Class(String),
}

impl<'a> Translator<'a> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let char = chars.next();
        self.rest = chars.as_str();
        char
    }

    /// Skips `text` if it comes next.
    fn skip(&mut self, text: &str) -> bool {
        let after = self.rest.strip_prefix(text);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    /// Takes the text up to the next `end`, and skips `end`.
    fn until(&mut self, end: char) -> Result<&'a str, SchemaError> {
        let (text, rest) = self.rest.split_once(end).ok_or(BadPattern)?;
        self.rest = rest;
        Ok(text)
    }

    fn top(&mut self, char: char) -> Result<(), SchemaError> {
        match char {
            '\\' => self.escape_at_top()?,
            '[' => self.class()?,
            '(' => self.group()?,
            '.' if self.dot_all => self.out.push_str(r"[\x{0}-\x{10FFFF}]"),
            '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            '{' => self.braces()?,
            '^' | '$' | '|' | ')' | '*' | '+' | '?' => self.out.push(char),
            char => self.char(char),
        }
        Ok(())
    }

    fn char(&mut self, char: char) {
        write_char(&mut self.out, char);
    }

    fn escape_at_top(&mut self) -> Result<(), SchemaError> {
        let is_reference = |char| matches!(char, '1'..='9' | 'k');
        LookAround.when(self.rest.starts_with(is_reference))?;
        for (letter, look) in LOOKS {
            if self.skip(letter) {
                self.out.push_str(look);
                return Ok(());
            }
        }
        match self.escape()? {
            Atom::Char(char) => self.char(char),
            Atom::Class(class) => self.out.extend(["[", class.as_str(), "]"]),
        }
        Ok(())
    }

    /// Parses an escape after its backslash.
    fn escape(&mut self) -> Result<Atom, SchemaError> {
        let char = self.next().ok_or(BadPattern)?;
        Ok(match char {
            'd' => Atom::Class(DIGITS.to_owned()),
            'w' => Atom::Class(WORDS.to_owned()),
            's' => Atom::Class(SPACES.to_owned()),
            'D' => Atom::Class(format!("[^{DIGITS}]")),
            'W' => Atom::Class(format!("[^{WORDS}]")),
            'S' => Atom::Class(format!("[^{SPACES}]")),
            'p' | 'P' => Atom::Class(self.property(char)?),
            'n' => Atom::Char('\n'),
            'r' => Atom::Char('\r'),
            't' => Atom::Char('\t'),
            'v' => Atom::Char('\u{B}'),
            'f' => Atom::Char('\u{C}'),
            '0' => Atom::Char('\0'),
            'c' => {
                let letter = self.next().filter(char::is_ascii_alphabetic);
                let letter = letter.ok_or(BadPattern)? as u8;
                Atom::Char(char::from(letter % 32))
            }
            'x' => Atom::Char(self.code(2)?),
            'u' => Atom::Char(self.code(4)?),
            char => Atom::Char(char),
        })
    }

    /// Parses a code point: `digits` hexadecimal digits, or any number of them in braces.
    fn code(&mut self, digits: usize) -> Result<char, SchemaError> {
        let code = match self.skip("{") {
            true => hexadecimal(self.until('}')?)?,
            false => self.digits(digits)?,
        };
        // A character outside the Basic Multilingual Plane may be written as a surrogate pair.
        if (0xD800..0xDC00).contains(&code) && self.skip("\\u") {
            let pair = [code as u16, self.digits(4)? as u16];
            let char = decode_utf16(pair).next().and_then(Result::ok);
            return char.ok_or(BadPattern);
        }
        char::from_u32(code).ok_or(BadPattern)
    }

    /// Parses exactly this number of hexadecimal digits.
    fn digits(&mut self, count: usize) -> Result<u32, SchemaError> {
        let (digits, rest) = self.rest.split_at_checked(count).ok_or(BadPattern)?;
        self.rest = rest;
        hexadecimal(digits)
    }

    fn property(&mut self, letter: char) -> Result<String, SchemaError> {
        self.properties += 1;
        TooLarge.when(self.properties > PROPERTIES_MAX)?;
        if self.skip("{") {
            let name = self.until('}')?;
            return Ok(format!("\\{letter}{{{name}}}"));
        }
        // `\pL` is Rust syntax.
        let name = self.next().ok_or(BadPattern)?;
        Ok(format!("\\{letter}{name}"))
    }

    fn group(&mut self) -> Result<(), SchemaError> {
        if !self.skip("?") {
            self.out.push_str("(?:");
            return Ok(());
        }
        for look in ["=", "!", "<=", "<!", ">"] {
            LookAround.when(self.skip(look))?;
        }
        if self.skip("P<") || self.skip("<") {
            self.until('>')?;
            self.out.push_str("(?:");
            return Ok(());
        }
        // Flags up to a colon or the end of the group; `(?:` has none.
        self.out.push_str("(?");
        let start = self.out.len();
        while let Some(flag) = self.next() {
            match flag {
                'i' | '-' => {
                    self.longest = FOLDED_MAX;
                    self.out.push(flag);
                }
                's' => self.dot_all = !self.out.ends_with('-'),
                ':' | ')' => {
                    // If no flag is left, it is a plain group.
                    if self.out.ends_with(['?', '-']) {
                        self.out.truncate(start);
                        self.out.push(':');
                    }
                    if flag == ')' || !self.out.ends_with(':') {
                        self.out.push(flag);
                    }
                    return Ok(());
                }
                _ => return Err(BadPattern),
            }
        }
        Err(BadPattern)
    }

    /// Parses a repetition, or a literal brace (ECMA-262, section B.1.2).
    fn braces(&mut self) -> Result<(), SchemaError> {
        let Some((inside, rest)) = self.rest.split_once('}') else {
            self.char('{');
            return Ok(());
        };
        let (min, max) = inside.split_once(',').unwrap_or((inside, inside));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if min.is_empty() || !is_number(min) || !is_number(max) {
            self.char('{');
            return Ok(());
        }
        self.rest = rest;
        let number = |text: &str| match text.parse() {
            Ok(number @ ..=REPEAT_MAX) => Ok(number),
            _ => Err(TooLarge),
        };
        let _ = match max {
            "" => write!(self.out, "{{{},}}", number(min)?),
            max => write!(self.out, "{{{},{}}}", number(min)?, number(max)?),
        };
        Ok(())
    }

    fn class(&mut self) -> Result<(), SchemaError> {
        let negated = self.skip("^");
        let mut inside = String::new();
        while let Some(atom) = self.class_atom()? {
            let low = match atom {
                Atom::Char(low) => low,
                Atom::Class(class) => {
                    inside += &class;
                    continue;
                }
            };
            write_char(&mut inside, low);
            if self.rest.starts_with("-]") || !self.skip("-") {
                continue;
            }
            match self.class_atom()?.ok_or(BadPattern)? {
                Atom::Char(high) if high < low => return Err(BadPattern),
                Atom::Char(high) => {
                    inside.push('-');
                    write_char(&mut inside, high);
                }
                // `[a-\d]` is the letter a, a hyphen and the digits (ECMA-262, section B.1.2).
                Atom::Class(class) => {
                    write_char(&mut inside, '-');
                    inside += &class;
                }
            }
        }
        let _ = match (inside.is_empty(), negated) {
            // `[]` matches nothing and `[^]` any character.
            (true, false) => write!(self.out, r"[^\x{{0}}-\x{{10FFFF}}]"),
            (true, true) => write!(self.out, r"[\x{{0}}-\x{{10FFFF}}]"),
            (false, false) => write!(self.out, "[{inside}]"),
            (false, true) => write!(self.out, "[^{inside}]"),
        };
        Ok(())
    }

    /// Parses the next element of a class. Returns `None` at its end.
    fn class_atom(&mut self) -> Result<Option<Atom>, SchemaError> {
        Ok(match self.next().ok_or(BadPattern)? {
            ']' => None,
            '\\' if self.skip("b") => Some(Atom::Char('\u{8}')),
            '\\' => Some(self.escape()?),
            char => Some(Atom::Char(char)),
        })
    }
}

/// Parses a hexadecimal number without a sign.
fn hexadecimal(digits: &str) -> Result<u32, SchemaError> {
    BadPattern.when(digits.starts_with('+'))?;
    u32::from_str_radix(digits, 16).map_err(|_| BadPattern)
}

/// Writes a literal character, escaped so that it is valid inside and outside of brackets.
fn write_char(out: &mut String, char: char) {
    if char.is_ascii_alphanumeric() || " _:,;@/=!%<>\"'".contains(char) {
        out.push(char);
    } else if char.is_ascii_punctuation() {
        out.extend(['\\', char]);
    } else {
        let _ = write!(out, "\\x{{{:X}}}", u32::from(char));
    }
}
