//! Rules about the source code that clippy can't check (`clippy.toml` has the others): imports,
//! lengths, and comments.

mod graph;
mod reader;

use std::path::Path;

use graph::{Module, paths, uses};
use reader::{Source, before_tests, names, sources, sources_in};

/// The limit on the lines of a file, including its tests.
const LINES: usize = 700;
/// The limit on the columns of a line.
const COLUMNS: usize = 100;

/// Crates and modules of the standard library, and the modules that may use them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("mio", &["net"]),
    ("socket2", &["net"]),
    ("signal_hook", &["net"]),
    ("core_affinity", &["net"]),
    ("rustix", &["net"]),
    ("httparse", &["http"]),
    ("httpdate", &["http"]),
    ("percent_encoding", &["api/json_string", "schema"]),
    ("regex_syntax", &["schema"]),
    ("lexopt", &["settings"]),
    ("strsim", &["settings"]),
    ("std::net", &["net", "server", "cli/health"]),
    ("std::os", &["net", "cli/outfile"]),
];

#[test]
fn crates_are_used_only_where_allowed() {
    for source in sources() {
        for path in paths(&source.code) {
            for (name, users) in ONLY_IN {
                let rest = path.strip_prefix(name);
                let is_used = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
                let is_allowed = users.iter().any(|user| source.is_in(user));
                assert!(is_allowed || !is_used, "src/{}: {path}", source.path);
            }
        }
    }
}

/// The top-level modules. Each uses only those further down.
const LAYERS: [&str; 14] = [
    "cli", "server", "net", "conn", "exchange", "scenario", "api", "watch", "http", "settings",
    "schema", "json", "status", "meter",
];

/// Modules that must not use each other, although one is above the other.
const APART: [(&str, &str); 6] = [
    ("net", "http"),
    ("api", "http"),
    ("exchange", "http"),
    ("watch", "http"),
    ("http", "settings"),
    ("settings", "schema"),
];

#[test]
fn modules_use_only_lower_layers() {
    let uses = uses();
    let layer = |module: &Module| LAYERS.iter().position(|layer| *layer == module[0]);
    for (module, used) in &uses {
        assert!(layer(module).is_some(), "{module:?} is in no layer");
        for other in used {
            let is_apart = APART.contains(&(&module[0], &other[0]));
            let is_lower = layer(other) >= layer(module);
            assert!(is_lower && !is_apart, "{module:?} uses {other:?}");
        }
    }
}

/// The code that serves requests must not format or copy text. The date is rendered once per
/// second, by the clock of a core.
#[test]
fn the_hot_path_formats_nothing() {
    const HOT: [&str; 12] = [
        "conn",
        "http",
        "net/machine",
        "net/reactor",
        "net/timer",
        "net/turn",
        "exchange/request.rs",
        "scenario",
        "exchange/response.rs",
        "watch/counters.rs",
        "watch/histogram",
        "watch/metrics",
    ];
    const SLOW: [&str; 6] = [
        "format",
        "to_string",
        "to_vec",
        "to_owned",
        "concat",
        "Box::leak",
    ];
    for source in sources() {
        if HOT.iter().any(|module| source.is_in(module)) && !source.is_in("http/date") {
            for name in SLOW {
                assert!(!names(&source.code, name), "src/{}: {name}", source.path);
            }
        }
    }
}

/// Returns the path and the text of every source file in the package.
fn everything() -> impl Iterator<Item = (String, String)> {
    ["src", "tests/it", "benches"]
        .into_iter()
        .flat_map(|folder| {
            let named = move |source: Source| (format!("{folder}/{}", source.path), source.text);
            sources_in(folder).into_iter().map(named)
        })
}

#[test]
fn files_and_lines_are_short() {
    for (path, text) in everything() {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{path}: {lines} lines");
        for (at, line) in text.lines().enumerate() {
            // A row of a Markdown table can't be broken.
            let is_row = line.starts_with("//! |");
            let columns = line.chars().count();
            assert!(
                is_row || columns <= COLUMNS,
                "{path}:{}: {columns} columns",
                at + 1
            );
            assert!(line.trim_end() == line, "{path}:{}: trailing space", at + 1);
        }
    }
}

/// Every numeric constant must have a comment with its unit and reason.
#[test]
fn constants_have_comments() {
    const NUMBERS: [&str; 11] = [
        "usize", "isize", "u8", "u16", "u32", "u64", "i32", "i64", "f64", "Nanos", "Duration",
    ];
    for source in sources() {
        let lines: Vec<&str> = before_tests(&source.text).lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let Some((before, declared)) = line.split_once("const ") else {
                continue;
            };
            let is_number = declared.split_once(": ").is_some_and(|(_, rest)| {
                let kind = rest.split(" =").next().expect("split yields a part");
                NUMBERS.contains(&kind)
            });
            let is_item = before.trim().is_empty() || before.trim().starts_with("pub");
            let has_comment = at > 0 && lines[at - 1].trim_start().starts_with("//");
            assert!(
                !is_item || !is_number || has_comment,
                "src/{}:{}: {line}",
                source.path,
                at + 1
            );
        }
    }
}

/// Comments name the scripts, and the cases of `scripts/measure`, that reproduce a number.
#[test]
fn scripts_in_comments_exist() {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let cases = std::fs::read_to_string(scripts.join("measure")).expect("it can be read");
    for source in sources().into_iter().chain(sources_in("benches")) {
        for rest in source.text.split("`scripts/").skip(1) {
            let command = rest.split('`').next().expect("split yields a part");
            let mut words = command.split_whitespace();
            let name = words.next().unwrap_or_default();
            let exists = match (name, words.next()) {
                ("measure", Some(case)) => cases.contains(&format!("\"{case}\": ")),
                _ => scripts.join(name).exists(),
            };
            assert!(exists, "{}: {command}", source.path);
        }
    }
}
