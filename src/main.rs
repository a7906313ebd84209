//! Settings, then the server or a question to one; the only place where the process ends. Knows no
//! connection.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use mocker::net::{self, Live, OutFile, Trouble};
use mocker::settings::{self, FailOn, Run, Start};
use mocker::watch::window::Verdict;

/// The exit code of an operator's mistake.
const USAGE: u8 = 2;

/// The exit code of a run that can't be trusted, where `-fail-on` asks for it.
const FAILED: u8 = 3;

fn main() -> ExitCode {
    let epoch = Instant::now();
    let start = settings::start(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let result = match start {
        Ok(Start::Run(start)) => {
            start.notes.iter().for_each(|note| complain(note));
            let names = std::env::vars_os().map(|(name, _)| name);
            settings::misspelt(names)
                .iter()
                .for_each(|note| complain(note));
            run(&start, epoch)
        }
        Ok(Start::Healthcheck(settings)) => net::healthcheck(&settings).map(|()| ExitCode::SUCCESS),
        Ok(Start::Print(text)) => {
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            complain(&line);
            return ExitCode::from(USAGE);
        }
    };
    match result {
        Ok(code) => code,
        Err(Trouble::Usage(line)) => {
            complain(&format!("mocker: {line}"));
            ExitCode::from(USAGE)
        }
        Err(Trouble::CannotRun(line)) => {
            complain(&format!("mocker: {line}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves, and tells how it went.
fn run(start: &Run, epoch: Instant) -> Result<ExitCode, Trouble> {
    let settings = &start.settings;
    let wrong = |error| {
        let name = settings.report.display();
        format!("-report: can't write to {name}: {error}")
    };
    // Emptied now: a report of an earlier run would be taken for this one's if it came to no end.
    let file = match settings.report.as_os_str().is_empty() {
        true => None,
        false => Some(OutFile::create(&settings.report).map_err(|e| Trouble::Usage(wrong(e)))?),
    };
    // The raw log has the standard error for itself.
    let live = !settings.quiet && !settings.log_raw && io::stderr().is_terminal();
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let live = live.then_some(Live { color: !no_color });
    let report = net::run(settings, &start.changed, live, epoch)?;
    if !settings.quiet && !settings.log_raw {
        let _ = io::stderr().write_all(report.table.as_bytes());
    }
    if let Some(file) = file {
        let written = file.write(report.json);
        written.map_err(|error| Trouble::CannotRun(wrong(error)))?;
    }
    let why = match (settings.fail_on, report.verdict) {
        (FailOn::MockBound | FailOn::NotOk, Verdict::MockBound) => "the run was mock-bound",
        (FailOn::NotOk, Verdict::Idle) => "nothing was asked",
        _ => return Ok(ExitCode::SUCCESS),
    };
    complain(&format!("mocker: -fail-on: {why}"));
    Ok(ExitCode::from(FAILED))
}

/// `print!` and `eprintln!` panic when nobody reads, as behind a pipe to `head`; that is no reason
/// to end in another way than without them.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
