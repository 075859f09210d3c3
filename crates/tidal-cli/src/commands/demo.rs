//! `tidal demo`: a made-up video site from its first event to a reopened
//! database.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use tidal_db::{Batch, Config, EntityId, EntityKind, Ticket, TidalDB, Timestamp, Window};

use crate::args::{DemoArgs, Global};
use crate::demo::{Catalog, Fingerprint, Home, Report, Stream, schema};
use crate::failure::Failure;
use crate::output::{count, print, print_json, seconds};
use crate::stopwatch::{Stopwatch, per_second};

const BATCH_EVENTS: usize = 5_000;
const COMMITS_AHEAD: usize = 8;
const READS: u32 = 200_000;

/// How fast everything was.
struct Speeds {
    ingest: Duration,
    score: Duration,
    window: Duration,
    ranking: Duration,
    reopening: Duration,
}

pub(super) fn run(global: &Global, args: &DemoArgs) -> Result<(), Failure> {
    let say = |text: &str| if global.json { Ok(()) } else { print(text) };
    let home = Home::new(args.keep.as_deref())?;
    let schema = schema().map_err(|error| Failure::failed(error.to_string()))?;
    let config = Config { data_dir: home.path().to_owned(), schema };
    let db = TidalDB::open(config)?;
    let catalog = Catalog::new();
    say(&introduction(args.events, catalog.titles().len()))?;

    let ids = db.entity_ids(EntityKind::Item, catalog.titles())?;
    let ingest = ingest(&db, args.events, &ids)?;
    say(&format!(
        "Taken in: {}, durable, in {} ({} events/s).\n",
        events_text(args.events),
        seconds(ingest),
        count(whole(per_second(args.events, ingest))),
    ))?;

    let at = db.now();
    let report = Report::new(&db, at, &ids);
    say(&format!(
        "\nHottest now, by a score of views that halves every 6 hours (* went viral today)\n\n{}",
        report.hottest()?
    ))?;
    say(&format!("\nFastest now, by views of the last hour\n\n{}", report.fastest()?))?;
    say(&format!("\nMost liked, by window\n\n{}", report.windows()?))?;

    let before = Fingerprint::take(&db, at)?;
    let top = report.json()?;
    let (score, window, ranking) = reads(&db, at, &ids)?;
    db.shutdown()?;
    drop(db);

    let stopwatch = Stopwatch::start();
    let reopened = TidalDB::open_existing(home.path())?;
    let reopening = stopwatch.elapsed();
    let after = Fingerprint::take(&reopened, at)?;
    if before != after {
        return Err(Failure::failed(
            "the reopened database answers differently from the one that was closed; please report this",
        ));
    }
    reopened.shutdown()?;

    let speeds = Speeds { ingest, score, window, ranking, reopening };
    if global.json {
        return print_json(&summary(args, &after, &speeds, top));
    }
    print(&conclusion(args, &after, &speeds))
}

fn introduction(events: u64, videos: usize) -> String {
    let (events, videos) = (events_text(events), count(u64::try_from(videos).unwrap_or(u64::MAX)));
    format!(
        "A made-up video site: {videos} videos, 20,000 people, 14 days up to now, {events}.\n\
         A few videos are watched by everybody and most by hardly anybody, people sleep at\n\
         night, and four videos that nobody knew have gone viral in the last hours.\n\n"
    )
}

/// Feeds the stream in batches, several commits under way at once, and waits
/// until the last event is durable.
fn ingest(db: &TidalDB, events: u64, ids: &[EntityId]) -> Result<Duration, Failure> {
    let stopwatch = Stopwatch::start();
    let mut stream = Stream::new(events, Timestamp::now(), ids);
    let mut under_way: VecDeque<Ticket> = VecDeque::new();
    loop {
        let batch: Batch<'_> = stream.by_ref().take(BATCH_EVENTS).collect();
        if batch.is_empty() {
            break;
        }
        under_way.push_back(db.submit(batch)?);
        if under_way.len() > COMMITS_AHEAD
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.wait()?;
        }
    }
    for ticket in under_way {
        ticket.wait()?;
    }
    Ok(stopwatch.elapsed())
}

/// The mean time of a score, of a count in a window, and of a whole ranking.
fn reads(
    db: &TidalDB,
    at: Timestamp,
    ids: &[EntityId],
) -> Result<(Duration, Duration, Duration), Failure> {
    let each = || ids.iter().copied().cycle().take(READS as usize);
    let stopwatch = Stopwatch::start();
    for id in each() {
        std::hint::black_box(db.decay_score_at("view", id, at)?);
    }
    let score = stopwatch.elapsed() / READS;
    let stopwatch = Stopwatch::start();
    for id in each() {
        std::hint::black_box(db.windowed_count_at("view", id, Window::TwentyFourHours, at)?);
    }
    let window = stopwatch.elapsed() / READS;
    let rankings = 20;
    let stopwatch = Stopwatch::start();
    for _ in 0..rankings {
        std::hint::black_box(db.top_at("view", tidal_db::By::Score, 10, at)?);
    }
    Ok((score, window, stopwatch.elapsed() / rankings))
}

fn conclusion(args: &DemoArgs, after: &Fingerprint, speeds: &Speeds) -> String {
    let next = match &args.keep {
        Some(path) => {
            let path = path.display();
            format!(
                "The database stays in {path}. Look around:\n  \
                   tidal --db {path} top like --limit 5\n  \
                   tidal --db {path} top view --by velocity --window 1h\n  \
                   tidal --db {path} stats\n"
            )
        }
        None => "The database was temporary and is gone. Keep one and look around:\n  \
                   tidal demo --keep tides\n  \
                   tidal --db tides top view\n"
            .into(),
    };
    format!(
        "\nClosed and reopened: {} rankings with {} entries are equal to the last bit,\n\
         and so is the checksum of the state, {}.\n\n\
         How fast it was\n  \
           ingest      {} events/s, durable\n  \
           score       {} each\n  \
           24h count   {} each\n  \
           top 10      {} over 3,000 videos\n  \
           reopening   {}\n\n{next}",
        after.rankings(),
        count(u64::try_from(after.entries()).unwrap_or(u64::MAX)),
        after.checksum(),
        count(whole(per_second(args.events, speeds.ingest))),
        seconds(speeds.score),
        seconds(speeds.window),
        seconds(speeds.ranking),
        seconds(speeds.reopening),
    )
}

fn summary(
    args: &DemoArgs,
    after: &Fingerprint,
    speeds: &Speeds,
    top: serde_json::Value,
) -> serde_json::Value {
    json!({
        "events": args.events,
        "seconds": speeds.ingest.as_secs_f64(),
        "events_per_second": per_second(args.events, speeds.ingest),
        "score_seconds": speeds.score.as_secs_f64(),
        "count_seconds": speeds.window.as_secs_f64(),
        "top_seconds": speeds.ranking.as_secs_f64(),
        "reopen_seconds": speeds.reopening.as_secs_f64(),
        "checksum": after.checksum().to_string(),
        "equal_after_reopening": true,
        "top": top,
    })
}

fn events_text(events: u64) -> String {
    format!("{} {}", count(events), if events == 1 { "event" } else { "events" })
}

fn whole(rate: f64) -> u64 {
    rate as u64
}
