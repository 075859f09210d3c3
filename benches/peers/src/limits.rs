//! What the machine can do at most: the disk's sync and its sequential writes, the bandwidth
//! of memory, a cache miss.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tidal_bench_measure::{Random, Result, now, sync_secs};

/// So many writes are synced in a round.
const SYNCS: usize = 500;

/// Sequential writes: so many bytes at once, and together.
const CHUNK_BYTES: usize = 1 << 20;
const WRITTEN_BYTES: usize = 256 << 20;

/// What is read in memory has so many numbers of eight bytes, eight times a cache.
const NUMBERS: usize = 32 << 20;

/// So many places are followed from one to the next.
const JUMPS: usize = 2 << 20;

const ROUNDS: usize = 5;

/// The limits, a sample a round.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Writes of 512 bytes, each synced, a second.
    pub(crate) syncs: Vec<f64>,
    /// Bytes a second written one after the other, and synced at the end.
    pub(crate) writing: Vec<f64>,
    /// Bytes a second that one core reads from memory.
    pub(crate) reading: Vec<f64>,
    /// Nanoseconds for a number from anywhere in memory.
    pub(crate) miss: Vec<f64>,
}

/// Measures, with files in `dir`.
///
/// # Errors
///
/// What the operating system says.
pub(crate) fn measure(dir: &Path) -> Result<Limits> {
    let mut limits = Limits::default();
    let (numbers, jumps) = ((0..NUMBERS as u64).collect::<Vec<_>>(), cycle(NUMBERS));
    for _ in 0..ROUNDS {
        limits.syncs.push(1.0 / sync_secs(dir, SYNCS)?);
        limits.writing.push(writing(dir)?);
        limits.reading.push(reading(&numbers));
        limits.miss.push(miss(&jumps));
    }
    Ok(limits)
}

fn writing(dir: &Path) -> Result<f64> {
    let path = dir.join("sequential");
    let chunk = vec![7; CHUNK_BYTES];
    let started = now();
    let mut file = File::create(&path)?;
    for _ in 0..WRITTEN_BYTES / CHUNK_BYTES {
        file.write_all(&chunk)?;
    }
    file.sync_data()?;
    let rate = WRITTEN_BYTES as f64 / started.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok(rate)
}

fn reading(numbers: &[u64]) -> f64 {
    let started = now();
    // Several sums, so that none waits for another.
    let mut sums = [0_u64; 16];
    for chunk in numbers.chunks_exact(sums.len()) {
        for (sum, number) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*number);
        }
    }
    std::hint::black_box(sums);
    size_of_val(numbers) as f64 / started.elapsed().as_secs_f64()
}

/// Where to go from each place, so that the way leads through all places: Sattolo's
/// shuffle.
fn cycle(count: usize) -> Vec<u64> {
    let mut places: Vec<u64> = (0..count as u64).collect();
    let mut random = Random::new(0x5a77);
    for last in (1..count).rev() {
        places.swap(last, random.below(last as u64) as usize);
    }
    places
}

fn miss(places: &[u64]) -> f64 {
    let (started, mut place) = (now(), 0);
    for _ in 0..JUMPS {
        place = places.get(place as usize).copied().unwrap_or_default();
    }
    std::hint::black_box(place);
    started.elapsed().as_secs_f64() * 1e9 / JUMPS as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_leads_through_all_places() {
        let places = cycle(100);
        let (mut place, mut steps) = (0, 0);
        loop {
            place = places[place] as usize;
            steps += 1;
            if place == 0 {
                break;
            }
        }
        assert_eq!(steps, 100);
    }
}
