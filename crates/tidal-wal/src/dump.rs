//! Showing the records of a log that nobody has open, without changing anything.

use std::ops::ControlFlow;
use std::path::Path;

use tidal_types::{Seq, WalError};

use crate::LogRecord;
use crate::disk::Disk;
use crate::pass::Pass;
use crate::stat::open_to_read;
use crate::verify::{Problem, describe};

/// Where a dump ended, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DumpReport {
    /// How many records were shown.
    pub records: u64,
    /// What is wrong where the dump ended, if it ended for that: opening refuses the
    /// log. What a dump does not come to, it cannot tell.
    pub problem: Option<Problem>,
    /// What a crash left behind the last record. It was never acknowledged.
    pub torn_tail: Option<Problem>,
}

/// Shows every record of the log in `dir` from `from` on, in order, until `visit`
/// breaks off, or the log ends, or it is damaged. A record is shown only when the whole
/// group it is in is sound. Earlier segments are not read.
///
/// # Errors
/// [`WalError::Missing`] when there is no log; [`WalError::Truncated`] when it begins
/// behind `from`, which [`Seq::ZERO`] never is; [`WalError::Locked`] while it is open
/// elsewhere; [`WalError::Io`]. Damage is not an error here but in the report.
pub fn dump(
    dir: &Path,
    from: Seq,
    visit: &mut dyn FnMut(&LogRecord<'_>) -> ControlFlow<()>,
) -> Result<DumpReport, WalError> {
    let (disk, lock) = open_to_read(dir)?;
    let mut pass = Pass::begin(&disk, from)?;
    match pass.found().segments.first() {
        None => {
            return Err(pass.finding().cloned().unwrap_or(WalError::Missing { path: dir.into() }));
        }
        Some(first) => {
            if let Ok(header) = &first.header
                && from != Seq::ZERO
                && from < header.first_seq
            {
                return Err(WalError::Truncated { wanted: from, first: header.first_seq });
            }
        }
    }
    let mut report = DumpReport::default();
    let mut show = |record: &LogRecord<'_>| {
        if record.seq < from {
            return ControlFlow::Continue(());
        }
        report.records += 1;
        visit(record)
    };
    let flow = show_all(&mut pass, &mut show)?;
    if flow.is_continue() {
        report.problem = pass.finding().cloned().map(|finding| describe(&disk.path(""), finding));
        report.torn_tail = pass.torn_tail();
    }
    drop(lock);
    Ok(report)
}

fn show_all(
    pass: &mut Pass<'_>,
    show: &mut dyn FnMut(&LogRecord<'_>) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, WalError> {
    while let Some(mut walk) = pass.enter()? {
        while let Some(group) = pass.group(&mut walk, &mut |_, _| ()) {
            let mut flow = ControlFlow::Continue(());
            group.show(&mut |record| {
                if flow.is_continue() {
                    flow = show(record);
                }
            });
            if flow.is_break() {
                return Ok(flow);
            }
        }
        pass.leave(walk);
    }
    Ok(ControlFlow::Continue(()))
}
