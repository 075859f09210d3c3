//! The names of keyspaces.

use std::fmt;

use tidal_types::{EntityKind, StorageError};

use crate::Result;

/// The longest name of a keyspace, in bytes.
pub const KEYSPACE_NAME_BYTES_MAX: usize = 64;

/// The name of a keyspace: a lower-case letter and up to 63 lower-case letters,
/// digits or underscores. Made of a string or of an [`EntityKind`]; checked
/// where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyspaceName<'a>(&'a str);

impl<'a> KeyspaceName<'a> {
    /// What is kept about items.
    pub const ITEMS: KeyspaceName<'static> = KeyspaceName("items");
    /// What is kept about users.
    pub const USERS: KeyspaceName<'static> = KeyspaceName("users");
    /// What is kept about creators.
    pub const CREATORS: KeyspaceName<'static> = KeyspaceName("creators");
    /// What tidalDB keeps for itself: the schema, names, the applied position.
    pub const SYSTEM: KeyspaceName<'static> = KeyspaceName("system");
    /// What [sequences](crate::Sequence) have reserved. It is an ordinary
    /// keyspace, so that it is in every snapshot and every copy; writing to it
    /// makes sequences repeat.
    pub const SEQUENCES: KeyspaceName<'static> = KeyspaceName("tidal_sequences");

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Refuses a name that not every engine takes.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeyspaceName`].
    pub fn check(self) -> Result<()> {
        let mut bytes = self.0.bytes();
        let sound = self.0.len() <= KEYSPACE_NAME_BYTES_MAX
            && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if sound { Ok(()) } else { Err(StorageError::KeyspaceName { name: self.0.to_owned() }) }
    }
}

impl<'a> From<&'a str> for KeyspaceName<'a> {
    fn from(name: &'a str) -> Self {
        Self(name)
    }
}

impl<'a> From<&'a String> for KeyspaceName<'a> {
    fn from(name: &'a String) -> Self {
        Self(name)
    }
}

impl From<EntityKind> for KeyspaceName<'_> {
    fn from(kind: EntityKind) -> Self {
        match kind {
            EntityKind::Item => KeyspaceName::ITEMS,
            EntityKind::User => KeyspaceName::USERS,
            EntityKind::Creator => KeyspaceName::CREATORS,
        }
    }
}

impl fmt::Display for KeyspaceName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_identifier() {
        for name in ["a", "items", "idx_7", &"z".repeat(64)] {
            KeyspaceName::from(name).check().unwrap();
        }
        for name in ["", "7a", "_a", "Items", "a-b", "a/b", "é", "a\0", &"z".repeat(65)] {
            let error = KeyspaceName::from(name).check().unwrap_err();
            assert!(matches!(error, StorageError::KeyspaceName { name: told } if told == name));
        }
    }
}
