//! The events of the made-up site: fourteen days up to now, in the order in
//! which a server would see them.
//!
//! - Popularity follows Zipf's law: the video of rank r is seen in proportion to
//!   1/r.
//! - People sleep: an hour at night sees a sixth of what an evening hour sees.
//! - A few unknown videos go viral in the last hours, ever faster.
//! - One event in a hundred comes up to ten minutes late.

use tidal_db::{EntityId, Event, Timestamp};

use super::catalog::VIDEOS;
use super::random::Random;

const SEED: u64 = 0x7469_6461_6c44_4221;
const HOURS: u64 = 14 * 24;
const HOUR_NANOS: u64 = 3_600_000_000_000;
const LATE_NANOS_MAX: u64 = 600_000_000_000;
const PEOPLE: u64 = 20_000;

/// How busy each hour of the day is, in UTC.
const HOURS_OF_DAY: [u64; 24] =
    [8, 6, 4, 3, 3, 3, 4, 6, 8, 10, 11, 12, 13, 12, 11, 11, 12, 13, 15, 17, 18, 17, 14, 11];

/// Videos that go viral: rank by popularity, hours since it began, and the share
/// of all events that is theirs in the end.
pub(crate) const VIRAL: [(usize, u64, f64); 4] =
    [(2_417, 9, 0.16), (1_203, 5, 0.20), (2_888, 3, 0.14), (801, 2, 0.10)];

/// The stream: yields as many events as were asked for.
#[derive(Debug)]
pub(crate) struct Stream<'a> {
    random: Random,
    ids: &'a [EntityId],
    /// The sum of 1/r up to each rank.
    popularity: Vec<f64>,
    start: u64,
    events: u64,
    hour: u64,
    /// The sum of the hours' weights up to the current hour, and of all.
    weight_before: u64,
    weight_total: u64,
    sent: u64,
    /// Times within the current hour, the last first.
    times: Vec<u64>,
}

impl<'a> Stream<'a> {
    /// A stream of `events` events that ends at `end`, about the videos with
    /// these ids, the most popular first.
    pub(crate) fn new(events: u64, end: Timestamp, ids: &'a [EntityId]) -> Self {
        let start = end.as_nanos().saturating_sub(HOURS * HOUR_NANOS);
        let popularity = (1..=ids.len()).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        let weight_total = (0..HOURS).map(|hour| weight_of_hour(start, hour)).sum();
        Self {
            random: Random::new(SEED),
            ids,
            popularity: popularity.collect(),
            start,
            events,
            hour: 0,
            weight_before: 0,
            weight_total,
            sent: 0,
            times: Vec::new(),
        }
    }

    fn begin_hour(&mut self) {
        self.weight_before += weight_of_hour(self.start, self.hour);
        let share = u128::from(self.events) * u128::from(self.weight_before)
            / u128::from(self.weight_total);
        let until_here = u64::try_from(share).unwrap_or(self.events);
        let begin = self.start + self.hour * HOUR_NANOS;
        for _ in self.sent..until_here {
            self.times.push(begin + self.random.below(HOUR_NANOS));
        }
        self.times.sort_unstable_by(|one, other| other.cmp(one));
        self.sent = until_here;
        self.hour += 1;
    }

    fn event(&mut self, time: u64) -> Event<'static> {
        let (rank, viral) = match self.viral_rank(time) {
            Some(rank) => (rank, true),
            None => (self.popular_rank(), false),
        };
        let video = self.ids.get(rank).copied().unwrap_or(EntityId::new(1));
        let late = if self.random.chance(0.01) { self.random.below(LATE_NANOS_MAX) } else { 0 };
        let (signal, weight) = self.signal_and_weight(viral);
        let person = EntityId::new(1 + self.random.below(PEOPLE));
        Event::new(signal, video, weight, Timestamp::from_nanos(time.saturating_sub(late)))
            .by(person)
    }

    /// The rank of a viral video, if this event is about one.
    fn viral_rank(&mut self, time: u64) -> Option<usize> {
        let end = self.start + HOURS * HOUR_NANOS;
        let mut dice = self.random.unit();
        for (rank, hours, share) in VIRAL {
            let length = hours * HOUR_NANOS;
            let grown = (time + length).saturating_sub(end) as f64 / length as f64;
            let probability = share * grown * grown;
            if dice < probability {
                return Some(rank);
            }
            dice -= probability;
        }
        None
    }

    fn popular_rank(&mut self) -> usize {
        let dice = self.random.unit() * self.popularity.last().copied().unwrap_or_default();
        self.popularity.partition_point(|sum| *sum <= dice).min(VIDEOS - 1)
    }

    fn signal_and_weight(&mut self, viral: bool) -> (&'static str, f64) {
        let likes = if viral { 30 } else { 12 };
        match self.random.below(100) {
            dice if dice < likes => ("like", 1.0),
            dice if dice < likes + 8 => ("skip", -1.0),
            dice if dice < likes + 10 => {
                ("purchase", (199 + 50 * self.random.below(40)) as f64 / 100.0)
            }
            _ => ("view", 1.0),
        }
    }
}

impl Iterator for Stream<'_> {
    type Item = Event<'static>;

    fn next(&mut self) -> Option<Event<'static>> {
        loop {
            if let Some(time) = self.times.pop() {
                return Some(self.event(time));
            }
            if self.hour == HOURS {
                return None;
            }
            self.begin_hour();
        }
    }
}

fn weight_of_hour(start: u64, hour: u64) -> u64 {
    let hour_of_day = (start / HOUR_NANOS + hour) % 24;
    usize::try_from(hour_of_day).ok().and_then(|hour| HOURS_OF_DAY.get(hour)).copied().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn stream(events: u64) -> Vec<Event<'static>> {
        let ids: Vec<EntityId> = (1..=VIDEOS as u64).map(EntityId::new).collect();
        Stream::new(events, END, &ids).collect()
    }

    #[test]
    fn the_stream_is_as_long_as_asked_for_and_always_the_same() {
        for events in [1, 999, 20_000] {
            let one = stream(events);
            assert_eq!(one.len() as u64, events);
            assert_eq!(one, stream(events));
        }
    }

    #[test]
    fn events_lie_in_the_last_fourteen_days_and_are_nearly_in_order() {
        let events = stream(50_000);
        let start = END.as_nanos() - HOURS * HOUR_NANOS;
        let inside = |event: &Event<'_>| {
            (start - LATE_NANOS_MAX..END.as_nanos()).contains(&event.timestamp.as_nanos())
        };
        assert!(events.iter().all(inside));
        let late = events.windows(2).filter(|pair| pair[1].timestamp < pair[0].timestamp).count();
        assert!((100..2_000).contains(&late), "{late}");
    }

    #[test]
    fn the_first_video_is_popular_and_viral_ones_explode_at_the_end() {
        let events = stream(100_000);
        let of = |rank: usize, since: u64| {
            let since = END.as_nanos() - since * HOUR_NANOS;
            let id = EntityId::new(rank as u64 + 1);
            events
                .iter()
                .filter(|event| event.entity == id && event.timestamp.as_nanos() >= since)
                .count()
        };
        assert!(of(0, HOURS) > 3 * of(9, HOURS), "{} {}", of(0, HOURS), of(9, HOURS));
        let (rank, hours, _) = VIRAL[0];
        assert!(of(rank, hours) > of(rank, HOURS) - of(rank, hours));
        assert!(of(rank, 1) > 3, "{}", of(rank, 1));
    }

    #[test]
    fn every_signal_type_occurs() {
        let events = stream(10_000);
        for signal in ["view", "like", "skip", "purchase"] {
            assert!(events.iter().any(|event| event.signal == signal), "{signal}");
        }
        assert!(
            events.iter().filter(|event| event.signal == "skip").all(|event| event.weight < 0.0)
        );
    }
}
