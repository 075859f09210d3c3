//! What becomes of the log, and what is remembered of that.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidal_db::{
    AsOf, AsOfClock, Batch, Builder, Config, DeepOptions, Engine, EntityKind, ErrorKind,
    ManualClock, Retention, SalvageOptions, SchemaBuilder, Seq, StorageFit, TidalDB, TidalError,
    inspect_log, migrate, replay, restore, salvage, verify_deep,
};

use tidal_wal::{Wal, WalOptions};

use crate::fixture::{NOW, builder, event, id, schema};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A builder whose clock shows so many days behind [`NOW`], with segments of 16 KiB.
pub(crate) fn on_day(dir: &Path, day: u32) -> Builder {
    let config = Config { data_dir: dir.into(), schema: schema() };
    TidalDB::builder(config)
        .clock(Arc::new(ManualClock::new(NOW.saturating_add(DAY * day))))
        .segment_bytes(16 << 10)
}

/// Writes for so many days, one opening and about one segment a day.
pub(crate) fn live(dir: &Path, days: std::ops::Range<u32>, choose: impl Fn(Builder) -> Builder) {
    for day in days {
        let db = choose(on_day(dir, day)).open().unwrap();
        for number in 0..12 {
            let index = u64::from(day) * 12 + number;
            let metadata = vec![b'm'; 900];
            db.commit(Batch::new().event(event(index)).write_item(id(index % 9), metadata))
                .unwrap();
        }
        db.shutdown().unwrap();
    }
}

fn deep(dir: &Path) -> Result<tidal_db::DeepReport, TidalError> {
    let scratch = tempfile::tempdir().unwrap();
    verify_deep(dir, &DeepOptions::new(scratch.path()))
}

/// G73: what is younger than was chosen is kept, whole segments of the rest go, and the
/// base makes up for them.
#[test]
fn a_log_is_cut_by_age_behind_its_base() {
    let dir = tempfile::tempdir().unwrap();
    live(dir.path(), 0..12, |builder| builder.retain(Retention::For(DAY * 4)));
    let db = on_day(dir.path(), 12).open().unwrap();
    let first = db.stats().unwrap().log.first_seq;
    // One record for the schema, and 24 a day. The youngest that may go is of day 8.
    assert!(first > Seq::new(24 * 3) && first <= Seq::new(2 + 24 * 8), "{first}");
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    let state = deep(dir.path()).unwrap().state.unwrap();
    assert!(state.from > Seq::FIRST && state.from >= first, "{state:?}");
    assert_eq!((state.recomputed, state.stored), (checksum, Some(checksum)));
}

/// G75: what was chosen holds until another choice is made, whoever opens.
#[test]
fn what_was_chosen_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let retention = |choice: Option<Retention>| {
        let opened = builder(dir.path());
        let opened = choice.map_or(opened.clone(), |choice| opened.retain(choice));
        opened.open().unwrap().stats().unwrap().retention
    };
    assert_eq!(retention(None), Retention::Forever);
    for choice in [Retention::For(DAY), Retention::UntilCheckpoint, Retention::Forever] {
        assert_eq!(retention(Some(choice)), choice);
        assert_eq!(retention(None), choice);
    }
    live(dir.path(), 0..1, |builder| builder.retain(Retention::For(DAY * 3)));
    live(dir.path(), 1..9, |builder| builder);
    let db = on_day(dir.path(), 9).open().unwrap();
    assert!(db.stats().unwrap().log.first_seq > Seq::FIRST);
    // Of what does not open nothing is kept.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("file"), "x").unwrap();
    builder(other.path()).retain(Retention::UntilCheckpoint).open().unwrap_err();
    assert!(!other.path().join("SETTINGS").exists());
}

/// G74: where the log was cut without a base, the error says from when it can answer.
#[test]
fn without_a_base_a_cut_log_says_from_when_it_answers() {
    let dir = tempfile::tempdir().unwrap();
    live(dir.path(), 0..5, |builder| builder.retain(Retention::UntilCheckpoint));
    live(dir.path(), 5..9, |builder| builder.retain(Retention::For(DAY)));
    let first = on_day(dir.path(), 9).open().unwrap().stats().unwrap().log.first_seq;
    assert!(first > Seq::FIRST);
    assert!(!dir.path().join("base").exists());
    let to = tempfile::tempdir().unwrap();
    let errors = [
        deep(dir.path()).unwrap_err(),
        replay(dir.path(), to.path(), &schema(), Engine::Fjall).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Input);
        let TidalError::HistoryCut { first: said, since, .. } = error else { panic!("{error}") };
        assert_eq!(said, first);
        assert!(since > NOW && since <= NOW.saturating_add(DAY * 9));
    }
    // A replay needs the whole log, with a base too.
    let dir = tempfile::tempdir().unwrap();
    live(dir.path(), 0..9, |builder| builder.retain(Retention::For(DAY * 2)));
    let error = replay(dir.path(), to.path(), &schema(), Engine::Fjall).unwrap_err();
    assert!(error.to_string().contains("from record"), "{error}");
    assert!(std::fs::read_dir(to.path()).unwrap().next().is_none());
}

/// G74: a backup has no base, so what is restored has none that is wrong; a copy on
/// another engine has it.
#[test]
fn a_base_is_never_that_of_another_log() {
    let dir = tempfile::tempdir().unwrap();
    live(dir.path(), 0..9, |builder| builder.retain(Retention::For(DAY * 2)));
    let parts = tempfile::tempdir().unwrap();
    let (dest, restored) = (parts.path().join("backup"), parts.path().join("restored"));
    let db = on_day(dir.path(), 9).open().unwrap();
    db.backup(&dest).unwrap();
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    restore(&dest, &restored, Engine::Fjall).unwrap();
    assert!(!restored.join("base").exists());
    let error = deep(&restored).unwrap_err();
    assert!(matches!(error, TidalError::HistoryCut { .. }), "{error}");
    for &engine in Engine::ALL {
        let copied = parts.path().join(engine.name());
        migrate(dir.path(), &copied, engine).unwrap();
        let before = deep(&copied).unwrap().state.unwrap();
        assert_eq!((before.recomputed, before.stored), (checksum, Some(checksum)), "{engine:?}");
        // It goes on there.
        live(&copied, 10..16, |builder| builder);
        assert!(deep(&copied).unwrap().ok(), "{engine:?}");
    }
}

/// G74: a base that another directory has left here is not taken.
#[test]
fn a_foreign_base_is_passed_over() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&dir, &other] {
        live(dir.path(), 0..9, |builder| builder.retain(Retention::For(DAY * 2)));
    }
    std::fs::remove_dir_all(dir.path().join("base")).unwrap();
    std::fs::rename(other.path().join("base"), dir.path().join("base")).unwrap();
    let error = deep(dir.path()).unwrap_err();
    assert!(matches!(error, TidalError::HistoryCut { .. }), "{error}");
    // In a log that begins at record 1 it is made anew.
    let whole = tempfile::tempdir().unwrap();
    live(whole.path(), 0..5, |builder| builder);
    std::fs::rename(dir.path().join("base"), whole.path().join("base")).unwrap();
    assert!(deep(whole.path()).unwrap().ok());
    live(whole.path(), 5..9, |builder| builder.retain(Retention::For(DAY)));
    let report = deep(whole.path()).unwrap();
    assert!(report.ok() && report.state.unwrap().from > Seq::FIRST);
}

/// G74: the base of a log goes with the one that a salvage made of it.
#[test]
fn a_salvaged_log_keeps_its_base() {
    let dir = tempfile::tempdir().unwrap();
    live(dir.path(), 0..9, |builder| builder.retain(Retention::For(DAY * 2)));
    let db = on_day(dir.path(), 9).open().unwrap();
    for index in 0..40 {
        db.commit(Batch::new().event(event(index)).write_item(id(1), vec![b'm'; 900])).unwrap();
    }
    drop(db);
    let stat = inspect_log(dir.path()).unwrap();
    let last = stat.segments.last().unwrap();
    let mut bytes = std::fs::read(&last.path).unwrap();
    let used = usize::try_from(last.content.unwrap().bytes).unwrap();
    bytes[4096 + used / 2 / 512 * 512 + 90] ^= 1;
    std::fs::write(&last.path, bytes).unwrap();
    let salvaged = salvage(dir.path(), SalvageOptions::default()).unwrap();
    assert_eq!(salvaged.plan.fit, StorageFit::Fits);
    on_day(dir.path(), 9).open().unwrap().shutdown().unwrap();
    let report = deep(dir.path()).unwrap();
    assert!(report.ok() && report.state.unwrap().from > Seq::FIRST);
}

/// The figure of what the log costs is of the records that are kept.
#[test]
fn what_a_million_records_cost_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(dir.path()).open().unwrap();
    let events: Vec<_> = (0..10_000).map(event).collect();
    for chunk in events.chunks(1000) {
        db.signals(chunk).unwrap();
    }
    let stats = db.stats().unwrap();
    let per_million = stats.log_bytes_per_million.unwrap();
    // An event takes some twenty to forty bytes.
    assert!((15_000_000..60_000_000).contains(&per_million), "{per_million}");
    assert!(
        TidalDB::in_memory(schema())
            .unwrap()
            .stats()
            .unwrap()
            .log_bytes_per_million
            .is_none_or(|bytes| bytes == 0)
    );
}

/// A commit of one day, two hours after the one before, some of it late: a busy entity,
/// quiet ones, and metadata that fills the log.
fn daily(day: u32, number: u32) -> Batch<'static> {
    let hours = |hours: u32| Duration::from_secs(3600) * hours;
    let at = NOW.saturating_add(DAY * day).saturating_sub(hours(2 * (11 - number)));
    let late = if number == 5 { at.saturating_sub(hours(30)) } else { at };
    let quiet = id(100 + u64::from((day * 12 + number) % 60));
    Batch::new()
        .signal("view", id(1), f64::from(number + 1), late)
        .signal("view", quiet, 1.5, at)
        .signal("like", quiet, 1.0, late)
        .signal("like", id(1), 1.0, at)
        .write_item(id(7), vec![b'm'; 900])
}

/// G68: over a log that was cut by age, reads of the past begin from the base, and are
/// what they are over the whole log, as exact as reads of the present; and they are
/// refused for times that the base does not know any more.
#[test]
fn reads_of_the_past_begin_from_the_base() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [whole, cut] =
        [(0, Retention::Forever), (1, Retention::For(DAY * 4))].map(|(dir, kept)| {
            let dir = dirs[dir].path();
            for day in 0..12 {
                let db = on_day(dir, day).retain(kept).open().unwrap();
                (0..12).for_each(|number| drop(db.commit(daily(day, number)).unwrap()));
                db.shutdown().unwrap();
            }
            on_day(dir, 12).open().unwrap()
        });
    let ask = |db: &TidalDB, clock, at| {
        let request = AsOf::declared(db.schema(), EntityKind::Item).clock(clock);
        let entities = (100..160).chain([1, 999]).map(|number| (id(number), at));
        db.as_of(&request.rows(entities))
    };
    for clock in [AsOfClock::Event, AsOfClock::Known] {
        let error = ask(&cut, clock, NOW).unwrap_err();
        let TidalError::PastNotKept { log_start, from: Some(from) } = error else {
            panic!("{error}")
        };
        assert!(log_start > Seq::FIRST);
        assert!(from > NOW.saturating_add(DAY * 3) && from < NOW.saturating_add(DAY * 9), "{from}");
        ask(&cut, clock, from.saturating_sub(Duration::from_nanos(1))).unwrap_err();
        for hours in [0, 1, 5, 24, 100, 400] {
            let at = from.saturating_add(Duration::from_secs(3600) * hours);
            let (expected, found) = (ask(&whole, clock, at), ask(&cut, clock, at));
            let (expected, found) = (expected.unwrap(), found.unwrap());
            let mut total = 0.0;
            for (expected, found) in expected.columns.iter().zip(&found.columns) {
                for row in 0..62 {
                    let value = |values: &tidal_db::FeatureColumn| values.values.get(row).unwrap();
                    let (wanted, got) = (value(expected).as_f64(), value(found).as_f64());
                    total += wanted;
                    // Only the busy one has buckets, of which one at most is estimated.
                    let name = expected.name.as_str();
                    let is_estimated = row == 60 && name != "view_score" && !name.ends_with("_all");
                    let bound = match name {
                        "view_velocity_1h" => 3.0 / 3600.0,
                        "view_velocity_7d" => 3.0 / (7.0 * 86_400.0),
                        "view_sum_1h" | "view_sum_7d" => 24.0,
                        _ => 3.0,
                    };
                    let bound = if is_estimated { bound } else { 1e-9 * (1.0 + wanted) };
                    assert!((wanted - got).abs() <= bound, "{name} {row}: {wanted} {got}");
                }
            }
            assert!(total > 100.0, "{total}");
        }
    }
    // A schema that grew after the cut has nothing in the base.
    let mut grown = SchemaBuilder::new();
    crate::fixture::declare(&mut grown);
    grown.signal("share", EntityKind::Item, tidal_db::DecaySpec::Permanent).add();
    cut.shutdown().unwrap();
    let config = Config { data_dir: dirs[1].path().into(), schema: grown.build().unwrap() };
    let db = TidalDB::builder(config);
    let at = NOW.saturating_add(DAY * 12);
    let db = db.clock(Arc::new(ManualClock::new(at))).open().unwrap();
    db.signal("share", id(1), 5.0, at).unwrap();
    let shares = AsOf::new(EntityKind::Item).score("share").row(id(1), at).row(id(2), at);
    let shares = db.as_of(&shares).unwrap();
    let values: Vec<f64> = shares.row(0).chain(shares.row(1)).map(|one| one.as_f64()).collect();
    assert_eq!(values, [5.0, 0.0]);
}

/// G73: what is kept is sealed behind the checkpoint, a few segments at a time, and is
/// verified as before; what the age lets go is not.
#[test]
fn what_is_kept_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let db = on_day(dir.path(), 0).open().unwrap();
    for index in 0..300 {
        db.commit(Batch::new().event(event(index)).write_item(id(1), vec![b'm'; 900])).unwrap();
    }
    let sealed = || {
        db.checkpoint().unwrap();
        db.stats().unwrap().log.sealed_segments
    };
    let segments = db.stats().unwrap().log.segments;
    assert!(segments > 14, "{segments}");
    assert_eq!([sealed(), sealed()], [6, 12]);
    assert!((0..4).all(|_| sealed() > 12));
    let log = db.stats().unwrap().log;
    assert_eq!(log.sealed_segments, segments - 1);
    assert!(log.bytes_on_disk < log.original_bytes / 2, "{log:?}");
    let per_million = db.stats().unwrap().log_bytes_per_million.unwrap();
    assert!(u128::from(per_million) * 601 / 1_000_000 <= u128::from(log.bytes_on_disk));
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    let report = deep(dir.path()).unwrap();
    assert!(report.ok() && report.log.sealed + 1 == report.log.segments, "{report:?}");
    assert_eq!(report.state.unwrap().recomputed, checksum);
    // A cursor keeps what the age lets go; that goes next, and stays as it is until then.
    let dir = tempfile::tempdir().unwrap();
    drop(on_day(dir.path(), 0).open().unwrap());
    let wal = Wal::open(&dir.path().join("log"), WalOptions::default()).unwrap();
    drop(wal.cursor("feed").unwrap());
    wal.close().unwrap();
    for (kept, is_sealed) in [(Retention::For(Duration::ZERO), false), (Retention::Forever, true)] {
        let db = on_day(dir.path(), 0).retain(kept).open().unwrap();
        for index in 0..60 {
            db.commit(Batch::new().event(event(index)).write_item(id(1), vec![b'm'; 900])).unwrap();
        }
        db.checkpoint().unwrap();
        db.checkpoint().unwrap();
        let log = db.stats().unwrap().log;
        assert_eq!((log.first_seq, log.sealed_segments > 0), (Seq::FIRST, is_sealed), "{log:?}");
    }
}
