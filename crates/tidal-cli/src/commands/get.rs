//! `tidal get`: everything about one entity.

use serde_json::{Map, Value, json};
use tidal_db::{
    AttributeType, AttributeValue, DecaySpec, EntityId, EntityKind, SignalTypeDefinition, TidalDB,
    Timestamp, Window,
};

use super::staleness;
use crate::args::{GetArgs, Global};
use crate::failure::Failure;
use crate::output::{Align, Bytes, Table, count, decimal, print, print_json, printable, rfc3339};
use crate::{attribute, database, entity};

pub(super) fn run(global: &Global, args: &GetArgs) -> Result<(), Failure> {
    let db = database::open(global)?;
    let found = entity::find(&db, args.kind, &args.entity)?;
    let Some(entity) = found.map(|id| Entity::read(&db, args.kind, id)).transpose()?.flatten()
    else {
        return Err(entity::unknown(&db, args.kind, &args.entity));
    };
    let at = args.at.of_read(&db)?;
    let signals: Vec<&SignalTypeDefinition> =
        db.schema().signals().iter().filter(|signal| signal.kind() == args.kind).collect();
    let measures = signals
        .iter()
        .map(|signal| Measures::read(&db, signal, entity.id, at))
        .collect::<Result<Vec<_>, _>>()?;
    let decays: Vec<DecaySpec> = signals.iter().map(|signal| signal.decay()).collect();
    // Where there is no score, none has faded.
    if !decays.is_empty() {
        staleness::hint(&db, args.at, at, &decays);
    }
    if global.json {
        print_json(&json(&db, &entity, at, &measures)?)
    } else {
        print(&text(&db, &entity, at, &measures)?)
    }
}

/// An entity that is known.
struct Entity {
    kind: EntityKind,
    id: EntityId,
    name: Option<Vec<u8>>,
    metadata: Option<Vec<u8>>,
    attributes: Vec<Attribute>,
}

/// An attribute that an entity has.
struct Attribute {
    name: String,
    of_type: AttributeType,
    value: AttributeValue,
}

impl Entity {
    /// The entity, if it has a name, events, metadata or attributes.
    fn read(db: &TidalDB, kind: EntityKind, id: EntityId) -> Result<Option<Self>, Failure> {
        let name = db.entity_name(kind, id)?;
        let metadata = if kind == EntityKind::Item { db.read_item(id)? } else { None };
        let mut values = db.attributes(kind, id)?;
        // In the order of the schema.
        let attributes: Vec<Attribute> = db
            .schema()
            .attributes_of(kind)
            .filter_map(|declared| {
                let (name, value) = values.remove_entry(declared.name())?;
                Some(Attribute { name, of_type: declared.of_type(), value })
            })
            .collect();
        let known = name.is_some()
            || metadata.is_some()
            || !attributes.is_empty()
            || db.entities(kind)?.contains(&id);
        Ok(known.then_some(Self { kind, id, name, metadata, attributes }))
    }
}

/// What one signal type says of an entity.
struct Measures<'s> {
    signal: &'s str,
    score: f64,
    counts: Vec<(Window, u64)>,
    sums: Vec<(Window, f64)>,
    velocities: Vec<(Window, f64)>,
    uniques: Vec<(Window, u64)>,
}

impl<'s> Measures<'s> {
    fn read(
        db: &TidalDB,
        signal: &'s SignalTypeDefinition,
        id: EntityId,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        let name = signal.name();
        let mut measures = Self {
            signal: name,
            score: db.decay_score_at(name, id, at)?,
            counts: Vec::new(),
            sums: Vec::new(),
            velocities: Vec::new(),
            uniques: Vec::new(),
        };
        for window in signal.windows().iter().copied() {
            measures.counts.push((window, db.windowed_count_at(name, id, window, at)?));
            if signal.sums() {
                measures.sums.push((window, db.windowed_sum_at(name, id, window, at)?));
            }
            if signal.velocity() && window.duration().is_some() {
                measures.velocities.push((window, db.velocity_at(name, id, window, at)?));
            }
            if signal.uniques() {
                measures.uniques.push((window, db.unique_actors_at(name, id, window, at)?));
            }
        }
        Ok(measures)
    }
}

fn json(
    db: &TidalDB,
    entity: &Entity,
    at: Timestamp,
    measures: &[Measures<'_>],
) -> Result<Value, Failure> {
    let mut object = Map::new();
    object.insert("kind".into(), entity.kind.as_str().into());
    object.insert("id".into(), entity.id.get().into());
    Bytes(entity.name.as_deref()).set(&mut object, "name");
    object.insert("at".into(), rfc3339(at).into());
    Bytes(entity.metadata.as_deref()).set(&mut object, "metadata");
    let mut attributes = Map::new();
    for Attribute { name, of_type, value } in &entity.attributes {
        attributes.insert(name.clone(), attribute::json(db, *of_type, value)?);
    }
    object.insert("attributes".into(), Value::Object(attributes));
    let signals = measures.iter().map(|measures| {
        let value = json!({
            "score": measures.score,
            "count": by_window(&measures.counts),
            "sum": by_window(&measures.sums),
            "velocity": by_window(&measures.velocities),
            "uniques": by_window(&measures.uniques),
        });
        (measures.signal.to_owned(), value)
    });
    object.insert("signals".into(), Value::Object(signals.collect()));
    Ok(Value::Object(object))
}

fn by_window<T: Copy + Into<Value>>(values: &[(Window, T)]) -> Value {
    Value::Object(
        values
            .iter()
            .map(|(window, value)| (window.as_str().to_owned(), (*value).into()))
            .collect(),
    )
}

fn text(
    db: &TidalDB,
    entity: &Entity,
    at: Timestamp,
    measures: &[Measures<'_>],
) -> Result<String, Failure> {
    let mut text = format!("{} {}", entity.kind, entity::label(entity.id, entity.name.as_deref()));
    if entity.name.is_some() {
        text.push_str(&format!(" (id {})", entity.id));
    }
    text.push_str(&format!(", at {}\n", rfc3339(at)));
    if let Some(metadata) = &entity.metadata {
        text.push_str(&format!("metadata: {}\n", printable(metadata)));
    }
    for Attribute { name, of_type, value } in &entity.attributes {
        text.push_str(&format!("{name}: {}\n", attribute::shown(db, *of_type, value)?));
    }
    if measures.is_empty() {
        text.push_str(&format!(
            "no signal type is about entities of kind {}, so there are no scores\n",
            entity.kind
        ));
    } else {
        text.push('\n');
        text.push_str(&table(measures).render(0));
    }
    Ok(text)
}

fn table(measures: &[Measures<'_>]) -> Table {
    let declared = |window: &Window| {
        measures.iter().any(|measures| measures.counts.iter().any(|(of, _)| of == window))
    };
    let windows: Vec<Window> = Window::ALL.into_iter().filter(declared).collect();
    let mut columns = vec![("signal", Align::Left), ("score", Align::Right), ("", Align::Left)];
    columns.extend(windows.iter().map(|window| (window.as_str(), Align::Right)));
    let mut table = Table::new(&columns);
    for measures in measures {
        let mut row = |lead: [String; 2], what: &str, cells: Vec<String>| {
            let what = std::iter::once(what.to_owned());
            table.row(lead.into_iter().chain(what).chain(cells).collect());
        };
        let lead = [measures.signal.to_owned(), decimal(measures.score)];
        if measures.counts.is_empty() {
            row(lead, "", vec![String::new(); windows.len()]);
            continue;
        }
        row(lead, "count", cells(&windows, &measures.counts, count));
        if !measures.sums.is_empty() {
            row(Default::default(), "sum", cells(&windows, &measures.sums, decimal));
        }
        if !measures.velocities.is_empty() {
            row(Default::default(), "velocity/s", cells(&windows, &measures.velocities, decimal));
        }
        if !measures.uniques.is_empty() {
            row(Default::default(), "users", cells(&windows, &measures.uniques, count));
        }
    }
    table
}

fn cells<T: Copy>(
    windows: &[Window],
    values: &[(Window, T)],
    show: impl Fn(T) -> String,
) -> Vec<String> {
    let cell = |window: &Window| {
        values
            .iter()
            .find(|(of, _)| of == window)
            .map_or_else(|| "-".into(), |(_, value)| show(*value))
    };
    windows.iter().map(cell).collect()
}
