//! The integration tests, one binary: what a user sees, from bytes without a socket to the
//! started program.

mod bulk;
mod cli;
mod ending;
mod readme;
mod server;
mod wire;
