//! What came up in runs: one that never comes by something does not test it.

#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    pub(super) actions: u64,
    pub(super) records: u64,
    pub(super) looks: u64,
    pub(super) refusals: u64,
    pub(super) forgotten: u64,
    pub(super) repeats_of_producers: u64,
    pub(super) repeats_by_key: u64,
    pub(super) checkpoints: u64,
    pub(super) write_backs: u64,
    pub(super) failed_writings: u64,
    pub(super) cut_writings: u64,
    /// Looks at databases of which cells had left memory, and had come back.
    pub(super) evictions: u64,
    pub(super) loads: u64,
    pub(super) failures: u64,
    pub(super) unsure: u64,
    pub(super) power_cuts: u64,
    pub(super) kills: u64,
    pub(super) died_opening: u64,
    pub(super) reopened: u64,
    pub(super) lost_records: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields().into_iter().zip(other.clone().fields()) {
            *mine += *theirs;
        }
    }

    pub(super) fn expect_all_kinds(&mut self) {
        let shown = format!("{self:?}");
        assert!(self.fields().into_iter().all(|count| *count > 0), "{shown}");
    }

    fn fields(&mut self) -> [&mut u64; 20] {
        [
            &mut self.actions,
            &mut self.records,
            &mut self.looks,
            &mut self.refusals,
            &mut self.forgotten,
            &mut self.repeats_of_producers,
            &mut self.repeats_by_key,
            &mut self.checkpoints,
            &mut self.write_backs,
            &mut self.failed_writings,
            &mut self.cut_writings,
            &mut self.evictions,
            &mut self.loads,
            &mut self.failures,
            &mut self.unsure,
            &mut self.power_cuts,
            &mut self.kills,
            &mut self.died_opening,
            &mut self.reopened,
            &mut self.lost_records,
        ]
    }
}
