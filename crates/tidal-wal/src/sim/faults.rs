//! What goes wrong on a simulated disk, and a trace of what it did.

use std::collections::VecDeque;
use std::io;

/// How many operations the trace shows.
const TRACE_LEN: usize = 200;

/// What can happen to an operation that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails, after a part of it was done; later ones succeed.
    Fail,
    /// In the middle of it the process or the machine ends: it and everything
    /// after it fails until [`SimDisk::power_cut`](super::SimDisk::power_cut) or
    /// [`SimDisk::kill`](super::SimDisk::kill).
    Die,
}

/// How an operation goes.
#[derive(Debug)]
pub(super) enum Passage {
    Whole,
    /// A part of it is done, and then it fails.
    Part(Fault, io::Error),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    armed: Option<(u64, Fault)>,
    dead: bool,
    suffered: u64,
    disturbed_one_in: u64,
    trace: VecDeque<String>,
}

impl Faults {
    pub(super) const fn arm(&mut self, count: u64, fault: Fault) {
        self.armed = Some((count, fault));
    }

    pub(super) const fn disturb(&mut self, one_in: u64) {
        self.disturbed_one_in = one_in;
    }

    pub(super) const fn disturbed_one_in(&self) -> u64 {
        self.disturbed_one_in
    }

    pub(super) const fn suffered(&self) -> u64 {
        self.suffered
    }

    pub(super) fn die(&mut self) {
        self.dead = true;
        self.suffer("death");
    }

    /// A new process begins, after what happened to the last one.
    pub(super) fn restart(&mut self, after: &str) {
        self.dead = false;
        self.armed = None;
        self.note(after.into());
    }

    /// Fails when the process is dead.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.dead { Err(io::Error::other("the simulated process has ended")) } else { Ok(()) }
    }

    /// An operation that changes something begins.
    pub(super) fn pass(&mut self, operation: String) -> io::Result<Passage> {
        self.check()?;
        self.note(operation);
        let Some((count, fault)) = self.armed else {
            return Ok(Passage::Whole);
        };
        if count > 0 {
            self.armed = Some((count - 1, fault));
            return Ok(Passage::Whole);
        }
        self.armed = None;
        self.dead = fault == Fault::Die;
        self.suffer(&format!("  {fault:?}"));
        Ok(Passage::Part(fault, io::Error::other("a simulated failure")))
    }

    /// Something went wrong.
    pub(super) fn suffer(&mut self, what: &str) {
        self.suffered += 1;
        self.note(what.into());
    }

    fn note(&mut self, what: String) {
        if self.trace.len() == TRACE_LEN {
            self.trace.pop_front();
        }
        self.trace.push_back(what);
    }

    pub(super) fn trace(&self) -> String {
        self.trace.iter().map(|line| format!("{line}\n")).collect()
    }
}
