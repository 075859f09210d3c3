//! The checkpointer: a thread that writes checkpoints while commits go on.
//!
//! K1. The applier hands out the frozen state between two commits, and neither it nor a
//!     writer waits for the checkpointer.
//! K2. Whoever asks for a checkpoint is answered by one that was frozen after the call,
//!     so it covers all that was answered before; those who ask in between share it.
//! K3. What a checkpoint could not write, the next one writes.
//! K4. The checkpointer writes cells back while it waits for the applier, so an applier
//!     that waits for memory does not wait for ever.
//! K5. A panic ends the thread, and is told to everyone who asks it for anything.

mod desk;
mod health;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tidal_types::{Position, TidalError};

pub(crate) use desk::Desk;
pub use health::CheckpointFailure;
pub(crate) use run::Runner;

use self::health::Attempt;
use crate::Result;

/// The thread that writes checkpoints, from outside.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    desk: Arc<Desk>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Checkpointer {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the operating system says.
    pub(crate) fn start(desk: Arc<Desk>, runner: Runner) -> std::io::Result<Self> {
        let (told, clock) = (Arc::clone(&desk), Arc::clone(&runner.clock));
        let started = thread::Builder::new().name("tidal-checkpoint".into()).spawn(move || {
            // Somebody waits for every commit, and for few checkpoints.
            tidal_storage::yield_to_others();
            let run = AssertUnwindSafe(|| runner.run());
            if let Err(panic) = catch_unwind(run) {
                let problem = what_panicked(&*panic);
                tracing::error!(problem, "the checkpointer panicked; the log keeps it all");
                // The clock may be what panicked.
                let now = catch_unwind(AssertUnwindSafe(|| clock.now())).unwrap_or_default();
                told.health.failed(Attempt::Checkpoint, &died(problem), now);
                told.die(problem);
            }
        });
        let thread = started.inspect_err(|_| desk.let_go_of_applier())?;
        Ok(Self { desk, thread: Mutex::new(Some(thread)) })
    }

    /// Writes a checkpoint of everything that was folded before this call.
    pub(crate) fn checkpoint(&self) -> Result<Position> {
        self.desk.checkpoint()
    }

    /// What could not be written to storage, and has not been since.
    pub(crate) fn failure(&self) -> Option<CheckpointFailure> {
        self.desk.health.failure()
    }

    /// Wakes the applier no more, so that it can end.
    pub(crate) fn let_go_of_applier(&self) {
        self.desk.let_go_of_applier();
    }

    /// Ends the thread: a checkpoint on its way is given up at its next commit.
    pub(crate) fn stop(&self) {
        self.desk.stop();
        let thread = self.thread.lock().expect("no thread panics while it stops another").take();
        // A database that is dropped by a callback of its storage is dropped by the
        // checkpointer, which ends by itself.
        if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
            drop(thread.join());
        }
    }
}

/// What a panic said.
pub(crate) fn what_panicked(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// What is told to who asks a checkpointer that is gone.
fn died(problem: &str) -> TidalError {
    TidalError::CheckpointerDied { problem: problem.into() }
}
