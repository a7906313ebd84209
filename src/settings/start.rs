//! Parsing of the command line and the environment, including the checks for conflicting settings.
//! Errors and warnings are lines without the program's name and the newline.

use std::ffi::{OsStr, OsString};

use super::command_line::{Action, CommandLine, Origin};
use super::{Pin, SETTINGS, Setting};

/// The largest request body that `-log-raw` can log, in bytes: the log buffers about 250 MB in
/// total.
const LOGGED_BODY_MAX: u64 = 200 << 20;

/// The flag that checks the health of a running server, for containers.
const HEALTHCHECK: &str = "-healthcheck";

/// The flag that prints the effective configuration.
const PRINT_CONFIG: &str = "-print-config";

/// The flag that prints shell completions or a manual page.
pub const GENERATE: &str = "-generate";

/// The flags that are not settings, with their help.
pub const OTHERS: &[(&str, &[&str])] = &[
    (
        HEALTHCHECK,
        &[
            "Send GET /health to the server that the other flags and the variables describe.",
            "Exit with 0 if it is healthy, otherwise with 1; the time limit is two seconds.",
        ],
    ),
    (
        PRINT_CONFIG,
        &["Print every setting with its value and the origin of the value."],
    ),
    (
        GENERATE,
        &["Print a manual page (man) or completions (bash, zsh, fish)."],
    ),
    ("-help", &["Print this help."]),
    ("-version", &["Print the version."]),
];

/// Parses the arguments (without the program's name) and the environment. An error is the
/// operator's mistake. Warnings are added to `notes`.
pub fn start(
    args: impl IntoIterator<Item = OsString>,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<CommandLine, String> {
    let mut line = CommandLine::new();
    take_flags(args, &mut line)?;
    if let Action::Run | Action::Healthcheck | Action::PrintConfig = line.action {
        take_variables(var, &mut line)?;
        check(&line)?;
    }
    Ok(line)
}

/// Parses the arguments in order, up to one that prints a text.
fn take_flags(
    args: impl IntoIterator<Item = OsString>,
    line: &mut CommandLine,
) -> Result<(), String> {
    let mut args = args.into_iter();
    let mut after = None;
    while let Some(arg) = args.next() {
        let mut parser = lexopt::Parser::from_args([double_dash(&arg)]);
        let Ok(Some(lexopt::Arg::Long(name))) = parser.next() else {
            return Err(stray(&arg, after));
        };
        let flag = format!("-{name}");
        let value = parser.optional_value();
        after = None;
        match flag.as_str() {
            HEALTHCHECK | PRINT_CONFIG if value.is_some() => {
                return Err(format!("{flag}: takes no value"));
            }
            HEALTHCHECK => line.action = Action::Healthcheck,
            PRINT_CONFIG => line.action = Action::PrintConfig,
            "-h" | "-help" => line.action = Action::Help,
            "-V" | "-version" => line.action = Action::Version,
            GENERATE => {
                let format = value.or_else(|| args.next()).unwrap_or_default();
                line.action = Action::Generate(format);
            }
            _ => {
                let at = SETTINGS.iter().position(|setting| setting.flag() == flag);
                let at = at.ok_or_else(|| no_such(&flag))?;
                let setting = &SETTINGS[at];
                let value = match setting.metavar {
                    "" => value.or_else(|| Some("true".into())),
                    _ => value.or_else(|| args.next()),
                };
                let missing = || {
                    let allowed = (setting.allowed)().text;
                    format!("{flag}: missing value; expected {allowed}")
                };
                line.set(at, Origin::Flag, &value.ok_or_else(missing)?)?;
                after = Some(setting);
            }
        }
        if let Action::Help | Action::Version | Action::Generate(_) = line.action {
            break;
        }
    }
    Ok(())
}

/// Returns a warning for each environment variable that looks like a misspelt setting, which would
/// otherwise invalidate a measurement unnoticed. The variables that Kubernetes sets for a Service
/// named mocker do not resemble any setting.
pub fn misspelt(names: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    let meant = |name: OsString| {
        let name = name.into_string().ok()?;
        let ours = name.starts_with("MOCKER_") && !known.contains(&name);
        // At most two letters may differ, and less than a third of the name.
        let near = |known: &&String| {
            let distance = strsim::osa_distance(&name, known);
            distance <= 2 && distance * 3 < known.len() - "MOCKER_".len()
        };
        let near = known.iter().find(near).filter(|_| ours)?;
        Some(format!("{name}: unknown variable; did you mean {near}?"))
    };
    names.into_iter().filter_map(meant).collect()
}

/// Returns the error for an unknown flag, with the most similar one if any is close. Does not
/// include the value, since the flag may be a misspelt `-auth`.
fn no_such(flag: &str) -> String {
    let known = SETTINGS.iter().map(Setting::flag);
    let others = OTHERS.iter().map(|(flag, _)| *flag);
    let known = known.chain(others.chain(["-h", "-V"]).map(str::to_owned));
    let near = known.map(|known| (strsim::osa_distance(flag, &known), known));
    // At most a third of the letters may differ.
    let near = near
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min();
    let meant = near.map_or(String::new(), |(_, known)| {
        format!("did you mean {known}? ")
    });
    format!(
        "{}: unknown flag; {meant}mocker -help lists all flags",
        flag.escape_debug()
    )
}

/// Returns the error for an argument that is neither a flag nor the value of one.
fn stray(arg: &OsStr, after: Option<&Setting>) -> String {
    let shown = match after {
        // After an unquoted `-auth Bearer KEY`, this argument is the KEY.
        Some(setting) if (setting.allowed)().secret => {
            format!("after the value of {}", setting.flag())
        }
        _ => format!("{arg:?}"),
    };
    format!("unexpected argument {shown}; only flags and their values are allowed")
}

/// Converts `-name` to `--name`, which lexopt can split at its `=` even if the value is not UTF-8.
fn double_dash(arg: &OsStr) -> OsString {
    let bytes = arg.as_encoded_bytes();
    let single = bytes.starts_with(b"-") && !bytes.starts_with(b"--");
    let mut long = OsString::from(if single { "-" } else { "" });
    long.push(arg);
    long
}

/// Parses the variables of the settings that no flag has set.
fn take_variables(
    var: impl Fn(&str) -> Option<OsString>,
    line: &mut CommandLine,
) -> Result<(), String> {
    for (at, setting) in SETTINGS.iter().enumerate() {
        let name = setting.variable();
        let by_flag = line.is_from_flag(at);
        let Some(value) = var(&name).filter(|value| !by_flag && !value.is_empty()) else {
            continue;
        };
        if name == "MOCKER_PORT" && value.as_encoded_bytes().starts_with(b"tcp://") {
            line.notes.push(format!(
                "{name}: {value:?} is ignored; Kubernetes sets it for a Service named mocker"
            ));
        } else {
            line.set(at, Origin::Variable, &value)?;
        }
    }
    Ok(())
}

/// Rejects settings that are each valid on their own, but in conflict with each other.
fn check(line: &CommandLine) -> Result<(), String> {
    let settings = &line.settings;
    let name = |field| line.origin(field);
    let cores = settings.cores.len();
    let other_threads = settings
        .threads
        .filter(|&threads| cores > 0 && threads != cores);
    let checks = matches!(line.action, Action::Healthcheck);
    let conflict = if cores > 0 && settings.pin == Pin::Off {
        let (pin, cores) = (name("pin"), name("cores"));
        format!("{pin}: \"off\" conflicts with {cores}; expected auto or on")
    } else if let Some(threads) = other_threads {
        let (name, list) = (name("threads"), name("cores"));
        format!(
            "{name}: \"{threads}\" conflicts with {list}; \
             expected auto or {cores}, the number of CPUs listed"
        )
    } else if settings.ttft.is_none() && !settings.ttft_jitter.is_zero() {
        let jitter = name("ttft_jitter");
        format!("{jitter}: requires -ttft; with -ttft auto, -jitter varies the first token")
    } else if settings.auth_metrics && settings.auth.is_empty() {
        let metrics = name("auth_metrics");
        format!("{metrics}: requires -auth, the authorization to check")
    } else if settings.log_raw && settings.max_body > LOGGED_BODY_MAX {
        let (log, max) = (name("log_raw"), name("max_body"));
        format!("{max}: more than 200m conflicts with {log}, which buffers complete bodies")
    } else if checks && settings.port == 0 {
        format!("{HEALTHCHECK}: port 0 can't be checked; set the port of the server")
    } else {
        return Ok(());
    };
    Err(conflict)
}
