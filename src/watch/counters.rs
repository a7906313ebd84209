//! The named counters of a core: each is a row.

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

/// Makes the counters of a core, their sums and their table from rows of the form
/// `field: kind, "name in Prometheus"`, each below its help.
macro_rules! counters {
    ($(#[doc = $help:literal] $field:ident: $kind:ident, $name:literal;)+) => {
        /// The named counters of a core, each with one writer.
        #[derive(Debug, Default)]
        pub struct Counters {$(
            #[doc = $help]
            pub $field: Counter,
        )+}

        /// Their values at one moment or between two, of one core or of several.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {$(
            #[doc = $help]
            pub $field: u64,
        )+}

        impl Counters {
            /// Adds their values to those of other cores.
            pub(super) fn read(&self, counts: &mut Counts) {
                $(counts.$field = counts.$field.wrapping_add(self.$field.get());)+
            }
        }

        impl Counts {
            /// Returns what was counted since `earlier`; gauges stay as they are.
            pub fn since(&self, earlier: &Counts) -> Counts {
                Counts {$(
                    $field: $kind(self.$field, earlier.$field),
                )+}
            }
        }

        /// The table of all counters.
        pub(super) const ROWS: &[CounterRow] = &[$(CounterRow {
            field: stringify!($field),
            name: $name,
            help: $help.trim_ascii(),
            get: |counts| counts.$field,
        }),+];
    };
}

counters! {
    /// Connections that are open now.
    open_connections: gauge, "mocker_open_connections";
    /// Responses waiting until they are due, and streams in progress.
    in_flight: gauge, "mocker_in_flight_answers";
    /// Connections accepted.
    accepted: counter, "mocker_accepted_connections_total";
    /// Connections that could not be accepted.
    accept_errors: counter, "mocker_accept_errors_total";
    /// Pauses in accepting, for lack of file descriptors or because of the connection limit.
    accept_pauses: counter, "mocker_accept_pauses_total";
    /// Requests that were not valid HTTP or did not arrive in time.
    refused: counter, "mocker_refused_requests_total";
    /// Bytes received.
    received_bytes: counter, "mocker_received_bytes_total";
    /// Bytes sent.
    sent_bytes: counter, "mocker_sent_bytes_total";
    /// Streams begun.
    streams: counter, "mocker_streams_total";
    /// Tokens of the texts that were written, streamed or not.
    tokens: counter, "mocker_tokens_total";
    /// Responses and chunks whose client was not reading when they were due; not counted as late.
    held_back: counter, "mocker_held_back_total";
}

/// A counter as it is exported.
pub(super) struct CounterRow {
    /// The name in JSON.
    pub(super) field: &'static str,
    /// The name in Prometheus, which ends in `_total` if the number only rises.
    pub(super) name: &'static str,
    /// The help text.
    pub(super) help: &'static str,
    /// Returns its value.
    pub(super) get: fn(&Counts) -> u64,
}

/// Returns the growth of a number that only rises.
fn counter(now: u64, earlier: u64) -> u64 {
    now - earlier
}

/// Returns the value of a number that rises and falls.
fn gauge(now: u64, _earlier: u64) -> u64 {
    now
}
