//! The only rooms that know sockets, threads and clocks.

mod cpus;
mod listen;
mod reactor;
mod server;
mod sleep;
mod timer;

pub use server::run;

/// Why the server did not start or could not go on; one line for people each.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The operator asked for what can't be; the line names the flag.
    Usage(String),
    /// The machine doesn't let it.
    CannotRun(String),
}
