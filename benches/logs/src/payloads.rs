//! The records that are written: random bytes, so that nothing can be compressed, and
//! the same ones every time.

use tidal_bench_measure::Random;

/// As many payloads of one length.
pub(crate) struct Payloads {
    bytes: Vec<u8>,
    payload_bytes: usize,
}

impl Payloads {
    pub(crate) fn new(count: usize, payload_bytes: usize) -> Self {
        let mut random = Random::new(0x5eed);
        let bytes = (0..count * payload_bytes).map(|_| random.byte());
        Self { bytes: bytes.collect(), payload_bytes }
    }

    pub(crate) fn as_slices(&self) -> Vec<&[u8]> {
        self.bytes.chunks_exact(self.payload_bytes).collect()
    }
}
