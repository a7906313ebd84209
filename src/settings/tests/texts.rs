//! Tests of the help, the version, the effective configuration and the generated files.

use super::*;

#[test]
fn the_help_has_every_setting() {
    let help = printed(&["-help"], &[]);
    let long = help.lines().find(|line| line.chars().count() > 100);
    assert_eq!(long, None, "lines must fit 100 columns");
    for setting in SETTINGS {
        for part in [
            setting.usage(),
            setting.variable(),
            (setting.allowed)().text,
        ] {
            assert!(help.contains(&part), "{part}");
        }
    }
}

#[test]
fn help_and_version_end_parsing() {
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
        "-h is a value here"
    );
}

#[test]
fn the_configuration_is_printed_with_origins() {
    let vars = [("MOCKER_JITTER", "20"), ("MOCKER_AUTH", "Bearer secret")];
    let text = printed(&["-latency", "50", "-print-config"], &vars);
    assert_eq!(text.lines().count(), SETTINGS.len());
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
fn the_startup_message_reports_what_differs() {
    let changed = |args: &[&str], vars: &[(&str, &str)]| match started(args, vars) {
        Ok(line) if matches!(line.action, Action::Run) => line.changed(),
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
fn generated_files_have_every_flag() {
    for kind in ["man", "bash", "zsh", "fish"] {
        let text = printed(&["-generate", kind], &[]);
        assert_eq!(text, printed(&[&format!("-generate={kind}")], &[]));
        for setting in SETTINGS {
            let flag = match kind {
                "man" => setting.flag().replace('-', "\\-"),
                "fish" => format!("-o {} ", setting.flag().trim_start_matches('-')),
                _ => setting.flag(),
            };
            assert!(text.contains(&flag), "{kind}: {flag}");
        }
        assert!(text.ends_with('\n') && !text.contains("\t"));
    }
    for args in [&["-generate"] as &[&str], &["-generate", "x"]] {
        let line = error(args, &[]);
        assert!(line.ends_with("; expected one of man, bash, zsh, fish"));
    }
}
