//! JSON: a scanner of texts that stream by, a compact tree of values, a builder that assembles it
//! from the scanner's events, and a writer that serializes it.

mod builder;
pub(crate) mod escapes;
pub(crate) mod scanner;
mod tree;
mod writer;

pub use builder::{Builder, Unrepresentable};
pub use tree::{Node, Tree};
pub use writer::JsonWriter;
