//! The proof that a reopened database answers the same: every answer the
//! demonstration could give, taken before and after.

use tidal_db::{By, Checksum, EntityId, TidalDB, Timestamp};

/// Every ranking of a database at one time, bit for bit, and its checksum.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    checksum: Checksum,
    /// Values are compared as bits: equal to the last one.
    rankings: Vec<Vec<(EntityId, u64)>>,
}

impl Fingerprint {
    /// Takes the fingerprint at `at`.
    pub(crate) fn take(db: &TidalDB, at: Timestamp) -> tidal_db::Result<Self> {
        let mut rankings = Vec::new();
        for signal in db.schema().signals() {
            let velocity =
                |window: &tidal_db::Window| signal.velocity() && window.duration().is_some();
            let counts = signal.windows().iter().map(|window| By::Count(*window));
            let velocities = signal.windows().iter().copied().filter(velocity).map(By::Velocity);
            for by in std::iter::once(By::Score).chain(counts).chain(velocities) {
                let ranked = db.top_at(signal.name(), by, usize::MAX, at)?;
                rankings.push(
                    ranked.into_iter().map(|ranked| (ranked.id, ranked.value.to_bits())).collect(),
                );
            }
        }
        Ok(Self { checksum: db.checksum()?, rankings })
    }

    /// The checksum of the state.
    pub(crate) const fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// How many rankings there are.
    pub(crate) const fn rankings(&self) -> usize {
        self.rankings.len()
    }

    /// How many entries the rankings have together.
    pub(crate) fn entries(&self) -> usize {
        self.rankings.iter().map(Vec::len).sum()
    }
}
