//! Request bodies, held against serde_json.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mocker::internals::exchange::body::tests::fuzz(data));
