//! Settings, then the server; the only place where the process ends.

use std::process::ExitCode;
use std::time::Instant;

use mocker::net::{self, Trouble};
use mocker::settings::{self, Start};

/// The exit code of an operator's mistake.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let epoch = Instant::now();
    let start = settings::start(std::env::args_os().skip(1), |name| std::env::var_os(name));
    let settings = match start {
        Ok(Start::Run(settings, notes)) => {
            notes.iter().for_each(|note| eprintln!("{note}"));
            settings
        }
        Ok(Start::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            eprintln!("{line}");
            return ExitCode::from(USAGE);
        }
    };
    match net::run(&settings, epoch) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Trouble::Usage(line)) => {
            eprintln!("mocker: {line}");
            ExitCode::from(USAGE)
        }
        Err(Trouble::CannotRun(line)) => {
            eprintln!("mocker: {line}");
            ExitCode::FAILURE
        }
    }
}
