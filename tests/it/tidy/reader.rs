//! A simple reader of Rust sources, for the rules.

use std::fs;
use std::path::Path;

/// A source file.
pub struct Source {
    /// The path relative to its folder, such as `conn/kit.rs`.
    pub path: String,
    pub text: String,
    /// The text before its tests, without comments and the contents of strings.
    pub code: String,
}

impl Source {
    /// Returns whether it belongs to a module: `conn` includes `conn.rs` and everything in `conn/`;
    /// `conn.rs` is that file only.
    pub fn is_in(&self, room: &str) -> bool {
        let rest = self.path.strip_prefix(room);
        rest.is_some_and(|rest| matches!(rest, "" | ".rs") || rest.starts_with('/'))
    }

    /// Returns its module path, such as `conn`, `kit`.
    pub fn module(&self) -> Vec<&str> {
        let path = self.path.strip_suffix(".rs").expect("it is Rust");
        path.split('/').collect()
    }
}

/// Returns the sources in `src`.
pub fn sources() -> Vec<Source> {
    let all = sources_in("src");
    assert!(all.len() > 80, "{} sources", all.len());
    all
}

/// Returns the sources in a folder of the package.
pub fn sources_in(folder: &str) -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![src.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("sources are UTF-8");
                let inside = path.strip_prefix(&src).expect("it is under src");
                let path = inside.to_str().expect("names are ASCII").to_owned();
                // A file of tests is not part of the product.
                let code = match is_tests(&path) {
                    true => String::new(),
                    false => bare(before_tests(&text)),
                };
                found.push(Source { path, text, code });
            }
        }
    }
    assert!(found.len() > 8, "{} sources", found.len());
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Returns whether a file consists of tests: `tests.rs`, or a file in a folder `tests`.
pub fn is_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

pub fn before_tests(text: &str) -> &str {
    let tests = text.find("\n#[cfg(test)]\nmod ");
    tests.map_or(text, |at| &text[..at + 1])
}

/// Removes comments, and the contents of strings and character literals.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_len(rest)
        } else if let Some(len) = raw_string_len(rest).filter(|_| !ends_in_name(&out)) {
            out.push_str("\"\"");
            len
        } else if first == '"' {
            out.push_str("\"\"");
            quoted_len(rest, b'"')
        } else if let Some(len) = char_len(rest) {
            out.push_str("' '");
            len
        } else {
            out.push(first);
            first.len_utf8()
        };
        rest = &rest[skip..];
    }
    out
}

fn ends_in_name(text: &str) -> bool {
    text.ends_with(|last: char| last.is_alphanumeric() || last == '_')
}

/// Returns the length of a block comment, which may be nested.
fn comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let two = text.as_bytes().get(at..at + 2).unwrap_or_default();
        match two {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted_len(text: &str, quote: u8) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if byte == quote {
            return at + 1;
        }
    }
    text.len()
}

fn raw_string_len(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let inside = rest[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inside.find(&close)?;
    Some(text.len() - inside.len() + end + close.len())
}

/// Returns the length of a character literal, or `None` if the quote begins a lifetime.
fn char_len(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let closed = inside[first.len_utf8()..].starts_with('\'');
    (first == '\\' || closed).then(|| quoted_len(text, b'\''))
}

/// Returns whether `code` contains `name` as a whole word.
pub fn names(code: &str, name: &str) -> bool {
    let part = |char: char| char.is_alphanumeric() || char == '_';
    code.match_indices(name)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + name.len()..].starts_with(part))
}

/// Tests this reader itself.
#[test]
fn comments_and_strings_are_removed() {
    for (rust, code) in [
        ("a // b\nc", "a \nc"),
        ("a /* b /* c */ d */ e", "a  e"),
        ("a(\"b // c\\\"\", d)", "a(\"\", d)"),
        ("r#\"a\"b\"# c br\"d\" e", "\"\" c \"\" e"),
        ("var\"x\"", "var\"\""),
        ("f('\"', '\\'', b'/', 'x')", "f(' ', ' ', b' ', ' ')"),
        ("<'a>(&'a str)", "<'a>(&'a str)"),
        ("'\"' /* ' */ \"'\"", "' '  \"\""),
    ] {
        assert_eq!(bare(rust), code);
    }
    assert!(names("use mio::Poll", "mio") && names("a::mio", "mio"));
    assert!(!names("mio2 amio mio_x", "mio"));
    assert_eq!(before_tests("a\n#[cfg(test)]\nmod tests {}"), "a\n");
}
