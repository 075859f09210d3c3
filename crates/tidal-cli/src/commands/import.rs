//! `tidal import`: events from a file.

use std::io::Read;

use serde_json::json;

use crate::args::{Global, ImportArgs};
use crate::database;
use crate::failure::Failure;
use crate::import::{Identities, Interpreter, Meaning, Origin, Pipeline, Tally};
use crate::input::{
    Columns, CsvRows, FileState, JsonRows, Layout, Rejects, Rows, Source, TimeFormat,
};
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
    let mut interpreter =
        Interpreter::new(db.schema(), args.signal.as_deref(), args.kind, time.clone())?;
    let identities = Identities::new(&db, &interpreter.entity_kinds(), args.numeric_ids)?;
    let (source, reader) = Source::open(&args.file)?;
    let meaning = meaning(args, layout, &columns, time.as_ref());
    let stopwatch = Stopwatch::start();
    let mut rows =
        open_rows(reader, layout, &columns).map_err(|failure| failure.within(&source.name))?;
    let origin = match &args.source {
        Some(name) => Some(Origin::of_source(&db, name, &meaning, rows.header())?),
        None => Origin::of_input(&db, &args.file, &source, &meaning)?,
    };
    let is_known = origin.as_ref().is_some_and(Origin::is_known);
    let mut rejects = Rejects::check(args.reject.as_deref(), &args.file)?;
    if is_known && let Some(kept) = rejects.keep_earlier(rows.header())? {
        note(&format!("the rows that were rejected before are kept in {}", kept.display()));
    }
    rejects.begin(rows.header())?;
    let progress = Progress::over_bytes(source.bytes_total);
    let batch_rows = usize::try_from(args.batch).unwrap_or(usize::MAX);
    let say = |text: &str| progress.note(text);
    let mut pipeline = Pipeline::new(&db, identities, origin, rejects, batch_rows, &say);

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
    if unreadable.is_none() {
        pipeline.check_whole()?;
    }
    let tally = pipeline.finish()?;
    let elapsed = stopwatch.elapsed();
    progress.finish();

    if source.state != FileState::default() && FileState::at(&args.file) != source.state {
        note(&format!(
            "{} changed while it was imported; what is in is what it held at first; a file that grows wants --source",
            source.name
        ));
    }
    for key in rows.never_seen() {
        note(&format!("no row had the key {key:?}; is it spelled right?"));
    }
    if tally.rows() == 0 && unreadable.is_none() {
        note(&no_rows(&source.name, rows.header()));
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
        let others =
            if tally.rejected == tally.rows() { "none is in" } else { "the others are in" };
        let were = if tally.rejected == 1 { "was" } else { "were" };
        return Err(Failure::failed(format!(
            "{rejected} of {rows} {were} rejected, {others}; collect them with --reject FILE"
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

/// What the options say about the meaning of rows. Numeric ids are left out, since
/// the database knows of them: a later import need not repeat them.
fn meaning(
    args: &ImportArgs,
    layout: Layout,
    columns: &Columns<String>,
    time: Option<&TimeFormat>,
) -> Meaning {
    let mut meaning = Meaning::default();
    match layout {
        Layout::Csv { delimiter, header } => {
            meaning.option(Some(&[delimiter.byte(), u8::from(header)]));
        }
        Layout::Jsonl => meaning.option(None),
    }
    let Columns { entity, time: time_column, signal, weight, actor } = columns;
    for column in
        [Some(entity), time_column.as_ref(), signal.as_ref(), weight.as_ref(), actor.as_ref()]
    {
        meaning.option(column.map(|column| column.as_bytes()));
    }
    let time = time.map(TimeFormat::canonical);
    meaning.option(time.as_ref().map(|time| time.as_bytes()));
    meaning.option(args.signal.as_ref().map(|signal| signal.as_bytes()));
    // With one signal type the kind can only be its own.
    let kind = args.kind.filter(|_| args.signal.is_none());
    meaning.option(kind.map(|kind| kind.as_str().as_bytes()));
    meaning
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

/// What to say of a file from which nothing was read.
fn no_rows(name: &str, header: &[u8]) -> String {
    // A line break at its end is as it should be.
    if header.trim_ascii_end().contains(&b'\r') {
        format!("{name} has no rows: its lines end in CR alone; convert them to LF")
    } else if header.is_empty() {
        format!("{name} has no rows")
    } else {
        format!("{name} has a header and no rows")
    }
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
