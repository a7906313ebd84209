//! Parsing of the command line and the environment, including the checks for conflicting settings.

use std::ffi::{OsStr, OsString};

use super::generate::{self, FORMATS};
use super::raw::{Origin, RawValues};
use super::texts::{GENERATE, HEALTHCHECK, OTHERS, PRINT_CONFIG, config, help, version};
use super::{Pin, SETTINGS, Setting, Settings};

/// The largest request body that `-log-raw` can log, in bytes: the log buffers about 250 MB in
/// total.
const LOGGED_BODY_MAX: u64 = 200 << 20;

/// The action that the command line and the environment specify.
pub enum Start {
    /// Serve.
    Run(Box<Run>),
    /// Check the health of the server that these settings describe.
    Healthcheck(Box<Settings>),
    /// Print this text to standard output, and exit with status 0.
    Print(String),
}

/// The parameters of serving.
pub struct Run {
    /// The value of every setting.
    pub settings: Settings,
    /// Messages for standard error, each a line without its newline.
    pub notes: Vec<String>,
    /// The settings that differ from their defaults, as flags, except those that the startup
    /// message reports anyway.
    pub changed: String,
}

/// Parses the arguments (without the program's name) and the environment. An error is a line for
/// standard error, without its newline, and means exit status 2.
pub fn start(
    args: impl IntoIterator<Item = OsString>,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<Start, String> {
    let mut settings = Settings::default();
    let mut raw = RawValues::new();
    let action = take_flags(args, &mut settings, &mut raw)?;
    if let Action::Print(text) = action {
        return Ok(Start::Print(text));
    }
    let notes = take_variables(var, &mut settings, &mut raw)?;
    check(&settings, &raw)?;
    match action {
        Action::Healthcheck if settings.port == 0 => Err(format!(
            "mocker: {HEALTHCHECK}: port 0 can't be checked; set the port of the server"
        )),
        // The server itself has printed the notes.
        Action::Healthcheck => Ok(Start::Healthcheck(Box::new(settings))),
        Action::PrintConfig => Ok(Start::Print(config(&raw))),
        _ => Ok(Start::Run(Box::new(Run {
            settings,
            notes,
            changed: raw.changed(),
        }))),
    }
}

/// The action that the flags specify. `Healthcheck` and `PrintConfig` depend on the other flags,
/// which may come after them.
enum Action {
    Run,
    Print(String),
    Healthcheck,
    PrintConfig,
}

/// Parses the arguments in order, up to one that prints a text.
fn take_flags(
    args: impl IntoIterator<Item = OsString>,
    settings: &mut Settings,
    raw: &mut RawValues,
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
        let value = parser.optional_value();
        match flag.as_str() {
            "-h" | "-help" => return Ok(Action::Print(help())),
            "-V" | "-version" => return Ok(Action::Print(version())),
            GENERATE => return generated(value.or_else(|| args.next())),
            HEALTHCHECK | PRINT_CONFIG if value.is_some() => {
                return Err(format!("mocker: {flag}: takes no value"));
            }
            HEALTHCHECK => {
                (action, after) = (Action::Healthcheck, None);
                continue;
            }
            PRINT_CONFIG => {
                (action, after) = (Action::PrintConfig, None);
                continue;
            }
            _ => {}
        }
        let Some(at) = SETTINGS.iter().position(|setting| setting.flag() == flag) else {
            return Err(no_such(&flag));
        };
        let setting = &SETTINGS[at];
        let value = match value {
            Some(value) => value,
            None if setting.metavar.is_empty() => "true".into(),
            None => args.next().ok_or_else(|| {
                format!(
                    "mocker: {flag}: missing value; expected {}",
                    (setting.allowed)()
                )
            })?,
        };
        raw.set(at, Origin::Flag, setting.take(settings, &flag, &value)?);
        after = Some(setting);
    }
    Ok(action)
}

fn generated(format: Option<OsString>) -> Result<Action, String> {
    let format = format.unwrap_or_default();
    let text = format.to_str().and_then(generate::text);
    text.map(Action::Print).ok_or_else(|| {
        let formats = FORMATS.map(|(format, _)| format).join(", ");
        format!("mocker: {GENERATE}: invalid value {format:?}; expected one of {formats}")
    })
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
        Some(format!(
            "mocker: {name}: unknown variable; did you mean {near}?"
        ))
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
        "mocker: {}: unknown flag; {meant}mocker -help lists all flags",
        flag.escape_debug()
    )
}

/// Returns the error for an argument that is neither a flag nor the value of one.
fn stray(arg: &OsStr, after: Option<&Setting>) -> String {
    let shown = match after {
        // After an unquoted `-auth Bearer KEY`, this argument is the KEY.
        Some(setting) if (setting.secret)() => format!("after the value of {}", setting.flag()),
        _ => format!("{arg:?}"),
    };
    format!("mocker: unexpected argument {shown}; only flags and their values are allowed")
}

/// Converts `-name` to `--name`, which lexopt can split at its `=` even if the value is not UTF-8.
fn double_dash(arg: &OsStr) -> OsString {
    let bytes = arg.as_encoded_bytes();
    let single = bytes.starts_with(b"-") && !bytes.starts_with(b"--");
    let mut long = OsString::from(if single { "-" } else { "" });
    long.push(arg);
    long
}

/// Parses the variables of the settings that no flag has set. Returns messages for the user.
fn take_variables(
    var: impl Fn(&str) -> Option<OsString>,
    settings: &mut Settings,
    raw: &mut RawValues,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    for (at, setting) in SETTINGS.iter().enumerate() {
        let name = setting.variable();
        let by_flag = raw.is_from_flag(at);
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
        raw.set(at, Origin::Variable, setting.take(settings, &name, &value)?);
    }
    Ok(notes)
}

impl Setting {
    /// Parses a value from `origin`, the name of a flag or a variable. Errors format the value with
    /// `{:?}`, which keeps them on one line.
    fn take(&self, settings: &mut Settings, origin: &str, value: &OsStr) -> Result<String, String> {
        let taken = value
            .to_str()
            .filter(|text| (self.set)(settings, text).is_some());
        taken.map(str::to_owned).ok_or_else(|| {
            let shown = if (self.secret)() {
                String::new()
            } else {
                format!(" {value:?}")
            };
            let allowed = (self.allowed)();
            format!("mocker: {origin}: invalid value{shown}; expected {allowed}")
        })
    }
}

/// Rejects settings that are each valid on their own, but in conflict with each other.
fn check(settings: &Settings, raw: &RawValues) -> Result<(), String> {
    let origin = |field| raw.origin(field);
    let cores = settings.cores.len();
    if cores > 0 && settings.pin == Pin::Off {
        let (pin, cores) = (origin("pin"), origin("cores"));
        return Err(format!(
            "mocker: {pin}: \"off\" conflicts with {cores}; expected auto or on"
        ));
    }
    if let Some(threads) = settings.threads
        && cores > 0
        && threads != cores
    {
        let (origin, list) = (origin("threads"), origin("cores"));
        return Err(format!(
            "mocker: {origin}: \"{threads}\" conflicts with {list}; \
             expected auto or {cores}, the number of CPUs listed"
        ));
    }
    if settings.ttft.is_none() && !settings.ttft_jitter.is_zero() {
        let jitter = origin("ttft_jitter");
        return Err(format!(
            "mocker: {jitter}: requires -ttft; with -ttft auto, -jitter varies the first token"
        ));
    }
    if settings.auth_metrics && settings.auth.is_empty() {
        let metrics = origin("auth_metrics");
        return Err(format!(
            "mocker: {metrics}: requires -auth, the authorization to check"
        ));
    }
    if settings.log_raw && settings.max_body > LOGGED_BODY_MAX {
        let (log, max) = (origin("log_raw"), origin("max_body"));
        return Err(format!(
            "mocker: {max}: more than 200m conflicts with {log}, which buffers complete bodies"
        ));
    }
    Ok(())
}
