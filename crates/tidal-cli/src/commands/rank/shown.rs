//! A page of a ranking, for a person and in JSON.

use serde_json::{Map, Value, json};
use tidal_db::{ExplainedRank, ExplainedTerm, Method, Page, RankStatistics};

use super::Entry;
use super::asked::Asked;
use crate::entity;
use crate::output::{Align, Bytes, Table, count, decimal, printable, rfc3339};

/// The page in JSON.
pub(super) fn json(page: &Page, entries: &[Entry<'_>]) -> Value {
    let RankStatistics { method, looked_at, evaluated, passing } = page.statistics;
    json!({
        "at": rfc3339(page.at),
        "results": entries.iter().map(json_of_entry).collect::<Vec<_>>(),
        "cursor": page.cursor,
        "statistics": {
            "method": word(method),
            "looked_at": looked_at,
            "evaluated": evaluated,
            "passing": passing,
        },
    })
}

fn json_of_entry(entry: &Entry<'_>) -> Value {
    let mut object = Map::new();
    object.insert("rank".into(), entry.ranked.rank.into());
    object.insert("id".into(), entry.ranked.id.get().into());
    Bytes(entry.name.as_deref()).set(&mut object, "name");
    object.insert("value".into(), entry.ranked.value.into());
    let explanation = entry.ranked.explanation.as_ref().map(json_of_explanation);
    object.insert("explanation".into(), explanation.into());
    Value::Object(object)
}

fn json_of_explanation(explained: &ExplainedRank) -> Value {
    let terms = explained.terms.iter().map(|term| {
        let inputs = term.inputs.iter();
        let inputs = inputs.map(|input| json!({ "name": input.name, "value": input.value }));
        json!({
            "term": term.term,
            "raw": term.raw,
            "weight": term.weight,
            "contribution": term.contribution,
            "inputs": inputs.collect::<Vec<_>>(),
        })
    });
    json!({
        "terms": terms.collect::<Vec<_>>(),
        "value": explained.value,
        "discount": explained.discount,
        "passed": explained.passed,
    })
}

/// The page as a table, with what asks for the next one behind it.
pub(super) fn text(asked: &Asked, page: &Page, entries: &[Entry<'_>]) -> String {
    let mut text = format!("{} at {}\n\n", printable(asked.by.as_bytes()), rfc3339(page.at));
    if entries.is_empty() {
        text.push_str(&format!("no {} takes part\n\n", asked.kind));
    } else if entries.iter().any(|entry| entry.ranked.explanation.is_some()) {
        for entry in entries {
            let table = table(asked, std::slice::from_ref(entry));
            text.push_str(&table.render(0));
            if let Some(explained) = &entry.ranked.explanation {
                text.push_str(&explanation(explained));
            }
            text.push('\n');
        }
    } else {
        text.push_str(&table(asked, entries).render(0));
        text.push('\n');
    }
    text.push_str(&last_line(page));
    text
}

fn table(asked: &Asked, entries: &[Entry<'_>]) -> Table {
    let mut table = Table::new(&[
        ("rank", Align::Right),
        (asked.kind.as_str(), Align::Left),
        ("value", Align::Right),
    ]);
    for entry in entries {
        table.row(vec![
            entry.ranked.rank.to_string(),
            entity::label(entry.ranked.id, entry.name.as_deref()),
            decimal(entry.ranked.value),
        ]);
    }
    table
}

/// What a value is made of, under its place.
fn explanation(explained: &ExplainedRank) -> String {
    let mut table = Table::new(&[
        ("term", Align::Left),
        ("raw", Align::Right),
        ("weight", Align::Right),
        ("contribution", Align::Right),
        ("inputs", Align::Left),
    ]);
    for term in &explained.terms {
        table.row(vec![
            term.term.clone(),
            decimal(term.raw),
            decimal(term.weight),
            decimal(term.contribution),
            inputs(term),
        ]);
    }
    let mut text = table.render(6);
    if explained.discount < 1.0 {
        let (value, discount) = (decimal(explained.value), decimal(explained.discount));
        text.push_str(&format!("      {value}, discounted by {discount}\n"));
    }
    for part in &explained.passed {
        text.push_str(&format!("      passes {part}\n"));
    }
    text
}

/// What was read for a term, unless that is all there is to it.
fn inputs(term: &ExplainedTerm) -> String {
    let said = |name: &str| name != term.term;
    let inputs = term.inputs.iter().filter(|input| said(&input.name));
    let inputs = inputs.map(|input| format!("{} = {}", input.name, decimal(input.value)));
    inputs.collect::<Vec<_>>().join(", ")
}

fn last_line(page: &Page) -> String {
    let RankStatistics { method, looked_at, evaluated, passing } = page.statistics;
    let passing = passing.map_or_else(String::new, |passing| format!(", {} pass", count(passing)));
    let next = match &page.cursor {
        Some(cursor) => format!("next page: --cursor {cursor}"),
        None => "last page".into(),
    };
    format!(
        "{next} ({}: {} looked at, {} evaluated{passing})\n",
        word(method),
        count(looked_at),
        count(evaluated)
    )
}

const fn word(method: Method) -> &'static str {
    match method {
        Method::Threshold => "threshold",
        Method::Candidates => "candidates",
        Method::Scan => "scan",
    }
}
