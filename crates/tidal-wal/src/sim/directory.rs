//! The names of a simulated disk, in two layers.

use std::collections::{BTreeMap, BTreeSet};

use super::rng::Rng;

type Names = BTreeMap<String, usize>;

/// Which names stand for which files.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    durable: Names,
    cached: Names,
    /// What was done since the last sync, in order.
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

impl Directory {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.cached.get(name).copied()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.cached.keys().cloned().collect()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = usize> {
        self.cached.values().copied()
    }

    pub(super) fn create(&mut self, name: &str, file: usize) {
        self.change(Change::Create(name.into(), file));
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) {
        self.change(Change::Rename(from.into(), to.into()));
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.change(Change::Remove(name.into()));
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.unsynced.push(change);
    }

    pub(super) fn sync(&mut self) {
        self.unsynced.clear();
        self.durable.clone_from(&self.cached);
    }

    /// A name that is durable at once.
    pub(super) fn put(&mut self, name: &str, file: usize) {
        self.cached.insert(name.into(), file);
        self.durable.insert(name.into(), file);
    }

    /// Takes a name away, durably.
    pub(super) fn take(&mut self, name: &str) {
        self.cached.remove(name);
        self.durable.remove(name);
    }

    /// A power cut: either a prefix of the changes survives, as with a journal, or
    /// any of them such that changes of one name keep their order.
    pub(super) fn lose(&mut self, rng: &mut Rng) {
        let changes = std::mem::take(&mut self.unsynced);
        let kept = rng.below_len(changes.len() + 1);
        let by_journal = rng.one_in(2);
        let mut lost = BTreeSet::new();
        for (index, change) in changes.into_iter().enumerate() {
            let survives = if by_journal { index < kept } else { rng.one_in(2) };
            let follows = change.names().iter().any(|name| lost.contains(*name));
            if survives && !follows {
                change.apply(&mut self.durable);
            } else {
                lost.extend(change.names().into_iter().map(str::to_owned));
            }
        }
        self.cached.clone_from(&self.durable);
    }
}

impl Change {
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Create(name, _) | Self::Remove(name) => vec![name],
            Self::Rename(from, to) => vec![from, to],
        }
    }

    fn apply(&self, names: &mut Names) {
        match self {
            Self::Create(name, file) => {
                names.insert(name.clone(), *file);
            }
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}
