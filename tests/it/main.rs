//! The integration tests, one binary: what a user sees, from bytes without a socket to the
//! started program.

mod alloc;
mod bulk;
mod cli;
mod dialog;
mod ending;
mod fuzzed;
mod paced;
mod rawlog;
mod readme;
mod server;
mod simulated;
mod survival;
mod tidy;
mod usage;
mod watched;
mod wire;
