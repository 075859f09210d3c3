//! Binding a filter to a schema.

use tidal_types::{AttributeDefinition, AttributeType, EntityId, EntityKind, QueryError, Schema};

use super::cut::{Cut, Span};
use super::{BoundFilter, Leaf, Node, Test};
use crate::Result;
use crate::attributes::accept::require;
use crate::rank::{Comparison, Filter, Literal};
use crate::rfc3339;

/// How deep parts of a filter may be in others.
const DEPTH_MAX: usize = 130;

/// Finds the id of a name; `None` when no entity of the kind has it.
type Find<'a> = &'a dyn Fn(EntityKind, &str) -> Result<Option<EntityId>>;

impl BoundFilter {
    /// Binds a filter to the attributes that entities of a kind have. A name that no
    /// entity has matches nothing.
    ///
    /// # Errors
    /// [`QueryError::UnknownAttribute`]; [`QueryError::WrongType`] when a value is none of
    /// the attribute's, or cannot be compared so; [`QueryError::OutOfRange`] when it is
    /// too deep; those of `find`.
    pub(crate) fn bind(
        filter: &Filter,
        schema: &Schema,
        kind: EntityKind,
        find: Find<'_>,
    ) -> Result<Self> {
        let bound = Binder { schema, kind, find }.node(filter, 1)?;
        Ok(Self { original: filter.clone(), bound })
    }
}

struct Binder<'a> {
    schema: &'a Schema,
    kind: EntityKind,
    find: Find<'a>,
}

impl Binder<'_> {
    fn node(&self, filter: &Filter, depth: usize) -> Result<Node> {
        if depth > DEPTH_MAX {
            let (value, range) = (depth.to_string(), format!("at most {DEPTH_MAX}"));
            return Err(
                QueryError::OutOfRange { what: "the depth of a filter", value, range }.into()
            );
        }
        let nodes = |parts: &[Filter]| -> Result<Vec<Node>> {
            parts.iter().map(|part| self.node(part, depth + 1)).collect()
        };
        Ok(match filter {
            Filter::And(all) => Node::And(nodes(all)?),
            Filter::Or(some) => Node::Or(nodes(some)?),
            Filter::Not(not) => Node::Not(Box::new(self.node(not, depth + 1)?)),
            leaf => Node::Leaf(self.leaf(leaf)?),
        })
    }

    fn leaf(&self, filter: &Filter) -> Result<Leaf> {
        let (name, comparison) = match filter {
            Filter::Compare { attribute, comparison, .. } => (attribute, *comparison),
            Filter::In { attribute, .. } => (attribute, Comparison::Equal),
            Filter::Between { attribute, .. } => (attribute, Comparison::LessOrEqual),
            Filter::Exists(attribute) => (attribute, Comparison::Equal),
            Filter::And(_) | Filter::Or(_) | Filter::Not(_) => {
                unreachable!("these have parts and are no leaves")
            }
        };
        let attribute = require(self.schema, self.kind, name)?;
        let test = match filter {
            Filter::Compare { value, .. } => {
                self.test(attribute, comparison, std::slice::from_ref(value))?
            }
            Filter::In { values, .. } => self.test(attribute, comparison, values)?,
            Filter::Between { low, high, .. } => {
                let low = cut(attribute, comparison, low)?;
                Test::Spans(vec![Span::between(low, cut(attribute, comparison, high)?)])
            }
            _ => Test::Exists,
        };
        Ok(Leaf { attribute: attribute.id(), test, differs: comparison == Comparison::NotEqual })
    }

    /// What passes when it compares so with one of these values.
    fn test(
        &self,
        attribute: &AttributeDefinition,
        comparison: Comparison,
        values: &[Literal],
    ) -> Result<Test> {
        let values = values.iter();
        Ok(match attribute.of_type() {
            AttributeType::Keyword | AttributeType::Keywords => Test::Words(
                values.map(|value| word(attribute, comparison, value)).collect::<Result<_, _>>()?,
            ),
            AttributeType::Boolean => Test::Codes(
                values
                    .map(|value| boolean(attribute, comparison, value))
                    .collect::<Result<_, _>>()?,
            ),
            AttributeType::Entity(kind) => {
                let ids = values.map(|value| self.entity(attribute, kind, comparison, value));
                let ids = ids.collect::<Result<Vec<_>>>()?;
                Test::Codes(ids.into_iter().flatten().map(EntityId::get).collect())
            }
            AttributeType::Integer | AttributeType::Float | AttributeType::Timestamp => {
                let spans = values.map(|value| {
                    cut(attribute, comparison, value).map(|cut| Span::of(comparison, cut))
                });
                Test::Spans(spans.collect::<Result<_, _>>()?)
            }
        })
    }

    fn entity(
        &self,
        attribute: &AttributeDefinition,
        kind: EntityKind,
        comparison: Comparison,
        value: &Literal,
    ) -> Result<Option<EntityId>> {
        only_equality(attribute, comparison)?;
        match value {
            Literal::Integer(id) => Ok(Some(EntityId::new(id.cast_unsigned()))),
            Literal::Text(name) => (self.find)(kind, name),
            other => {
                Err(mismatch(attribute, other, "a number, which is its id, or its name").into())
            }
        }
    }
}

fn word(
    attribute: &AttributeDefinition,
    comparison: Comparison,
    value: &Literal,
) -> Result<String, QueryError> {
    only_equality(attribute, comparison)?;
    match value {
        Literal::Text(word) => Ok(word.clone()),
        other => Err(mismatch(attribute, other, "a text in quotes")),
    }
}

fn boolean(
    attribute: &AttributeDefinition,
    comparison: Comparison,
    value: &Literal,
) -> Result<u64, QueryError> {
    only_equality(attribute, comparison)?;
    match value {
        Literal::Boolean(boolean) => Ok(u64::from(*boolean)),
        other => Err(mismatch(attribute, other, "true or false")),
    }
}

/// Where a value is among those of an attribute that has an order.
fn cut(
    attribute: &AttributeDefinition,
    comparison: Comparison,
    value: &Literal,
) -> Result<Cut, QueryError> {
    let is_nan = matches!(value, Literal::Float(number) if number.is_nan());
    match (attribute.of_type(), value) {
        (AttributeType::Integer | AttributeType::Float, _) if is_nan => {
            Err(mismatch(attribute, value, "a number"))
        }
        (AttributeType::Integer, Literal::Integer(number)) => Ok(Cut::integer((*number).into())),
        (AttributeType::Integer, Literal::Float(number)) => Ok(Cut::float_among_integers(*number)),
        (AttributeType::Float, Literal::Integer(number)) => Ok(Cut::integer_among_floats(*number)),
        (AttributeType::Float, Literal::Float(number)) => Ok(Cut::float(*number)),
        (AttributeType::Integer | AttributeType::Float, other) => {
            Err(mismatch(attribute, other, "a number"))
        }
        (AttributeType::Timestamp, Literal::Time(time)) => Ok(Cut::time(time.as_nanos().into())),
        (AttributeType::Timestamp, Literal::Integer(seconds)) => {
            Ok(Cut::time(i128::from(*seconds) * 1_000_000_000))
        }
        (AttributeType::Timestamp, Literal::Text(text)) => {
            rfc3339::parse(text).map(Cut::time).ok_or_else(|| mismatch(attribute, value, MOMENT))
        }
        (AttributeType::Timestamp, other) => Err(mismatch(attribute, other, MOMENT)),
        _ => Err(unordered(attribute, comparison)),
    }
}

const MOMENT: &str = "a time like '2026-01-31T09:30:00Z', a date like '2026-01-31', \
                      or whole seconds since 1970";

/// Refuses to ask for an order where there is none.
fn only_equality(
    attribute: &AttributeDefinition,
    comparison: Comparison,
) -> Result<(), QueryError> {
    match comparison {
        Comparison::Equal | Comparison::NotEqual => Ok(()),
        _ => Err(unordered(attribute, comparison)),
    }
}

fn unordered(attribute: &AttributeDefinition, comparison: Comparison) -> QueryError {
    let asked = match comparison {
        Comparison::Less => "<",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        _ => "<= and `between`",
    };
    wrong(attribute, format!("its values have no order for {asked}; compare with =, != or in"))
}

fn mismatch(attribute: &AttributeDefinition, found: &Literal, wanted: &str) -> QueryError {
    let found = match found {
        Literal::Text(text) => format!("{text:?}"),
        Literal::Integer(number) => number.to_string(),
        Literal::Float(number) => number.to_string(),
        Literal::Boolean(boolean) => boolean.to_string(),
        Literal::Time(time) => format!("the time {time}"),
    };
    wrong(attribute, format!("it cannot be compared with {found}; write {wanted}"))
}

fn wrong(attribute: &AttributeDefinition, problem: String) -> QueryError {
    let (of_type, attribute) = (attribute.of_type(), attribute.name().to_owned());
    QueryError::WrongType { attribute, of_type, problem }
}
