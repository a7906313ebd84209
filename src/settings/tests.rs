//! Tests of all settings, and the helpers of the other tests.

use std::ffi::OsString;
use std::time::Duration;

use super::*;
use crate::cli;

mod flags;
mod texts;

/// A text that is invalid for every setting, and not printable unless it is escaped.
const BAD: &str = "\u{7}\n";

fn begin(args: &[OsString], vars: &[(&str, OsString)]) -> Result<CommandLine, String> {
    let var = |name: &str| {
        let found = vars.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    start(args.iter().cloned(), var)
}

fn started(args: &[&str], vars: &[(&str, &str)]) -> Result<CommandLine, String> {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let vars: Vec<_> = vars
        .iter()
        .map(|(name, value)| (*name, value.into()))
        .collect();
    begin(&args, &vars)
}

fn run(args: &[&str], vars: &[(&str, &str)]) -> (Settings, Vec<String>) {
    match started(args, vars) {
        Ok(line) if matches!(line.action, Action::Run) => (line.settings, line.notes),
        Ok(_) => panic!("{args:?} {vars:?} did not run"),
        Err(line) => panic!("{args:?} {vars:?} failed: {line}"),
    }
}

fn settings(args: &[&str], vars: &[(&str, &str)]) -> Settings {
    run(args, vars).0
}

fn printed(args: &[&str], vars: &[(&str, &str)]) -> String {
    let line = started(args, vars).unwrap_or_else(|line| panic!("{args:?} failed: {line}"));
    let text = cli::text(&line).expect("it can be printed");
    assert!(!text.is_empty(), "{args:?} printed nothing");
    text
}

/// Returns the error, which must be one printable line.
fn rejected(result: Result<CommandLine, String>) -> String {
    let printed = result.and_then(|line| cli::text(&line).map_err(|error| error.to_string()));
    let line = printed.expect_err("the arguments were accepted");
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

fn error(args: &[&str], vars: &[(&str, &str)]) -> String {
    rejected(started(args, vars))
}

/// Returns a valid text that is not the default, and the settings with that value.
fn good(setting: &Setting) -> (&'static str, Settings) {
    let tried = ["7", "true", "on", "off", "random", "mock-bound"]
        .into_iter()
        .find_map(|text| {
            let mut settings = Settings::default();
            (setting.set)(&mut settings, text)?;
            (settings != Settings::default()).then_some((text, settings))
        });
    tried.unwrap_or_else(|| panic!("add a valid text for {} to this list", setting.field))
}

#[test]
fn defaults_are_as_documented() {
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
fn every_default_is_valid() {
    let mut settings = Settings::default();
    for setting in SETTINGS {
        (setting.set)(&mut settings, setting.default).expect(setting.field);
        let switch = (setting.allowed)().text == flag().allowed.text;
        assert_eq!(
            setting.metavar.is_empty(),
            switch,
            "{}: only a boolean flag has no metavar",
            setting.field
        );
    }
    assert!(settings == Settings::default());
    assert!(self::settings(&[], &[]) == settings);
}

#[test]
fn every_setting_is_parsed_from_each_spelling_and_from_its_variable() {
    // These require another setting.
    let alone = |setting: &&Setting| !["ttft_jitter", "auth_metrics"].contains(&setting.field);
    for setting in SETTINGS.iter().filter(alone) {
        let (good, expected) = good(setting);
        let (flag, variable) = (setting.flag(), setting.variable());
        for flag in [flag.clone(), format!("-{flag}")] {
            assert!(
                settings(&[&format!("{flag}={good}")], &[]) == expected,
                "{flag}"
            );
            let apart: &[&str] = if setting.metavar.is_empty() {
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
        let default = format!("{flag}={}", setting.default);
        let unset = settings(&[&default], &[(&variable, good)]);
        assert!(unset == Settings::default(), "{flag} overrides {variable}");
        let last = settings(&[&default, &format!("{flag}={good}")], &[]);
        assert!(last == expected, "the last {flag} wins");
        assert!(
            settings(&[], &[(&variable, "")]) == Settings::default(),
            "{variable}"
        );
    }
}

#[test]
fn every_invalid_value_is_reported_in_one_line() {
    for setting in SETTINGS {
        let (flag, variable, allowed) =
            (setting.flag(), setting.variable(), (setting.allowed)().text);
        let by_flag = error(&[&format!("{flag}={BAD}")], &[]);
        let by_variable = error(&[], &[(&variable, BAD)]);
        for (name, line) in [(&flag, by_flag), (&variable, by_variable)] {
            assert!(line.starts_with(&format!("{name}: ")), "{line}");
            assert!(line.ends_with(&format!("; expected {allowed}")), "{line}");
            assert_eq!(
                line.contains(r#""\u{7}\n""#),
                !(setting.allowed)().secret,
                "{line}"
            );
        }
        if !setting.metavar.is_empty() {
            let line = error(&[&flag], &[]);
            assert_eq!(line, format!("{flag}: missing value; expected {allowed}"));
        }
    }
}

#[cfg(unix)]
#[test]
fn every_value_that_is_not_utf8_is_reported_in_one_line() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = |text: &str| OsString::from_vec([text.as_bytes(), b"\xff"].concat());
    for setting in SETTINGS {
        let (flag, variable) = (setting.flag(), setting.variable());
        let joined = rejected(begin(&[bytes(&format!("{flag}=7"))], &[]));
        let by_variable = rejected(begin(&[], &[(&variable, bytes("7"))]));
        for (name, line) in [(&flag, joined), (&variable, by_variable)] {
            assert!(line.starts_with(&format!("{name}: ")), "{line}");
            assert_eq!(
                line.contains(r#""7\xFF""#),
                !(setting.allowed)().secret,
                "{line}"
            );
        }
    }
    assert!(rejected(begin(&["-port".into(), bytes("7")], &[])).contains(r#""7\xFF""#));
    assert!(rejected(begin(&[bytes("-port")], &[])).contains("unknown flag"));
    assert!(rejected(begin(&[bytes("port")], &[])).contains(r#"unexpected argument "port\xFF""#));
}
