//! `tidal init`: a new database, or new signal types for one.

use std::path::Path;

use serde_json::json;
use tidal_db::{Config, EntityKind, Schema, SignalTypeDefinition, TidalDB, TidalError};

use crate::args::{Global, InitArgs};
use crate::database;
use crate::failure::Failure;
use crate::output::{note, print, print_json};
use crate::schema_file::{self, describe_decay};

pub(super) fn run(global: &Global, args: &InitArgs) -> Result<(), Failure> {
    let data_dir = database::data_dir(global)?;
    let schema = schema_file::read(&args.schema)?;
    let stored = stored_schema(&data_dir)?;
    if let Some(stored) = &stored {
        check_unchanged(stored, &schema)?;
    }
    let mut builder = TidalDB::builder(Config { data_dir: data_dir.clone(), schema });
    if let Some(engine) = args.engine {
        builder = builder.engine(engine);
    }
    if let Some(retention) = args.retain {
        builder = builder.retain(retention);
    }
    let db = builder.open()?;
    let is_new = |signal: &&SignalTypeDefinition| {
        stored.as_ref().is_none_or(|stored| stored.signal(signal.name()).is_none())
    };
    let added: Vec<&SignalTypeDefinition> = db.schema().signals().iter().filter(is_new).collect();
    let created = stored.is_none();
    for signal in added.iter().filter(|signal| signal.sums() && signal.windows().is_empty()) {
        note(&format!(
            "signal type {:?} has sums = true, but sums are read over windows and it has none; a stored signal type can never be given any",
            signal.name()
        ));
    }
    if global.json {
        print_json(&json!({
            "created": created,
            "added": names(added.iter().copied()),
            "signals": names(db.schema().signals()),
        }))?;
    } else {
        print(&report(&data_dir, created, &added))?;
    }
    database::close(&db)
}

fn names<'s>(signals: impl IntoIterator<Item = &'s SignalTypeDefinition>) -> Vec<&'s str> {
    signals.into_iter().map(SignalTypeDefinition::name).collect()
}

/// The schema of the database that is there, if one is.
fn stored_schema(data_dir: &Path) -> Result<Option<Schema>, Failure> {
    match TidalDB::open_existing(data_dir) {
        Ok(db) => {
            let schema = db.schema().clone();
            database::close(&db)?;
            Ok(Some(schema))
        }
        Err(TidalError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Refuses a change in the words of the schema file. The database would refuse
/// it too.
fn check_unchanged(stored: &Schema, wanted: &Schema) -> Result<(), Failure> {
    for stored in stored.signals() {
        let Some(wanted) = wanted.signal(stored.name()) else {
            return Err(Failure::failed(format!(
                "signal type {:?} is in the database and cannot be removed; keep it in the schema",
                stored.name()
            )));
        };
        for (field, stored_value, wanted_value) in fields(stored, wanted) {
            if stored_value != wanted_value {
                return Err(Failure::failed(format!(
                    "signal type {:?} has {field} = {stored_value} in the database, and that cannot become {wanted_value}; declare a new signal type",
                    stored.name()
                )));
            }
        }
    }
    Ok(())
}

fn fields(
    stored: &SignalTypeDefinition,
    wanted: &SignalTypeDefinition,
) -> [(&'static str, String, String); 7] {
    let both =
        |describe: &dyn Fn(&SignalTypeDefinition) -> String| (describe(stored), describe(wanted));
    let named = |field, (stored, wanted)| (field, stored, wanted);
    [
        named("kind", both(&|signal| signal.kind().to_string())),
        named("decay", both(&|signal| describe_decay(signal.decay()))),
        named("windows", both(&|signal| format!("[{}]", windows(signal)))),
        named("velocity", both(&|signal| signal.velocity().to_string())),
        named("sums", both(&|signal| signal.sums().to_string())),
        named("uniques", both(&|signal| signal.uniques().to_string())),
        named("history", both(&|signal| signal.history().to_string())),
    ]
}

fn windows(signal: &SignalTypeDefinition) -> String {
    signal.windows().iter().map(|window| window.as_str()).collect::<Vec<_>>().join(", ")
}

fn report(data_dir: &Path, created: bool, added: &[&SignalTypeDefinition]) -> String {
    let path = data_dir.display();
    let mut text = match (created, added.is_empty()) {
        (true, _) => format!("created {path} with these signal types\n"),
        (false, false) => format!("added these signal types to {path}\n"),
        (false, true) => format!("{path} has these signal types already; nothing to do\n"),
    };
    for kind in EntityKind::ALL {
        for signal in added.iter().filter(|signal| signal.kind() == kind) {
            let windows = if signal.windows().is_empty() {
                "no windows".into()
            } else {
                format!("windows {}", windows(signal))
            };
            let velocity = if signal.velocity() { ", velocity" } else { "" };
            let sums = if signal.sums() { ", sums" } else { "" };
            let uniques = if signal.uniques() { ", uniques" } else { "" };
            let history = if signal.history() { ", history" } else { "" };
            text.push_str(&format!(
                "  {} ({kind}): decay {}, {windows}{velocity}{sums}{uniques}{history}\n",
                signal.name(),
                describe_decay(signal.decay())
            ));
        }
    }
    text
}
