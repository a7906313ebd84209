//! Every setting once: a row declares field, type, allowed values, default and help, and the flag,
//! the variable, the help text and the README's table are made from it.
//!
//! Knows texts only. It does not know the process (arguments and variables are handed in, the
//! texts to print and the exit code are `main`'s), nor the machine: whether a host resolves or a
//! core exists is found out where it is used.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use kind::{
    Auto, Bytes, Choice, Cores, Host, Kind, Millis, Percent, Seconds, Secret, Switch, Whole,
};

mod kind;

/// Makes `Settings`, its defaults and `ROWS` from rows, each its help and then
/// `field: type = kind, default, metavar;`. The kind says which texts are allowed. An empty metavar
/// makes a switch, which alone means true and never takes the next argument.
macro_rules! settings {
    ($(
        $(#[doc = $help:literal])+
        $field:ident: $type:ty = $kind:expr, $default:literal, $metavar:literal;
    )+) => {
        /// What the operator asked for. It has no `Debug`, since that would print `auth`.
        #[derive(Clone, PartialEq)]
        pub struct Settings {$(
            $(#[doc = $help])+
            #[doc = concat!("\n\nAllowed: `", stringify!($kind), "`; default: `", $default, "`.")]
            pub $field: $type,
        )+}

        impl Default for Settings {
            fn default() -> Self {
                Settings {$(
                    $field: Kind::<$type>::parse(&$kind, $default).expect("defaults are tested"),
                )+}
            }
        }

        /// The table of all settings, in the order of the help text.
        pub const ROWS: &[Row] = &[$(Row {
            field: stringify!($field),
            default: $default,
            metavar: $metavar,
            help: &[$($help.trim_ascii()),+],
            allowed: || Kind::<$type>::allowed(&$kind),
            secret: || Kind::<$type>::secret(&$kind),
            set: |settings, text| {
                settings.$field = Kind::<$type>::parse(&$kind, text)?;
                Some(())
            },
        }),+];
    };
}

settings! {
    /// Where to listen. localhost serves this machine only; 0.0.0.0 serves others too.
    host: String = Host, "localhost", "HOST";
    /// Port to listen on; 0 takes a free one.
    port: u16 = Whole(0, 65_535), "8000", "PORT";
    /// Give large answers: texts of about 10 KB, embeddings of 4096 numbers.
    big_payload: bool = Switch, "false", "";
    /// Requests must carry exactly this Authorization value; empty asks for none.
    auth: String = Secret, "", "VALUE";
    /// Answer so many milliseconds after the last byte of the request.
    latency: Duration = Millis(3_600_000), "0", "MS";
    /// Vary the latency by up to so many milliseconds up or down, evenly; never below 0.
    jitter: Duration = Millis(3_600_000), "0", "MS";
    /// Let so many percent of the requests fail with a 500.
    failure_percent: u32 = Percent, "0", "PERCENT";
    /// Vary that by up to so many percentage points up or down, drawn for each 100 requests.
    failure_jitter: u32 = Percent, "0", "POINTS";
    /// Refuse every request with a 429 from so many seconds after the start; 0: never.
    tpm: u32 = Whole(0, 31_536_000), "0", "SECONDS";
    /// End that after so many seconds; 0: never.
    tpm_duration: u32 = Whole(0, 31_536_000), "0", "SECONDS";
    /// What Retry-After says where a 429 has no known end, which clients sleep; 0: not sent.
    retry_after: u32 = Whole(0, 86_400), "1", "SECONDS";
    /// Log requests and answers as they are on standard error, bodies in full.
    log_raw: bool = Switch, "false", "";
    /// Where random choices begin, so that a run repeats; 0: somewhere else each time.
    seed: u64 = Whole(0, u64::MAX), "0", "NUMBER";
    /// Threads that serve, one a core. auto takes as many as the process may use CPUs
    /// (by its affinity mask and its cgroup quota).
    threads: Option<usize> = Auto(Whole(1, 1024)), "auto", "N";
    /// Keep each thread on one CPU. auto does so when -cores is given or when there are as many
    /// threads as CPUs in the process's affinity mask.
    pin: Pin = Choice(&[("auto", Pin::Auto), ("on", Pin::On), ("off", Pin::Off)]), "auto", "WORD";
    /// CPUs to serve on, a thread on each; empty leaves the choice to mocker.
    cores: Vec<usize> = Cores, "", "LIST";
    /// Close a connection that has waited this many seconds for a next request.
    idle_timeout: Duration = Seconds(0.001, 86_400.0), "60", "SECONDS";
    /// Close a connection whose request takes more than this many seconds to arrive.
    read_timeout: Duration = Seconds(0.001, 86_400.0), "300", "SECONDS";
    /// Close a connection whose client takes more than this many seconds to read an answer.
    write_timeout: Duration = Seconds(0.001, 86_400.0), "300", "SECONDS";
    /// Largest request body in bytes; a larger one is refused.
    max_body: u64 = Bytes, "50m", "BYTES";
}

/// Whether each thread is kept on a core of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pin {
    /// Kept when the threads fill the affinity mask or their CPUs are given.
    Auto,
    /// Kept; the start fails where that can't be.
    On,
    /// Left to the scheduler.
    Off,
}

/// One setting as the operator sees it.
pub struct Row {
    /// Name of the field in `Settings`; the names of flag and variable follow from it.
    pub field: &'static str,
    /// The default, as an operator would write it.
    pub default: &'static str,
    /// What stands for the value in the help text; empty for a switch.
    pub metavar: &'static str,
    /// What it does; its lines fit the help text.
    pub help: &'static [&'static str],
    /// What is allowed, as the end of a sentence.
    pub allowed: fn() -> String,
    /// Whether the value must not be shown.
    pub secret: fn() -> bool,
    /// Puts the parsed text into its field; `None` where the text is not allowed.
    pub set: fn(&mut Settings, &str) -> Option<()>,
}

impl Row {
    /// The flag: `-big-payload` for the field `big_payload`.
    pub fn flag(&self) -> String {
        format!("-{}", self.field.replace('_', "-"))
    }

    /// The environment variable: `MOCKER_BIG_PAYLOAD` for the field `big_payload`.
    pub fn variable(&self) -> String {
        format!("MOCKER_{}", self.field.to_uppercase())
    }

    fn usage(&self) -> String {
        let usage = format!("{} {}", self.flag(), self.metavar);
        usage.trim_end().to_owned()
    }

    fn default_shown(&self) -> &str {
        if self.default.is_empty() {
            "\"\""
        } else {
            self.default
        }
    }

    /// Takes a value from `origin`, a flag or a variable. `{:?}` keeps what is shown on one line.
    fn take(&self, settings: &mut Settings, origin: &str, value: &OsStr) -> Result<(), String> {
        let taken = value.to_str().and_then(|text| (self.set)(settings, text));
        taken.ok_or_else(|| {
            let shown = if (self.secret)() {
                "its value".into()
            } else {
                format!("{value:?}")
            };
            format!(
                "mocker: {origin}: {shown} is not allowed; {}",
                (self.allowed)()
            )
        })
    }
}

/// What the operator's arguments and variables ask for.
#[allow(clippy::large_enum_variant, reason = "there is one, at the start")]
pub enum Start {
    /// Serve. The notes are lines for stderr, without their newlines.
    Run(Settings, Vec<String>),
    /// Ask the server that these settings describe whether it is well.
    Healthcheck(Settings),
    /// Print this text to stdout as it is, and exit with code 0.
    Print(String),
}

/// What the arguments ask for beside the settings.
enum Action {
    Run,
    Healthcheck,
    Print(String),
}

/// Reads the arguments (without the program's name) and the variables. The error is one line for
/// stderr, without its newline, and means exit code 2.
pub fn start(
    args: impl IntoIterator<Item = OsString>,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<Start, String> {
    let mut settings = Settings::default();
    let mut by_flag = [false; ROWS.len()];
    let action = take_flags(args, &mut settings, &mut by_flag)?;
    if let Action::Print(text) = action {
        return Ok(Start::Print(text));
    }
    let notes = take_variables(var, &mut settings, &by_flag)?;
    check(&settings, &by_flag)?;
    match action {
        Action::Healthcheck if settings.port == 0 => Err(format!(
            "mocker: {HEALTHCHECK}: port 0 is no port to ask; give the server's"
        )),
        // The server has told the notes.
        Action::Healthcheck => Ok(Start::Healthcheck(settings)),
        _ => Ok(Start::Run(settings, notes)),
    }
}

/// The flag of a container's health check. Unlike `-help` it needs the other flags, so it may
/// stand anywhere among them.
const HEALTHCHECK: &str = "-healthcheck";

/// Goes through the arguments in order, until one asks for a text.
fn take_flags(
    args: impl IntoIterator<Item = OsString>,
    settings: &mut Settings,
    by_flag: &mut [bool],
) -> Result<Action, String> {
    let mut args = args.into_iter();
    let mut action = Action::Run;
    let mut after = None;
    while let Some(arg) = args.next() {
        let mut parser = lexopt::Parser::from_args([double_dash(&arg)]);
        let Ok(Some(lexopt::Arg::Long(name))) = parser.next() else {
            return Err(stray(&arg, after));
        };
        let flag = format!("-{name}");
        match flag.as_str() {
            "-h" | "-help" => return Ok(Action::Print(help())),
            "-V" | "-version" => return Ok(Action::Print(version())),
            HEALTHCHECK if parser.optional_value().is_some() => {
                return Err(format!("mocker: {flag}: it takes no value"));
            }
            HEALTHCHECK => {
                (action, after) = (Action::Healthcheck, None);
                continue;
            }
            _ => {}
        }
        let Some(at) = ROWS.iter().position(|row| row.flag() == flag) else {
            // The value is not shown: the flag may be a misspelt `-auth`.
            return Err(format!(
                "mocker: {}: no such flag; mocker -help lists those allowed",
                flag.escape_debug()
            ));
        };
        let row = &ROWS[at];
        let value = match parser.optional_value() {
            Some(value) => value,
            None if row.metavar.is_empty() => "true".into(),
            None => args.next().ok_or_else(|| {
                format!("mocker: {flag}: its value is missing; {}", (row.allowed)())
            })?,
        };
        row.take(settings, &flag, &value)?;
        by_flag[at] = true;
        after = Some(row);
    }
    Ok(action)
}

/// The error line for an argument that is no flag and no value of one.
fn stray(arg: &OsStr, after: Option<&Row>) -> String {
    let shown = match after {
        // An unquoted `-auth Bearer KEY` ends up here with the KEY.
        Some(row) if (row.secret)() => format!("what follows the value of {}", row.flag()),
        _ => format!("{arg:?}"),
    };
    format!("mocker: {shown} is a stray argument; only flags and their values are allowed")
}

/// Makes `-name` the `--name` that lexopt can split at its `=`, even before a value not in UTF-8.
fn double_dash(arg: &OsStr) -> OsString {
    let bytes = arg.as_encoded_bytes();
    let single = bytes.starts_with(b"-") && !bytes.starts_with(b"--");
    let mut long = OsString::from(if single { "-" } else { "" });
    long.push(arg);
    long
}

/// Reads the variables of the settings that no flag gave; returns the notes for the operator.
fn take_variables(
    var: impl Fn(&str) -> Option<OsString>,
    settings: &mut Settings,
    by_flag: &[bool],
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    for (row, by_flag) in ROWS.iter().zip(by_flag) {
        let name = row.variable();
        let Some(value) = var(&name).filter(|value| !by_flag && !value.is_empty()) else {
            continue;
        };
        if name == "MOCKER_PORT" && value.as_encoded_bytes().starts_with(b"tcp://") {
            notes.push(format!(
                "mocker: {name}: {value:?} is ignored; \
                 Kubernetes sets it for a Service named mocker"
            ));
            continue;
        }
        row.take(settings, &name, &value)?;
    }
    Ok(notes)
}

/// The largest request body that can be logged raw, in bytes: the log holds some 250 MB in all.
const LOGGED_BODY_MAX: u64 = 200 << 20;

/// Refuses settings that are allowed each alone but contradict each other.
fn check(settings: &Settings, by_flag: &[bool]) -> Result<(), String> {
    let origin = |field| {
        let mut rows = ROWS.iter().zip(by_flag);
        let (row, by_flag) = rows
            .find(|(row, _)| row.field == field)
            .expect("it has a row");
        if *by_flag { row.flag() } else { row.variable() }
    };
    let cores = settings.cores.len();
    if cores > 0 && settings.pin == Pin::Off {
        let (pin, cores) = (origin("pin"), origin("cores"));
        return Err(format!(
            "mocker: {pin}: \"off\" is not allowed with {cores}; auto or on"
        ));
    }
    if let Some(threads) = settings.threads
        && cores > 0
        && threads != cores
    {
        let (origin, list) = (origin("threads"), origin("cores"));
        return Err(format!(
            "mocker: {origin}: \"{threads}\" is not allowed with {list}; \
             auto or {cores}, the number of cores given"
        ));
    }
    if settings.log_raw && settings.max_body > LOGGED_BODY_MAX {
        let (log, max) = (origin("log_raw"), origin("max_body"));
        return Err(format!(
            "mocker: {max}: more than 200m is not allowed with {log}, which holds bodies whole"
        ));
    }
    Ok(())
}

fn version() -> String {
    concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n").to_owned()
}

fn help() -> String {
    let mut text = String::from(
        "Usage: mocker [-flag value]...\n\n\
         \x20 mocker -host 0.0.0.0 -port 8080 -auth \"Bearer secret\"\n\
         \x20 MOCKER_PORT=8080 mocker -big-payload\n\n\
         A flag beats its environment variable; a switch alone means true.\n\n",
    );
    for row in ROWS {
        text += &format!("  {:<28}{}\n", row.usage(), row.variable());
        for line in row.help {
            text += &format!("      {line}\n");
        }
        let (default, allowed) = (row.default_shown(), (row.allowed)());
        text += &format!("      Default: {default}. Allowed: {allowed}.\n");
    }
    text += "  -healthcheck\n      Ask GET /health of the server that the other flags and the \
             variables describe.\n      Exit with 0 when it is well, with 1 when it is not or says \
             nothing for two seconds.\n";
    text += "  -h, -help\n      Print this text.\n  -V, -version\n      Print the version.\n";
    text
}

/// The README's table of settings, as lines of Markdown.
pub fn markdown() -> String {
    let mut table = String::from("| Flag | Variable | Default | What |\n|---|---|---|---|\n");
    for row in ROWS {
        table += &format!(
            "| `{}` | `{}` | `{}` | {} Allowed: {}. |\n",
            row.usage(),
            row.variable(),
            row.default_shown(),
            row.help.join(" "),
            (row.allowed)(),
        );
    }
    table
}

#[cfg(test)]
mod tests {
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
            Ok(Start::Run(settings, notes)) => (settings, notes),
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
        let tried = ["7", "true", "on"].into_iter().find_map(|text| {
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
        for row in ROWS {
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
        assert_eq!(table.lines().count(), 2 + ROWS.len());
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
}
