//! What arguments and variables come to, for every setting.

use std::ffi::OsString;
use std::time::Duration;

use super::kind::{Kind, Switch};
use super::*;

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

#[test]
fn help_and_readme_tell_every_setting() {
    let help = printed(&["-help"], &[]);
    let long = help.lines().find(|line| line.chars().count() > 100);
    assert_eq!(long, None, "fits 100 columns");
    let table = markdown();
    assert_eq!(
        table.lines().count(),
        2 + ROWS.len() + texts::groups().count()
    );
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
fn a_health_check_reads_the_settings_of_the_server() {
    let port = [("MOCKER_PORT", "7")];
    for (args, vars, port) in [
        (&["-healthcheck"] as &[_], &[] as &[_], 8000),
        (&["--healthcheck"], &port, 7),
        (&["-healthcheck", "-port", "8"], &port, 8),
        (&["-port=8", "-healthcheck", "-big-payload"], &port, 8),
        (
            &["-healthcheck"],
            &[("MOCKER_PORT", "tcp://10.0.0.1:80")],
            8000,
        ),
    ] {
        match started(args, vars) {
            Ok(Start::Healthcheck(settings)) => assert_eq!(settings.port, port, "{args:?}"),
            Ok(_) => panic!("{args:?} {vars:?} asked nobody"),
            Err(line) => panic!("{args:?} {vars:?} failed: {line}"),
        }
    }
    for (args, part) in [
        (
            &["-healthcheck", "-port", "0"] as &[_],
            "-healthcheck: port 0",
        ),
        (&["-port", "80x", "-healthcheck"], "-port: "),
        (&["-healthcheck=false"], "-healthcheck: it takes no value"),
        (&["-healthcheck", "true"], "\"true\" is a stray"),
        (&["-auth=a", "-healthcheck", "b"], "\"b\" is a stray"),
    ] {
        let line = error(args, &[]);
        assert!(line.contains(part), "{line}");
    }
    assert!(error(&["-healthcheck"], &[("MOCKER_PORT", "0")]).contains("port 0"));
    assert!(printed(&["-healthcheck", "-help"], &[]).contains("\n  -healthcheck\n"));
}

#[test]
fn the_error_line() {
    let whole = "is not allowed; a whole number from 0 to 65535";
    let line = error(&["-port", "80x"], &[]);
    assert_eq!(line, format!("mocker: -port: \"80x\" {whole}"));
    let line = error(&["--port=65536"], &[]);
    assert_eq!(line, format!("mocker: -port: \"65536\" {whole}"));
    let line = error(&[], &[("MOCKER_PORT", "-1")]);
    assert_eq!(line, format!("mocker: MOCKER_PORT: \"-1\" {whole}"));
    assert_eq!(
        error(&["-port", ""], &[]),
        format!("mocker: -port: \"\" {whole}")
    );
    assert!(error(&["-Port", "1"], &[]).starts_with("mocker: -Port: no such flag;"));
    assert!(error(&["-big_payload"], &[]).starts_with("mocker: -big_payload: no such flag;"));
    assert!(error(&["-a\u{1b}\n"], &[]).starts_with("mocker: -a\\u{1b}\\n: no such flag;"));
    for arg in ["stray", "", "-", "--", "80\n80"] {
        let line = error(&["-port", "1", arg], &[]);
        assert!(
            line.starts_with(&format!("mocker: {arg:?} is a stray argument; ")),
            "{line}"
        );
    }
}

#[test]
fn a_secret_is_never_shown() {
    let wrong = [
        error(&["-auth", "hush\n"], &[]),
        error(&["-auth=hush\n"], &[]),
        error(&[], &[("MOCKER_AUTH", "hush ")]),
        error(&["-auth", "Bearer", "hush"], &[]),
        error(&["-auth=Bearer", "hush", "-port", "1"], &[]),
        error(&["-auht=hush"], &[]),
        error(&["-auht", "hush"], &[]),
    ];
    for line in wrong {
        assert!(
            !line.contains("hush") && line.contains("-au") | line.contains("AUTH"),
            "{line}"
        );
    }
}

#[test]
fn a_switch_never_takes_the_next_argument() {
    let on = settings(
        &["-big-payload", "-port", "1"],
        &[("MOCKER_BIG_PAYLOAD", "false")],
    );
    assert!(on.big_payload && on.port == 1);
    assert!(error(&["-big-payload", "false"], &[]).contains("\"false\" is a stray"));
    for off in [
        "-big-payload=false",
        "--big-payload=FALSE",
        "-big-payload=0",
    ] {
        assert!(
            !settings(&[off], &[("MOCKER_BIG_PAYLOAD", "true")]).big_payload,
            "{off}"
        );
    }
    assert!(settings(&[], &[("MOCKER_BIG_PAYLOAD", "True")]).big_payload);
    assert!(error(&["-big-payload="], &[]).contains("\"\" is not allowed"));
}

#[test]
fn values_are_taken_as_they_are() {
    let auth = [("MOCKER_AUTH", "Bearer x")];
    assert_eq!(settings(&[], &auth).auth, "Bearer x");
    assert_eq!(
        settings(&["-auth", ""], &auth).auth,
        "",
        "an empty flag is a value"
    );
    assert_eq!(settings(&["-auth="], &auth).auth, "");
    assert_eq!(settings(&["-auth", "-port"], &[]).auth, "-port");
    assert_eq!(settings(&["-auth", "--"], &[]).auth, "--");
    assert_eq!(settings(&["-auth=Basic a=b=="], &[]).auth, "Basic a=b==");
    assert!(settings(&["-port=8080"], &[("MOCKER_PORT", "80x")]).port == 8080);
    assert!(settings(&[], &[("MOCKER_POTR", "80x")]) == Settings::default());
}

#[test]
fn a_port_from_kubernetes_is_ignored_with_a_note() {
    let kubernetes = [("MOCKER_PORT", "tcp://10.0.0.1:8000")];
    let (settings, notes) = run(&[], &kubernetes);
    assert!(settings == Settings::default());
    let [note] = notes.as_slice() else {
        panic!("{notes:?}")
    };
    assert!(note.starts_with("mocker: MOCKER_PORT: \"tcp://10.0.0.1:8000\" is ignored; "));
    assert!(
        run(&["-port", "1"], &kubernetes).1.is_empty(),
        "it was not needed"
    );
    assert!(error(&["-port", "tcp://10.0.0.1:8000"], &[]).contains("-port"));
    assert!(error(&[], &[("MOCKER_THREADS", "tcp://10.0.0.1:1")]).contains("MOCKER_THREADS"));
}

#[test]
fn settings_that_contradict_each_other_are_told_by_the_names_given() {
    let line = error(&["-pin=off"], &[("MOCKER_CORES", "0-1")]);
    assert_eq!(
        line,
        "mocker: -pin: \"off\" is not allowed with MOCKER_CORES; auto or on"
    );
    let line = error(&["-cores=0-1"], &[("MOCKER_PIN", "off")]);
    assert_eq!(
        line,
        "mocker: MOCKER_PIN: \"off\" is not allowed with -cores; auto or on"
    );
    for threads in ["1", "3"] {
        let line = error(&["-threads", threads, "-cores", "0-1"], &[]);
        assert!(line.contains(&format!(
            "-threads: \"{threads}\" is not allowed with -cores"
        )));
        assert!(line.contains("auto or 2"), "{line}");
    }
    settings(&["-threads=2", "-cores=0-1", "-pin=on"], &[]);
    settings(&["-threads=auto", "-cores=0-1"], &[]);
    settings(&["-threads=3", "-pin=off"], &[]);
    settings(
        &["-cores="],
        &[("MOCKER_CORES", "0-1"), ("MOCKER_PIN", "off")],
    );
}

#[test]
fn what_varies_the_first_token_needs_its_time() {
    let line = error(&["-ttft-jitter", "5"], &[]);
    assert!(
        line.contains("-ttft-jitter") && line.contains("-ttft auto"),
        "{line}"
    );
    let line = error(&[], &[("MOCKER_TTFT_JITTER", "5")]);
    assert!(line.contains("MOCKER_TTFT_JITTER"), "{line}");
    let settings = settings(&["-ttft", "200", "-ttft-jitter", "0.5"], &[]);
    assert_eq!(settings.ttft, Some(Duration::from_millis(200)));
    assert_eq!(settings.ttft_jitter, Duration::from_micros(500));
}

#[test]
fn a_mistyped_flag_names_the_nearest() {
    for (typed, meant) in [
        ("-prot", "-port"),
        ("-latnecy", "-latency"),
        ("-failure-percentage", "-failure-percent"),
        ("-hlep", "-help"),
        ("-ttft-jiter", "-ttft-jitter"),
    ] {
        let line = error(&[typed, "1"], &[]);
        assert!(line.contains(&format!("is it {meant}? ")), "{line}");
    }
    let line = error(&["-something-else", "1"], &[]);
    assert!(!line.contains("is it"), "{line}");
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
