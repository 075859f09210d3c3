//! Records that tell who sent them, and appends that must follow on others.

use tidal_types::{Producer, ProducerId, Seq, WalError};

use crate::testing::{batch, small};
use crate::{Batch, RecordKind, Wal, verify};

fn producer(seq: u64) -> Producer {
    Producer { id: ProducerId::from_bytes([7; 16]), epoch: 1, seq }
}

fn batch_from(producers: &[Option<Producer>]) -> Batch {
    let mut batch = Batch::new();
    for producer in producers {
        match producer {
            Some(producer) => batch.push_from(*producer, RecordKind(7), b"x").unwrap(),
            None => batch.push(RecordKind(7), b"x").unwrap(),
        }
    }
    batch
}

/// The batches end and begin with neighbours, and some share a group.
#[test]
fn producers_come_back_wherever_a_reader_begins() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let mut expected = Vec::new();
    let mut tickets = Vec::new();
    for first in (0..4000).step_by(4) {
        let mut producers: Vec<_> = (first..first + 4).map(|seq| Some(producer(seq))).collect();
        if first % 3 == 0 {
            producers[2] = None;
        }
        tickets.push(log.append(&batch_from(&producers)).unwrap());
        expected.extend(producers);
    }
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    for from in [1, 2, 3, 4, 5, 1001, 1002, 4000] {
        let mut reader = log.reader(Seq::new(from));
        let mut found = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            found.push(record.producer);
        }
        assert_eq!(found, expected[from as usize - 1..], "from {from}");
    }
    log.close().unwrap();

    let mut seen = Vec::new();
    let report = verify(dir.path(), &mut |record| {
        seen.push(record.producer);
        None
    });
    assert!(report.unwrap().problems.is_empty());
    assert_eq!(seen, expected);
}

#[test]
fn a_cleared_batch_begins_anew() {
    let mut batch = batch_from(&[Some(producer(1))]);
    let whole = batch.byte_len();
    batch.clear();
    batch.push_from(producer(2), RecordKind(7), b"x").unwrap();
    assert_eq!(batch.byte_len(), whole);
}

#[test]
fn an_append_out_of_its_place_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    log.append_at(&batch(&[b"a", b"b"]), Seq::FIRST).unwrap().wait().unwrap();
    for wrong in [1, 2, 4] {
        let refused = log.append_at(&batch(&[b"c"]), Seq::new(wrong)).unwrap_err();
        assert!(
            matches!(refused, WalError::OutOfPlace { next, .. } if next == Seq::new(3)),
            "{refused:?}"
        );
    }
    log.append_at(&batch(&[b"c"]), Seq::new(3)).unwrap().wait().unwrap();
    assert_eq!(log.head().position.seq, Seq::new(3));
}
