//! The memory that the held parts of request bodies take, over all connections.

#![expect(clippy::disallowed_methods, reason = "counts the memory of all cores")]

use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory that is held by all connections of all cores, in bytes.
#[derive(Debug, Default)]
pub struct HeldMemory(AtomicUsize);

impl HeldMemory {
    /// Replaces what a request held before by what it holds now.
    pub fn change(&self, before: usize, now: usize) {
        // The sum never overflows: each request holds a few MB at most.
        self.0
            .fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }

    /// The memory that is held now, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
