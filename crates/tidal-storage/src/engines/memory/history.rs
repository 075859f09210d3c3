//! The versions of one key.

/// The number of a commit. What was committed at a moment is seen from it on.
pub(super) type Moment = u64;

/// A value as of a moment; `None` says that the key was deleted then.
#[derive(Debug)]
struct Version {
    since: Moment,
    value: Option<Vec<u8>>,
}

/// The newest version of a key, and the older ones that someone may still read,
/// the oldest first.
#[derive(Debug)]
pub(super) struct History {
    newest: Version,
    older: Vec<Version>,
}

impl History {
    pub(super) const fn new(since: Moment, value: Option<Vec<u8>>) -> Self {
        Self { newest: Version { since, value }, older: Vec::new() }
    }

    /// The value now.
    pub(super) fn now(&self) -> Option<&[u8]> {
        self.newest.value.as_deref()
    }

    /// The value at a moment.
    pub(super) fn at(&self, moment: Moment) -> Option<&[u8]> {
        let newest_first = std::iter::once(&self.newest).chain(self.older.iter().rev());
        newest_first.into_iter().find(|version| version.since <= moment)?.value.as_deref()
    }

    /// Sets the value from this moment on. Keeps the version that it replaces if
    /// `newest_pin`, the last moment that someone may go back to, sees it, and
    /// says whether it did.
    pub(super) fn set(
        &mut self,
        since: Moment,
        value: Option<Vec<u8>>,
        newest_pin: Option<Moment>,
    ) -> bool {
        let replaced = std::mem::replace(&mut self.newest, Version { since, value });
        let seen = newest_pin.is_some_and(|pin| pin >= replaced.since);
        if seen {
            self.older.push(replaced);
        }
        seen
    }

    /// Drops the versions that no moment from `oldest` on sees.
    pub(super) fn prune(&mut self, oldest: Moment) {
        if self.newest.since <= oldest {
            self.older.clear();
        } else if let Some(first_seen) =
            self.older.iter().rposition(|version| version.since <= oldest)
        {
            self.older.drain(..first_seen);
        }
    }

    /// Whether the key reads as absent at every moment.
    pub(super) fn is_absent(&self) -> bool {
        self.newest.value.is_none() && self.older.is_empty()
    }

    #[cfg(test)]
    pub(super) fn versions(&self) -> usize {
        self.older.len() + 1
    }
}
