//! A simple reader of Rust sources, for the rules.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A source file.
pub struct Source {
    /// The path relative to its folder, such as `conn/core.rs`.
    pub path: String,
    pub text: String,
    /// The code before its tests, without comments, white space and the content of literals.
    pub code: String,
}

impl Source {
    /// Returns whether it belongs to a module: `conn` is `conn.rs` and everything in `conn/`, and
    /// `conn.rs` is only that file.
    pub fn is_in(&self, module: &str) -> bool {
        let rest = self.path.strip_prefix(module);
        rest.is_some_and(|rest| matches!(rest, "" | ".rs") || rest.starts_with('/'))
    }

    /// Returns its module path, such as `conn`, `core`.
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
                let mut code = String::new();
                if !is_tests(&path) {
                    let tokens = before_tests(&text).parse();
                    bare(tokens.expect("sources are Rust"), &mut code);
                }
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

/// Returns the text before an inline module of tests. Clippy checks that nothing follows it.
pub fn before_tests(text: &str) -> &str {
    let tests = text.find("\n#[cfg(test)]\nmod tests {");
    tests.map_or(text, |at| &text[..at + 1])
}

/// Appends the tokens to `out`, without comments, white space and the content of literals.
fn bare(tokens: TokenStream, out: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                bare(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Ident(word) => {
                if out.ends_with(is_name) {
                    out.push(' ');
                }
                out.push_str(&word.to_string());
            }
            TokenTree::Punct(mark) => {
                let in_path = mark.spacing() == Spacing::Joint || out.ends_with(':');
                out.push(mark.as_char());
                // The colon of a type is no part of its path.
                if mark.as_char() == ':' && !in_path {
                    out.push(' ');
                }
            }
            TokenTree::Literal(_) => out.push_str("\"\""),
        }
    }
}

fn is_name(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Returns whether `code` contains `name` as a whole word.
pub fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_name) && !code[at + name.len()..].starts_with(is_name)
    })
}

/// Tests this reader itself.
#[test]
fn comments_and_literals_are_removed() {
    let mut code = String::new();
    let rust = "use a::b; // c\n/* d */ fn e(f: &'a G) { h(\"i // j\", 'k', r#\"l\"m\"#, 1) }";
    bare(rust.parse().expect("it is Rust"), &mut code);
    assert_eq!(code, "use a::b;fn e(f: &'a G){h(\"\",\"\",\"\",\"\")}");
    assert!(names("use mio::Poll", "mio") && names("a::mio", "mio"));
    assert!(!names("mio2 amio mio_x", "mio"));
    let inline = "a\n#[cfg(test)]\nmod tests {}";
    assert_eq!(before_tests(inline), "a\n");
}
