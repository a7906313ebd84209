//! Request bodies, held against serde_json.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mocker::internals::mock::ask::tests::fuzz(data));
