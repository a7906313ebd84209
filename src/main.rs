//! The command line: settings, then the server, a health check or a text; the only place where the
//! process exits.

#![expect(
    clippy::disallowed_methods,
    reason = "reads the arguments, the environment and the clock for the library"
)]

use std::io::{self, IsTerminal, Write};
use std::{fmt::Display, process::ExitCode, time::Instant};

use mocker::internals::cli::{self, OutFile};
use mocker::internals::settings::{self, Action, CommandLine};
use mocker::{Console, FailOn, Handle, Server, ServerOptions, Settings, StartError, Verdict};

/// The exit code of an operator's mistake.
const USAGE: u8 = 2;

/// The exit code of a run that can't be trusted, where `-fail-on` asks for it.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    let epoch = Instant::now();
    execute(epoch).unwrap_or_else(|error| {
        let code = match error {
            StartError::Usage(_) => USAGE,
            StartError::Machine(_) => 1,
        };
        fail(code, error)
    })
}

/// Does what the command line and the environment specify.
fn execute(epoch: Instant) -> Result<ExitCode, StartError> {
    let args = std::env::args_os().skip(1);
    let line = settings::start(args, |name| std::env::var_os(name));
    let line = line.map_err(StartError::Usage)?;
    match line.action {
        Action::Run => return run(&line, epoch),
        Action::Healthcheck => cli::healthcheck(&line.settings)?,
        _ => {
            let _ = io::stdout().write_all(cli::text(&line)?.as_bytes());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves until the server ends, and reports how it went.
fn run(line: &CommandLine, epoch: Instant) -> Result<ExitCode, StartError> {
    let settings = &line.settings;
    let names = std::env::vars_os().map(|(name, _)| name);
    let misspelt = settings::misspelt(names);
    line.notes.iter().chain(&misspelt).for_each(complain);
    let wrong = |error| {
        let name = settings.report.display();
        format!("-report: can't write to {name}: {error}")
    };
    // Emptied now: the report of an earlier run would pass for this one's if it did not end.
    let reports = !settings.report.as_os_str().is_empty();
    let file = reports
        .then(|| OutFile::create(&settings.report))
        .transpose();
    let file = file.map_err(|error| StartError::Usage(wrong(error)))?;
    let mut options = ServerOptions::default();
    options.settings = settings.clone();
    options.epoch = epoch;
    options.raise_limits = true;
    options.handle_signals = true;
    options.console = console(settings);
    let server = Server::start(options)?;
    announce(&server, &line.changed());
    let report = server.wait()?;
    if !settings.quiet && !settings.log_raw {
        let _ = io::stderr().write_all(report.table.as_bytes());
    }
    if let Some(file) = file {
        let written = file.write(report.json);
        written.map_err(|error| StartError::Machine(wrong(error)))?;
    }
    let why = match (settings.fail_on, report.verdict) {
        (FailOn::MockBound | FailOn::NotOk, Verdict::MockBound) => "the run was mock-bound",
        (FailOn::NotOk, Verdict::Idle) => "there were no requests",
        _ => return Ok(ExitCode::SUCCESS),
    };
    Ok(fail(FAILED, format!("-fail-on: {why}")))
}

/// Returns the output on standard error, which the raw log has for itself.
fn console(settings: &Settings) -> Console {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match settings.quiet || settings.log_raw || !io::stderr().is_terminal() {
        true => Console::Notices,
        false => Console::Live { color: !no_color },
    }
}

/// Prints on standard output that every core accepts; scripts wait for this line.
fn announce(server: &Handle, changed: &str) {
    let count = server.cpus().len();
    let cores = if count == 1 { "core" } else { "cores" };
    let pinned = match server.cpus().iter().all(Option::is_some) {
        true => "pinned",
        false => "not pinned",
    };
    let with = if changed.is_empty() { "" } else { " with " };
    // That nobody reads it is no reason not to serve.
    let _ = writeln!(
        io::stdout(),
        "mocker listening on {} ({count} {cores}, {pinned}){with}{changed}",
        server.base_url()
    );
}

fn fail(code: u8, why: impl Display) -> ExitCode {
    complain(why);
    ExitCode::from(code)
}

/// Prints a line on standard error. `eprintln!` panics when nobody reads, as behind a pipe to
/// `head`; that must not change how the program ends.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "mocker: {line}");
}
