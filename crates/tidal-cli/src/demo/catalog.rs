//! The videos of the made-up site and the signal types they get.

use std::time::Duration;

use tidal_db::{DecaySpec, EntityKind, Schema, SchemaBuilder, SchemaError, Window};

/// The first words of titles; a title has two.
const MOODS: &str = "\
    amber ancient autumn bold bright brave calm clever copper coral cosmic crimson dancing \
    distant dusty early electric endless faded gentle golden hidden hollow humble icy jolly \
    late little lonely lucky lunar mellow midnight misty noble northern open patient quiet \
    restless rising rusty silent silver slow solar velvet wandering wild winter";
/// The second words of titles.
const THINGS: &str = "\
    anchor atlas badger balcony beacon bicycle bridge canyon cello comet compass desert diver \
    falcon ferry fjord forest fox garden glacier harbour heron island jungle kettle kite \
    lagoon lantern lighthouse machine market meadow monsoon mountain museum orchard otter owl \
    painter piano planet puffin railway reef river robot rocket sailor shadow sparrow station \
    storm sunrise tango teapot tide train valley violin whale";

/// How many videos there are; every pair of words is one.
pub(crate) const VIDEOS: usize = 50 * 60;

/// A step through the pairs that meets each once, since it shares no divisor
/// with their number, so that neighbours in rank do not look alike.
const STEP: usize = 1789;

/// The videos, the most popular first.
#[derive(Debug)]
pub(crate) struct Catalog {
    titles: Vec<String>,
}

impl Catalog {
    pub(crate) fn new() -> Self {
        let moods: Vec<&str> = MOODS.split_whitespace().collect();
        let things: Vec<&str> = THINGS.split_whitespace().collect();
        let title = |rank: usize| {
            let pair = (rank * STEP + 1000) % VIDEOS;
            let mood = moods.get(pair / things.len()).copied().unwrap_or_default();
            let thing = things.get(pair % things.len()).copied().unwrap_or_default();
            format!("{mood}-{thing}")
        };
        Self { titles: (0..VIDEOS).map(title).collect() }
    }

    /// The titles, the most popular first.
    pub(crate) fn titles(&self) -> &[String] {
        &self.titles
    }
}

/// The signal types of the site.
pub(crate) fn schema() -> Result<Schema, SchemaError> {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let all = [Window::OneHour, Window::TwentyFourHours, Window::SevenDays, Window::AllTime];
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: hours(6) })
        .windows(&all)
        .velocity(true)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Exponential { half_life: hours(24) })
        .windows(&all)
        .velocity(true)
        .add()
        .signal("skip", EntityKind::Item, DecaySpec::Exponential { half_life: hours(12) })
        .windows(&[Window::TwentyFourHours, Window::AllTime])
        .sums(true)
        .add()
        .signal("purchase", EntityKind::Item, DecaySpec::Linear { lifetime: hours(7 * 24) })
        .windows(&[Window::TwentyFourHours, Window::SevenDays, Window::AllTime])
        .sums(true)
        .add();
    builder.build()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_video_has_a_title_of_its_own() {
        let catalog = Catalog::new();
        let titles: HashSet<&String> = catalog.titles().iter().collect();
        assert_eq!(titles.len(), VIDEOS);
        assert!(
            catalog.titles().iter().all(|title| !title.starts_with('-') && !title.ends_with('-'))
        );
    }

    #[test]
    fn the_schema_is_sound() {
        assert_eq!(schema().unwrap().signal_count(), 4);
    }
}
