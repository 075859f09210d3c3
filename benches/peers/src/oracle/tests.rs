//! A system that is wrong in one way is found out.

use super::*;
use crate::data::DataSet;
use crate::job::Place;

/// What a system gets wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Nothing,
    /// One part in a million of a score.
    Score,
    /// The last event of a window.
    Count,
    /// Of an `end` that is no boundary, what the oldest bucket has, twice.
    OldestTwice,
    /// An item without events has one.
    Absent,
    /// The right scores, of the first item all.
    OneItem,
    /// The right scores, but the first item is where the last one belongs.
    Swapped,
    /// An item has the place of its twin too, whose score is the same.
    Twice,
    /// The last place is missing.
    Short,
}

#[derive(Debug)]
struct Plain {
    data: Data,
    wrong: Wrong,
}

impl Client for Plain {
    fn send(&mut self, _: &[Event]) -> Result<()> {
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        let of_item = self.data.events.iter().filter(|event| event.item == item);
        let of_item: Vec<_> = of_item.copied().collect();
        let mut answer = exact(&of_item, end);
        match self.wrong {
            Wrong::Score => answer.score *= 1.0 + 1e-6,
            Wrong::Count => answer.counts[1] = answer.counts[1].saturating_sub(1),
            Wrong::OldestTwice if end != self.data.end => {
                let (oldest, _) = WINDOWS[2].oldest(end);
                let begin = oldest * WINDOWS[2].width;
                answer.counts[2] = of_item.iter().filter(|event| event.time >= begin).count()
                    as u64
                    + u64::from(!of_item.is_empty());
            }
            Wrong::Absent if of_item.is_empty() => answer.counts[0] = 1,
            _ => {}
        }
        Ok(answer)
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        let Oracle { ranking, .. } = Oracle::new(&self.data);
        let mut top: Vec<_> = ranking
            .iter()
            .take(places)
            .map(|&(rank, item)| Place { item, score: score_of(rank, end) })
            .collect();
        let (first, last) = (top[0].item, top[places - 1].item);
        match self.wrong {
            Wrong::OneItem => top.iter_mut().for_each(|place| place.item = first),
            Wrong::Swapped => (top[0].item, top[places - 1].item) = (last, first),
            Wrong::Twice => top[1].item = first,
            Wrong::Short => top.truncate(places - 1),
            _ => {}
        }
        Ok(top)
    }
}

/// Every item has a twin.
fn twins() -> Data {
    let Data { events, items, end } = DataSet::Generated(300).load().unwrap().unwrap();
    let twin = |event: Event| [event, Event { item: event.item + items, ..event }];
    Data { events: events.into_iter().flat_map(twin).collect(), items: 2 * items, end }
}

#[test]
fn each_way_to_be_wrong_is_found_out() {
    let oracle = Oracle::new(&twins());
    let check = |wrong| oracle.check(&mut Plain { data: twins(), wrong });
    let right = check(Wrong::Nothing);
    assert!(right.is_ok(), "{right:?}");
    for wrong in [
        Wrong::Score,
        Wrong::Count,
        Wrong::OldestTwice,
        Wrong::Absent,
        Wrong::OneItem,
        Wrong::Swapped,
        Wrong::Twice,
        Wrong::Short,
    ] {
        assert!(check(wrong).is_err(), "{wrong:?}");
    }
}
