//! The things that the program does besides serving: it checks the health of a server, prints texts
//! about its settings, and writes the report to a file.

mod generate;
mod health;
mod help;
mod outfile;

pub use health::healthcheck;
pub use outfile::OutFile;

use crate::net::StartError;
use crate::settings::Printout;

/// Returns a text to print.
pub fn text(what: &Printout) -> Result<String, StartError> {
    match what {
        Printout::Help => Ok(help::help()),
        Printout::Version => Ok(concat!("mocker ", env!("CARGO_PKG_VERSION"), "\n").to_owned()),
        Printout::Config(parsed) => Ok(help::config(parsed)),
        Printout::Generated(format) => generate::text(format),
    }
}
