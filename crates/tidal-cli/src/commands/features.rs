//! `tidal features`: entities as they were at given times.

use std::time::Duration;

use serde_json::json;
use tidal_db::{AsOf, AsOfClock, Position, TidalDB, TidalError};

use crate::args::{FeaturesArgs, Global};
use crate::database;
use crate::failure::{Failure, explain};
use crate::features::{Asked, Chunk, with_names};
use crate::input::{Columns, CsvRows, Format, Layout, Rejects, Row, Rows, Source, same_file};
use crate::output::{OutFile, Progress, count, note, print, print_json, seconds};
use crate::stopwatch::Stopwatch;

/// What became of the rows.
#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    rejected: u64,
    /// How many of the accepted ones name an entity nobody knows.
    unknown: u64,
    passes: usize,
}

pub(super) fn run(global: &Global, args: &FeaturesArgs) -> Result<(), Failure> {
    let layout = Layout::of(&args.requests, Some(Format::Csv), args.delimiter, !args.no_header)?;
    let Layout::Csv { delimiter, header } = layout else {
        return Err(Failure::usage("rows are asked about in CSV"));
    };
    let columns = columns(args);
    if !header {
        // Wrong usage is said before anything is opened.
        columns.by_number()?;
    }
    check_files(args)?;
    let db = database::open(global)?;
    let request = request(&db, args)?;
    // Without rows, it says what the database cannot answer in any case.
    let position = db.as_of(&request).map_err(refused)?.position;

    let (source, reader) = Source::open(&args.requests)?;
    let within = |failure: Failure| failure.within(&source.name);
    let stopwatch = Stopwatch::start();
    let mut rows = CsvRows::open(reader, delimiter, header, &columns).map_err(within)?;
    let names = request.names();
    if let Some(taken) = names.iter().find(|name| rows.has_column(name)) {
        return Err(within(Failure::failed(format!(
            "the header has a column {taken:?} already; rename it"
        ))));
    }
    let mut rejects = Rejects::check(args.reject.as_deref(), &args.requests)?;
    rejects.begin(rows.header())?;
    let mut out = OutFile::create(&args.out)?;
    if header {
        out.write(&with_names(rows.header(), delimiter.byte(), &names))?;
    }
    let progress = Progress::over_bytes(source.bytes_total);
    let mut work = Work {
        db: &db,
        request,
        delimiter: delimiter.byte(),
        asked: Asked::new(&db, args.kind, args.time_format.clone()),
        rejects,
        out,
        tally: Tally::default(),
    };
    work.answer_all(&mut rows, &source, &progress)?;
    let Work { mut rejects, out, tally, .. } = work;
    out.finish()?;
    rejects.finish(|text| progress.note(text))?;
    progress.finish();
    report(global, args, &tally, names.len(), position, stopwatch.elapsed())?;
    if tally.rejected > 0 && !rejects.collected() {
        let were = if tally.rejected == 1 { "was" } else { "were" };
        return Err(Failure::failed(format!(
            "{} of {} {were} rejected and not written; collect them with --reject FILE",
            count(tally.rejected),
            counted(tally.accepted + tally.rejected, "row", "rows"),
        )));
    }
    Ok(())
}

/// What is at hand while rows are answered.
struct Work<'d> {
    db: &'d TidalDB,
    request: AsOf,
    delimiter: u8,
    asked: Asked<'d>,
    rejects: Rejects,
    out: OutFile,
    tally: Tally,
}

impl Work<'_> {
    /// Answers the rows up to the end, or until nobody reads the answers.
    fn answer_all(
        &mut self,
        rows: &mut CsvRows,
        source: &Source,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut chunk = Chunk::default();
        while !self.out.is_closed() {
            let row = rows.next_row().map_err(|error| {
                Failure::failed(format!("cannot read {} any further: {error}", source.name))
            })?;
            let is_last = row.is_none();
            if let Some(row) = row {
                self.take(row, &mut chunk, |text| progress.note(text))?;
            }
            if is_last || chunk.is_full(self.request.rows_per_pass()) {
                let accepted = self.tally.accepted;
                progress.advance(source.bytes_read(), || format!("{} rows", count(accepted)));
                self.tally.passes +=
                    chunk.answer(self.db, &self.request, self.delimiter, &mut self.out)?;
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, row: Row<'_>, chunk: &mut Chunk, say: impl Fn(&str)) -> Result<(), Failure> {
        match row.fields.and_then(|fields| self.asked.read(fields)) {
            Ok(asked) => {
                self.tally.accepted += 1;
                self.tally.unknown += u64::from(asked.id.is_none());
                chunk.push(row.raw, asked);
                Ok(())
            }
            Err(reason) => {
                self.tally.rejected += 1;
                self.rejects.add(row.line, row.raw, &reason, say)
            }
        }
    }
}

/// Says what was done.
fn report(
    global: &Global,
    args: &FeaturesArgs,
    tally: &Tally,
    features: usize,
    position: Position,
    elapsed: Duration,
) -> Result<(), Failure> {
    if tally.unknown > 0 {
        note(&format!(
            "{} with an entity of kind {} that this database does not know; its features are 0",
            counted(tally.unknown, "row", "rows"),
            args.kind
        ));
    }
    let records = position.seq.get();
    if global.json {
        return print_json(&json!({
            "rows": tally.accepted + tally.rejected,
            "accepted": tally.accepted,
            "rejected": tally.rejected,
            "unknown": tally.unknown,
            "features": features,
            "records": records,
            "passes": tally.passes,
            "seconds": elapsed.as_secs_f64(),
        }));
    }
    if args.out.as_os_str() == "-" {
        return Ok(());
    }
    print(&format!(
        "{} with {} in {}, {} over {}\n",
        counted(tally.accepted, "row", "rows"),
        counted(features as u64, "feature", "features"),
        seconds(elapsed),
        counted(tally.passes as u64, "pass", "passes"),
        counted(records, "record", "records"),
    ))
}

/// Refuses to write a file that is read, or two things into one.
fn check_files(args: &FeaturesArgs) -> Result<(), Failure> {
    if same_file(&args.out, &args.requests) {
        return Err(Failure::failed(format!(
            "--out would overwrite {}, which is read; choose another file",
            args.out.display()
        )));
    }
    match &args.reject {
        Some(reject) if *reject == args.out || same_file(reject, &args.out) => {
            Err(Failure::failed(format!(
                "--reject and --out are both {}; choose two files",
                args.out.display()
            )))
        }
        _ => Ok(()),
    }
}

fn columns(args: &FeaturesArgs) -> Columns<String> {
    let or = |column: &Option<String>, name: &str, number: &str| {
        let default = if args.no_header { number } else { name };
        column.clone().unwrap_or_else(|| default.into())
    };
    Columns {
        entity: or(&args.entity_column, "entity", "1"),
        time: Some(or(&args.time_column, "time", "2")),
        signal: None,
        weight: None,
        actor: None,
    }
}

/// The features that are asked for, or all that there are.
fn request(db: &TidalDB, args: &FeaturesArgs) -> Result<AsOf, Failure> {
    let clock = if args.known_by { AsOfClock::Known } else { AsOfClock::Event };
    let mut request = AsOf::new(args.kind);
    for signal in &args.score {
        request = request.score(signal);
    }
    for count in &args.count {
        request = request.count(&count.signal, count.window);
    }
    for sum in &args.sum {
        request = request.sum(&sum.signal, sum.window);
    }
    for velocity in &args.velocity {
        request = request.velocity(&velocity.signal, velocity.window);
    }
    if request.names().is_empty() {
        request = AsOf::declared(db.schema(), args.kind);
    }
    if request.names().is_empty() {
        return Err(Failure::failed(format!(
            "no signal type is about entities of kind {}, so there are no features; choose another --kind",
            args.kind
        )));
    }
    Ok(request.clock(clock))
}

/// What the schema does not declare is wrong usage, as in `tidal top`.
fn refused(error: TidalError) -> Failure {
    match error {
        TidalError::WindowNotDeclared { .. }
        | TidalError::VelocityNotDeclared { .. }
        | TidalError::SumsNotDeclared { .. }
        | TidalError::SignalOfOtherKind { .. } => Failure::usage(explain(&error)),
        other => other.into(),
    }
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}
