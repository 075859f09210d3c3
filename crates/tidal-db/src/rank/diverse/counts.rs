//! How many entities there are with each value of an attribute.

use std::collections::HashMap;

#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<u64, usize>);

impl Counts {
    pub(super) fn add(&mut self, groups: &[u64]) {
        for group in groups {
            *self.0.entry(*group).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, groups: &[u64]) {
        for group in groups {
            if let Some(count) = self.0.get_mut(group) {
                *count -= 1;
                if *count == 0 {
                    self.0.remove(group);
                }
            }
        }
    }

    /// Of several values, that of which there are the most.
    pub(super) fn most(&self, groups: &[u64]) -> usize {
        groups.iter().map(|group| self.of(*group)).max().unwrap_or(0)
    }

    /// How many values there are.
    pub(super) fn different(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none with one of these.
    pub(super) fn lacks_one(&self, groups: &[u64]) -> bool {
        groups.iter().any(|group| self.of(*group) == 0)
    }

    /// Whether there are others with each of these.
    pub(super) fn spares(&self, groups: &[u64]) -> bool {
        groups.iter().all(|group| self.of(*group) > 1)
    }

    /// How many there are with a value.
    pub(super) fn of(&self, group: u64) -> usize {
        self.0.get(&group).copied().unwrap_or(0)
    }
}
