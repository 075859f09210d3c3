//! Checkpoints in a run: which state the owner must find, and what they need.

use tidal_types::Seq;

use crate::format::{
    Checkpoint, CheckpointHeader, Floor, Maker, SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::names;
use crate::sim::{Rng, SimDisk};
use crate::{OwnerState, Wal};

/// What is known of the owner's checkpoints.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// What the newest one certainly says.
    certain: Option<OwnerState>,
    /// Those tried since; the last process may have written any of them.
    tried: Vec<OwnerState>,
}

impl Checkpoints {
    pub(super) fn attempt(&mut self, through: Seq, state: &[u8]) {
        self.tried.push(OwnerState { through, state: state.to_vec() });
    }

    /// R16: the last one that was tried is there, and durable.
    pub(super) fn succeed(&mut self, log: &Wal) {
        self.certain = self.tried.pop();
        self.tried.clear();
        if let Ok(found) = log.owner_state() {
            assert_eq!(found, self.certain, "R16: what was just written");
        }
    }

    /// R16: the log was opened with the newest one that is sound.
    pub(super) fn open(&mut self, log: &Wal) {
        let Ok(found) = log.owner_state() else {
            return;
        };
        let was_tried = found.as_ref().is_some_and(|found| self.tried.contains(found));
        assert!(found == self.certain || was_tried, "R16: {found:?} in place of {self:?}");
        self.certain = found;
        self.tried.clear();
    }

    /// Whether the log may make a checkpoint of its own.
    pub(super) fn lack_one(&self, log: &Wal, seq: Seq) -> bool {
        let segments = log.shared.segments();
        let boundary = segments.before(seq).1.and_then(|oldest| segments.first_seq_of(oldest));
        let first_key = log.shared.queue.with_dedup(|dedup| dedup.first_seq());
        let checkpoints = log.shared.checkpoints();
        boundary.is_some_and(|boundary| {
            boundary > segments.first_seq() && checkpoints.lack_one(boundary, first_key)
        })
    }

    /// What each of the two newest sound ones needs of a log that has it.
    pub(super) fn needs(&self, disk: &SimDisk, first: Seq) -> Vec<Seq> {
        let sound = sound(disk);
        let needs = sound.iter().rev().map(|(_, header)| header.needs());
        needs.filter(|needs| *needs >= first).take(2).collect()
    }

    /// Damages the newest of two sound ones, in one of several ways.
    pub(super) fn damage_newest(&mut self, disk: &SimDisk, rng: &mut Rng) -> bool {
        let sound = sound(disk);
        let [.., before, newest] = sound.as_slice() else {
            return false;
        };
        if log_begin(disk).is_none_or(|first| before.1.needs() < first) {
            return false;
        }
        let mut bytes = disk.cached(&newest.0).unwrap();
        let place = rng.below_len(bytes.len());
        match rng.below(3) {
            0 => bytes[place] ^= 1 << rng.below(8),
            1 => bytes[place..].fill(0),
            _ => bytes.truncate(place),
        }
        disk.put(&newest.0, &bytes);
        self.tried.clear();
        self.certain = [before]
            .into_iter()
            .filter(|(_, header)| header.maker == Maker::Owner)
            .map(|(name, header)| {
                let found = Checkpoint::decode(&disk.cached(name).unwrap()).unwrap();
                OwnerState { through: header.through, state: found.state }
            })
            .next();
        true
    }
}

/// The sound ones on a disk, oldest first.
fn sound(disk: &SimDisk) -> Vec<(String, CheckpointHeader)> {
    let mut names = disk.names();
    names.retain(|name| names::parse_checkpoint(name).is_some());
    names.sort_unstable();
    let header = |name: &String| Checkpoint::decode(&disk.cached(name)?).ok();
    names
        .into_iter()
        .filter_map(|name| header(&name).map(|checkpoint| (name, checkpoint.header)))
        .collect()
}

/// The first record that is not marked for removal.
fn log_begin(disk: &SimDisk) -> Option<Seq> {
    let floor = Floor::decode_newest(&disk.cached(names::FLOOR)?).ok()??;
    let segment = disk.cached(&names::segment(floor.oldest_segment))?;
    Some(SegmentHeader::decode(segment.get(..SEGMENT_HEADER_BYTES)?).ok()?.first_seq)
}
