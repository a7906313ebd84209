//! Settings, then the server or a question to one; the only place where the process ends.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use mocker::net::{self, Trouble};
use mocker::settings::{self, Start};

/// The exit code of an operator's mistake.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let epoch = Instant::now();
    let start = settings::start(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let result = match start {
        Ok(Start::Run(settings, notes)) => {
            notes.iter().for_each(|note| complain(note));
            net::run(&settings, epoch)
        }
        Ok(Start::Healthcheck(settings)) => net::healthcheck(&settings),
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
        Ok(()) => ExitCode::SUCCESS,
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

/// `print!` and `eprintln!` panic when nobody reads, as behind a pipe to `head`; that is no reason
/// to end in another way than without them.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
