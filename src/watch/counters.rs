//! The numbers of a core that have a name of their own: each is a row. Knows neither who counts nor
//! in what format they are told.

use super::counter::Counter;

/// Makes the counters of a core, their sums and their table from rows: each its help, then
/// `field: kind, "name in Prometheus"`.
macro_rules! counters {
    ($(#[doc = $help:literal] $field:ident: $kind:ident, $name:literal;)+) => {
        /// Numbers that a core counts, each with one writer.
        #[derive(Debug, Default)]
        pub struct Counters {$(
            #[doc = $help]
            pub $field: Counter,
        )+}

        /// What they stood at, at one moment or in between two; of one core or of several.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {$(
            #[doc = $help]
            pub $field: u64,
        )+}

        impl Counters {
            /// Adds what they stand at to what others do.
            pub(super) fn read(&self, counts: &mut Counts) {
                $(counts.$field = counts.$field.wrapping_add(self.$field.get());)+
            }
        }

        impl Counts {
            /// What was counted since `earlier`; gauges stay as they are.
            pub fn since(&self, earlier: &Counts) -> Counts {
                Counts {$(
                    $field: match Kind::$kind {
                        Kind::Counter => self.$field - earlier.$field,
                        Kind::Gauge => self.$field,
                    },
                )+}
            }
        }

        /// The table of all counters.
        pub(super) const ROWS: &[Row] = &[$(Row {
            field: stringify!($field),
            name: $name,
            kind: Kind::$kind,
            help: $help.trim_ascii(),
            get: |counts| counts.$field,
        }),+];
    };
}

counters! {
    /// Connections that are open now.
    open_connections: Gauge, "mocker_open_connections";
    /// Answers that wait for their time now, and streams under way.
    in_flight: Gauge, "mocker_in_flight_answers";
    /// Connections accepted.
    accepted: Counter, "mocker_accepted_connections_total";
    /// Connections that could not be accepted.
    accept_errors: Counter, "mocker_accept_errors_total";
    /// Pauses in accepting, for want of descriptors or room among the connections allowed.
    accept_pauses: Counter, "mocker_accept_pauses_total";
    /// Requests that were no valid HTTP or did not arrive in time.
    refused: Counter, "mocker_refused_requests_total";
    /// Bytes received.
    received_bytes: Counter, "mocker_received_bytes_total";
    /// Bytes sent.
    sent_bytes: Counter, "mocker_sent_bytes_total";
    /// Streams begun.
    streams: Counter, "mocker_streams_total";
    /// Tokens of the texts that were written, streamed or not.
    tokens: Counter, "mocker_tokens_total";
    /// Answers and chunks whose client did not read when they were due; these are not late.
    held_back: Counter, "mocker_held_back_total";
}

/// A counter as it is told.
pub(super) struct Row {
    /// Its name in JSON.
    pub(super) field: &'static str,
    /// Its name in Prometheus.
    pub(super) name: &'static str,
    /// How it moves.
    pub(super) kind: Kind,
    /// What it counts.
    pub(super) help: &'static str,
    /// Its number.
    pub(super) get: fn(&Counts) -> u64,
}

/// How a number moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
}
