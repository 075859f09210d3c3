//! Opening a database: directory, checkpoint, log, replay, schema, threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tidal_storage::{MemoryStorage, Storage};
use tidal_types::{Position, Schema, Seq, TidalError, WalError};
use tidal_wal::{Batch, WalOptions};

use crate::base::{InDirectory, KeptBase, Nowhere};
use crate::change::Change;
use crate::checkpoint::{self, Head};
use crate::checkpointer::{Checkpointer, Desk, Runner};
use crate::config::Builder;
use crate::database::{Parts, TidalDB};
use crate::directory::{self, Directory};
use crate::ledger::StoredCounts;
use crate::log::{LocalLog, NoopLog, RecordLog};
use crate::pipeline::{Applier, Gate, GateParts, Progress, Setbacks, Triggers, WORK_QUEUED_MAX};
use crate::rank::profile;
use crate::record;
use crate::replay::replay;
use crate::retention::Retained;
use crate::settings::Settings;
use crate::state::State;
use crate::{Engine, Result};

/// Opens or creates the database that a builder describes.
pub(crate) fn open(builder: Builder) -> Result<TidalDB> {
    let chosen = builder.chosen_engine()?;
    let engine = builder.storage.as_ref().map_or(chosen.name(), |storage| storage.name());
    // Before anything is made or touched.
    builder.schema.as_ref().map_or(Ok(()), profile::check)?;
    let directory = match &builder.schema {
        Some(_) => Directory::create_or_open(&builder.data_dir, engine)?,
        None => Directory::open(&builder.data_dir, engine)?,
    };
    let path = directory.path().to_path_buf();
    let parts = [directory::log_dir(&path), directory::storage_dir(&path)];
    if builder.schema.is_none() && parts.iter().all(|part| !part.exists()) {
        // A crash came right after the directory was created.
        return Err(TidalError::NotFound { path });
    }
    directory::refuse_interrupted_salvage(&path)?;
    let storage = match &builder.storage {
        Some(storage) => Arc::clone(storage),
        None => chosen.open(&directory::storage_dir(&path))?,
    };
    let log = |options| Ok(Arc::new(LocalLog::open(&directory::log_dir(&path), options)?) as _);
    assemble(builder, Some(directory), &path, storage, log)
}

/// A database of these parts, as of the end of its log.
pub(crate) fn assemble(
    mut builder: Builder,
    directory: Option<Directory>,
    path: &Path,
    storage: Arc<dyn Storage>,
    open_log: impl FnOnce(WalOptions) -> Result<Arc<dyn RecordLog>>,
) -> Result<TidalDB> {
    let retained = retained(&mut builder, directory.as_ref(), &*storage)?;
    let loaded = checkpoint::load(&*storage)?;
    let head = loaded.as_ref().map(|loaded| loaded.head);
    let applied = head.map_or(Seq::ZERO, |head| head.position.seq);
    // What a checkpoint that was cut short has left counts too.
    let continues =
        loaded.as_ref().map(|loaded| Position { seq: loaded.reach, ..loaded.head.position });
    if let (Some(loaded), Some(schema)) = (&loaded, &builder.schema) {
        // Before the log is touched; what its tail may still add is checked below.
        loaded.schema.extend(schema)?;
    }
    let options = WalOptions {
        durability: builder.durability,
        group_commit: builder.group_commit,
        segment_bytes: builder.segment_bytes,
        verify_from: applied.next(),
        continues,
        dedup: builder.dedup,
        clock: Arc::clone(&builder.clock),
        ..WalOptions::default()
    };
    let log = open_log(options).map_err(|error| mismatch(path, error))?;
    check_reach(path, head, &*log)?;
    let log_id = log.head().log_id;
    let head = head.map(|head| checkpoint::upgrade(&storage, head)).transpose()?;
    match head {
        None => checkpoint::bind(&*storage, log_id)?,
        // A salvaged log stands for its parent, which it was asked for.
        Some(head) if head.position.log_id != log_id => {
            retained.base.rebind(head.position.log_id, log_id)?;
            checkpoint::rebind(&*storage, head, log_id)?;
            tracing::warn!(%log_id, parent = %head.position.log_id, "storage goes on with a salvaged log");
        }
        Some(_) => {}
    }
    let state = match loaded {
        Some(loaded) => loaded.into_state(&storage, builder.memory_budget)?,
        None => {
            let none = StoredCounts::default();
            State::over(Arc::default(), &storage, builder.memory_budget, none)
        }
    };
    state.ledger.log_ends_at(log.head().seq);
    let state = replay(&*log, &*storage, state, applied.next())?;
    let state = match &builder.schema {
        Some(schema) => adopt(state, schema, &*log)?,
        None if state.schema().signal_count() == 0 && log.head().seq == Seq::ZERO => {
            // A crash came between creating the directory and the first record.
            return Err(TidalError::NotFound { path: path.into() });
        }
        None => state,
    };
    if let Some(directory) = &directory {
        keep_choice(&builder, directory.path())?;
    }
    let progress = Progress::new(log.head().seq, applied);
    start(builder, directory, Wiring { storage, log, state, progress, retained })
}

/// What is to become of the log, and where its base is.
fn retained(
    builder: &mut Builder,
    directory: Option<&Directory>,
    storage: &dyn Storage,
) -> Result<Retained> {
    let chosen = directory.map(|directory| Settings::read(directory.path())).transpose()?;
    let in_directory = |directory: &Directory| {
        let engine = Engine::from_name(storage.name()).unwrap_or_default();
        Arc::new(InDirectory::new(directory.path(), engine)) as _
    };
    let place = builder.base.take().or_else(|| directory.map(in_directory));
    Ok(Retained {
        retention: builder.retention.unwrap_or_else(|| chosen.unwrap_or_default().retention),
        clock: Arc::clone(&builder.clock),
        base: Arc::new(KeptBase::new(place.unwrap_or_else(|| Arc::new(Nowhere)))),
    })
}

/// Keeps what was chosen, once the database has opened.
fn keep_choice(builder: &Builder, path: &Path) -> Result<()> {
    match builder.retention {
        Some(retention) if Settings::read(path)?.retention != retention => {
            Settings { retention }.write(path)
        }
        _ => Ok(()),
    }
}

/// A database that keeps nothing, for tests.
pub(crate) fn open_in_memory(schema: Schema) -> Result<TidalDB> {
    open_over(Arc::new(NoopLog::new()), schema)
}

/// A database in memory over a log that is empty.
pub(crate) fn open_over(log: Arc<dyn RecordLog>, schema: Schema) -> Result<TidalDB> {
    profile::check(&schema)?;
    let mut builder = Builder::new("memory".into(), Some(schema.clone()));
    builder.checkpoint_every = u64::MAX;
    builder.checkpoint_log_bytes = u64::MAX;
    builder.checkpoint_interval = Duration::MAX;
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = State::over(Arc::default(), &storage, None, StoredCounts::default());
    let state = adopt(state, &schema, &*log)?;
    let progress = Progress::new(log.head().seq, Seq::ZERO);
    let retained = retained(&mut builder, None, &*storage)?;
    start(builder, None, Wiring { storage, log, state, progress, retained })
}

/// What is wired together.
struct Wiring {
    storage: Arc<dyn Storage>,
    log: Arc<dyn RecordLog>,
    state: State,
    progress: Progress,
    retained: Retained,
}

fn start(builder: Builder, directory: Option<Directory>, wiring: Wiring) -> Result<TidalDB> {
    let Wiring { storage, log, state, progress, retained } = wiring;
    let (state, progress) = (Arc::new(state), Arc::new(progress));
    let told = Arc::clone(&progress);
    log.on_failure(Box::new(move |failure| told.fail(&failure.clone().into())));
    let (sender, receiver) = sync_channel(WORK_QUEUED_MAX);
    let setbacks = Arc::new(Setbacks::default());
    let desk = Arc::new(Desk::new(sender.clone()));
    let gate = Gate::new(
        GateParts {
            log: Arc::clone(&log),
            state: Arc::clone(&state),
            progress: Arc::clone(&progress),
            setbacks: Arc::clone(&setbacks),
        },
        sender,
    );
    let applier = Applier {
        state: Arc::clone(&state),
        storage: Arc::clone(&storage),
        log: Arc::clone(&log),
        progress: Arc::clone(&progress),
        setbacks,
        desk: Arc::clone(&desk),
        triggers: Triggers::new(builder.checkpoint_every, builder.checkpoint_log_bytes),
        writes_back: builder.writes_back,
    };
    let runner = Runner {
        desk: Arc::clone(&desk),
        state: Arc::clone(&state),
        storage: Arc::clone(&storage),
        log: Arc::clone(&log),
        progress: Arc::clone(&progress),
        retained: retained.clone(),
        interval: builder.checkpoint_interval,
        clock: Arc::clone(&builder.clock),
        commit_bytes: builder.commit_bytes,
    };
    let thread = thread::Builder::new()
        .name("tidal-apply".into())
        .spawn(move || {
            let (progress, desk) = (Arc::clone(&applier.progress), Arc::clone(&applier.desk));
            // The queue goes with the applier, so who sends to it is told.
            let run = AssertUnwindSafe(|| applier.run(&receiver));
            drop(catch_unwind(run));
            progress.abandon();
            desk.applier_is_gone();
        })
        .map_err(|error| not_started(&builder.data_dir, error))?;
    let checkpointer =
        Checkpointer::start(desk, runner).map_err(|error| not_started(&builder.data_dir, error))?;
    Ok(TidalDB::from_parts(Parts {
        gate,
        state,
        storage,
        log,
        progress,
        clock: builder.clock,
        max_future_skew: builder.max_future_skew,
        retained,
        closing: Mutex::new(()),
        purging: Mutex::new(()),
        applier: Mutex::new(Some(thread)),
        checkpointer,
        directory: Mutex::new(directory),
    }))
}

fn not_started(path: &Path, error: std::io::Error) -> TidalError {
    let (path, source) = (path.to_path_buf(), Arc::new(error));
    TidalError::Io { operation: "start a thread for", path, source }
}

/// What the log says of a storage that it does not belong to.
fn mismatch(path: &Path, error: TidalError) -> TidalError {
    let path = path.to_path_buf();
    match error {
        TidalError::Wal(WalError::Foreign { found, expected, .. }) => {
            TidalError::LogMismatch { path, storage: expected, log: found }
        }
        TidalError::Wal(WalError::EndsEarly { end, expected, .. }) => {
            TidalError::StorageAhead { path, applied: expected, log_end: end }
        }
        TidalError::Wal(WalError::TakenOverLess { taken_over, expected, .. }) => {
            TidalError::SalvagedShort { path, applied: expected, taken_over: taken_over.seq }
        }
        other => other,
    }
}

/// C2: refuses a log that begins behind what storage needs. That it is the right log
/// and reaches far enough, it was asked before it was opened.
fn check_reach(path: &Path, head: Option<Head>, log: &dyn RecordLog) -> Result<()> {
    let needed = head.map_or(Seq::FIRST, |head| head.position.seq.next());
    let log_start = log.first_seq();
    if log_start > needed {
        return Err(TidalError::LogTooShort { path: path.into(), needed, log_start });
    }
    Ok(())
}

/// Takes up new signal types: their schema is a record in the log before its
/// first use.
fn adopt(state: State, requested: &Schema, log: &dyn RecordLog) -> Result<State> {
    let extended = state.schema().extend(requested)?;
    if extended == **state.schema() && log.head().seq > Seq::ZERO {
        return Ok(state);
    }
    let change = Change::Schema(Box::new(extended.clone()));
    let mut batch = Batch::new();
    record::push(&mut batch, &change.into(), &mut Vec::new())?;
    log.append(&batch)?.wait()?;
    log.sync()?;
    Ok(state.extended(Arc::new(extended)))
}
