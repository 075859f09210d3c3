//! `tidal init`: a new database, or new signal types, attributes and profiles for one.

use std::path::Path;

use serde_json::{Value, json};
use tidal_db::{
    AttributeDefinition, Config, EntityKind, Schema, SignalTypeDefinition, TidalDB, TidalError,
};

use crate::args::{Global, InitArgs};
use crate::database;
use crate::failure::Failure;
use crate::output::{note, print, print_json};
use crate::schema_file::{self, describe_decay, describe_type};

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
    let new = New::of(db.schema(), stored.as_ref());
    let created = stored.is_none();
    for signal in new.signals.iter().filter(|signal| signal.sums() && signal.windows().is_empty()) {
        note(&format!(
            "signal type {:?} has sums = true, but sums are read over windows and it has none; a stored signal type can never be given any",
            signal.name()
        ));
    }
    if global.json {
        print_json(&json!({
            "created": created,
            "added": names(new.signals.iter().copied()),
            "signals": names(db.schema().signals()),
            "added_attributes": new.attributes.iter().copied().map(attribute).collect::<Vec<_>>(),
            "attributes": db.schema().attributes().iter().map(attribute).collect::<Vec<_>>(),
            "changed_profiles": new.profiles.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "profiles": db.profiles(),
        }))?;
    } else {
        print(&report(&data_dir, created, &new))?;
    }
    database::close(&db)
}

/// What the stored schema did not have.
struct New<'s> {
    signals: Vec<&'s SignalTypeDefinition>,
    attributes: Vec<&'s AttributeDefinition>,
    /// The name and the text of those that are new or say something else.
    profiles: Vec<(&'s str, &'s str)>,
}

impl<'s> New<'s> {
    fn of(schema: &'s Schema, stored: Option<&Schema>) -> Self {
        let has_signal = |signal: &SignalTypeDefinition| {
            stored.is_some_and(|stored| stored.signal(signal.name()).is_some())
        };
        let has_attribute = |one: &AttributeDefinition| {
            stored.is_some_and(|stored| stored.attribute(one.kind(), one.name()).is_some())
        };
        let has_profile =
            |name: &str, text: &str| stored.and_then(|stored| stored.profile(name)) == Some(text);
        Self {
            signals: schema.signals().iter().filter(|signal| !has_signal(signal)).collect(),
            attributes: schema.attributes().iter().filter(|one| !has_attribute(one)).collect(),
            profiles: schema.profiles().filter(|(name, text)| !has_profile(name, text)).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.signals.is_empty() && self.attributes.is_empty() && self.profiles.is_empty()
    }
}

/// An attribute in JSON.
pub(super) fn attribute(attribute: &AttributeDefinition) -> Value {
    json!({
        "kind": attribute.kind().as_str(),
        "name": attribute.name(),
        "type": attribute.of_type().as_str(),
    })
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
    for stored in stored.attributes() {
        let (name, kind) = (stored.name(), stored.kind());
        let Some(wanted) = wanted.attribute(kind, name) else {
            return Err(Failure::failed(format!(
                "attribute {name:?} of kind {kind} is in the database and cannot be removed; keep it in the schema"
            )));
        };
        let (stored, wanted) = (describe_type(stored.of_type()), describe_type(wanted.of_type()));
        if stored != wanted {
            return Err(Failure::failed(format!(
                "attribute {name:?} of kind {kind} has type = {stored} in the database, and that cannot become {wanted}; declare a new attribute"
            )));
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

fn report(data_dir: &Path, created: bool, new: &New<'_>) -> String {
    let path = data_dir.display();
    let mut text = match (created, new.is_empty()) {
        (true, _) => format!("created {path} with\n"),
        (false, false) => format!("added to {path}\n"),
        (false, true) => format!("{path} has all of that already; nothing to do\n"),
    };
    for kind in EntityKind::ALL {
        for signal in new.signals.iter().filter(|signal| signal.kind() == kind) {
            text.push_str(&line_of_signal(signal));
        }
    }
    for attribute in &new.attributes {
        let (name, kind) = (attribute.name(), attribute.kind());
        let of_type = describe_type(attribute.of_type());
        text.push_str(&format!("  attribute {name} ({kind}): type {of_type}\n"));
    }
    for (name, query) in &new.profiles {
        text.push_str(&format!("  profile {name}: {query}\n"));
    }
    text
}

fn line_of_signal(signal: &SignalTypeDefinition) -> String {
    let windows = if signal.windows().is_empty() {
        "no windows".into()
    } else {
        format!("windows {}", windows(signal))
    };
    let declared = [
        (signal.velocity(), ", velocity"),
        (signal.sums(), ", sums"),
        (signal.uniques(), ", uniques"),
        (signal.history(), ", history"),
    ];
    let declared: String =
        declared.iter().filter(|(is, _)| *is).map(|(_, declared)| *declared).collect();
    let (name, kind) = (signal.name(), signal.kind());
    let decay = describe_decay(signal.decay());
    format!("  signal {name} ({kind}): decay {decay}, {windows}{declared}\n")
}
