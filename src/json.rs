//! JSON values in memory: a compact tree, and a builder that assembles it from values as they
//! arrive.

mod builder;
mod tree;
mod writer;

pub use builder::{Builder, Unreadable};
pub use tree::{Kind, Tree};
pub use writer::Writer;
