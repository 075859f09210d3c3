use proptest::prelude::*;

use super::*;

const LENGTH: u64 = 100;

fn key(number: u8) -> RecordKey {
    let bytes = [number / 2; 16];
    if number.is_multiple_of(2) { RecordKey::Client(bytes) } else { RecordKey::Content(bytes) }
}

fn entry(number: u8, seq: u64, time: u64) -> Entry {
    Entry {
        key: key(number),
        known: Known { seq: Seq::new(seq), fingerprint: seq * 7 },
        log_time: Timestamp::from_nanos(time),
    }
}

fn window() -> Window {
    Window::new(Duration::from_nanos(LENGTH))
}

/// R20, R26: a key is kept for T at least, and for less than 2 T.
#[test]
fn a_key_is_found_for_one_to_two_lengths() {
    for entered in 1000..1100 {
        let mut window = window();
        window.insert(entry(0, 1, entered));
        let lasts = |time| window.find(&key(0), Timestamp::from_nanos(time)).is_some();
        assert!((entered..=entered + LENGTH).all(lasts), "{entered}");
        assert!((entered + 2 * LENGTH..entered + 5 * LENGTH).all(|time| !lasts(time)), "{entered}");
    }
}

#[test]
fn a_clock_that_asks_from_far_ahead_drops_nothing() {
    let mut window = window();
    window.insert(entry(0, 1, 1000));
    assert_eq!(window.find(&key(0), Timestamp::MAX), None);
    assert_eq!(window.len_at(Timestamp::MAX), 0);
    assert!(window.find(&key(0), Timestamp::from_nanos(1000)).is_some());
}

proptest! {
    /// R20: the window against a list of all keys that ever entered.
    #[test]
    fn the_window_is_a_function_of_the_log(steps in prop::collection::vec((0_u8..12, prop_oneof![8 => 0_u64..30, 2 => 0_u64..400]), 0..200), ahead in 0_u64..400) {
        let mut window = window();
        let mut all: Vec<Entry> = Vec::new();
        let mut time = 0;
        for (index, (number, passed)) in steps.into_iter().enumerate() {
            time += passed;
            window.advance(Timestamp::from_nanos(time));
            if number < 10 {
                let entry = entry(number, index as u64 + 1, time);
                window.insert(entry);
                all.push(entry);
            }
        }
        let lasts = |entry: &&Entry, time: u64| time / LENGTH <= entry.log_time.as_nanos() / LENGTH + 1;
        let asked = time + ahead;
        for number in 0..12 {
            let last = all.iter().rev().find(|entry| entry.key == key(number));
            let expected = last.filter(|entry| lasts(entry, asked)).map(|entry| entry.known);
            prop_assert_eq!(window.find(&key(number), Timestamp::from_nanos(asked)), expected);
        }
        let kept: Vec<_> = all.iter().filter(|entry| lasts(entry, time)).copied().collect();
        let copy = window.entries();
        let copied: Vec<_> = copy.iter().flat_map(Entries::iter).copied().collect();
        prop_assert_eq!(&copied, &kept);
        prop_assert_eq!(window.first_seq(), kept.first().map(|entry| entry.known.seq));
        let found = all.iter().filter(|entry| lasts(entry, asked)).count();
        prop_assert_eq!(window.len_at(Timestamp::from_nanos(asked)), found);
        let begin = window.begin_at(Timestamp::from_nanos(time));
        prop_assert!(all.iter().all(|entry| lasts(&entry, time) == (entry.log_time >= begin)));
    }

    /// V3: a copy holds what was there, whatever comes later.
    #[test]
    fn a_copy_is_not_changed_later(count in 0_u64..5000, more in 0_u64..3000) {
        let mut window = window();
        (0..count).for_each(|index| window.insert(entry(0, index, 5)));
        let copy = window.entries();
        (count..count + more).for_each(|index| window.insert(entry(0, index, 5)));
        let seqs: Vec<_> = copy.iter().flat_map(Entries::iter).map(|entry| entry.known.seq.get()).collect();
        prop_assert_eq!(seqs, (0..count).collect::<Vec<_>>());
        prop_assert_eq!(copy[1].len() as u64, count);
    }
}
