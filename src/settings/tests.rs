//! What arguments and variables come to: what all these tests ask with, and what holds for every
//! setting. Knows no process.

use std::ffi::OsString;
use std::time::Duration;

use super::kind::{Kind, Switch};
use super::*;

mod flags;
mod texts;

/// No kind of value allows it, and shown raw it would not be one printable line.
const BAD: &str = "\u{7}\n";

fn begin(args: &[OsString], vars: &[(&str, OsString)]) -> Result<Start, String> {
    let var = |name: &str| {
        let found = vars.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    start(args.iter().cloned(), var)
}

fn started(args: &[&str], vars: &[(&str, &str)]) -> Result<Start, String> {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let vars: Vec<_> = vars
        .iter()
        .map(|(name, value)| (*name, value.into()))
        .collect();
    begin(&args, &vars)
}

fn run(args: &[&str], vars: &[(&str, &str)]) -> (Settings, Vec<String>) {
    match started(args, vars) {
        Ok(Start::Run(run)) => (run.settings, run.notes),
        Ok(Start::Print(text)) => panic!("{args:?} {vars:?} printed {text}"),
        Ok(Start::Healthcheck(_)) => panic!("{args:?} {vars:?} did not run"),
        Err(line) => panic!("{args:?} {vars:?} failed: {line}"),
    }
}

fn settings(args: &[&str], vars: &[(&str, &str)]) -> Settings {
    run(args, vars).0
}

fn printed(args: &[&str], vars: &[(&str, &str)]) -> String {
    match started(args, vars) {
        Ok(Start::Print(text)) => text,
        Ok(_) => panic!("{args:?} printed nothing"),
        Err(line) => panic!("{args:?} failed: {line}"),
    }
}

/// The error, which is one printable line whatever was given.
fn refused(result: Result<Start, String>) -> String {
    let Err(line) = result else {
        panic!("it was not refused")
    };
    assert!(line.starts_with("mocker: "), "{line}");
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

fn error(args: &[&str], vars: &[(&str, &str)]) -> String {
    refused(started(args, vars))
}

/// Some allowed text that is not the default, and the settings that it makes.
fn good(row: &Row) -> (&'static str, Settings) {
    let tried = ["7", "true", "on", "off", "random", "mock-bound"]
        .into_iter()
        .find_map(|text| {
            let mut settings = Settings::default();
            (row.set)(&mut settings, text)?;
            (settings != Settings::default()).then_some((text, settings))
        });
    tried.unwrap_or_else(|| panic!("give this list a text for {}", row.field))
}

#[test]
fn the_defaults() {
    let settings = Settings::default();
    assert_eq!((settings.host.as_str(), settings.port), ("localhost", 8000));
    assert_eq!((settings.big_payload, settings.auth.as_str()), (false, ""));
    assert_eq!(
        (settings.threads, settings.pin, settings.cores),
        (None, Pin::Auto, vec![])
    );
    let timeouts = [
        settings.idle_timeout,
        settings.read_timeout,
        settings.write_timeout,
    ];
    assert_eq!(timeouts, [60, 300, 300].map(Duration::from_secs));
    assert_eq!(settings.max_body, 52_428_800);
    assert!(settings.latency.is_zero() && settings.jitter.is_zero());
    assert_eq!((settings.failure_percent, settings.failure_jitter), (0, 0));
    let limit = (settings.tpm, settings.tpm_duration, settings.retry_after);
    assert_eq!((limit, settings.seed), ((0, 0, 1), 0));
}

#[test]
fn every_default_is_allowed() {
    let mut settings = Settings::default();
    for row in ROWS {
        (row.set)(&mut settings, row.default).expect(row.field);
        let switch = (row.allowed)() == Switch.allowed();
        assert_eq!(
            row.metavar.is_empty(),
            switch,
            "{}: a metavar or a switch",
            row.field
        );
    }
    assert!(settings == Settings::default());
    assert!(self::settings(&[], &[]) == settings);
}

#[test]
fn every_setting_is_read_from_each_spelling_and_from_its_variable() {
    // Those need another.
    let alone = |row: &&Row| !["ttft_jitter", "auth_metrics"].contains(&row.field);
    for row in ROWS.iter().filter(alone) {
        let (good, expected) = good(row);
        let (flag, variable) = (row.flag(), row.variable());
        for flag in [flag.clone(), format!("-{flag}")] {
            assert!(
                settings(&[&format!("{flag}={good}")], &[]) == expected,
                "{flag}"
            );
            let apart: &[&str] = if row.metavar.is_empty() {
                &[&flag]
            } else {
                &[&flag, good]
            };
            assert!(settings(apart, &[]) == expected, "{flag}");
        }
        assert!(
            settings(&[], &[(&variable, good)]) == expected,
            "{variable}"
        );
        let default = format!("{flag}={}", row.default);
        let unset = settings(&[&default], &[(&variable, good)]);
        assert!(unset == Settings::default(), "{flag} beats {variable}");
        let last = settings(&[&default, &format!("{flag}={good}")], &[]);
        assert!(last == expected, "the last {flag} wins");
        assert!(
            settings(&[], &[(&variable, "")]) == Settings::default(),
            "{variable}"
        );
    }
}

#[test]
fn every_bad_value_is_told_in_one_line() {
    for row in ROWS {
        let (flag, variable, allowed) = (row.flag(), row.variable(), (row.allowed)());
        let by_flag = error(&[&format!("{flag}={BAD}")], &[]);
        let by_variable = error(&[], &[(&variable, BAD)]);
        for (name, line) in [(&flag, by_flag), (&variable, by_variable)] {
            assert!(line.starts_with(&format!("mocker: {name}: ")), "{line}");
            assert!(line.ends_with(&format!("; {allowed}")), "{line}");
            assert_eq!(line.contains(r#""\u{7}\n""#), !(row.secret)(), "{line}");
        }
        if !row.metavar.is_empty() {
            let line = error(&[&flag], &[]);
            assert_eq!(
                line,
                format!("mocker: {flag}: its value is missing; {allowed}")
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn every_value_that_is_not_utf8_is_told_in_one_line() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = |text: &str| OsString::from_vec([text.as_bytes(), b"\xff"].concat());
    for row in ROWS {
        let (flag, variable) = (row.flag(), row.variable());
        let joined = refused(begin(&[bytes(&format!("{flag}=7"))], &[]));
        let by_variable = refused(begin(&[], &[(&variable, bytes("7"))]));
        for (name, line) in [(&flag, joined), (&variable, by_variable)] {
            assert!(line.starts_with(&format!("mocker: {name}: ")), "{line}");
            assert_eq!(line.contains(r#""7\xFF""#), !(row.secret)(), "{line}");
        }
    }
    assert!(refused(begin(&["-port".into(), bytes("7")], &[])).contains(r#""7\xFF""#));
    assert!(refused(begin(&[bytes("-port")], &[])).contains("no such flag"));
    assert!(refused(begin(&[bytes("port")], &[])).contains(r#""port\xFF" is a stray"#));
}
