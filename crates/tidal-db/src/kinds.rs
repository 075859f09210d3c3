//! How the entities of a kind get their ids.
//!
//! An entity kind is numeric (the application chooses ids) or named (tidalDB
//! gives ids to names). Its first record in the log decides, and nothing changes
//! that; so the decision is part of the fold and needs no record of its own.

use std::sync::atomic::{AtomicU8, Ordering};

use tidal_types::EntityKind;

/// How the entities of a kind get their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdMode {
    /// The application chooses them.
    Numeric,
    /// tidalDB gives one to each name, from 1.
    Named,
}

impl IdMode {
    /// The byte that stands for what is decided about a kind, in storage and in
    /// the checksum.
    pub(crate) const fn to_byte(mode: Option<Self>) -> u8 {
        match mode {
            None => 0,
            Some(Self::Numeric) => 1,
            Some(Self::Named) => 2,
        }
    }

    /// What a byte stands for; the outer `None` when nothing.
    #[expect(
        clippy::option_option,
        reason = "undecided is a decoded value; not decodable is another thing"
    )]
    pub(crate) const fn from_byte(byte: u8) -> Option<Option<Self>> {
        match byte {
            0 => Some(None),
            1 => Some(Some(Self::Numeric)),
            2 => Some(Some(Self::Named)),
            _ => None,
        }
    }
}

/// How the entities of each kind get their ids, as far as that is decided.
pub(crate) type Modes = [Option<IdMode>; EntityKind::ALL.len()];

/// What is decided about each kind.
#[derive(Debug, Default)]
pub(crate) struct Kinds([AtomicU8; EntityKind::ALL.len()]);

impl Kinds {
    fn cell(&self, kind: EntityKind) -> &AtomicU8 {
        let [item, user, creator] = &self.0;
        match kind {
            EntityKind::Item => item,
            EntityKind::User => user,
            EntityKind::Creator => creator,
        }
    }

    pub(crate) fn mode(&self, kind: EntityKind) -> Option<IdMode> {
        IdMode::from_byte(self.cell(kind).load(Ordering::Acquire)).flatten()
    }

    /// What is decided about all kinds.
    pub(crate) fn modes(&self) -> Modes {
        EntityKind::ALL.map(|kind| self.mode(kind))
    }

    /// Decides, unless it is decided.
    pub(crate) fn settle(&self, kind: EntityKind, mode: IdMode) {
        if self.mode(kind).is_none() {
            self.restore(kind, mode);
        }
    }

    /// Takes what was decided from storage, or from a record that says it.
    pub(crate) fn restore(&self, kind: EntityKind, mode: IdMode) {
        self.cell(kind).store(IdMode::to_byte(Some(mode)), Ordering::Release);
    }
}
