//! Rankings by a score, a file and a profile: what is shown, in which order, on how many
//! pages, and what is refused.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::attributes::SHOP;
use crate::runner::{Bench, Ran, keys, real_data};

const PROFILE: &str = "
[profile.front]
by = \"score(view) + count(view, all)\"
filter = \"price < 20\"
limit = 2
";

/// Five items with a price and one to five views each; a and b are of one maker, and ada
/// has seen e.
fn shop() -> Bench {
    let bench = Bench::empty();
    bench.write("schema.toml", format!("{SHOP}{PROFILE}").as_bytes());
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    let mut views = "item,at,who\n".to_owned();
    for (place, item) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        for view in 0..=place {
            let who = if *item == "e" && view == 0 { "ada" } else { "bob" };
            views.push_str(&format!("{item},{},{who}\n", 86_400 + 10 * view + place));
        }
    }
    bench.write("views.csv", views.as_bytes());
    let columns = ["--entity-column", "item", "--time-column", "at", "--actor-column", "who"];
    bench.run(&[&["import", "--signal", "view"], &columns[..], &["views.csv"]].concat()).ok();
    bench.write(
        "items.csv",
        b"item,price,maker,language\na,1,x,en\nb,2,x,en\nc,3,y,fr\nd,30,y,en\ne,4,z,en\n",
    );
    bench.run(&["import-attributes", "--entity-column", "item", "items.csv"]).ok();
    bench
}

fn rank(bench: &Bench, more: &[&str]) -> Ran {
    bench.run(&[&["rank", "--at", "last"], more].concat())
}

const VIEWS: [&str; 2] = ["--by", "count(view, all)"];

/// The names in their order.
fn names(value: &Value) -> Vec<&str> {
    value["results"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn a_score_ranks_in_json_of_the_documented_shape() {
    let bench = shop();
    let value = rank(&bench, &[&VIEWS[..], &["--json"]].concat()).ok().json();
    assert_eq!(keys(&value), ["at", "results", "cursor", "statistics"]);
    assert_eq!((&value["at"], &value["cursor"]), (&json!("1970-01-02T00:00:44Z"), &Value::Null));
    assert_eq!(names(&value), ["e", "d", "c", "b", "a"]);
    let first = json!({ "rank": 1, "id": 5, "name": "e", "value": 5.0, "explanation": null });
    assert_eq!(value["results"][0], first);
    assert_eq!(keys(&value["statistics"]), ["method", "looked_at", "evaluated", "passing"]);
    let method = value["statistics"]["method"].as_str().unwrap();
    assert!(["threshold", "candidates", "scan"].contains(&method), "{method}");
    // A negative number is no option.
    let value = rank(&bench, &["--by", "-1 * count(view, all)", "--json"]).ok().json();
    assert_eq!(names(&value), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_person_sees_a_table_and_how_it_was_found() {
    let bench = shop();
    let ran = rank(&bench, &[&VIEWS[..], &["--limit", "2"]].concat()).ok();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "count(view, all) at 1970-01-02T00:00:44Z");
    let row = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(row(lines[2]), ["rank", "item", "value"]);
    assert_eq!(row(lines[3]), ["1", "e", "5.00"]);
    let last = lines.last().unwrap();
    assert!(last.starts_with("next page: --cursor ") && last.contains(" evaluated"), "{last}");
    let ran = rank(&bench, &VIEWS).ok();
    assert!(ran.stdout.lines().last().unwrap().starts_with("last page ("), "{ran:?}");
    let ran = rank(&bench, &[&VIEWS[..], &["--filter", "price > 99"]].concat()).ok();
    assert!(ran.stdout.contains("no item takes part"), "{ran:?}");
}

#[test]
fn filters_users_and_limits_choose_who_is_shown() {
    let bench = shop();
    let shown = |more: &[&str]| {
        let value = rank(&bench, &[&VIEWS[..], &["--json"], more].concat()).ok().json();
        names(&value).join("")
    };
    assert_eq!(shown(&["--filter", "language = 'en' and price < 20"]), "eba");
    assert_eq!(shown(&["--filter", "maker = 'x'"]), "ba");
    assert_eq!(shown(&["--for-user", "ada", "--unseen-by", "view"]), "dcba");
    assert_eq!(shown(&["--at-most", "1:maker"]), "edb");
    assert_eq!(shown(&["--at-most", "1:maker", "--at-most", "1:language"]), "ec");
    assert_eq!(shown(&["--limit", "1"]), "e");
    let value = rank(&bench, &[&VIEWS[..], &["--json", "--filter", "price < 3"]].concat());
    assert_eq!(value.ok().json()["statistics"]["passing"], 2);
}

#[test]
fn a_cursor_goes_through_all_pages() {
    let bench = shop();
    let (mut seen, mut cursor, mut ranks) = (String::new(), None::<String>, Vec::new());
    loop {
        let mut args = [&VIEWS[..], &["--json", "--limit", "2"]].concat();
        if let Some(cursor) = &cursor {
            args.extend(["--cursor", cursor]);
        }
        let value = rank(&bench, &args).ok().json();
        seen.push_str(&names(&value).join(""));
        ranks.extend(value["results"].as_array().unwrap().iter().map(|one| one["rank"].clone()));
        cursor = value["cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen.as_str(), json!(ranks)), ("edcba", json!([1, 2, 3, 4, 5])));
    rank(&bench, &[&VIEWS[..], &["--cursor", "nonsense"]].concat()).fails(1, "first page");
    let value = rank(&bench, &[&VIEWS[..], &["--json", "--limit", "2"]].concat()).ok().json();
    let other = ["--by", "score(view)", "--cursor", value["cursor"].as_str().unwrap()];
    rank(&bench, &other).fails(1, "the cursor cannot be used");
}

#[test]
fn an_explanation_adds_up() {
    let bench = shop();
    let by = ["--by", "2 * count(view, all) - price", "--filter", "price < 20 and language = 'en'"];
    let value = rank(&bench, &[&by[..], &["--json", "--explain"]].concat()).ok().json();
    let explained = &value["results"][0]["explanation"];
    assert_eq!(keys(explained), ["terms", "value", "discount", "passed"]);
    let terms = explained["terms"].as_array().unwrap();
    assert_eq!(keys(&terms[0]), ["term", "raw", "weight", "contribution", "inputs"]);
    let parts: Vec<(&Value, f64)> =
        terms.iter().map(|term| (&term["term"], term["contribution"].as_f64().unwrap())).collect();
    assert_eq!(parts, [(&json!("count(view, all)"), 10.0), (&json!("price"), -4.0)]);
    assert_eq!(value["results"][0]["value"], 6.0);
    assert_eq!(explained["passed"], json!(["price < 20", "language = 'en'"]));
    let ran = rank(&bench, &[&by[..], &["--explain", "--limit", "1"]].concat()).ok();
    for expected in ["contribution", "count(view, all)", "passes price < 20", "-4.00"] {
        assert!(ran.stdout.contains(expected), "{expected} is not in {ran:#?}");
    }
}

#[test]
fn files_and_profiles_are_changed_by_what_the_line_says() {
    let bench = shop();
    let shown = |more: &[&str]| {
        let value = rank(&bench, &[&["--json"], more].concat()).ok().json();
        names(&value).join("")
    };
    assert_eq!(shown(&["front"]), "ec");
    assert_eq!(shown(&["front", "--limit", "9"]), "ecba");
    // A further filter has to hold too.
    assert_eq!(shown(&["front", "--filter", "language = 'en'"]), "eb");
    bench.write("q.json", br#"{"by": "price", "at_most": {"of": "maker", "max": 1}, "limit": 2}"#);
    assert_eq!(shown(&["--query", "q.json"]), "de");
    assert_eq!(shown(&["--query", "q.json", "--limit", "3"]), "deb");
    bench.write("q.json", br#"{"by": "count(view, all)", "at": "1970-01-02T00:00:44Z"}"#);
    let ran = bench.run(&["rank", "--query", "q.json"]).ok();
    // Nobody needs to be told of `--at last` who has said a time.
    assert_eq!(ran.stderr, "");
    let ran = bench.run(&["rank", "front"]).ok();
    assert_eq!(ran.stderr.matches("--at last").count(), 1, "{ran:?}");
    bench.write("q.json", br#"{"by": "1", "kind": "creator"}"#);
    assert_eq!(rank(&bench, &["--query", "q.json", "--json"]).ok().json()["results"], json!([]));
    bench.run(&["set", "x", "country=7", "--kind", "creator"]).ok();
    bench.write(
        "q.json",
        b"{\"by\": \"1\", \"filter\": \"country = '7'\", \"including_quiet\": true}",
    );
    let args = ["--query", "q.json", "--kind", "creator"];
    assert_eq!(shown(&args), "x");
    assert!(rank(&bench, &args).ok().stdout.contains("rank  creator"));
}

#[test]
fn a_caret_points_at_what_is_wrong_in_a_text() {
    let bench = shop();
    let ran = bench.run(&["rank", "--by", "2 * wislon(count(view, all), 3)"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].starts_with("tidal: --by: at character 5: no function"), "{ran:#?}");
    assert!(lines[0].contains("did you mean wilson?"), "{ran:#?}");
    assert_eq!(lines[1], "tidal:   2 * wislon(count(view, all), 3)");
    assert_eq!(lines[2], "tidal:       ^");
    let ran = bench.run(&["rank", "front", "--filter", "price <"]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 3), "{ran:#?}");
    bench.write("q.json", br#"{"by": "score(view) +"}"#);
    let ran = bench.run(&["rank", "--query", "q.json"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stderr.starts_with("tidal: q.json: at character 14: "), "{ran:#?}");
    bench.write(
        "bad.toml",
        format!("{SHOP}{PROFILE}[profile.b]\nlimit = 1\nby = \"1 +\"\n").as_bytes(),
    );
    let ran = bench.run(&["init", "--schema", "bad.toml"]);
    let line = SHOP.lines().count() + PROFILE.lines().count() + 3;
    let expected = format!("tidal: bad.toml: line {line}, profile \"b\": at character 4: ");
    assert!(ran.stderr.starts_with(&expected), "{expected} is not in {ran:#?}");
}

#[test]
fn what_cannot_be_ranked_is_refused() {
    let bench = shop();
    bench.write("no.json", b"{\"limit\": 3}");
    bench.write("odd.json", b"{\"by\": \"1\", \"colour\": 3}");
    for (args, code, expected) in [
        (["rank"].as_slice(), 2, "<PROFILE|--query <FILE>|--by <SCORE>>"),
        (&["rank", "front", "--by", "1"], 2, "cannot be used with"),
        (&["rank", "--query", "no.json", "--by", "1"], 2, "cannot be used with"),
        (&["rank", "front", "--limit", "0"], 2, "from 1 to 10,000"),
        (&["rank", "front", "--limit", "10001"], 2, "from 1 to 10,000"),
        (&["rank", "front", "--at-most", "2"], 2, "divided by a colon"),
        (&["rank", "front", "--at-most", "0:maker"], 2, "1 or more"),
        (&["rank", "front", "--seed", "x"], 2, "not a number"),
        (&["rank", "front", "--at", "soon"], 2, "soon"),
        (&["rank", "front", "--kind", "thing"], 2, "a kind is item, user or creator"),
        (&["rank", "hot"], 1, "no profile \"hot\"; there are front; declare it"),
        (&["rank", "--query", "missing.json"], 1, "missing.json"),
        (&["rank", "--query", "no.json"], 1, "no.json: the query is not understood"),
        (&["rank", "--query", "odd.json"], 1, "colour"),
        (&["rank", "--by", "score(fame)"], 1, "no signal type \"fame\""),
        (&["rank", "--by", "count(view, 7d)"], 1, "7d"),
        (&["rank", "--by", "weight"], 1, "no attribute \"weight\""),
        (&["rank", "front", "--filter", "colour = 'red'"], 1, "no attribute \"colour\""),
        (&["rank", "front", "--filter", "price = 'red'"], 1, "price"),
        (&["rank", "front", "--for-user", "nobody"], 1, "no user \"nobody\""),
        (&["rank", "front", "--unseen-by", "view"], 1, "say for whom"),
        (&["rank", "front", "--at-most", "1:colour"], 1, "no attribute \"colour\""),
        (&["rank", "front", "--at", "1970-01-02T00:00:43Z"], 1, "--at last"),
    ] {
        let ran = bench.run(args).fails(code, expected);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{ran:#?}");
    }
}

/// The most rated dramas, counted here from the files.
#[test]
fn movietweetings_by_genre() {
    let Some(dir) = real_data("movietweetings-100k") else { return };
    let bench = Bench::empty();
    let schema = "[[signal]]\nname = \"rating\"\ndecay = { half_life = \"30d\" }\nwindows = [\"all\"]\n\
        [[attribute]]\nname = \"genres\"\ntype = \"keywords\"\n\
        [[attribute]]\nname = \"title\"\ntype = \"keyword\"\n";
    bench.write("schema.toml", schema.as_bytes());
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    let read = |name: &str| {
        BufReader::new(MultiGzDecoder::new(File::open(dir.join(name)).unwrap())).lines()
    };
    let mut movies = csv::Writer::from_path(bench.path("movies.csv")).unwrap();
    movies.write_record(["id", "title", "genres"]).unwrap();
    let mut dramas = HashMap::new();
    for line in read("movies.dat.gz") {
        let line = line.unwrap();
        let fields: Vec<&str> = line.split("::").collect();
        movies.write_record(&fields).unwrap();
        if fields[2].split('|').any(|genre| genre == "Drama") {
            dramas.insert(fields[0].parse::<u64>().unwrap(), 0_u64);
        }
    }
    movies.flush().unwrap();
    let ratings = dir.join("ratings.dat.gz");
    let events = ["import", "--format", "csv", "--delimiter", ":", "--no-header", "--numeric-ids"];
    let columns = ["--signal", "rating", "--entity-column", "3", "--time-column", "7"];
    bench.run(&[&events[..], &columns, &[ratings.to_str().unwrap()]].concat()).ok();
    let args = ["--json", "import-attributes", "--entity-column", "id", "--separator", "|"];
    let value = bench.run(&[&args[..], &["movies.csv"]].concat()).ok().json();
    assert_eq!(value["rejected"], 0, "{value}");
    for line in read("ratings.dat.gz") {
        let movie: u64 = line.unwrap().split("::").nth(1).unwrap().parse().unwrap();
        dramas.entry(movie).and_modify(|count| *count += 1);
    }
    let mut expected: Vec<(u64, u64)> =
        dramas.into_iter().filter(|(_, count)| *count > 0).collect();
    expected.sort_by_key(|(movie, count)| (std::cmp::Reverse(*count), *movie));
    let by = ["--by", "count(rating, all)", "--filter", "genres = 'Drama'", "--json"];
    let value = rank(&bench, &[&by[..], &["--limit", "100"]].concat()).ok().json();
    let found: Vec<(u64, u64)> = value["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_u64().unwrap(), one["value"].as_f64().unwrap() as u64))
        .collect();
    assert_eq!(found, expected[..100]);
}
