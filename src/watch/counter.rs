//! A number of one core: one writer, no locks. Knows nothing of what is counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread writes and any may read: a load and a store, without the `lock` prefix
/// of an atomic addition. So is a gauge, which also falls.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One that stands at 0.
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Adds to it.
    #[inline]
    pub fn add(&self, number: u64) {
        self.set(self.get().wrapping_add(number));
    }

    /// Takes from it.
    #[inline]
    pub fn sub(&self, number: u64) {
        self.set(self.get().wrapping_sub(number));
    }

    /// What it stands at.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it.
    #[inline]
    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }
}
