//! An import that is killed at any moment leaves a beginning of the file, in
//! whole batches, and loses nothing it had reported.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::{Child, Stdio};

use tidal_db::{Batch, By, Checksum, EntityKind, Event, TidalDB, Timestamp, Window};

use crate::runner::{Bench, Ran};

const KILLS: u64 = 50;
const ROWS: usize = 20_000;
const BATCH: usize = 500;
const HEADER: &str = "item,at,user,n\n";

struct Row {
    item: String,
    user: String,
    at: u64,
    weight: f64,
}

impl Row {
    fn line(&self) -> String {
        format!("{},{},{},{}\n", self.item, self.at, self.user, self.weight)
    }
}

/// Rows with new names all along, late times and weights of both signs.
fn rows() -> Vec<Row> {
    let mut random = 42;
    let mut below = |bound: usize| (splitmix64(&mut random) % bound as u64) as usize;
    (0..ROWS)
        .map(|row| Row {
            item: format!("item-{}", below(50 + row / 10)),
            user: format!("user-{}", below(20 + row / 20)),
            at: 1_000_000 + (row as u64) * 7 - below(1_000) as u64,
            weight: below(40) as f64 / 4.0 - 3.0,
        })
        .collect()
}

/// The checksum of every state an import goes through: how many batches are in,
/// and perhaps the names of the next.
fn states(bench: &Bench, rows: &[Row]) -> Vec<(usize, Checksum)> {
    let stored = TidalDB::open_existing(bench.db()).unwrap();
    let db = TidalDB::in_memory(stored.schema().clone()).unwrap();
    let mut known: HashSet<(EntityKind, &str)> = HashSet::new();
    let mut states = vec![(0, db.checksum().unwrap())];
    for (done, rows) in rows.chunks(BATCH).enumerate() {
        for (kind, name) in [
            (EntityKind::Item, (|row| &row.item) as fn(&Row) -> &String),
            (EntityKind::User, |row| &row.user),
        ] {
            let new: Vec<&str> = rows
                .iter()
                .map(|row| name(row).as_str())
                .filter(|name| known.insert((kind, name)))
                .collect();
            if !new.is_empty() {
                db.entity_ids(kind, &new).unwrap();
                states.push((done, db.checksum().unwrap()));
            }
        }
        let batch = rows.iter().fold(Batch::new(), |batch, row| {
            let item = db.find_entity(EntityKind::Item, &row.item).unwrap().unwrap();
            let user = db.find_entity(EntityKind::User, &row.user).unwrap().unwrap();
            batch.event(
                Event::new("purchase", item, row.weight, Timestamp::from_secs(row.at)).by(user),
            )
        });
        db.commit(batch).unwrap();
        states.push((done + 1, db.checksum().unwrap()));
    }
    states
}

fn spawn(bench: &Bench) -> Child {
    let args = [
        "--db",
        "db",
        "import",
        "--json",
        "--signal",
        "purchase",
        "--entity-column",
        "item",
        "--time-column",
        "at",
        "--actor-column",
        "user",
        "--weight-column",
        "n",
        "--batch",
        "500",
        "-",
    ];
    let mut command = bench.command(&args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Sends bytes; a child that has gone takes none, and then the test will say why.
fn send(child: &mut Child, bytes: &[u8]) {
    match child.stdin.as_mut().unwrap().write_all(bytes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
        _ => {}
    }
}

/// How many batches are in a database, and the checksum of it.
fn found(bench: &Bench) -> (usize, Checksum) {
    let db = TidalDB::open_existing(bench.db()).unwrap();
    let ranked = db.top("purchase", By::Count(Window::AllTime), usize::MAX).unwrap();
    let events: f64 = ranked.iter().map(|ranked| ranked.value).sum();
    assert_eq!(events as usize % BATCH, 0, "{events} events are no whole batches");
    (events as usize / BATCH, db.checksum().unwrap())
}

/// G22
#[test]
fn a_killed_import_leaves_whole_batches_and_nothing_else() {
    let rows = rows();
    let file: String =
        std::iter::once(HEADER.to_owned()).chain(rows.iter().map(Row::line)).collect();
    let states = states(&Bench::new(), &rows);
    let (all, last) = *states.last().unwrap();
    let mut partial = 0;
    for seed in 0..KILLS {
        let mut random = seed;
        let mut below = |bound: u64| splitmix64(&mut random) % bound;
        let bench = Bench::new();
        let mut child = spawn(&bench);
        // A sixth of the runs is killed behind the end of the file.
        let sent = below(file.len() as u64 * 6 / 5) as usize;
        let mut acknowledged = false;
        if sent < file.len() {
            send(&mut child, &file.as_bytes()[..sent]);
        } else {
            send(&mut child, file.as_bytes());
            drop(child.stdin.take());
            if below(2) == 0 {
                // Killed once it has reported, while it closes the database.
                let mut line = String::new();
                BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
                acknowledged = line.contains("\"accepted\":20000");
                assert!(acknowledged, "seed {seed}: {line}");
            }
        }
        // A moment more or less, without a clock.
        for _ in 0..below(3_000) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let (batches, checksum) = found(&bench);
        let whole_rows = file.as_bytes()[..sent.min(file.len())]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            .saturating_sub(1);
        assert!(
            batches * BATCH <= whole_rows,
            "seed {seed}: {batches} batches are in, {whole_rows} rows were sent"
        );
        assert!(
            !acknowledged || batches == all,
            "seed {seed}: {batches} batches are in, all were reported"
        );
        assert!(
            states.contains(&(batches, checksum)),
            "seed {seed}: no import of {batches} batches has the checksum {checksum}"
        );
        partial += u64::from(batches > 0 && batches < all);

        if seed % 10 == 0 {
            let rest: String = std::iter::once(HEADER.to_owned())
                .chain(rows[batches * BATCH..].iter().map(Row::line))
                .collect();
            let mut child = spawn(&bench);
            send(&mut child, rest.as_bytes());
            assert!(child.wait_with_output().unwrap().status.success());
            assert_eq!(found(&bench), (all, last), "seed {seed}, after the rest");
        }
    }
    assert!(partial >= KILLS / 4, "only {partial} of {KILLS} kills came in the middle");
}

#[test]
fn the_program_and_the_library_reach_the_same_state() {
    let bench = Bench::new();
    let rows = rows();
    let states = states(&bench, &rows);
    let file: String =
        std::iter::once(HEADER.to_owned()).chain(rows.iter().map(Row::line)).collect();
    let mut child = spawn(&bench);
    send(&mut child, file.as_bytes());
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(found(&bench), *states.last().unwrap());
    let shown = Ran::of(&mut bench.command(&["--db", "db", "stats", "--json"])).ok().json();
    assert_eq!(shown["checksum"], states.last().unwrap().1.to_string());
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
