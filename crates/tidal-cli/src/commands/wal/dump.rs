//! `tidal wal dump`: the records of a log, one a line.

use std::ops::ControlFlow;

use serde_json::{Map, Value, json};
use tidal_db::{AttributeValue, DumpedRecord, EntityId, Meaning, Seq};

use super::problem_text;
use crate::args::{DumpArgs, Global};
use crate::failure::Failure;
use crate::output::{Bytes, excerpt, note, print, printable, rfc3339};

/// So much text is printed at once.
const TEXT_BYTES: usize = 64 << 10;

pub(super) fn run(global: &Global, args: &DumpArgs) -> Result<(), Failure> {
    let dir = super::dir(global, args.dir.as_ref())?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut text = String::new();
    let mut printed = Ok(());
    let report = tidal_db::dump(&dir, Seq::new(args.from), &mut |record| {
        if left == 0 {
            return ControlFlow::Break(());
        }
        left -= 1;
        text.push_str(&if global.json { json(record).to_string() } else { line(record) });
        text.push('\n');
        if text.len() >= TEXT_BYTES {
            printed = print(&text);
            text.clear();
        }
        if left == 0 || printed.is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    printed?;
    print(&text)?;
    if let Some(tail) = &report.torn_tail {
        note(&format!("an unfinished write follows: {}", problem_text(tail)));
    }
    match &report.problem {
        None => Ok(()),
        Some(problem) => Err(Failure::failed(format!(
            "the log is damaged here: {}; restore it from a backup, or see `tidal wal salvage {}`",
            problem_text(problem),
            dir.display()
        ))),
    }
}

fn line(record: &DumpedRecord) -> String {
    let mut line =
        format!("{}  {}  {}", record.seq, rfc3339(record.log_time), what(&record.meaning));
    if let Some(producer) = record.producer {
        line.push_str(&format!(
            "  producer {} epoch {} seq {}",
            producer.id, producer.epoch, producer.seq
        ));
    }
    line
}

fn what(meaning: &Meaning) -> String {
    match meaning {
        Meaning::Schema(schema) => {
            let names: Vec<_> = schema.signals().iter().map(|signal| signal.name()).collect();
            format!("schema  {}", names.join(" "))
        }
        Meaning::Event { signal, declared, entity, name, weight, timestamp, actor, actor_name } => {
            let signal = declared
                .as_ref()
                .map_or_else(|| format!("type {}", signal.get()), |(name, _)| name.clone());
            let entity = entity_text(*entity, name.as_deref());
            let at = rfc3339(*timestamp);
            let actor = actor.map_or_else(String::new, |actor| {
                format!("  by {}", entity_text(actor, actor_name.as_deref()))
            });
            format!("event  {signal}  {entity}  weight {weight}  at {at}{actor}")
        }
        Meaning::WriteItem { id, name, metadata } => {
            let item = entity_text(*id, name.as_deref());
            format!("write item  {item}  {} bytes {}", metadata.len(), excerpt(metadata))
        }
        Meaning::DeleteItem { id, name } => {
            format!("delete item  {}", entity_text(*id, name.as_deref()))
        }
        Meaning::PutAttributes { kind, id, name, values } => {
            let values: Vec<_> =
                values.iter().map(|(name, value)| assignment(name, value.as_ref())).collect();
            let entity = entity_text(*id, name.as_deref());
            format!("put attributes  {kind} {entity}  {}", values.join("  "))
        }
        Meaning::AssignName { kind, id, name } => {
            format!("assign name  {kind} {id}  {}", printable(name))
        }
        Meaning::ProducerNote { id, note } => {
            format!("producer note  {id}  {}", excerpt(note))
        }
        Meaning::Forget { kind, id, name } => {
            let name =
                name.as_deref().map_or_else(String::new, |name| format!("  {}", printable(name)));
            format!("forget  {kind} {id}{name}")
        }
        Meaning::Purged => "purged".into(),
        Meaning::Opaque { kind, payload, problem } => {
            let problem =
                problem.as_ref().map_or_else(String::new, |problem| format!("  {problem}"));
            format!("kind {kind}  {} bytes {}{problem}", payload.len(), excerpt(payload))
        }
    }
}

fn assignment(name: &str, value: Option<&AttributeValue>) -> String {
    match value {
        None => format!("{name} removed"),
        Some(AttributeValue::Keyword(word)) => format!("{name}={word:?}"),
        Some(AttributeValue::Integer(number)) => format!("{name}={number}"),
        Some(AttributeValue::Float(number)) => format!("{name}={number}"),
        Some(AttributeValue::Boolean(boolean)) => format!("{name}={boolean}"),
        Some(AttributeValue::Timestamp(time)) => format!("{name}={}", rfc3339(*time)),
        Some(AttributeValue::Keywords(words)) => format!("{name}={words:?}"),
        Some(AttributeValue::Entity(id)) => format!("{name}={id}"),
    }
}

/// Nothing where it is removed.
fn attribute_json(value: &Option<AttributeValue>) -> Value {
    match value {
        None => Value::Null,
        Some(AttributeValue::Keyword(word)) => json!(word),
        Some(AttributeValue::Integer(number)) => json!(number),
        Some(AttributeValue::Float(number)) => json!(number),
        Some(AttributeValue::Boolean(boolean)) => json!(boolean),
        Some(AttributeValue::Timestamp(time)) => json!(rfc3339(*time)),
        Some(AttributeValue::Keywords(words)) => json!(words),
        Some(AttributeValue::Entity(id)) => json!(id.get()),
    }
}

fn entity_text(id: EntityId, name: Option<&[u8]>) -> String {
    name.map_or_else(|| id.to_string(), printable)
}

fn json(record: &DumpedRecord) -> Value {
    let mut object = Map::new();
    object.insert("seq".into(), record.seq.get().into());
    object.insert("log_time".into(), rfc3339(record.log_time).into());
    put_meaning(&mut object, &record.meaning);
    let producer = record.producer.map(|producer| {
        json!({ "id": producer.id.to_string(), "epoch": producer.epoch, "seq": producer.seq })
    });
    object.insert("producer".into(), producer.into());
    Value::Object(object)
}

fn put_meaning(object: &mut Map<String, Value>, meaning: &Meaning) {
    let mut put = |field: &str, value: Value| {
        object.insert(field.into(), value);
    };
    match meaning {
        Meaning::Schema(schema) => {
            put("kind", "schema".into());
            put("signals", schema.signals().iter().map(|signal| signal.name()).collect());
        }
        Meaning::Event { signal, declared, entity, name, weight, timestamp, actor, actor_name } => {
            put("kind", "event".into());
            put("signal", declared.as_ref().map(|(name, _)| name.clone()).into());
            put("signal_id", signal.get().into());
            put("entity", entity.get().into());
            put("weight", json!(weight));
            put("time", rfc3339(*timestamp).into());
            put("actor", actor.map(EntityId::get).into());
            Bytes(name.as_deref()).set(object, "name");
            Bytes(actor_name.as_deref()).set(object, "actor_name");
        }
        Meaning::WriteItem { id, name, metadata } => {
            put("kind", "write item".into());
            put("entity", id.get().into());
            Bytes(name.as_deref()).set(object, "name");
            Bytes(Some(metadata)).set(object, "metadata");
        }
        Meaning::DeleteItem { id, name } => {
            put("kind", "delete item".into());
            put("entity", id.get().into());
            Bytes(name.as_deref()).set(object, "name");
        }
        Meaning::PutAttributes { kind, id, name, values } => {
            put("kind", "put attributes".into());
            put("entity_kind", kind.as_str().into());
            put("entity", id.get().into());
            let values = values.iter().map(|(name, value)| (name.clone(), attribute_json(value)));
            put("attributes", Value::Object(values.collect()));
            Bytes(name.as_deref()).set(object, "name");
        }
        Meaning::AssignName { kind, id, name } => {
            put("kind", "assign name".into());
            put("entity_kind", kind.as_str().into());
            put("entity", id.get().into());
            Bytes(Some(name)).set(object, "name");
        }
        Meaning::ProducerNote { id, note } => {
            put("kind", "producer note".into());
            put("id", id.to_string().into());
            Bytes(Some(note)).set(object, "note");
        }
        Meaning::Forget { kind, id, name } => {
            put("kind", "forget".into());
            put("entity_kind", kind.as_str().into());
            put("entity", id.get().into());
            Bytes(name.as_deref()).set(object, "name");
        }
        Meaning::Purged => put("kind", "purged".into()),
        Meaning::Opaque { kind, payload, problem } => {
            put("kind", (*kind).into());
            put("problem", problem.clone().into());
            Bytes(Some(payload)).set(object, "payload");
        }
    }
}
