//! A sound log, changed as the bytes say, with its checksums made right, and opened.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| tidal_wal::fuzzing::open_damaged(script));
