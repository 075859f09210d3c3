//! `tidal import`: events from a file.

use std::io::Read;

use serde_json::json;

use crate::args::{Global, ImportArgs};
use crate::database;
use crate::failure::Failure;
use crate::import::{Identities, Interpreter, Pipeline, Tally};
use crate::input::{Columns, CsvRows, JsonRows, Layout, Rejects, Rows, Source, TimeFormat};
use crate::output::{Align, Progress, Table, count, note, print, print_json, seconds};
use crate::stopwatch::{Stopwatch, per_second};

pub(super) fn run(global: &Global, args: &ImportArgs) -> Result<(), Failure> {
    let layout = Layout::of(&args.file, args.format, args.delimiter, !args.no_header)?;
    let columns = columns(args);
    if matches!(layout, Layout::Csv { header: false, .. }) {
        // Wrong usage is said before anything is opened.
        columns.by_number()?;
    }
    let db = database::open(global)?;
    let time = args
        .time_column
        .as_ref()
        .map(|_| args.time_format.clone().unwrap_or(TimeFormat::SecondsOrRfc3339));
    let mut interpreter = Interpreter::new(db.schema(), args.signal.as_deref(), args.kind, time)?;
    let identities = Identities::new(&db, &interpreter.entity_kinds(), args.numeric_ids)?;
    let (source, reader) = Source::open(&args.file)?;
    let mut rows =
        open_rows(reader, layout, &columns).map_err(|failure| failure.within(&source.name))?;
    let rejects = Rejects::open(args.reject.as_deref(), &args.file, rows.header())?;
    let progress = Progress::over_bytes(source.bytes_total);
    let batch_rows = usize::try_from(args.batch).unwrap_or(usize::MAX);
    let say = |text: &str| progress.note(text);
    let mut pipeline = Pipeline::new(&db, identities, rejects, batch_rows, &say);

    let stopwatch = Stopwatch::start();
    let unreadable = loop {
        match rows.next_row() {
            Ok(Some(row)) => {
                let reading = row.fields.and_then(|fields| interpreter.read(fields));
                if pipeline.add(row.line, row.raw, reading)? {
                    progress.advance(source.bytes_read(), || {
                        format!("{} rows", count(pipeline.tally().rows()))
                    });
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let tally = pipeline.finish()?;
    let elapsed = stopwatch.elapsed();
    progress.finish();

    for key in rows.never_seen() {
        note(&format!("no row had the key {key:?}; is it spelled right?"));
    }
    if let Some(error) = unreadable {
        database::close(&db)?;
        let taken = count(tally.accepted);
        return Err(Failure::failed(format!(
            "cannot read {} any further: {error}; the {taken} rows before that are in",
            source.name
        )));
    }
    if global.json {
        print_json(&json!({
            "rows": tally.rows(),
            "accepted": tally.accepted,
            "duplicates": tally.duplicates,
            "rejected": tally.rejected,
            "seconds": elapsed.as_secs_f64(),
            "events_per_second": per_second(tally.accepted, elapsed),
        }))?;
    } else {
        let speed = format!(
            "{} in {}, {}",
            rows_text(tally.rows()),
            seconds(elapsed),
            speed(tally.accepted, elapsed)
        );
        print(&format!("{speed}\n{}", table(&tally).render(2)))?;
    }
    database::close(&db)?;
    let rejects = pipeline.rejects();
    if rejects.count() > 0 && !rejects.collected() {
        let (rejected, rows) = (count(tally.rejected), rows_text(tally.rows()));
        return Err(Failure::failed(format!(
            "{rejected} of {rows} were rejected, the others are in; collect them with --reject FILE"
        )));
    }
    Ok(())
}

fn columns(args: &ImportArgs) -> Columns<String> {
    Columns {
        entity: args.entity_column.clone(),
        time: args.time_column.clone(),
        signal: args.signal_column.clone(),
        weight: args.weight_column.clone(),
        actor: args.actor_column.clone(),
    }
}

fn open_rows(
    reader: Box<dyn Read>,
    layout: Layout,
    columns: &Columns<String>,
) -> Result<Box<dyn Rows>, Failure> {
    Ok(match layout {
        Layout::Csv { delimiter, header } => {
            Box::new(CsvRows::open(reader, delimiter, header, columns)?)
        }
        Layout::Jsonl => Box::new(JsonRows::open(reader, columns)?),
    })
}

fn rows_text(rows: u64) -> String {
    format!("{} {}", count(rows), if rows == 1 { "row" } else { "rows" })
}

fn speed(events: u64, elapsed: std::time::Duration) -> String {
    format!("{} events/s", count(per_second(events, elapsed) as u64))
}

fn table(tally: &Tally) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
    for (what, rows) in [
        ("accepted", tally.accepted),
        ("duplicates", tally.duplicates),
        ("rejected", tally.rejected),
    ] {
        table.row(vec![what.into(), count(rows)]);
    }
    table
}
