//! What a transaction is protected from.

/// What a transaction is protected from. A test in every engine's suite is named
/// after each row.
///
/// | anomaly              | what happens                                                             | `Snapshot` | `Serializable` |
/// |----------------------|--------------------------------------------------------------------------|------------|----------------|
/// | dirty write          | it overwrites what another has not committed                             | prevented  | prevented      |
/// | dirty read           | it reads what another has not committed, or rolls back                   | prevented  | prevented      |
/// | intermediate read    | it reads what another overwrites before it commits                       | prevented  | prevented      |
/// | torn read            | it reads one half of a commit and misses the other                       | prevented  | prevented      |
/// | non-repeatable read  | it reads a key again and finds another value                             | prevented  | prevented      |
/// | phantom              | it scans a range again and finds other keys                              | prevented  | prevented      |
/// | read skew            | it reads one key before a commit and another key after it                | prevented  | prevented      |
/// | circular information | two transactions read what the other one wrote                           | prevented  | prevented      |
/// | lost update          | it overwrites what was committed since it read it                        | prevented  | prevented      |
/// | write skew           | two read what the other one writes, and both commit                      | possible   | prevented      |
/// | phantom write skew   | two scan a range, and both commit what the other's scan would have found | possible   | prevented      |
/// | read-only anomaly    | a reader sees a state that no order of the others leaves behind          | possible   | prevented      |
///
/// `Serializable` speaks of transactions that are all serializable: their
/// outcome is that of running them one after the other, those that write in the
/// order of their commits, those that only read at the moment they began. Beside
/// them, each write outside of a transaction counts as a transaction that reads
/// nothing. A transaction with `Snapshot` among them may still take part in the
/// last three anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Isolation {
    /// Snapshot isolation. Reads see the moment when the transaction began; of
    /// two transactions that write the same key, the first to commit wins.
    #[default]
    Snapshot,
    /// As `Snapshot`, and what the transaction has read, keys that were absent
    /// and ranges included, must not have been written since by anyone else. A
    /// transaction that only reads never conflicts.
    Serializable,
}
