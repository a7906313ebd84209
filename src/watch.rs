//! What the mock tells of itself.

pub mod rawlog;
