//! The page on rankings: its schemas are taken up, and its examples come out as it shows
//! them.

use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;

use crate::runner::{Bench, Ran, real_data};

const PAGE: &str = include_str!("../../../../docs/ranking.md");

/// The schemas of the page, in its order: of four products and of two examples.
fn schemas() -> Vec<&'static str> {
    let parts = PAGE.split("```toml\n").skip(1);
    parts.map(|part| part.split_once("```").unwrap().0).collect()
}

/// A database of one of them.
fn database(schema: &str) -> Bench {
    let bench = Bench::empty();
    bench.write("schema.toml", schema.as_bytes());
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    bench
}

fn rank(bench: &Bench, by: &[&str]) -> String {
    bench.run(&[&["rank", "--at", "last"], by].concat()).ok().stdout
}

/// The lines of places: rank, entity and value.
fn places(shown: &str) -> Vec<Vec<&str>> {
    let lines = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|line| line.len() == 3 && line[0].parse::<usize>().is_ok()).collect()
}

#[test]
fn the_schemas_of_the_page_are_taken_up_and_their_profiles_rank() {
    let schemas = schemas();
    assert_eq!(schemas.len(), 6);
    let mut profiles = 0;
    for schema in schemas {
        let bench = database(schema);
        for line in schema.lines() {
            let Some(name) = line.strip_prefix("[profile.") else { continue };
            let name = name.trim_end_matches(']');
            let ran = bench.run(&["rank", name]);
            let is_of_a_user = schema.contains("affinity") && name == "home";
            assert_eq!(ran.code, Some(i32::from(is_of_a_user)), "{name}: {}", ran.stderr);
            profiles += 1;
        }
    }
    assert_eq!(profiles, 10);
}

/// The films, as the commands of the page make them.
fn films() -> Option<Bench> {
    let lines = |file: &str| {
        let path = real_data(&format!("movietweetings-100k/{file}"))?;
        let reader = BufReader::new(MultiGzDecoder::new(File::open(path).unwrap()));
        Some(reader.lines().map(Result::unwrap).collect::<Vec<String>>())
    };
    let (ratings, films) = (lines("ratings.dat.gz")?, lines("movies.dat.gz")?);
    let bench = database(schemas()[4]);
    let mut csv = "user,film,points,time\n".to_owned();
    for line in ratings {
        let fields: Vec<&str> = line.split("::").collect();
        let points = fields[2].parse::<i64>().unwrap() - 5;
        csv.push_str(&format!("{},{},{points},{}\n", fields[0], fields[1], fields[3]));
    }
    bench.write("ratings.csv", csv.as_bytes());
    let mut tsv = "film\ttitle\tyear\tgenres\n".to_owned();
    for line in films {
        let fields: Vec<&str> = line.split("::").collect();
        let (title, year) = fields[1].rsplit_once(" (").unwrap();
        let year = year.trim_end_matches(')');
        tsv.push_str(&format!("{}\t{title}\t{year}\t{}\n", fields[0], fields[2]));
    }
    bench.write("films.tsv", tsv.as_bytes());
    let columns = ["--entity-column", "film", "--time-column", "time"];
    let more = ["--weight-column", "points", "--actor-column", "user", "ratings.csv"];
    bench.run(&[&["import", "--signal", "rated"], &columns[..], &more].concat()).ok();
    let columns = ["--entity-column", "film", "--separator", "|", "films.tsv"];
    bench.run(&[&["import-attributes"], &columns[..]].concat()).ok();
    Some(bench)
}

#[test]
fn the_films_of_the_page_come_out_as_it_shows_them() {
    let Some(bench) = films() else { return };
    let evening = rank(&bench, &["evening", "--limit", "2", "--explain"]);
    let shown = evening.lines().skip(2).take_while(|line| !line.contains("next"));
    let shown: Vec<&str> = shown.map(str::trim_end).collect();
    let shown = shown.join("\n");
    assert!(PAGE.contains(shown.trim_end()), "{shown}");
    let by = "score(rated) * affinity(rated, genres)";
    let user = ["--for-user", "2850", "--unseen-by", "rated", "--limit", "4", "--by", by];
    let liked = rank(&bench, &user);
    let shown: Vec<&str> = liked.lines().skip(2).take(5).collect();
    assert!(PAGE.contains(&shown.join("\n")), "{liked}");
    let week = rank(&bench, &["--by", "score(rated)", "--limit", "5"]);
    let first: Vec<&str> = places(&week).iter().map(|place| place[1]).collect();
    assert_eq!(first, ["1670345", "1457767", "1535108", "1723121", "1650554"]);
    assert!(PAGE.contains(places(&week)[0][2]), "{week}");
}

#[test]
fn the_mixture_of_the_page_comes_out_as_it_shows_it() {
    let imports = ["answered:a2q", "discussed:c2q", "replied:c2a"];
    let files: Vec<_> = imports
        .iter()
        .filter_map(|pair| {
            let (signal, file) = pair.split_once(':').unwrap();
            Some((signal, real_data(&format!("sx-mathoverflow/sx-mathoverflow-{file}.txt.gz"))?))
        })
        .collect();
    if files.len() < imports.len() {
        return;
    }
    let bench = database(schemas()[5]);
    for (signal, path) in files {
        let format = ["--no-header", "--delimiter", " ", "--numeric-ids", "--entity-column", "2"];
        let columns = ["--time-column", "3", "--actor-column", "1", "--signal", signal];
        let path = path.to_str().unwrap();
        bench.run(&[&["import"], &format[..], &columns, &[path]].concat()).ok();
    }
    let by = "3 * score(answered) + score(discussed) + 2 * score(replied)";
    let times = ["last", "2016-03-07T11:05:55Z", "2016-04-05T11:05:55Z"];
    let pages = times.map(|at| {
        let asked = ["rank", "--kind", "user", "--by", by, "--limit", "5", "--at", at];
        let Ran { stdout, .. } = bench.run(&asked).ok();
        stdout
    });
    let columns: Vec<_> = pages.iter().map(|page| places(page)).collect();
    for place in 0..5 {
        let cells: Vec<String> =
            columns.iter().map(|column| column[place][1..].join(" | ")).collect();
        let row = format!("| {} | {} |", place + 1, cells.join(" | "));
        assert!(PAGE.contains(&row), "{row}");
    }
}
