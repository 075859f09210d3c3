//! `tidal forget` and `tidal purge`: entities, out of the state and out of the files.
//!
//! Nothing is changed before whom it concerns has been told, and `--yes` was said.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tidal_db::{Batch, EntityId, EntityKind, Purged, TidalDB};

use crate::args::{ForgetArgs, Global};
use crate::failure::Failure;
use crate::output::{Bytes, count, note, print, print_json, printable};
use crate::{database, entity};

pub(super) fn run(global: &Global, args: &ForgetArgs) -> Result<(), Failure> {
    let data_dir = database::data_dir(global)?;
    let db = database::open(global)?;
    let mut found = Vec::new();
    for text in &args.entities {
        found.push(Found::of(&db, args.kind, text)?);
    }
    if !args.yes {
        show(global, args.kind, &found, None)?;
        return Err(Failure::failed("nothing was changed; say --yes to do it"));
    }
    let batch = found.iter().filter(|found| !found.is_forgotten);
    db.commit(batch.fold(Batch::new(), |batch, found| batch.forget(args.kind, found.id)))?;
    // From here on they are forgotten, also when the rest is cut short.
    let purged = db.purge_forgotten().map_err(|error| {
        Failure::from(error)
            .within("they are forgotten, and `tidal purge` takes out what the files still hold")
    })?;
    show(global, args.kind, &found, Some(&purged))?;
    tell_what_is_left(&data_dir, &purged)?;
    database::close(&db)
}

pub(super) fn purge(global: &Global) -> Result<(), Failure> {
    let data_dir = database::data_dir(global)?;
    let db = database::open(global)?;
    let purged = db.purge_forgotten()?;
    if global.json {
        print_json(&json(&purged))?
    } else {
        print(&text(&purged))?
    }
    tell_what_is_left(&data_dir, &purged)?;
    database::close(&db)
}

/// What may still be there of those who were forgotten, in the directory itself.
fn tell_what_is_left(data_dir: &Path, purged: &Purged) -> Result<(), Failure> {
    if !purged.is_complete {
        note("not all of it could be purged: log or base still hold their records");
    }
    for path in set_aside(data_dir)? {
        let path = path.display();
        note(&format!("{path} was put aside by a salvage and may hold them; remove it"));
    }
    Ok(())
}

/// An entity that is to be forgotten.
struct Found<'a> {
    id: EntityId,
    /// As it was said.
    text: &'a OsStr,
    /// It was forgotten before, as only a number can be told to be.
    is_forgotten: bool,
}

impl<'a> Found<'a> {
    fn of(db: &TidalDB, kind: EntityKind, text: &'a OsStr) -> Result<Self, Failure> {
        let id = entity::find(db, kind, text)?.ok_or_else(|| entity::unknown(db, kind, text))?;
        Ok(Self { id, text, is_forgotten: db.is_forgotten(kind, id)? })
    }

    fn json(&self, kind: EntityKind) -> Value {
        let mut object = Map::new();
        object.insert("kind".into(), kind.as_str().into());
        object.insert("id".into(), self.id.get().into());
        Bytes(Some(self.text.as_encoded_bytes())).set(&mut object, "entity");
        object.insert("was_forgotten".into(), self.is_forgotten.into());
        Value::Object(object)
    }
}

fn show(
    global: &Global,
    kind: EntityKind,
    found: &[Found<'_>],
    purged: Option<&Purged>,
) -> Result<(), Failure> {
    if global.json {
        return print_json(&json!({
            "done": purged.is_some(),
            "entities": found.iter().map(|found| found.json(kind)).collect::<Vec<_>>(),
            "purged": purged.map(json),
        }));
    }
    let verb = if purged.is_some() { "forgot" } else { "would forget" };
    let mut text = String::new();
    for found in found {
        let name = printable(found.text.as_encoded_bytes());
        let before = if found.is_forgotten { ", as it was before" } else { "" };
        text.push_str(&format!("{verb} {kind} {name} (id {}){before}\n", found.id));
    }
    if let Some(purged) = purged {
        text.push_str(&self::text(purged));
    }
    print(&text)
}

fn json(purged: &Purged) -> Value {
    json!({
        "entities": purged.entities,
        "tombstones": purged.tombstones,
        "without_actor": purged.without_actor,
        "segments": purged.segments,
        "complete": purged.is_complete,
    })
}

fn text(purged: &Purged) -> String {
    format!(
        "purged {} entities: {} records blanked, {} events without their user, {} segments of the log written anew\n",
        count(purged.entities),
        count(purged.tombstones),
        count(purged.without_actor),
        count(purged.segments),
    )
}

/// What salvages have put aside in the directory of the database.
fn set_aside(data_dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failure = |error: &_| Failure::io("read", data_dir, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(data_dir).map_err(|error| failure(&error))? {
        let entry = entry.map_err(|error| failure(&error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("log.damaged.") || name.starts_with("storage.aside.") {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}
