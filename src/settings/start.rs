//! What the operator's arguments and variables come to. Of the settings it names those that
//! contradict each other, and the port, which Kubernetes sets and a health check asks. Knows
//! neither where arguments and variables come from nor where texts go.

use std::ffi::{OsStr, OsString};

use super::generate::{self, KINDS};
use super::given::{Given, Origin};
use super::texts::{GENERATE, HEALTHCHECK, OTHERS, PRINT_CONFIG, config, help, version};
use super::{Pin, ROWS, Row, Settings};

/// The largest request body that can be logged raw, in bytes: the log holds some 250 MB in all.
const LOGGED_BODY_MAX: u64 = 200 << 20;

/// What the operator's arguments and variables ask for.
pub enum Start {
    /// Serve.
    Run(Box<Run>),
    /// Ask the server that these settings describe whether it is well.
    Healthcheck(Box<Settings>),
    /// Print this text to stdout as it is, and exit with code 0.
    Print(String),
}

/// How to serve, and what to say of it.
pub struct Run {
    /// What was asked for.
    pub settings: Settings,
    /// Lines for stderr, without their newlines.
    pub notes: Vec<String>,
    /// The settings that differ from their defaults, as flags; but for those that the line which
    /// says ready tells anyway.
    pub changed: String,
}

/// Reads the arguments (without the program's name) and the variables. The error is one line for
/// stderr, without its newline, and means exit code 2.
pub fn start(
    args: impl IntoIterator<Item = OsString>,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<Start, String> {
    let mut settings = Settings::default();
    let mut given = Given::new();
    let action = take_flags(args, &mut settings, &mut given)?;
    if let Action::Print(text) = action {
        return Ok(Start::Print(text));
    }
    let notes = take_variables(var, &mut settings, &mut given)?;
    check(&settings, &given)?;
    match action {
        Action::Healthcheck if settings.port == 0 => Err(format!(
            "mocker: {HEALTHCHECK}: port 0 is no port to ask; give the server's"
        )),
        // The server has told the notes.
        Action::Healthcheck => Ok(Start::Healthcheck(Box::new(settings))),
        Action::PrintConfig => Ok(Start::Print(config(&given))),
        _ => Ok(Start::Run(Box::new(Run {
            settings,
            notes,
            changed: given.changed(),
        }))),
    }
}

/// What the arguments ask for beside the settings. The flags of the last two need the other flags,
/// so they may stand anywhere among them.
enum Action {
    Run,
    Print(String),
    Healthcheck,
    PrintConfig,
}

/// Goes through the arguments in order, until one asks for a text.
fn take_flags(
    args: impl IntoIterator<Item = OsString>,
    settings: &mut Settings,
    given: &mut Given,
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
                return Err(format!("mocker: {flag}: it takes no value"));
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
        let Some(at) = ROWS.iter().position(|row| row.flag() == flag) else {
            return Err(no_such(&flag));
        };
        let row = &ROWS[at];
        let value = match value {
            Some(value) => value,
            None if row.metavar.is_empty() => "true".into(),
            None => args.next().ok_or_else(|| {
                format!("mocker: {flag}: its value is missing; {}", (row.allowed)())
            })?,
        };
        given.set(at, Origin::Flag, row.take(settings, &flag, &value)?);
        after = Some(row);
    }
    Ok(action)
}

fn generated(kind: Option<OsString>) -> Result<Action, String> {
    let kind = kind.unwrap_or_default();
    let text = kind.to_str().and_then(generate::text);
    text.map(Action::Print).ok_or_else(|| {
        let kinds = KINDS.map(|(kind, _)| kind).join(", ");
        format!("mocker: {GENERATE}: {kind:?} is not allowed; one of {kinds}")
    })
}

/// A line for each of these variables that is none of ours and may be meant as one: a setting that
/// is not heard would spoil what is measured. Kubernetes' own for a Service named mocker are far
/// from ours.
pub fn misspelt(names: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let known: Vec<String> = ROWS.iter().map(Row::variable).collect();
    let meant = |name: OsString| {
        let name = name.into_string().ok()?;
        let ours = name.starts_with("MOCKER_") && !known.contains(&name);
        // Under a third of its own letters may be wrong, and two at most.
        let near = |known: &&String| {
            let distance = strsim::osa_distance(&name, known);
            distance <= 2 && distance * 3 < known.len() - "MOCKER_".len()
        };
        let near = known.iter().find(near).filter(|_| ours)?;
        Some(format!("mocker: {name}: no such variable; is it {near}?"))
    };
    names.into_iter().filter_map(meant).collect()
}

/// The error line for a flag that is none, with the nearest one where it may be meant. The value is
/// not shown: the flag may be a misspelt `-auth`.
fn no_such(flag: &str) -> String {
    let known = ROWS.iter().map(Row::flag);
    let others = OTHERS.iter().map(|(flag, _)| *flag);
    let known = known.chain(others.chain(["-h", "-V"]).map(str::to_owned));
    let near = known.map(|known| (strsim::osa_distance(flag, &known), known));
    // A third of its letters may be wrong.
    let near = near
        .filter(|(distance, known)| distance * 3 <= known.len())
        .min();
    let meant = near.map_or(String::new(), |(_, known)| format!("is it {known}? "));
    format!(
        "mocker: {}: no such flag; {meant}mocker -help lists those allowed",
        flag.escape_debug()
    )
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
    given: &mut Given,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    for (at, row) in ROWS.iter().enumerate() {
        let name = row.variable();
        let by_flag = given.is_flag(at);
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
        given.set(at, Origin::Variable, row.take(settings, &name, &value)?);
    }
    Ok(notes)
}

impl Row {
    /// Takes a value from `origin`, a flag or a variable. `{:?}` keeps what is shown on one line.
    fn take(&self, settings: &mut Settings, origin: &str, value: &OsStr) -> Result<String, String> {
        let taken = value
            .to_str()
            .filter(|text| (self.set)(settings, text).is_some());
        taken.map(str::to_owned).ok_or_else(|| {
            let shown = if (self.secret)() {
                "its value".into()
            } else {
                format!("{value:?}")
            };
            let allowed = (self.allowed)();
            format!("mocker: {origin}: {shown} is not allowed; {allowed}")
        })
    }
}

/// Refuses settings that are allowed each alone but contradict each other.
fn check(settings: &Settings, given: &Given) -> Result<(), String> {
    let origin = |field| given.origin(field);
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
    if settings.ttft.is_none() && !settings.ttft_jitter.is_zero() {
        let jitter = origin("ttft_jitter");
        return Err(format!(
            "mocker: {jitter}: it needs -ttft; with -ttft auto, -jitter varies the first token"
        ));
    }
    if settings.auth_metrics && settings.auth.is_empty() {
        let metrics = origin("auth_metrics");
        return Err(format!(
            "mocker: {metrics}: it needs -auth, the authorization that is asked for"
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
