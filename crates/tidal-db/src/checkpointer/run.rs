//! What the checkpointer does.

use std::sync::Arc;
use std::time::Duration;

use tidal_storage::Storage;
use tidal_types::{Clock, Position, TidalError, Timestamp};

use super::desk::{Desk, Order, Task};
use super::health::Attempt;
use crate::Result;
use crate::checkpoint::Writer;
use crate::ledger::Which;
use crate::log::RecordLog;
use crate::pipeline::Progress;
use crate::retention::{self, Retained};
use crate::state::{FrozenState, State};

/// What the checkpointer works on.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) desk: Arc<Desk>,
    pub(crate) state: Arc<State>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) log: Arc<dyn RecordLog>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) retained: Retained,
    /// A checkpoint is due when the last one is this old and there is anything new.
    pub(crate) interval: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// How large the commits of a checkpoint are, in bytes.
    pub(crate) commit_bytes: usize,
}

impl Runner {
    /// Works until it is stopped.
    pub(super) fn run(&self) {
        let news = || self.progress.applied() != self.progress.checkpointed();
        let mut last = self.clock.now();
        loop {
            match self.desk.next(self.patience(last), news) {
                Task::Checkpoint(order) => {
                    self.checkpoint(order);
                    last = self.clock.now();
                }
                Task::Idle => last = self.clock.now(),
                Task::WriteBack if self.desk.health.may_write_back(self.clock.now()) => {
                    let written = self.write_back();
                    if let Some(error) = self.note(Attempt::WriteBack, &written) {
                        tracing::error!(%error, "cells could not be written; they stay in memory");
                    }
                }
                // It has failed a moment ago (H2). The applier asks again.
                Task::WriteBack => {}
                Task::End => return,
            }
        }
    }

    /// Notes how an attempt went; what went wrong if that is to be logged (H1). One that
    /// was given up has not failed.
    fn note<'a, T>(&self, attempt: Attempt, written: &'a Result<T>) -> Option<&'a TidalError> {
        let health = &self.desk.health;
        match written {
            Ok(_) => {
                if health.succeeded(attempt) {
                    tracing::info!("storage takes what is written to it again");
                }
                None
            }
            Err(TidalError::Closed) => None,
            Err(error) => health.failed(attempt, error, self.clock.now()).then_some(error),
        }
    }

    /// What is left of the interval since `last`; all of it when the clock went back.
    fn patience(&self, last: Timestamp) -> Duration {
        if self.interval == Duration::MAX {
            return Duration::MAX;
        }
        let passed = self.clock.now().as_nanos().saturating_sub(last.as_nanos());
        self.interval.saturating_sub(Duration::from_nanos(passed))
    }

    fn checkpoint(&self, order: Order) {
        let Order { frozen, asking } = order;
        let written = frozen.and_then(|frozen| {
            let position = frozen.position;
            self.write(frozen)?;
            self.cut_log(position)
        });
        if let Some(error) = self.note(Attempt::Checkpoint, &written) {
            // The log has everything; the next one is tried as many records on.
            tracing::error!(%error, "a checkpoint failed; nothing is lost, the log keeps it all");
        }
        asking.into_iter().for_each(|asking| asking.complete(written.clone()));
    }

    /// Writes what has changed up to the position of `frozen`, and cells beyond.
    fn write(&self, frozen: FrozenState) -> Result<()> {
        let is_new = frozen.position.seq != self.progress.checkpointed();
        if !is_new && !frozen.has_rows() {
            // Nothing was folded since, so nothing was frozen, unless a purge has taken out of
            // rows what they do not read as anyway.
            self.state.settle(&frozen);
            return self.log.sync();
        }
        let written = self.write_all(&frozen);
        if written.is_ok() {
            self.state.settle(&frozen);
            self.progress.checkpointed_up_to(frozen.position.seq);
        } else {
            // The layers are the state's alone then, and are not copied, for which the
            // applier would wait.
            drop(frozen);
            self.state.thaw();
        }
        written
    }

    fn write_all(&self, frozen: &FrozenState) -> Result<()> {
        self.with_writer(|writer| {
            writer.cells(Which::All)?;
            writer.all_rows(frozen)?;
            writer.exact(frozen)
        })
    }

    /// What `write` does with a writer that gives up when the database is closed.
    fn with_writer(&self, write: impl FnOnce(&mut Writer<'_>) -> Result<()>) -> Result<()> {
        let may_go_on = || !self.desk.is_stopping();
        let sync = || self.log.sync_to_head();
        write(&mut Writer::new(&*self.storage, &sync, &self.state, &may_go_on, self.commit_bytes))
    }

    /// Lets the log forget what the checkpoint has, as was chosen.
    fn cut_log(&self, position: Position) -> Result<Position> {
        self.log.checkpoint(position.seq)?;
        let may_go_on = || !self.desk.is_stopping();
        retention::after_checkpoint(
            &self.retained,
            &*self.storage,
            &*self.log,
            position,
            &may_go_on,
        )?;
        Ok(position)
    }

    /// Writes cells so that they can leave memory, without a checkpoint.
    fn write_back(&self) -> Result<()> {
        self.with_writer(|writer| writer.write_back())
    }
}
