//! The texts that tell of the settings. Knows no kind of value.

use super::super::texts::groups;
use super::*;

#[test]
fn help_and_readme_tell_every_setting() {
    let help = printed(&["-help"], &[]);
    let long = help.lines().find(|line| line.chars().count() > 100);
    assert_eq!(long, None, "fits 100 columns");
    let table = markdown();
    assert_eq!(table.lines().count(), 2 + ROWS.len() + groups().count());
    for row in ROWS {
        for part in [row.flag(), row.variable(), (row.allowed)()] {
            assert!(help.contains(&part) && table.contains(&part), "{part}");
        }
        let line = table
            .lines()
            .find(|line| line.contains(&format!("`{}`", row.usage())));
        assert_eq!(
            line.expect(row.field).matches('|').count(),
            5,
            "a bar would end a cell"
        );
    }
}

#[test]
fn help_and_version_end_the_reading() {
    for flag in ["-h", "--h", "-help", "--help"] {
        assert!(printed(&[flag], &[]).starts_with("Usage: mocker "));
    }
    for flag in ["-V", "-version", "--version"] {
        assert_eq!(
            printed(&[flag], &[]),
            concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n")
        );
    }
    assert!(printed(&["-port", "1", "-V", "-h"], &[]).starts_with("mocker "));
    assert!(printed(&["-h", "-V"], &[]).starts_with("Usage"));
    let later = [
        "-pin=off",
        "-cores=1",
        "-h",
        "-port",
        "80x",
        "stray",
        "-nonsense",
    ];
    assert!(printed(&later, &[("MOCKER_PORT", "80x")]).starts_with("Usage"));
    assert!(
        error(&["-port", "80x", "-h"], &[]).contains("-port"),
        "an earlier error wins"
    );
    assert!(
        error(&["-port", "-h"], &[]).contains("\"-h\""),
        "here -h is a value"
    );
}

#[test]
fn what_was_asked_for_is_shown_with_its_origin() {
    let vars = [("MOCKER_JITTER", "20"), ("MOCKER_AUTH", "Bearer secret")];
    let text = printed(&["-latency", "50", "-print-config"], &vars);
    assert_eq!(text.lines().count(), ROWS.len());
    let has = |start: &str, end: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.starts_with(start) && line.ends_with(end))
    };
    assert!(has("-latency 50 ", " flag"), "{text}");
    assert!(has("-jitter 20 ", " MOCKER_JITTER"), "{text}");
    assert!(has("-port 8000 ", " default"), "{text}");
    assert!(has("-auth (set) ", " MOCKER_AUTH"), "{text}");
    assert!(!text.contains("secret"));
    assert!(error(&["-print-config=1"], &[]).contains("takes no value"));
    assert!(error(&["-print-config", "-port", "x"], &[]).contains("-port"));
}

#[test]
fn the_line_that_says_ready_tells_what_differs() {
    let changed = |args: &[&str], vars: &[(&str, &str)]| match started(args, vars) {
        Ok(Start::Run(run)) => run.changed,
        _ => panic!("{args:?} does not run"),
    };
    assert_eq!(changed(&["-port", "1", "-quiet"], &[]), "");
    assert_eq!(changed(&["-latency", "0.000", "-tpm", "0"], &[]), "");
    let args = ["-auth", "Bearer k", "-latency=50", "-big-payload"];
    assert_eq!(
        changed(&args, &[("MOCKER_CONTENT", "file:a b")]),
        "-big-payload -content \"file:a b\" -latency 50 -auth (set)"
    );
}

#[test]
fn what_is_made_for_shells_and_man_has_every_flag() {
    for kind in ["man", "bash", "zsh", "fish"] {
        let text = printed(&["-generate", kind], &[]);
        assert_eq!(text, printed(&[&format!("-generate={kind}")], &[]));
        for row in ROWS {
            let flag = match kind {
                "man" => row.flag().replace('-', "\\-"),
                "fish" => format!("-o {} ", row.flag().trim_start_matches('-')),
                _ => row.flag(),
            };
            assert!(text.contains(&flag), "{kind}: {flag}");
        }
        assert!(text.ends_with('\n') && !text.contains("\t"));
    }
    for args in [&["-generate"] as &[&str], &["-generate", "x"]] {
        let line = error(args, &[]);
        assert!(line.ends_with("is not allowed; one of man, bash, zsh, fish"));
    }
}
