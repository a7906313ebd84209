//! JSON values in memory: a compact tree, a builder that assembles it from parser events, and a
//! writer that serializes it.

mod builder;
mod tree;
mod writer;

pub use builder::{Builder, Unrepresentable};
pub use tree::{Node, Tree};
pub use writer::JsonWriter;
