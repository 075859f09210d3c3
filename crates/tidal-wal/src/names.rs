//! The names of all files of a log, built and parsed here only.
//!
//! | name                              | what it is                                  |
//! |-----------------------------------|---------------------------------------------|
//! | `LOCK`                            | held by the process that has the log open   |
//! | `FLOOR`                           | how far the log was synced, see `format/floor.rs` |
//! | `CURSORS`                         | the places of cursors, see `format/cursors.rs`; not there before the first |
//! | `wal-{segment:016x}.seg`          | a segment, see `format/segment.rs`          |
//! | `wal-{segment:016x}.seg.tmp`      | a segment under construction or made ahead, removed at open |
//! | `….salvaged`                      | a segment of a log that is being salvaged into this directory |
//! | `wal-{checkpoint:016x}.ckpt`      | a checkpoint, see `format/checkpoint.rs`    |
//! | `wal-{checkpoint:016x}.ckpt.tmp`  | a checkpoint under construction, removed at open |
//! | `wal-{segment:016x}-{offset:x}.{n}.torn` | a torn tail that recovery cut off, kept for inspection |

use crate::format::SegmentNumber;
use crate::limits::COUNT_MAX;

pub(crate) const LOCK: &str = "LOCK";
pub(crate) const FLOOR: &str = "FLOOR";
pub(crate) const CURSORS: &str = "CURSORS";

const SEGMENT_SUFFIX: &str = ".seg";
const CHECKPOINT_SUFFIX: &str = ".ckpt";
const TEMPORARY_SUFFIX: &str = ".tmp";
const TORN_SUFFIX: &str = ".torn";
const STAGED_SUFFIX: &str = ".salvaged";

pub(crate) fn segment(number: SegmentNumber) -> String {
    format!("wal-{:016x}{SEGMENT_SUFFIX}", number.get())
}

pub(crate) fn checkpoint(number: u64) -> String {
    format!("wal-{number:016x}{CHECKPOINT_SUFFIX}")
}

pub(crate) fn temporary(name: &str) -> String {
    format!("{name}{TEMPORARY_SUFFIX}")
}

/// The name of a file that is to have the name `name` once all of its log is there.
pub(crate) fn staged(name: &str) -> String {
    format!("{name}{STAGED_SUFFIX}")
}

pub(crate) fn torn(number: SegmentNumber, offset: u64, attempt: u64) -> String {
    format!("{}{attempt}{TORN_SUFFIX}", torn_prefix(number, offset))
}

/// Whether it is the name of any copy of what was torn there.
pub(crate) fn is_torn(name: &str, number: SegmentNumber, offset: u64) -> bool {
    name.starts_with(&torn_prefix(number, offset)) && name.ends_with(TORN_SUFFIX)
}

/// Whether it is the name of a copy of anything that was torn.
pub(crate) fn is_set_aside(name: &str) -> bool {
    name.starts_with("wal-") && name.ends_with(TORN_SUFFIX)
}

fn torn_prefix(number: SegmentNumber, offset: u64) -> String {
    format!("wal-{:016x}-{offset:x}.", number.get())
}

pub(crate) fn parse_segment(name: &str) -> Option<SegmentNumber> {
    let number = SegmentNumber::new(parse_number(name, SEGMENT_SUFFIX)?);
    (segment(number) == name).then_some(number)
}

/// A number that no log counts up to is none of a checkpoint.
pub(crate) fn parse_checkpoint(name: &str) -> Option<u64> {
    let number = parse_number(name, CHECKPOINT_SUFFIX)?;
    (checkpoint(number) == name && number <= COUNT_MAX).then_some(number)
}

fn parse_number(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_prefix("wal-")?.strip_suffix(suffix)?;
    u64::from_str_radix(digits, 16).ok()
}

pub(crate) fn is_temporary(name: &str) -> bool {
    name.strip_suffix(TEMPORARY_SUFFIX).is_some_and(|name| {
        name == FLOOR
            || name == CURSORS
            || parse_segment(name).is_some()
            || parse_checkpoint(name).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_we_build_are_parsed() {
        let number = SegmentNumber::new(0x2a);
        assert_eq!(segment(number), "wal-000000000000002a.seg");
        assert_eq!(parse_segment(&segment(number)), Some(number));
        for other in [
            "wal-2a.seg",
            "wal-000000000000002A.seg",
            "wal-+00000000000002a.seg",
            "wal-000000000000002a.seg.tmp",
            "LOCK",
        ] {
            assert_eq!(parse_segment(other), None, "{other}");
        }
        assert_eq!(checkpoint(42), "wal-000000000000002a.ckpt");
        assert_eq!(parse_checkpoint(&checkpoint(42)), Some(42));
        assert_eq!(parse_checkpoint(&segment(number)), None);
        assert_eq!(parse_segment(&checkpoint(42)), None);
        assert!(is_temporary(&temporary(&checkpoint(42))));
        assert!(is_temporary(&temporary(&segment(number))));
        assert!(!is_temporary("notes.tmp"));
        assert_eq!(torn(number, 512, 3), "wal-000000000000002a-200.3.torn");
        assert!(!is_temporary(&torn(number, 512, 0)));
        assert!(is_torn(&torn(number, 512, 3), number, 512));
        assert_eq!(parse_segment(&staged(&segment(number))), None);
        assert!(!is_temporary(&staged(&temporary(&segment(number)))));
        assert!(is_set_aside(&torn(number, 512, 3)));
        assert!(!is_set_aside(&segment(number)));
        assert!(!is_torn(&torn(number, 0x2000, 3), number, 512));
    }
}
