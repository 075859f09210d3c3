//! `tidal history`: what a user did.

use serde_json::{Map, Value, json};
use tidal_db::{EntityKind, Seen, SignalTypeDefinition, TidalDB};

use super::staleness;
use crate::args::{Global, HistoryArgs};
use crate::failure::{Failure, explain};
use crate::output::{Align, Bytes, Table, decimal, print, print_json, printable, rfc3339};
use crate::{database, entity};

pub(super) fn run(global: &Global, args: &HistoryArgs) -> Result<(), Failure> {
    let db = database::open(global)?;
    let signal = db
        .schema()
        .require(&args.signal)
        .map_err(|error| Failure::failed(explain(&error.into())))?;
    let Some(user) = entity::find(&db, EntityKind::User, &args.user)? else {
        return Err(entity::unknown(&db, EntityKind::User, &args.user));
    };
    let at = args.at.of_read(&db)?;
    let seen = db.history_at(signal.name(), user, args.limit, at)?;
    let entries =
        seen.iter().map(|seen| Entry::read(&db, signal, *seen)).collect::<Result<Vec<_>, _>>()?;
    staleness::hint(&db, args.at, at, &[signal.decay()]);
    if global.json {
        let name = db.entity_name(EntityKind::User, user)?;
        let mut object = Map::new();
        object.insert("signal".into(), signal.name().into());
        object.insert("user".into(), user.get().into());
        Bytes(name.as_deref()).set(&mut object, "name");
        object.insert("at".into(), rfc3339(at).into());
        object.insert("kind".into(), signal.kind().as_str().into());
        object.insert("results".into(), entries.iter().map(Entry::json).collect());
        return print_json(&Value::Object(object));
    }
    let user = printable(args.user.as_encoded_bytes());
    print(&text(&user, args.limit, signal, &rfc3339(at), &entries))
}

/// An entity that the user acted on, with its name.
struct Entry {
    seen: Seen,
    name: Option<Vec<u8>>,
}

impl Entry {
    fn read(db: &TidalDB, signal: &SignalTypeDefinition, seen: Seen) -> Result<Self, Failure> {
        Ok(Self { seen, name: db.entity_name(signal.kind(), seen.id)? })
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".into(), self.seen.id.get().into());
        Bytes(self.name.as_deref()).set(&mut object, "name");
        object.insert("score".into(), json!(self.seen.score));
        object.insert("newest".into(), rfc3339(self.seen.newest).into());
        Value::Object(object)
    }
}

fn text(
    user: &str,
    limit: usize,
    signal: &SignalTypeDefinition,
    at: &str,
    entries: &[Entry],
) -> String {
    if limit == 0 {
        return String::new();
    }
    let name = signal.name();
    if entries.is_empty() {
        return format!("user {user} has no {name} on record\n");
    }
    let mut table = Table::new(&[
        (signal.kind().as_str(), Align::Left),
        ("score", Align::Right),
        ("newest", Align::Left),
    ]);
    for Entry { seen, name } in entries {
        table.row(vec![
            entity::label(seen.id, name.as_deref()),
            decimal(seen.score),
            rfc3339(seen.newest),
        ]);
    }
    format!("{name} by user {user} at {at}\n\n{}", table.render(0))
}
