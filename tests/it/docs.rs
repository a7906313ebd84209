//! Tests of the documentation: the settings table is up to date, the commands are valid, and the
//! links have targets.

use std::path::{Path, PathBuf};
use std::{env, fs};

use mocker::internals::cli;
use mocker::internals::settings::{self, Action, Setting};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the path and the text of every document for users.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("docs can be read") {
            let path = entry.expect("docs can be read").path();
            match path.is_dir() {
                true => folders.push(path),
                false => paths.push(path),
            }
        }
    }
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    let read = |path: &PathBuf| fs::read_to_string(path).expect("documents can be read");
    paths
        .iter()
        .map(|path| (path.clone(), read(path)))
        .collect()
}

/// Returns the table of `docs/settings.md`, in Markdown.
fn markdown() -> String {
    let mut table =
        String::from("| Flag | Variable | Default | Description |\n|---|---|---|---|\n");
    for entries in Setting::groups() {
        table += &format!("| **{}** | | | |\n", entries[0].group);
        for setting in entries {
            let row = format!(
                "| `{}` | `{}` | `{}` | {} Allowed: {}. |\n",
                setting.usage(),
                setting.variable(),
                setting.shown(setting.default),
                setting.help.join(" "),
                (setting.allowed)().text,
            );
            assert_eq!(
                row.matches('|').count(),
                5,
                "a bar in a cell would end it: {row}"
            );
            table += &row;
        }
    }
    table
}

#[test]
fn settings_table_is_up_to_date() {
    let path = root().join("docs/settings.md");
    let (open, close) = ("<!-- settings -->\n", "<!-- /settings -->");
    let text = fs::read_to_string(&path).expect("docs/settings.md can be read");
    let (before, rest) = text.split_once(open).expect("it opens the block");
    let (block, after) = rest.split_once(close).expect("it closes the block");
    let table = markdown();
    if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        let fresh = format!("{before}{open}{table}{close}{after}");
        fs::write(path, fresh).expect("docs/settings.md can be written");
        return;
    }
    assert!(
        block == table,
        "the table in docs/settings.md differs from src/settings.rs; refresh it with\n\
         UPDATE_DOCS=1 cargo test --test it settings_table"
    );
}

/// Splits a command line into words like a shell, up to a comment, a pipe or an `&`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for char in line.chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None, '#' | '|' | '&' | '>' | ';') if word.is_none() => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

#[test]
fn commands_are_valid() {
    let mut tried = 0;
    for (path, text) in documents() {
        let text = text.replace("\\\n", " ");
        for line in text.lines() {
            let Some((_, rest)) = line.split_once("target/release/mocker ") else {
                continue;
            };
            if line.contains('`') || line.contains('$') {
                continue;
            }
            let args = words(rest).into_iter().map(Into::into);
            let start = settings::start(args, |_| None);
            let taken = start.as_ref().is_ok_and(|start| {
                !matches!(start.action, Action::Healthcheck) && cli::text(start).is_ok()
            });
            let told = start.err().unwrap_or_default();
            assert!(taken, "{}: {line}: {told}", path.display());
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried} commands");
}

#[test]
fn links_and_scripts_exist() {
    for (path, text) in documents() {
        let folder = path.parent().expect("documents are in a folder");
        let links = text.split("](").skip(1);
        let links = links.chain(text.split("src=\"").skip(1));
        let links = links.chain(text.split("srcset=\"").skip(1));
        let mut targets: Vec<_> = links
            .map(|rest| {
                rest.split([')', '"', '#'])
                    .next()
                    .expect("there is a first")
            })
            .filter(|link| !link.is_empty() && !link.contains("://"))
            .map(|link| folder.join(link))
            .collect();
        let names = text.split("scripts/").skip(1);
        targets.extend(names.map(|rest| {
            let part = |char: char| !char.is_ascii_alphanumeric() && !"-_./".contains(char);
            let name = rest.split(part).next().expect("there is a first");
            root().join("scripts").join(name.trim_end_matches('.'))
        }));
        for target in targets {
            let name = Path::new(&target);
            assert!(name.exists(), "{}: {}", path.display(), name.display());
        }
    }
}

#[test]
fn words_are_split_like_in_a_shell() {
    let line = "-auth \"Bearer key\" -content 'a b' -tpm 30   # from 30 s on";
    let known = ["-auth", "Bearer key", "-content", "a b", "-tpm", "30"];
    assert_eq!(words(line), known);
    assert_eq!(words("-auth \"\" | tee log"), ["-auth", ""]);
}
