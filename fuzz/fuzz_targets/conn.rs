//! A connection and arbitrary bytes.
#![no_main]

// The harness of the dialog tests, which has more than is used here.
#[allow(dead_code, unused_imports)]
#[path = "../../tests/it/dialog"]
mod dialog {
    pub mod answer;
    pub mod client;
    mod requests;
}
#[path = "../../tests/it/fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::conn(data));
