//! Rules about the source code, checked by reading it: `src`, and for lengths also the tests and
//! benches.

mod graph;
mod reader;

use std::path::Path;

use reader::{Source, before_tests, is_tests, names, sources, sources_in};

/// The limits of lines per file, lines per function and columns per line, including tests.
const LINES: usize = 700;
const FUNCTION: usize = 70;
const COLUMNS: usize = 100;

/// Names that may occur only in some modules. An empty list means in none.
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
    // The raw log has a writer thread.
    ("std::thread", &["net", "server", "cli", "watch/rawlog"]),
    ("std::os", &["net", "cli/outfile"]),
    // The text of `-content file:PATH`, which is read at startup; the report; kernel statistics.
    (
        "std::fs",
        &["api/text", "cli/outfile", "net/schedule", "net/shutdown"],
    ),
    ("SystemTime", &["net", "server"]),
    ("Instant", &["net", "server", "main"]),
    ("std::env", &["settings", "main"]),
    ("process::exit", &["main"]),
    ("ExitCode", &["main"]),
    // The history of seconds, which API requests do not access.
    ("Mutex", &["watch.rs"]),
    ("RwLock", &[]),
    ("Condvar", &[]),
    ("OnceLock", &[]),
    ("LazyLock", &[]),
    ("Barrier", &[]),
    ("mpsc", &["net", "cli", "watch/rawlog"]),
    // Atomic additions: the connections that cores share, and the budget of the raw log.
    (
        "fetch_add",
        &["net/balancer", "watch/rawlog", "conn/memory"],
    ),
    ("fetch_sub", &["net/balancer", "watch/rawlog"]),
    ("fetch_update", &["watch/rawlog"]),
    ("compare_exchange", &[]),
    ("thread_local", &[]),
    ("println", &["main"]),
    ("eprintln", &["main"]),
    ("dbg", &[]),
    ("todo", &[]),
];

#[test]
fn restricted_names_occur_only_where_allowed() {
    for source in sources() {
        for (name, rooms) in ONLY_IN {
            let may = rooms.iter().any(|room| source.is_in(room));
            assert!(
                may || !names(&source.code, name),
                "src/{}: {name}",
                source.path
            );
        }
        // Nested imports such as `use std::{env, net}` need a separate check.
        for list in source.code.split("use std::{").skip(1) {
            let list = &list[..list.find(';').expect("uses end")];
            for (name, rooms) in ONLY_IN {
                let last = name.strip_prefix("std::").unwrap_or(name);
                let may = rooms.iter().any(|room| source.is_in(room));
                assert!(may || !names(list, last), "src/{}: {name}", source.path);
            }
        }
    }
}

/// The modules, from the top: each uses only those further down.
const LAYERS: [&str; 14] = [
    "cli", "server", "net", "conn", "exchange", "scenario", "api", "watch", "http", "settings",
    "schema", "json", "status", "meter",
];

/// Modules that do not know each other, although one is above the other.
const APART: [(&str, &str); 6] = [
    ("net", "http"),
    ("api", "http"),
    ("exchange", "http"),
    ("watch", "http"),
    ("http", "settings"),
    ("settings", "schema"),
];

#[test]
fn modules_use_only_those_below_them() {
    for (at, layer) in LAYERS.iter().enumerate() {
        let files: Vec<_> = sources()
            .into_iter()
            .filter(|file| file.is_in(layer))
            .collect();
        assert!(!files.is_empty(), "{layer} is a module");
        let apart = APART.iter().filter(|(upper, _)| upper == layer);
        let barred: Vec<&str> = LAYERS[..at]
            .iter()
            .copied()
            .chain(apart.map(|(_, lower)| *lower))
            .collect();
        for (file, other) in files
            .iter()
            .flat_map(|file| barred.iter().map(move |other| (file, other)))
        {
            for path in [format!("crate::{other}"), format!("super::{other}")] {
                // A module may have a child of that name, such as `settings/http.rs`.
                let own = path.starts_with("super") && file.path.matches('/').count() > 0;
                assert!(
                    own || !names(&file.code, &path),
                    "src/{}: {path}",
                    file.path
                );
            }
            // The path out of a module may have more than one step.
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
fn no_code_is_unsafe() {
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

/// The code that serves requests must not format; the date is rendered once per second, by the
/// clock of a core.
#[test]
fn the_hot_path_formats_nothing() {
    const HOT: [&str; 15] = [
        "conn",
        "http",
        "net/machine",
        "net/reactor",
        "net/slots",
        "net/timer",
        "net/turn",
        "exchange/request.rs",
        "scenario",
        "exchange/response.rs",
        "watch/counter.rs",
        "watch/counters.rs",
        "watch/frames",
        "watch/histogram",
        "watch/metrics",
    ];
    for source in sources() {
        let hot = HOT.iter().any(|room| source.is_in(room)) && !source.is_in("http/date");
        for name in [
            "format",
            "to_string",
            "to_vec",
            "to_owned",
            "concat",
            "Box::leak",
        ] {
            assert!(
                !hot || !names(&source.code, name),
                "src/{}: {name}",
                source.path
            );
        }
    }
}

/// Returns the path and the text of every source file in the package.
fn everything() -> Vec<(String, String)> {
    let folders = ["src", "tests/it", "benches"].into_iter();
    let sources = folders.flat_map(|folder| {
        let named = move |source: Source| (format!("{folder}/{}", source.path), source.text);
        sources_in(folder).into_iter().map(named)
    });
    sources.collect()
}

#[test]
fn files_are_short() {
    for (path, text) in everything() {
        let lines = text.lines().count();
        assert!(lines <= LINES, "{path}: {lines} lines");
    }
}

#[test]
fn files_begin_with_a_module_comment() {
    for source in sources() {
        let path = &source.path;
        assert!(
            source.text.starts_with("//! "),
            "src/{path} must begin with a module comment"
        );
    }
}

#[test]
fn functions_are_short() {
    let mut found = 0;
    for (path, text) in everything() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let begin = line.trim_start();
            let indent = &line[..line.len() - begin.len()];
            let is_function = names(begin.split('(').next().unwrap_or_default(), "fn");
            if !is_function || begin.starts_with("//") || begin.ends_with([';', '}']) {
                continue;
            }
            let closes = |line: &&str| {
                line.strip_prefix(indent)
                    .is_some_and(|l| l.starts_with('}'))
            };
            let length = 1 + lines[at..].iter().position(closes).unwrap_or(0);
            assert!(length <= FUNCTION, "{path}:{}: {length} lines", at + 1);
            found += 1;
        }
    }
    assert!(found > 500, "{found} functions");
}

#[test]
fn tests_are_at_the_end() {
    for source in sources().iter().filter(|source| !is_tests(&source.path)) {
        let after = &source.text[before_tests(&source.text).len()..];
        let ends = |line: &&str| *line == "}" || line.starts_with("mod ") && line.ends_with(';');
        let items = after.lines().filter(ends);
        assert!(
            items.count() <= 1,
            "src/{}: what stands behind its tests?",
            source.path
        );
    }
}

/// Every numeric constant must have a comment with its unit and reason.
#[test]
fn constants_have_comments() {
    const NUMBERS: [&str; 11] = [
        "usize", "isize", "u8", "u16", "u32", "u64", "i32", "i64", "f64", "Nanos", "Duration",
    ];
    for source in sources() {
        let text = before_tests(&source.text);
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let public = line.trim_start().strip_prefix("pub");
            let bare = public.map_or(line.trim_start(), |line| {
                let scope = line.strip_prefix('(').and_then(|line| line.split_once(')'));
                scope.map_or(line, |(_, line)| line).trim_start()
            });
            let Some((_, kind)) = bare.strip_prefix("const ").and_then(|l| l.split_once(": "))
            else {
                continue;
            };
            let number = NUMBERS
                .iter()
                .any(|number| kind.starts_with(&format!("{number} =")));
            let told = at > 0 && lines[at - 1].trim_start().starts_with("//");
            assert!(!number || told, "src/{}:{}: {line}", source.path, at + 1);
        }
    }
}

/// Comments about performance name the script that measures it, which must exist.
#[test]
fn scripts_in_comments_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for source in sources() {
        for rest in source.text.split("`scripts/").skip(1) {
            let name = rest.split(['`', ' ']).next().expect("there is a first");
            assert!(
                root.join("scripts").join(name).exists(),
                "src/{}: {name}",
                source.path
            );
        }
    }
}

#[test]
fn lines_are_short() {
    for (path, text) in everything() {
        for (at, line) in text.lines().enumerate() {
            // A row of a Markdown table can't be broken.
            let row = line.starts_with("//! |");
            let columns = if row { 0 } else { line.chars().count() };
            assert!(columns <= COLUMNS, "{path}:{}: {columns} columns", at + 1);
            assert!(line.trim_end() == line, "{path}:{}: white space", at + 1);
        }
    }
}
