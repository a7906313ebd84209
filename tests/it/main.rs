//! The integration tests, one binary: what a user sees, from bytes without a socket to the
//! started program.

mod alloc;
mod bulk;
mod cli;
mod dialog;
mod docs;
mod ending;
mod fuzzed;
mod outfile;
mod paced;
mod rawlog;
mod server;
mod simulated;
mod survival;
mod tidy;
mod usage;
mod watched;
mod wire;
