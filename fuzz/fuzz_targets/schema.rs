//! Schemas, of arbitrary bytes and of the words that schemas are made of.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mocker::internals::schema::tests::fuzz(data));
