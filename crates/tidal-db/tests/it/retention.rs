//! What becomes of the log, and what is remembered of that.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidal_db::{
    Batch, Builder, Config, DeepOptions, Engine, ErrorKind, ManualClock, Retention, SalvageOptions,
    Seq, StorageFit, TidalDB, TidalError, inspect_log, migrate, replay, restore, salvage,
    verify_deep,
};

use crate::fixture::{NOW, builder, event, id, schema};

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// A builder whose clock shows so many days behind [`NOW`], with segments of 16 KiB.
fn on_day(dir: &Path, day: u32) -> Builder {
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
