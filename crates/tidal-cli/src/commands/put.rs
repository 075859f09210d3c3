//! `tidal put` and `tidal delete`: the metadata of an item.

use std::fs;

use serde_json::json;
use tidal_db::{EntityKind, METADATA_BYTES_MAX};

use crate::args::{DeleteArgs, Global, PutArgs};
use crate::failure::Failure;
use crate::output::{count, print, print_json, printable};
use crate::{database, entity};

pub(super) fn run(global: &Global, args: &PutArgs) -> Result<(), Failure> {
    let metadata = match (&args.file, &args.value) {
        (Some(path), _) => fs::read(path).map_err(|error| Failure::io("read", path, &error))?,
        (None, Some(value)) => value.as_encoded_bytes().to_vec(),
        (None, None) => {
            return Err(Failure::usage("no metadata given; add a VALUE or --file FILE"));
        }
    };
    // Checked before the name is taken up.
    if metadata.len() > METADATA_BYTES_MAX {
        return Err(Failure::failed(format!(
            "{} bytes of metadata are too many; at most {METADATA_BYTES_MAX} fit",
            metadata.len()
        )));
    }
    let db = database::open(global)?;
    let id = entity::assign(&db, EntityKind::Item, &args.entity)?;
    let bytes = metadata.len();
    let seq = db.write_item(id, metadata)?;
    if global.json {
        print_json(&json!({ "kind": "item", "id": id.get(), "bytes": bytes, "seq": seq.get() }))?;
    } else {
        let name = printable(args.entity.as_encoded_bytes());
        print(&format!(
            "{bytes} bytes of metadata for item {name} (id {id}), record {}\n",
            count(seq.get())
        ))?;
    }
    database::close(&db)
}

pub(super) fn delete(global: &Global, args: &DeleteArgs) -> Result<(), Failure> {
    let db = database::open(global)?;
    let Some(id) = entity::find(&db, EntityKind::Item, &args.entity)? else {
        return Err(entity::unknown(&db, EntityKind::Item, &args.entity));
    };
    let deleted = db.item_exists(id)?;
    // Nothing is written when there is nothing to delete.
    if deleted {
        db.delete_item(id)?;
    }
    if global.json {
        print_json(&json!({ "kind": "item", "id": id.get(), "deleted": deleted }))?;
    } else {
        let name = printable(args.entity.as_encoded_bytes());
        let what = if deleted { "deleted the metadata of" } else { "no metadata for" };
        print(&format!("{what} item {name} (id {id})\n"))?;
    }
    database::close(&db)
}
