//! Rows in, the same rows with features out.
//!
//! F1. A row is answered or rejected, and counted once. Answered rows are written as they
//!     stand, in their order.
//! F2. In memory are the rows of one pass over the log, and no more of them than
//!     [`CHUNK_BYTES_MAX`].

mod asked;
mod chunk;

pub(crate) use asked::{Asked, AskedRow};
pub(crate) use chunk::{Chunk, with_names};

/// How many bytes of rows are collected before they are answered.
pub(crate) const CHUNK_BYTES_MAX: usize = 64 << 20;
