//! How much is measured.

/// Numbers of one run. Those of works are for one round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The keys that reads find.
    pub(crate) keys: usize,
    /// Rounds after the first, which is for warming up.
    pub(crate) rounds: usize,
    pub(crate) loaded_entries: usize,
    pub(crate) commits: usize,
    pub(crate) batches: usize,
    pub(crate) reads: usize,
    pub(crate) scans: usize,
    pub(crate) mixes: usize,
    pub(crate) quick: bool,
}

impl Scale {
    pub(crate) const fn of(quick: bool) -> Self {
        if quick {
            Self {
                keys: 50_000,
                rounds: 3,
                loaded_entries: 20_000,
                commits: 10,
                batches: 2,
                reads: 10_000,
                scans: 300,
                mixes: 2,
                quick,
            }
        } else {
            Self {
                keys: 1_000_000,
                rounds: 10,
                loaded_entries: 100_000,
                commits: 100,
                batches: 10,
                reads: 50_000,
                scans: 2_000,
                mixes: 10,
                quick,
            }
        }
    }

    /// A sentence for the document.
    pub(crate) fn describe(self) -> String {
        let short = if self.quick {
            "A short run (`--quick`), which shows the shape and not the speed: "
        } else {
            "The run: "
        };
        format!("{short}{} keys, {} rounds.\n", self.keys, self.rounds)
    }
}
