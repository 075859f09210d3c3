//! `tidal checkpoint`: the state to storage.

use serde_json::json;

use crate::args::Global;
use crate::database;
use crate::failure::Failure;
use crate::output::{count, print, print_json};

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let db = database::open(global)?;
    let position = db.checkpoint()?;
    if global.json {
        print_json(&json!({ "log_id": position.log_id.to_string(), "seq": position.seq.get() }))?;
    } else {
        print(&format!("storage holds everything up to record {}\n", count(position.seq.get())))?;
    }
    database::close(&db)
}
