//! JSON values that are kept: a compact tree, and the builder that makes one of values as they
//! arrive.

mod builder;
mod tree;
mod writer;

pub use builder::{Builder, Unreadable};
pub use tree::{Kind, Tree};
pub use writer::Writer;
