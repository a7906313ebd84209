//! A counter with one writer and without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that one thread writes and any may read. Adding to it is a load and a store, without
/// the `lock` prefix of an atomic addition. A gauge, which also falls, is one too.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Creates a counter at 0.
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Adds to it.
    #[inline]
    pub fn add(&self, number: u64) {
        self.set(self.get().wrapping_add(number));
    }

    /// Subtracts from it.
    #[inline]
    pub fn sub(&self, number: u64) {
        self.set(self.get().wrapping_sub(number));
    }

    /// Returns its value.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets its value.
    #[inline]
    pub fn set(&self, number: u64) {
        self.0.store(number, Ordering::Relaxed);
    }
}

/// Adds the values of counters to the sums at the same places.
pub fn add_to(sums: &mut [u64], counters: &[Counter]) {
    for (sum, counter) in sums.iter_mut().zip(counters) {
        *sum += counter.get();
    }
}

/// Subtracts earlier counts from those at the same places.
pub fn subtract(counts: &mut [u64], earlier: &[u64]) {
    for (count, before) in counts.iter_mut().zip(earlier) {
        *count -= before;
    }
}
