//! What a run does with cursors.

use tidal_types::{Seq, WalError};

use super::{Life, Run};
use crate::tests::simulated::model::index;
use crate::{CursorStart, Wal};

const NAMES: [&str; 3] = ["feed", "replica-2", "search_index"];

impl Run<'_> {
    /// G29: the cursors of a log that was opened.
    pub(super) fn find_cursors(&mut self, log: &Wal) {
        let found = log.cursors();
        for name in NAMES {
            let place = found.iter().find(|cursor| cursor.name == name);
            self.model.open_cursor(name, place.map(|cursor| index(cursor.place)));
        }
        assert!(found.iter().all(|cursor| NAMES.contains(&cursor.name.as_str())), "{found:?}");
    }

    /// Makes a cursor or takes up one, reads by it, and commits.
    pub(super) fn use_cursor(&mut self, life: &mut Life) {
        let name = NAMES[self.rng.below_len(NAMES.len())];
        let head = life.log.head().position.seq;
        let (start, begin) = if self.rng.one_in(2) {
            (CursorStart::Head, index(head))
        } else {
            (CursorStart::FirstKept, index(life.log.first_seq()) - 1)
        };
        let known = self.model.cursor(name);
        let mut cursor = match life.log.cursor_from(name, start) {
            Ok(cursor) => cursor,
            Err(error) => {
                if known.is_none() && !matches!(error, WalError::Poisoned { .. }) {
                    self.unsure_of(name, Some(begin));
                }
                return life.expect_failure(&error, self.disk);
            }
        };
        assert!(!life.poisoned, "R8: a poisoned log makes cursors");
        let place = known.unwrap_or(begin);
        assert_eq!(index(cursor.place()), place, "G29: where a cursor begins");
        self.tally.cursors_made += u64::from(known.is_none());
        self.model.set_cursor(name, Some(place));
        if place < index(head) {
            match cursor.next_record() {
                Ok(record) => {
                    let record = record.expect("G29: a record behind the place");
                    assert_eq!(index(record.seq), place + 1, "G29: the record behind the place");
                    self.model.expect(&record);
                }
                Err(error) => return life.expect_fault(&error, self.disk),
            }
        }
        let to = self.rng.below(head.get() + 2);
        match cursor.commit(Seq::new(to)) {
            Ok(()) => {
                assert!(to <= head.get(), "G29: a place above what is durable");
                self.tally.cursors_moved += 1;
                self.model.set_cursor(name, Some(place.max(to as usize)));
            }
            Err(WalError::CursorAhead { .. }) => {
                assert!(to > head.get(), "G29: record {to} is durable");
            }
            Err(error) => {
                self.unsure_of(name, Some(to as usize));
                life.expect_failure(&error, self.disk);
            }
        }
    }

    pub(super) fn remove_cursor(&mut self, life: &mut Life) {
        let name = NAMES[self.rng.below_len(NAMES.len())];
        let known = self.model.cursor(name);
        match life.log.remove_cursor(name) {
            Ok(()) => {
                assert!(!life.poisoned, "R8: a poisoned log removes cursors");
                assert!(known.is_some(), "G29: a cursor that was not there is removed");
                self.tally.cursors_removed += 1;
                self.model.set_cursor(name, None);
            }
            Err(WalError::NoSuchCursor { .. }) => {
                assert_eq!(known, None, "G29: a cursor that was there is not");
            }
            Err(error) => {
                if !matches!(error, WalError::Poisoned { .. }) {
                    self.unsure_of(name, None);
                }
                life.expect_failure(&error, self.disk);
            }
        }
    }

    fn unsure_of(&mut self, name: &'static str, place: Option<usize>) {
        self.tally.unsure_cursors += 1;
        self.model.try_cursor(name, place);
    }
}
