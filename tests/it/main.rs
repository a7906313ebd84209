//! The integration tests, in one binary: from dialogs without a socket to the running program.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "no part of the product"
)]

mod alloc;
mod bulk;
mod cli;
mod dialog;
mod docs;
mod ending;
mod fuzzed;
mod library;
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
