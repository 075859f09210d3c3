//! What is measured, in which order, and how long it may take.

use tidal_bench_measure::{Options, Result, Short, complain, describe, now};

use crate::contest::{self, Pace, Row};
use crate::data::{DataSet, FOLDER};
use crate::limits;
use crate::report::Findings;
use crate::system::Kind;
use crate::workplace::Workplace;

/// The parts that can be asked for.
pub(crate) const PARTS: [&str; 4] = ["limits", "real", "scale", "cores"];

const REAL: [DataSet; 2] = [DataSet::Retail, DataSet::Mathoverflow];
const SCALE: [DataSet; 4] = [
    DataSet::Generated(10_000),
    DataSet::Generated(100_000),
    DataSet::Generated(1_000_000),
    DataSet::Generated(10_000_000),
];

/// What is measured on one core too.
pub(crate) const SET_OF_CORES: DataSet = DataSet::Generated(100_000);

const PACE: Pace = Pace { budget: 150.0, round: 0.2 };
const QUICK: Pace = Pace { budget: 20.0, round: 0.02 };

/// Measures what is asked for.
///
/// # Errors
///
/// What the operating system says. What is wrong with a system is in its row.
pub(crate) fn carry_out(options: &Options) -> Result<Findings> {
    let (workplace, started) = (Workplace::new(&options.dir()?)?, now());
    let dir = workplace.dir();
    let pace = if options.quick { QUICK } else { PACE };
    let mut findings = Findings {
        machine: describe(dir)?,
        cores: std::thread::available_parallelism()?.get(),
        ..Findings::default()
    };
    if options.does("limits") {
        findings.limits = Some(limits::measure(dir)?);
    }
    let mut contests = Vec::new();
    if options.does("real") {
        contests.extend(REAL.map(|set| (set, None)));
    }
    if options.does("scale") {
        contests.extend(SCALE.map(|set| (set, None)));
    }
    if options.does("cores") {
        contests.push((SET_OF_CORES, Some(1)));
        if !options.does("scale") {
            contests.push((SET_OF_CORES, None));
        }
    }
    if options.quick {
        contests.retain(|&(set, cores)| set == DataSet::Generated(10_000) && cores.is_none());
    }
    for (set, cores) in contests {
        if REAL.contains(&set) && !set.is_here() {
            let why = format!("{}: skipped, since {FOLDER} is not set", set.name());
            complain(&why);
            findings.left_out.push(why);
            continue;
        }
        for system in Kind::ALL {
            if let Some(smaller) =
                left_out(system, set).or_else(|| too_slow(&findings.rows, system, set))
            {
                complain(&format!("{}, {}: skipped", set.name(), system.name()));
                findings.rows.push(Row::skipped(system, set, cores, smaller));
                continue;
            }
            let begun = now();
            let row = contest::measure(system, set, cores, pace, dir);
            complain(&format!(
                "{}, {}: {:.0} s, after {:.0} s{}",
                set.name(),
                system.name(),
                begun.elapsed().as_secs_f64(),
                started.elapsed().as_secs_f64(),
                row.failure.as_ref().map_or_else(String::new, |why| format!(": {why}")),
            ));
            findings.rows.push(row);
        }
    }
    findings.seconds = started.elapsed().as_secs_f64();
    Ok(findings)
}

/// Why a system is not tried on a data set: for the time that it takes.
fn left_out(system: Kind, set: DataSet) -> Option<String> {
    let is_twin = system == Kind::RedisAlways && set == DataSet::Generated(10_000_000);
    is_twin.then(|| "left out, since without single events it is as `everysec` is".into())
}

/// Why a system need not be tried on a data set: it was too slow on a smaller one.
fn too_slow(rows: &[Row], system: Kind, set: DataSet) -> Option<String> {
    let DataSet::Generated(items) = set else { return None };
    let smaller = rows.iter().find(|row| {
        let is_smaller = matches!(row.set, DataSet::Generated(smaller) if smaller < items);
        row.system == system && is_smaller && row.filled.too_long.is_some()
    });
    let name = |row: &Row| Short(row.filled.items as f64).to_string();
    smaller.map(|row| format!("not tried, since {} items would have taken too long", name(row)))
}
