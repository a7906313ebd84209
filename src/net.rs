//! Sockets, threads and clocks. Apart from the code that starts the server, only this module uses
//! them.

#![expect(
    clippy::disallowed_methods,
    reason = "has the threads, clocks, files and shared counters"
)]

use std::{error::Error, fmt, io};

mod balancer;
pub mod cpus;
pub mod limit;
pub mod listen;
pub mod machine;
mod mailbox;
mod reactor;
pub mod sampler;
pub mod shutdown;
pub mod sleep;
mod slots;
pub mod threads;
mod timer;
pub mod turn;

#[cfg(test)]
pub use mailbox::Command;

/// The reason why a server can't start, or why a health check failed. It displays as one line.
#[derive(Debug, PartialEq, Eq)]
pub enum StartError {
    /// A setting that is impossible here: the operator's mistake. The line names the flag.
    Usage(String),
    /// Something that the machine refuses, such as a port that is in use.
    Machine(String),
}

impl StartError {
    /// Returns a function that makes an error from that of the operating system, and from what
    /// failed.
    pub(crate) fn machine(what: &str) -> impl Fn(io::Error) -> StartError {
        move |error| StartError::Machine(format!("{what}: {error}"))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Usage(line) | StartError::Machine(line) => f.write_str(line),
        }
    }
}

impl Error for StartError {}
