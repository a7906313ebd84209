//! The only rooms that know sockets, the cores' threads and clocks. Knows nothing of what bytes
//! mean.

mod cpus;
mod ender;
mod health;
mod holder;
mod limit;
mod listen;
pub mod machine;
mod neighbours;
mod outfile;
mod reactor;
mod schedule;
mod server;
mod sleep;
mod slots;
mod timer;
pub mod turn;
mod watcher;

pub use health::healthcheck;
pub use outfile::OutFile;
pub use server::run;
pub use watcher::Live;

/// Why the server did not start, could not go on or is not well; one line for people each.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The operator asked for what can't be; the line names the flag.
    Usage(String),
    /// The machine doesn't let it.
    CannotRun(String),
}
