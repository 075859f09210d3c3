use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use tidal_types::Timestamp;

use super::super::expr::score;
use super::*;

fn query() -> Query {
    Query::items().by(2.0 * score("like"))
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<EntityId> {
    numbers.into_iter().map(EntityId::new).collect()
}

/// The text of version 1.
#[test]
fn a_cursor_of_version_1_is_still_read() {
    let shown = ids([0, 7, 300, u64::MAX]);
    let text = encode(&query(), &shown);
    assert_eq!(text, "ATkXGxy6Zgm9-6NE3gQAB6UC0_3_________AQ");
    assert_eq!(decode(&query(), &text), Ok(shown));
}

#[test]
fn a_cursor_is_of_its_query_but_for_limit_time_and_explanation() {
    let text = encode(&query(), &ids([3, 4]));
    let same = query().limit(7).at(Timestamp::from_secs(9)).explained().after(text.clone());
    assert_eq!(decode(&same, &text), Ok(ids([3, 4])));
    let others = [
        query().by(3.0 * score("like")),
        query().seed(1),
        query().for_user(EntityId::new(1)),
        query().unseen_by("view"),
        query().at_most(2, "creator"),
        query().including_quiet(),
    ];
    for other in others {
        let problem = "it is of another query".into();
        assert_eq!(decode(&other, &text), Err(QueryError::Cursor { problem }), "{other:?}");
    }
}

#[test]
fn as_many_as_there_may_be_fit_and_no_more() {
    let most = ids((0..PLACES_MAX as u64).map(|number| number * (u64::MAX / PLACES_MAX as u64)));
    let text = encode(&query(), &most);
    assert_eq!(decode(&query(), &text), Ok(most));
    let many = encode(&query(), &ids(0..=PLACES_MAX as u64));
    assert_eq!(decode(&query(), &many).unwrap_err().to_string(), refusal("it is damaged"));
    let long = "A".repeat(base64::chars(BYTES_MAX) + 1);
    assert_eq!(decode(&query(), &long).unwrap_err().to_string(), refusal("it is too long"));
}

fn refusal(problem: &str) -> String {
    format!("the cursor cannot be used: {problem}; ask for the first page")
}

/// What only somebody who means to writes: a sound checksum over what is no list of ids.
fn forged(list: &[u8]) -> String {
    let body = [&digest(&query())[..], list].concat();
    base64::encode(&[&[VERSION][..], &first::<4>(CHECKSUM_CONTEXT, &body), &body].concat())
}

/// U2
#[test]
fn a_forged_cursor_has_rising_ids_or_none() {
    assert_eq!(decode(&query(), &forged(&[2, 5, 1])), Ok(ids([5, 6])));
    let lists: [&[u8]; 6] =
        [&[], &[2, 5], &[2, 5, 0], &[1, 5, 1], &[255, 255, 3], &[1, 0x80, 0x00]];
    for list in lists {
        assert_eq!(
            decode(&query(), &forged(list)).unwrap_err().to_string(),
            refusal("it is damaged"),
            "{list:?}"
        );
    }
    let mut beyond = vec![2, 1];
    put_varint(&mut beyond, u64::MAX);
    decode(&query(), &forged(&beyond)).unwrap_err();
}

proptest! {
    #[test]
    fn what_was_shown_comes_back(shown in btree_set(any::<u64>(), 0..40)) {
        let shown = ids(shown);
        let text = encode(&query(), &shown);
        prop_assert!(text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter)));
        prop_assert_eq!(decode(&query(), &text), Ok(shown));
    }

    /// U2: G111.
    #[test]
    fn a_damaged_cursor_is_refused(
        shown in btree_set(any::<u64>(), 0..20),
        place: prop::sample::Index,
        letter in "[A-Za-z0-9_=. -]",
        keep: prop::sample::Index,
    ) {
        let text = encode(&query(), &ids(shown));
        let place = place.index(text.len());
        let changed = [&text[..place], &letter, &text[place + 1..]].concat();
        if changed != text {
            decode(&query(), &changed).unwrap_err();
        }
        decode(&query(), &text[..keep.index(text.len())]).unwrap_err();
    }

    #[test]
    fn any_text_is_answered(text: String, bytes in vec(any::<u8>(), 0..60)) {
        decode(&query(), &text).unwrap_err();
        decode(&query(), &base64::encode(&bytes)).unwrap_err();
    }
}
