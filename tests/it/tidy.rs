//! The house's walls and manners, held by reading the sources.

use std::fs;
use std::path::Path;

/// The most lines of a file before its tests, and the most columns of a line.
const LINES: usize = 450;
const COLUMNS: usize = 100;

/// A source file under `src`.
struct Source {
    /// Its path from `src`, such as `conn/kit.rs`.
    path: String,
    text: String,
    /// The text before its tests, without comments and without the insides of strings.
    code: String,
}

impl Source {
    /// Whether it belongs to a room: `conn` has `conn.rs` and all under `conn/`.
    fn is_in(&self, room: &str) -> bool {
        let rest = self.path.strip_prefix(room);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
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
                // A file of tests alone is no part of what is shipped.
                let code = match is_tests(&path) {
                    true => String::new(),
                    false => bare(before_tests(&text)),
                };
                found.push(Source { path, text, code });
            }
        }
    }
    assert!(found.len() > 20, "{} sources", found.len());
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Whether a file holds tests alone: `tests.rs`, or one in the folder beside it.
fn is_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn before_tests(text: &str) -> &str {
    let tests = text.find("\n#[cfg(test)]\nmod ");
    tests.map_or(text, |at| &text[..at + 1])
}

/// Rust without comments and without what stands inside strings and characters.
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

/// Block comments nest.
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

/// The length of a character literal; None where the quote begins a lifetime.
fn char_len(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let closed = inside[first.len_utf8()..].starts_with('\'');
    (first == '\\' || closed).then(|| quoted_len(text, b'\''))
}

/// Whether `code` holds `name` as whole words: not as a part of a longer name or path.
fn names(code: &str, name: &str) -> bool {
    let part = |char: char| char.is_alphanumeric() || char == '_';
    code.match_indices(name)
        .any(|(at, _)| !code[..at].ends_with(part) && !code[at + name.len()..].starts_with(part))
}

/// What may be named only where. An empty list means nowhere.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("mio", &["net"]),
    ("socket2", &["net"]),
    ("signal_hook", &["net"]),
    ("core_affinity", &["net"]),
    ("std::net", &["net"]),
    // The raw log has a writer of its own.
    ("std::thread", &["net", "watch/rawlog"]),
    ("std::os", &["net"]),
    // The text of `-content file:PATH`, read once at the start; the report; what the kernel tells.
    (
        "std::fs",
        &["mock/text", "main", "net/schedule", "net/holder"],
    ),
    ("SystemTime", &["net"]),
    ("Instant::now", &["net", "main"]),
    ("std::env", &["settings", "main"]),
    ("process::exit", &["main"]),
    ("ExitCode", &["main"]),
    // What became of the seconds: no request of the API asks for it.
    ("Mutex", &["watch"]),
    ("RwLock", &[]),
    ("thread_local", &[]),
    ("println", &["main"]),
    ("eprintln", &["main"]),
    ("dbg", &[]),
    ("todo", &[]),
];

#[test]
fn the_world_is_met_in_few_rooms() {
    for source in sources() {
        for (name, rooms) in ONLY_IN {
            let may = rooms.iter().any(|room| source.is_in(room));
            assert!(
                may || !names(&source.code, name),
                "src/{}: {name}",
                source.path
            );
        }
        // Imported under another name it would be missed: `use std::{env, net}`.
        for list in source.code.split("use std::{").skip(1) {
            let list = &list[..list.find('}').expect("lists close")];
            for (name, rooms) in ONLY_IN {
                let last = name.strip_prefix("std::").unwrap_or(name);
                let may = rooms.iter().any(|room| source.is_in(room));
                assert!(may || !names(list, last), "src/{}: {name}", source.path);
            }
        }
    }
}

/// A room and the rooms that it does not know.
const WALLS: &[(&str, &[&str])] = &[
    ("http", &["mock", "conn", "net", "settings", "watch"]),
    ("mock", &["http", "conn", "net"]),
    ("conn", &["net"]),
    ("settings", &["net", "conn", "http", "mock", "watch"]),
    ("watch", &["net", "conn", "http", "mock"]),
];

#[test]
fn rooms_know_only_those_below_them() {
    for (room, others) in WALLS {
        let files: Vec<_> = sources()
            .into_iter()
            .filter(|file| file.is_in(room))
            .collect();
        assert!(!files.is_empty(), "{room} is a room");
        for (file, other) in files
            .iter()
            .flat_map(|file| others.iter().map(move |o| (file, o)))
        {
            for path in [format!("crate::{other}"), format!("super::{other}")] {
                // A file may have a part of that name: `settings/http.rs` would be its own.
                let own = path.starts_with("super") && file.path.matches('/').count() > 0;
                assert!(
                    own || !names(&file.code, &path),
                    "src/{}: {path}",
                    file.path
                );
            }
            // The way out of a room may be longer than one step.
            let roundabout = format!("super::super::{other}");
            assert!(
                !names(&file.code, &roundabout),
                "src/{}: {roundabout}",
                file.path
            );
            for list in file.code.split("use crate::{").skip(1) {
                let list = &list[..list.find(';').expect("uses end")];
                assert!(!names(list, other), "src/{}: {other}", file.path);
            }
        }
    }
}

#[test]
fn random_numbers_have_seeds() {
    for source in sources() {
        for (at, _) in source.code.match_indices("fastrand::") {
            let rest = &source.code[at + "fastrand::".len()..];
            assert!(
                rest.starts_with("Rng"),
                "src/{}: a global generator",
                source.path
            );
        }
    }
}

#[test]
fn nothing_is_unsafe() {
    let all = sources();
    for source in &all {
        assert!(!names(&source.code, "unsafe"), "src/{}", source.path);
    }
    let lib = all
        .iter()
        .find(|source| source.path == "lib.rs")
        .expect("there is one");
    assert!(lib.code.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    for source in sources() {
        let path = &source.path;
        assert!(
            source.text.starts_with("//! "),
            "src/{path} opens with what it is"
        );
        let lines = before_tests(&source.text).lines().count();
        assert!(
            is_tests(path) || lines <= LINES,
            "src/{path}: {lines} lines"
        );
    }
}

#[test]
fn lines_are_short() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tidy.rs");
    let this = fs::read_to_string(tests).expect("this file can be read");
    let texts = sources()
        .into_iter()
        .map(|source| (source.path, source.text));
    for (path, text) in texts.chain([("../tests/it/tidy.rs".to_owned(), this)]) {
        for (at, line) in text.lines().enumerate() {
            // A row of a Markdown table can't be broken.
            let row = line.starts_with("//! |");
            let columns = if row { 0 } else { line.chars().count() };
            assert!(
                columns <= COLUMNS,
                "src/{path}:{}: {columns} columns",
                at + 1
            );
            assert!(
                line.trim_end() == line,
                "src/{path}:{}: white space",
                at + 1
            );
        }
    }
}

/// The reader above is itself a reader of Rust, so it is tried on some.
#[test]
fn comments_and_strings_are_no_code() {
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
