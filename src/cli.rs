//! The things that the program does besides serving: it checks the health of a server, prints texts
//! about its settings, and writes the report to a file.

#![expect(clippy::disallowed_methods, reason = "no server runs, or it has ended")]

mod generate;
mod health;
mod help;
mod outfile;

pub use health::healthcheck;
pub use outfile::OutFile;

use crate::net::StartError;
use crate::settings::{Action, CommandLine};

/// Returns the text that the program prints instead of serving.
pub fn text(line: &CommandLine) -> Result<String, StartError> {
    Ok(match &line.action {
        Action::Run | Action::Healthcheck => String::new(),
        Action::PrintConfig => help::config(line),
        Action::Help => help::help(),
        Action::Version => concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
        Action::Generate(format) => generate::text(format)?,
    })
}
