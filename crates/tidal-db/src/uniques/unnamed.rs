//! Taking the ids of forgotten users out of sketches.
//!
//! U1. Whoever is forgotten counts as before, under a number that is made of everything
//!     but its id. So counts do not change, and the number leads nowhere.
//! U2. A record that a sketch may still be folded from must not name them any more: else
//!     they would be there twice. So it is done behind a checkpoint that is past the
//!     record that forgets them, or in a base whose log was purged.

use std::collections::HashSet;

use tidal_types::EntityId;

use super::rows::UniqueKey;
use super::sketch::Sketch;
use crate::record::kind_byte;

const CONTEXT: &str = "tidalDB v1 a forgotten user among unique actors";

impl Sketch {
    /// Whether one of these users is kept by id.
    pub(super) fn names_any(&self, users: &HashSet<EntityId>) -> bool {
        self.recent.acts().iter().any(|act| users.contains(&EntityId::new(act.actor)))
    }

    /// Takes the ids of these users out. Returns whether any was there.
    pub(super) fn unname(&mut self, key: UniqueKey, users: &HashSet<EntityId>) -> bool {
        self.recent.rename(
            |actor| users.contains(&EntityId::new(actor)),
            |time, count| number(key, time, count),
        )
    }
}

/// U1. Where two of one sketch act in one instant, the count tells them apart.
fn number(key: UniqueKey, time: u64, count: u64) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(&[kind_byte(key.kind)]);
    for number in [key.id.get(), u64::from(key.signal.get()), time, count] {
        hasher.update(&number.to_le_bytes());
    }
    let mut number = [0; 8];
    hasher.finalize_xof().fill(&mut number);
    u64::from_le_bytes(number)
}
