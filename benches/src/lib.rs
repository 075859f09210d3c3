//! Benchmarks of tidalDB.
