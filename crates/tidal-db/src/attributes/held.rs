//! What a query reads of attributes: one index, held for as long as the query takes.

use std::ops::Deref;

use roaring::RoaringTreemap;
use tidal_types::{AttributeId, EntityId};

use super::bound::BoundFilter;
use super::id_set::IdSet;
use super::index::{Column, Ids};
use super::made::Ready;

/// The attributes of the entities of a kind at one moment.
#[derive(Debug)]
pub(crate) struct HeldAttributes<'a>(Ready<'a>);

impl<'a> HeldAttributes<'a> {
    pub(super) const fn new(ready: Ready<'a>) -> Self {
        Self(ready)
    }
}

impl HeldAttributes<'_> {
    pub(super) fn column(&self, attribute: AttributeId) -> Option<&Column> {
        self.0.index().column(attribute)
    }

    /// The entities that a filter lets through. Where it is complemented, it has entities
    /// too that are of no kind and were never heard of.
    pub(crate) fn passing(&self, filter: &BoundFilter) -> IdSet {
        filter.passing(self)
    }

    /// The value of an entity as a number: of an integer or a float itself, of a time the
    /// seconds since the Unix epoch, of a boolean 0 or 1. `None` of other types, and when
    /// it has none.
    pub(crate) fn number(&self, attribute: AttributeId, id: EntityId) -> Option<f64> {
        self.column(attribute)?.number_of(id)
    }

    /// Every value as a number, ascending, and the entities that have it. Two values that
    /// are the same as a number follow each other.
    pub(crate) fn by_number(
        &self,
        attribute: AttributeId,
    ) -> impl DoubleEndedIterator<Item = (f64, &Ids)> {
        self.column(attribute).into_iter().flat_map(Column::by_number)
    }

    /// The values of an entity as codes, ascending: equal values of one attribute have
    /// equal codes for as long as this is held. Of an entity the code is its id.
    pub(crate) fn groups(&self, attribute: AttributeId, id: EntityId) -> Groups<'_> {
        Groups(self.column(attribute).map_or(&[], |column| column.codes(id)))
    }

    /// The entities that have an attribute; `None` when no entity ever had it.
    pub(crate) fn having(&self, attribute: AttributeId) -> Option<&RoaringTreemap> {
        self.column(attribute).map(Column::having)
    }

    /// The entities that have any attribute.
    pub(crate) fn entities(&self) -> &RoaringTreemap {
        self.0.index().entities()
    }
}

/// The codes of the values of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Groups<'a>(&'a [u64]);

impl Deref for Groups<'_> {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        self.0
    }
}
