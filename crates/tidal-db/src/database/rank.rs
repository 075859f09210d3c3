//! Rankings by what a query makes up.

use super::TidalDB;
use crate::Result;
use crate::attributes::BoundFilter;
use crate::rank::{Bound, Method, Page, Query, Reading, answer, not_passed, shown};

impl TidalDB {
    /// The best entities by a query: see [`Query`] for what can be asked.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tidal_db::{AttributeType, AttributeValue, DecaySpec, EntityId, EntityKind, SchemaBuilder, TidalDB, Timestamp, Window};
    /// use tidal_db::{Query, attribute, count, score};
    ///
    /// # let mut schema = SchemaBuilder::new();
    /// # schema.signal("like", EntityKind::Item, DecaySpec::Permanent).add();
    /// # schema.signal("view", EntityKind::Item, DecaySpec::Permanent).windows(&[Window::OneHour]).add();
    /// # schema.attribute("language", EntityKind::Item, AttributeType::Keyword);
    /// # schema.attribute("creator", EntityKind::Item, AttributeType::Entity(EntityKind::Creator));
    /// # let db = TidalDB::in_memory(schema.build()?)?;
    /// # let item = EntityId::new(7);
    /// # db.put_attributes(EntityKind::Item, item, &[("language", Some(AttributeValue::Keyword("en".into())))])?;
    /// # db.signal("like", item, 1.0, Timestamp::now())?;
    /// let query = Query::items()
    ///     .by(3.0 * score("like") + count("view", Window::OneHour))
    ///     .filter(attribute("language").equals("en"))
    ///     .at_most(2, "creator")
    ///     .limit(50);
    /// let page = db.rank(&query)?;
    /// assert_eq!(page.entries[0].id, item);
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// An entity takes part that has an event of a signal or a value of an attribute which
    /// the expression names, passes the filter and was not forgotten; with
    /// [`Query::including_quiet`], so does every entity with any attribute. The higher
    /// value comes first, and of equal ones the lower id. A positive multiple of one
    /// exponential score ranks as [`TidalDB::top`] does, right even where every value has
    /// underflowed to 0; with a discount it goes by the values.
    ///
    /// The page is exact, whichever [`Method`](crate::Method) finds it: it is what evaluating
    /// every entity would give, to the bit. Everything that was answered before the query
    /// began is in it. What is written meanwhile may show or not, entity by entity.
    /// Indexes that a query needs and that no query has needed before are made first, by
    /// reading all cells, or all attributes.
    ///
    /// The [cursor](Page::cursor) asks for the best of what was not shown: pages repeat no
    /// entity and pass over none that stands still, whatever is written between them. They
    /// reach 10,000 places far. A user who was forgotten is one who never did anything.
    ///
    /// # Errors
    /// [`TidalError::Query`](crate::TidalError::Query) for what cannot be answered;
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal),
    /// [`SignalOfOtherKind`](crate::TidalError::SignalOfOtherKind), and those of the reads
    /// that the expression names; [`BeforeNewest`](crate::TidalError::BeforeNewest); what
    /// storage says; [`Closed`](crate::TidalError::Closed).
    pub fn rank(&self, query: &Query) -> Result<Page> {
        self.rank_by(query, None)
    }

    /// The same by one of the ways, for what compares them.
    pub(crate) fn rank_by(&self, query: &Query, method: Option<Method>) -> Result<Page> {
        let state = self.state()?;
        let bound = Bound::bind(query, self.schema())?;
        let bind = |filter| {
            let find = |kind, name: &str| self.find_entity(kind, name);
            BoundFilter::bind(filter, self.schema(), query.kind, &find)
        };
        let filter = query.filter.as_ref().map(bind).transpose()?;
        let shown = shown(&bound)?;
        let refuses_past = || query.at.map_or(Ok(()), |at| not_passed(state, at));
        refuses_past()?;
        let at = query.at.unwrap_or_else(|| self.now());
        let reading = Reading::of(state, &bound, filter.as_ref(), at)?;
        let page = answer(state, &bound, (&reading, filter.as_ref()), shown, method)?;
        refuses_past()?;
        Ok(page)
    }
}
