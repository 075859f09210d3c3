//! Any bytes, as each of the structures of a log and as the groups of a segment.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tidal_wal::fuzzing::decode(bytes));
