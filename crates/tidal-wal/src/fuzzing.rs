//! What holds for any bytes on disk, as functions of bytes: the fuzzer calls them
//! with what it thinks of, and a property test with what proptest draws.
//!
//! V1. No bytes make reading panic, or allocate more than the file that holds them.
//! V2. Bytes whose checksums are right and whose chain is not expose nothing but what
//!     was written, under its number.
//! V3. Bytes that are right in all of these, and still no writer's, open or are
//!     refused; what opened once opens again to the same records.

mod damage;
mod decoders;
mod golden;

pub use damage::open_damaged;
pub use decoders::decode;

#[cfg(test)]
mod tests;
