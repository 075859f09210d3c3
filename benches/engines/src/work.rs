//! The works, each a number of calls whose time is taken.

use std::time::Duration;

use tidal_bench_measure::{Random, Result, now};

use crate::data::{Data, ENTITY_ENTRIES};
use crate::scale::Scale;
use crate::store::Store;

/// The entries of a batch of the bulk load.
const LOAD_BATCH: usize = 10_000;
/// The entries of a batch.
const BATCH: usize = 1_000;
/// Of 100 calls of the mixed work so many are scans, one is a write of so many entries,
/// and the others are reads.
const MIX_SCANS: usize = 9;
const MIX_READS: usize = 90;
const MIX_WRITE: usize = 10;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Load,
    Commits,
    Batches,
    Reads,
    Scans,
    Mixed,
}

impl Work {
    pub(crate) const ALL: [Self; 6] =
        [Self::Reads, Self::Scans, Self::Mixed, Self::Batches, Self::Commits, Self::Load];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Load => "bulk load",
            Self::Commits => "durable single commits",
            Self::Batches => "batches of 1,000",
            Self::Reads => "random reads",
            Self::Scans => "prefix scans of 100",
            Self::Mixed => "mixed",
        }
    }

    /// What is counted.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Load | Self::Batches => "entries/s",
            Self::Commits => "commits/s",
            Self::Reads => "reads/s",
            Self::Scans => "scans/s",
            Self::Mixed => "calls/s",
        }
    }

    /// Whether it begins with an empty store.
    pub(crate) const fn is_on_a_new_store(self) -> bool {
        matches!(self, Self::Load)
    }

    /// Does it; `round` makes what is drawn the same for all and another each round.
    /// Returns how much was done a second.
    pub(crate) fn run(
        self,
        store: &dyn Store,
        data: &Data,
        scale: Scale,
        round: usize,
    ) -> Result<f64> {
        let mut random = Random::new(0x5eed + round as u64);
        let mut draw = || random.below(data.count() as u64) as usize;
        let started = now();
        let done = match self {
            Self::Load => {
                load(store, data, scale.loaded_entries)?;
                scale.loaded_entries
            }
            Self::Commits => {
                for _ in 0..scale.commits {
                    store.write_durably(data.entry(draw(), round))?;
                }
                scale.commits
            }
            Self::Batches => {
                for _ in 0..scale.batches {
                    store.write(&mut (0..BATCH).map(|_| data.entry(draw(), round)))?;
                }
                scale.batches * BATCH
            }
            Self::Reads => {
                for _ in 0..scale.reads {
                    read(store, data.key(draw()))?;
                }
                scale.reads
            }
            Self::Scans => {
                for _ in 0..scale.scans {
                    scan(store, &data.prefix(draw()))?;
                }
                scale.scans
            }
            Self::Mixed => {
                for _ in 0..scale.mixes {
                    for call in 0..MIX_READS + MIX_SCANS {
                        if call % 11 == 10 {
                            scan(store, &data.prefix(draw()))?;
                        } else {
                            read(store, data.key(draw()))?;
                        }
                    }
                    store.write(&mut (0..MIX_WRITE).map(|_| data.entry(draw(), round)))?;
                }
                scale.mixes * (MIX_READS + MIX_SCANS + 1)
            }
        };
        Ok(done as f64 / started.elapsed().as_secs_f64())
    }
}

/// Writes the first entries in their order, and makes them durable.
pub(crate) fn load(store: &dyn Store, data: &Data, entries: usize) -> Result<()> {
    for start in (0..entries).step_by(LOAD_BATCH) {
        let end = entries.min(start + LOAD_BATCH);
        store.write(&mut (start..end).map(|index| data.entry(index, 0)))?;
    }
    store.sync()
}

/// What each of as many random reads takes.
pub(crate) fn latencies(
    store: &dyn Store,
    data: &Data,
    reads: usize,
    round: usize,
) -> Result<Vec<Duration>> {
    let mut random = Random::new(0x1a7e + round as u64);
    let mut taken = Vec::with_capacity(reads);
    for _ in 0..reads {
        let key = data.key(random.below(data.count() as u64) as usize);
        let started = now();
        read(store, key)?;
        taken.push(started.elapsed());
    }
    Ok(taken)
}

/// A read that has to find something, or the measurement is worth nothing.
fn read(store: &dyn Store, key: &[u8]) -> Result<()> {
    store.read(key)?.ok_or("a key that was written is missing")?;
    Ok(())
}

fn scan(store: &dyn Store, prefix: &[u8]) -> Result<()> {
    let found = store.scan(prefix)?.entries;
    if found != ENTITY_ENTRIES {
        return Err(format!("a scan found {found} entries of {ENTITY_ENTRIES}").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::store::{Entry, Scanned};

    /// Counts what is asked of it.
    #[derive(Default)]
    struct Counts {
        batches: Cell<usize>,
        entries: Cell<usize>,
        durable: Cell<usize>,
        reads: Cell<usize>,
        scans: Cell<usize>,
    }

    fn more(count: &Cell<usize>, by: usize) {
        count.set(count.get() + by);
    }

    impl Store for Counts {
        fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
            more(&self.batches, 1);
            more(&self.entries, entries.count());
            Ok(())
        }
        fn write_durably(&self, _entry: Entry<'_>) -> Result<()> {
            more(&self.durable, 1);
            Ok(())
        }
        fn sync(&self) -> Result<()> {
            Ok(())
        }
        fn read(&self, key: &[u8]) -> Result<Option<usize>> {
            more(&self.reads, 1);
            Ok((!key.is_empty()).then_some(1))
        }
        fn scan(&self, _prefix: &[u8]) -> Result<Scanned> {
            more(&self.scans, 1);
            Ok(Scanned { entries: ENTITY_ENTRIES, bytes: 0 })
        }
    }

    fn counts(work: Work) -> [usize; 5] {
        let (scale, counts) = (Scale::of(true), Counts::default());
        let data = Data::new(scale.keys).unwrap();
        work.run(&counts, &data, scale, 1).unwrap();
        let Counts { batches, entries, durable, reads, scans } = counts;
        [batches.get(), entries.get(), durable.get(), reads.get(), scans.get()]
    }

    #[test]
    fn a_work_is_the_calls_that_it_says() {
        for (work, expected) in [
            (Work::Load, [2, 20_000, 0, 0, 0]),
            (Work::Commits, [0, 0, 10, 0, 0]),
            (Work::Batches, [2, 2_000, 0, 0, 0]),
            (Work::Reads, [0, 0, 0, 10_000, 0]),
            (Work::Scans, [0, 0, 0, 0, 300]),
            (Work::Mixed, [2, 20, 0, 180, 18]),
        ] {
            assert_eq!(counts(work), expected, "{work:?}");
        }
    }

    #[test]
    fn a_full_run_has_the_numbers_that_the_document_names() {
        let scale = Scale::of(false);
        assert_eq!(scale.keys, 1_000_000);
        assert_eq!(scale.rounds * scale.commits, 1_000);
        assert_eq!(scale.rounds * scale.batches, 100);
    }
}
