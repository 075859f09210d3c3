//! Who answered or commented on whom, against plain sets.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;

use flate2::read::GzDecoder;

use super::*;
use crate::fixture::real_data;

const DAY: u64 = 24 * 3600;

/// Source, target and time of each row, in the order of time.
fn rows() -> Option<Vec<(u64, u64, u64)>> {
    let mut rows = Vec::new();
    for name in ["a2q", "c2q", "c2a"] {
        let path = real_data(&format!("sx-mathoverflow/sx-mathoverflow-{name}.txt.gz"))?;
        let mut text = String::new();
        GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        rows.extend(text.lines().map(|line| {
            let mut numbers = line.split(' ').map(|number| number.parse::<u64>().unwrap());
            let mut next = || numbers.next().unwrap();
            (next(), next(), next())
        }));
    }
    rows.sort_by_key(|row| row.2);
    Some(rows)
}

/// Who acted on each target since a time.
fn sets(rows: &[(u64, u64, u64)], behind: u64) -> HashMap<u64, HashSet<u64>> {
    let mut sets: HashMap<u64, HashSet<u64>> = HashMap::new();
    for &(source, target, _) in rows.iter().filter(|row| row.2 > behind) {
        sets.entry(target).or_default().insert(source);
    }
    sets
}

/// G98: the different sources of every target, within seven days and at any time, on the
/// way and at the end.
#[test]
fn mathoverflow_unique_sources_are_those_of_plain_sets() {
    let Some(rows) = rows() else {
        return;
    };
    let mut builder = SchemaBuilder::new();
    let post = builder.signal("post", EntityKind::User, DecaySpec::Permanent);
    post.windows(&[Window::SevenDays, Window::AllTime]).uniques(true).add();
    let db = TidalDB::in_memory(builder.build().unwrap()).unwrap();
    let mut errors = Vec::new();
    let (mut exact, mut many) = (0, 0);
    let mut fed = 0;
    for end in [100_000, 200_000, 350_000, rows.len()] {
        for chunk in rows[fed..end].chunks(10_000) {
            let event = |&(source, target, time): &(u64, u64, u64)| {
                Event::new("post", id(target), 1.0, Timestamp::from_secs(time)).by(id(source))
            };
            db.signals(&chunk.iter().map(event).collect::<Vec<_>>()).unwrap();
        }
        fed = end;
        let at = rows[end - 1].2;
        let windows = [(Window::SevenDays, at - 7 * DAY), (Window::AllTime, 0)];
        for (window, behind) in windows {
            for (target, sources) in sets(&rows[..end], behind) {
                let at = Timestamp::from_secs(at);
                let found = db.unique_actors_at("post", id(target), window, at).unwrap();
                let expected = sources.len() as u64;
                if expected < 64 {
                    let events = db.windowed_count_at("post", id(target), window, at).unwrap();
                    assert_eq!(found, expected.min(events), "{target} in {window}");
                    exact += 1;
                } else {
                    many += 1;
                    if window == Window::AllTime {
                        errors.push(found as f64 / expected as f64 - 1.0);
                    }
                }
            }
        }
    }
    let within = |times: f64| errors.iter().filter(|error| error.abs() <= times * ERROR).count();
    let square = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
    println!(
        "{exact} exact; {many} of 64 and more; {} of all time: {:.4} in the square mean, {} within 1, {} within 2, {} within 3 \
         standard errors",
        errors.len(),
        square.sqrt(),
        within(1.0),
        within(2.0),
        within(3.0),
    );
    assert!(exact > 40_000 && errors.len() > 1000);
    assert!(square.sqrt() <= ERROR);
    assert!(within(3.0) * 1000 >= errors.len() * 997);
    assert_eq!(within(4.5), errors.len());
}
