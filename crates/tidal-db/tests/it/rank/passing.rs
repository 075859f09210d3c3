//! Filters by definition: asked of one entity's attributes, one after the other.

use std::cmp::Ordering;

use tidal_db::{AttributeValue, Comparison, EntityId, EntityKind, Filter, Literal};

use super::model::Model;

/// Whether an entity passes.
pub(crate) fn passes(model: &Model, kind: EntityKind, id: EntityId, filter: &Filter) -> bool {
    let holds = |filter: &Filter| passes(model, kind, id, filter);
    let any = |attribute: &str, test: &dyn Fn(&AttributeValue) -> bool| match model
        .value(kind, id, attribute)
    {
        Some(AttributeValue::Keywords(words)) => {
            words.iter().any(|word| test(&AttributeValue::Keyword(word.clone())))
        }
        Some(value) => test(value),
        None => false,
    };
    match filter {
        Filter::Compare { attribute, comparison, value } => {
            any(attribute, &|found| compares(order(found, value), *comparison))
        }
        Filter::In { attribute, values } => any(attribute, &|found| {
            values.iter().any(|value| compares(order(found, value), Comparison::Equal))
        }),
        Filter::Between { attribute, low, high } => any(attribute, &|found| {
            compares(order(found, low), Comparison::GreaterOrEqual)
                && compares(order(found, high), Comparison::LessOrEqual)
        }),
        Filter::Exists(attribute) => model.value(kind, id, attribute).is_some(),
        Filter::And(all) => all.iter().all(holds),
        Filter::Or(some) => some.iter().any(holds),
        Filter::Not(filter) => !holds(filter),
    }
}

/// How a value stands to a literal.
fn order(value: &AttributeValue, literal: &Literal) -> Ordering {
    match (value, literal) {
        (AttributeValue::Keyword(word), Literal::Text(text)) => word.cmp(text),
        (AttributeValue::Integer(number), Literal::Integer(with)) => number.cmp(with),
        (AttributeValue::Float(number), Literal::Float(with)) => number.total_cmp(with),
        (AttributeValue::Boolean(boolean), Literal::Boolean(with)) => boolean.cmp(with),
        (AttributeValue::Timestamp(time), Literal::Time(with)) => time.cmp(with),
        (AttributeValue::Entity(id), Literal::Integer(with)) => id.get().cmp(&with.cast_unsigned()),
        _ => panic!("{literal:?} is not compared with {value:?} here"),
    }
}

fn compares(order: Ordering, comparison: Comparison) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}
