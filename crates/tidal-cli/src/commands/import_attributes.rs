//! `tidal import-attributes`: attributes from a file.

use std::io::Read;

use serde_json::json;
use tidal_db::{AttributeDefinition, TidalDB};

use crate::args::{Global, ImportAttributesArgs};
use crate::failure::Failure;
use crate::import::{Identities, Patched, Patches};
use crate::input::{Columns, CsvRows, JsonRows, Layout, Rejects, Rows, Source};
use crate::output::{Align, Progress, Table, count, note, print, print_json, seconds};
use crate::stopwatch::{Stopwatch, per_second};
use crate::{attribute, database};

pub(super) fn run(global: &Global, args: &ImportAttributesArgs) -> Result<(), Failure> {
    let layout = Layout::of(&args.file, args.format, args.delimiter, !args.no_header)?;
    if matches!(layout, Layout::Csv { header: false, .. }) {
        // Wrong usage is said before anything is opened.
        columns(args).by_number()?;
        if args.columns.is_empty() {
            return Err(Failure::usage(
                "without a header, columns have no names; say which they are with --columns NAME=COL,..",
            ));
        }
    }
    let db = database::open(global)?;
    let asked = asked(&db, args)?;
    let identities = Identities::new(&db, &[args.kind], args.numeric_ids)?;
    let mut rejects = Rejects::check(args.reject.as_deref(), &args.file)?;
    let (source, reader) = Source::open(&args.file)?;
    let within = |failure: Failure| failure.within(&source.name);
    let stopwatch = Stopwatch::start();
    let (mut rows, asked) = open_rows(reader, layout, args, asked).map_err(within)?;
    let names = names(&asked);
    rejects.begin(rows.header())?;
    let progress = Progress::over_bytes(source.bytes_total);
    let say = |text: &str| progress.note(text);
    let patched = Patched {
        kind: args.kind,
        attributes: asked.into_iter().map(|(attribute, _)| attribute).collect(),
        separator: args.separator.byte(),
    };
    let mut patches = Patches::new(&db, patched, identities, rejects, &say);
    let unreadable = loop {
        match rows.next_row() {
            Ok(Some(row)) => {
                if patches.add(row)? {
                    let accepted = patches.accepted();
                    progress.advance(source.bytes_read(), || format!("{} rows", count(accepted)));
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    patches.finish()?;
    let elapsed = stopwatch.elapsed();
    progress.finish();
    let (accepted, rejected) = (patches.accepted(), patches.rejects().count());
    for key in rows.never_seen().into_iter().filter(|_| !args.columns.is_empty()) {
        note(&format!("no row had the key {key:?}; is it spelled right?"));
    }
    if let Some(error) = unreadable {
        database::close(&db)?;
        let taken = count(accepted);
        return Err(Failure::failed(format!(
            "cannot read {} any further: {error}; the {taken} rows before that are in",
            source.name
        )));
    }
    if global.json {
        print_json(&json!({
            "rows": accepted + rejected,
            "accepted": accepted,
            "rejected": rejected,
            "attributes": names,
            "seconds": elapsed.as_secs_f64(),
            "rows_per_second": per_second(accepted, elapsed),
        }))?;
    } else {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
        table.row(vec!["accepted".into(), count(accepted)]);
        table.row(vec!["rejected".into(), count(rejected)]);
        let names = names.join(", ");
        let (rows, took) = (rows_text(accepted + rejected), seconds(elapsed));
        print(&format!("{rows} with {names} in {took}\n{}", table.render(2)))?;
    }
    database::close(&db)?;
    if rejected > 0 && !patches.rejects().collected() {
        let were = if rejected == 1 { "was" } else { "were" };
        return Err(Failure::failed(format!(
            "{} of {} {were} rejected; collect them with --reject FILE",
            count(rejected),
            rows_text(accepted + rejected)
        )));
    }
    Ok(())
}

fn rows_text(rows: u64) -> String {
    format!("{} {}", count(rows), if rows == 1 { "row" } else { "rows" })
}

/// Attributes, each with the column that is read for it.
type Asked<'s> = Vec<(&'s AttributeDefinition, String)>;

/// The attributes that are asked for; without a choice, all that the kind has, each from a
/// column of its own name.
fn asked<'s>(db: &'s TidalDB, args: &ImportAttributesArgs) -> Result<Asked<'s>, Failure> {
    for (place, (name, _)) in args.columns.iter().enumerate() {
        if args.columns.iter().take(place).any(|(before, _)| before == name) {
            return Err(Failure::usage(format!("--columns has {name} twice; keep one of them")));
        }
    }
    let schema = db.schema();
    if args.columns.is_empty() {
        let all: Asked<'_> =
            schema.attributes_of(args.kind).map(|one| (one, one.name().to_owned())).collect();
        if all.is_empty() {
            return Err(Failure::failed(format!(
                "entities of kind {} have no attributes in this database; declare some with [[attribute]] in the schema, and run `tidal init`",
                args.kind
            )));
        }
        return Ok(all);
    }
    let chosen = args
        .columns
        .iter()
        .map(|(name, column)| Ok((attribute::require(schema, args.kind, name)?, column.clone())));
    chosen.collect()
}

/// The rows, and what of that they have columns for.
fn open_rows<'s>(
    reader: Box<dyn Read>,
    layout: Layout,
    args: &ImportAttributesArgs,
    mut asked: Asked<'s>,
) -> Result<(Box<dyn Rows>, Asked<'s>), Failure> {
    let columns = columns(args);
    let mut rows: Box<dyn Rows> = match layout {
        Layout::Jsonl => Box::new(JsonRows::open(reader, &columns)?),
        Layout::Csv { delimiter, header } => {
            let rows = CsvRows::open(reader, delimiter, header, &columns)?;
            if args.columns.is_empty() {
                let all = names(&asked).join(", ");
                asked.retain(|(_, column)| rows.has_column(column));
                if asked.is_empty() {
                    return Err(Failure::failed(format!(
                        "the header has no column that is called like an attribute ({all}); name some with --columns NAME=COL,.."
                    )));
                }
            }
            Box::new(rows)
        }
    };
    let more: Vec<String> = asked.iter().map(|(_, column)| column.clone()).collect();
    rows.read_more(&more)?;
    Ok((rows, asked))
}

fn names(asked: &Asked<'_>) -> Vec<String> {
    asked.iter().map(|(attribute, _)| attribute.name().to_owned()).collect()
}

fn columns(args: &ImportAttributesArgs) -> Columns<String> {
    Columns {
        entity: args.entity_column.clone(),
        time: None,
        signal: None,
        weight: None,
        actor: None,
    }
}
