//! Reads at times in the past.

use std::collections::HashSet;

use tidal_types::{EntityId, Seq, TidalError};

use super::TidalDB;
use crate::as_of::{self, AsOf, AsOfFeatures, Base, Plan};
use crate::{Result, record};

impl TidalDB {
    /// The features of entities as they were at earlier times, each row at a time of its
    /// own: scores, counts, sums and velocities by their definitions, made again from the
    /// log.
    ///
    /// ```
    /// use tidal_db::{AsOf, EntityId, EntityKind, FeatureValue, Window};
    /// # use std::time::Duration;
    /// # use tidal_db::{Config, DecaySpec, SchemaBuilder, TidalDB, Timestamp};
    /// # let dir = tempfile::tempdir()?;
    /// # let mut schema = SchemaBuilder::new();
    /// # let half_life = Duration::from_secs(3600);
    /// # schema.signal("view", EntityKind::Item, DecaySpec::Exponential { half_life })
    /// #     .windows(&[Window::OneHour]).add();
    /// # let db = TidalDB::open(Config { data_dir: dir.path().join("db"), schema: schema.build()? })?;
    /// let (video, noon) = (EntityId::new(42), Timestamp::from_secs(1_700_000_000));
    /// let one_oclock = noon.saturating_add(Duration::from_secs(3600));
    /// db.signal("view", video, 1.0, noon)?;
    ///
    /// let request = AsOf::new(EntityKind::Item)
    ///     .score("view")
    ///     .count("view", Window::OneHour)
    ///     .rows([(video, noon), (video, one_oclock)]);
    /// let features = db.as_of(&request)?;
    /// assert!(features.row(0).eq([FeatureValue::Real(1.0), FeatureValue::Whole(1)]));
    /// assert!(features.row(1).eq([FeatureValue::Real(0.5), FeatureValue::Whole(0)]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A row sees the events of its entity that happened by its time, and by
    /// [`AsOfClock::Known`](crate::AsOfClock::Known) only those that were logged by then
    /// too. Counts are exact, also where those of
    /// [`windowed_count`](TidalDB::windowed_count) are estimated; scores and sums are
    /// exact up to rounding, to 1e-9 of the sum of the absolute contributions at worst. An entity without
    /// events has zeros, and so has one that was forgotten, at any time. Ids are those of
    /// today's names.
    ///
    /// Where the log was cut by age ([`Retention::For`](crate::Retention::For)), what came
    /// before is taken from the base: features are given for times from that of the newest
    /// event in it on, and by known time from when its last record was logged. Of what is
    /// in the base, counts over windows are as exact as those of the present are. The log
    /// is not cut by age while it is read.
    ///
    /// The log is read once for every [`AsOf::rows_per_pass`] rows, beside writers, who do
    /// not wait. All rows are as of one end of the log, which has everything that was
    /// answered before the call. In memory are the rows and their features, and about as
    /// much again for one pass.
    ///
    /// # Errors
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal),
    /// [`SignalOfOtherKind`](crate::TidalError::SignalOfOtherKind), those of the same
    /// reads of the present for what the schema does not declare;
    /// [`PastNotKept`](crate::TidalError::PastNotKept) when a time is before those, or the
    /// log was cut without a base;
    /// [`InMemory`](crate::TidalError::InMemory), since a database in memory keeps no
    /// log; what the log says, and [`Closed`](crate::TidalError::Closed).
    pub fn as_of(&self, request: &AsOf) -> Result<AsOfFeatures> {
        self.as_of_in_passes(request, request.rows_per_pass())
    }

    /// [`TidalDB::as_of`] with so many rows at once.
    pub(crate) fn as_of_in_passes(
        &self,
        request: &AsOf,
        rows_per_pass: usize,
    ) -> Result<AsOfFeatures> {
        let schema = self.state()?.schema();
        let plan = Plan::of(request, schema)?;
        let log = &*self.parts.log;
        if !log.keeps_records() {
            return Err(TidalError::InMemory);
        }
        // What was answered may be less than durable, and only what is can be read.
        log.sync()?;
        let position = log.head();
        // From here on the log is not cut by age, and the base stays as it is.
        let hold = self.parts.retained.base.hold();
        let base = match log.first_seq() {
            Seq::FIRST => None,
            _ => hold.open(log, &*self.parts.clock)?,
        };
        let base = base.as_ref().map(|base| base as &dyn Base);
        let rows = request.asked_rows();
        as_of::check_reach(log.first_seq(), base, request.chosen_clock(), rows)?;
        let from = base.map_or(Seq::FIRST, Base::next_seq);
        let scan = |take: as_of::Take<'_>| {
            log.read_through(from, position.seq, &mut |record| {
                if let Some(event) = record::event(record, schema)? {
                    take(&event, record.log_time);
                }
                Ok(())
            })
        };
        let mut passes = 0;
        loop {
            let forgotten = self.forgotten_among(request)?;
            let is_forgotten = |id| forgotten.contains(&id);
            let answer = as_of::answer(&plan, rows, rows_per_pass, is_forgotten, base, &scan);
            let (columns, more) = answer.map_err(as_of::cut_meanwhile)?;
            passes += more;
            // Of what was forgotten meanwhile, one pass may have seen more than another.
            if self.forgotten_among(request)?.len() == forgotten.len() {
                return Ok(AsOfFeatures { columns, position, passes });
            }
        }
    }

    /// The entities of a request that were forgotten.
    fn forgotten_among(&self, request: &AsOf) -> Result<HashSet<EntityId>> {
        let forgotten = &self.state()?.forgotten;
        if forgotten.is_empty() {
            return Ok(HashSet::new());
        }
        let ids = request.asked_rows().iter().map(|&(id, _)| id);
        Ok(ids.filter(|&id| forgotten.contains(request.kind(), id)).collect())
    }
}
