//! Attributes: declared, set, imported, shown, refused.

use serde_json::{Value, json};

use crate::runner::{Bench, keys};

/// A signal type, and an attribute of each type on items.
pub(crate) const SHOP: &str = r#"
[[signal]]
name = "view"
decay = { half_life = "7d" }
windows = ["24h", "all"]
history = true

[[attribute]]
name = "language"
type = "keyword"
[[attribute]]
name = "tags"
type = "keywords"
[[attribute]]
name = "price"
type = "float"
[[attribute]]
name = "pages"
type = "integer"
[[attribute]]
name = "sold"
type = "boolean"
[[attribute]]
name = "released"
type = "timestamp"
[[attribute]]
name = "maker"
type = { entity = "creator" }
[[attribute]]
name = "country"
kind = "creator"
type = "keyword"
"#;

/// A database with these attributes and nothing in it.
pub(crate) fn shop() -> Bench {
    let bench = Bench::empty();
    bench.write("schema.toml", SHOP.as_bytes());
    bench.run(&["init", "--schema", "schema.toml"]).ok();
    bench
}

fn attributes(bench: &Bench, entity: &str) -> Value {
    bench.run(&["--json", "get", entity]).ok().json()["attributes"].clone()
}

#[test]
fn every_type_is_set_shown_and_removed() {
    let bench = shop();
    let ran = bench
        .run(&[
            "set",
            "film",
            "language=en",
            "tags=b, a,b",
            "price=2.55",
            "pages=-7",
            "sold=true",
            "released=2020-01-02T03:04:05Z",
            "maker=otter",
        ])
        .ok();
    assert!(ran.stdout.contains("item film (id 1): language = en; tags = a, b;"), "{ran:?}");
    let all = json!({
        "language": "en",
        "tags": ["a", "b"],
        "price": 2.55,
        "pages": -7,
        "sold": true,
        "released": "2020-01-02T03:04:05Z",
        "maker": { "id": 1, "name": "otter" },
    });
    assert_eq!(attributes(&bench, "film"), all);
    let ran = bench.run(&["get", "film"]).ok();
    for line in ["language: en", "tags: a, b", "price: 2.55", "maker: otter"] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line} is not in {ran:#?}");
    }
    let value = bench.run(&["--json", "set", "film", "price=", "pages=8"]).ok().json();
    assert_eq!(keys(&value), ["kind", "id", "attributes", "seq"]);
    assert_eq!(value["attributes"], json!({ "price": null, "pages": 8 }));
    let left = attributes(&bench, "film");
    assert_eq!((&left["price"], &left["pages"]), (&Value::Null, &json!(8)));
    assert_eq!(left["language"], "en");
    bench.run(&["set", "otter", "country=FR", "--kind", "creator"]).ok();
    let value = bench.run(&["--json", "get", "otter", "--kind", "creator"]).ok().json();
    assert_eq!(value["attributes"], json!({ "country": "FR" }));
}

#[test]
fn what_cannot_be_set_is_refused_and_leaves_no_name_behind() {
    let bench = shop();
    for (args, code, expected) in [
        (["film", "price=cheap"].as_slice(), 1, "price (float): \"cheap\" is not a finite number"),
        (&["film", "colour=red"], 1, "no attribute \"colour\"; they have language, tags"),
        (&["film", "country=FR"], 1, "no attribute \"country\""),
        (&["film", "language=en", "sold=perhaps"], 1, "not true or false"),
        (&["film", "maker=otter", "pages=1.5"], 1, "not a whole number"),
        (&["film", "price="], 1, "no item \"film\""),
        (&["film", "price"], 2, "\"price\" is not NAME=VALUE"),
        (&["film", "price=1", "price=2"], 2, "price is given twice"),
        (&["film"], 2, "NAME=VALUE"),
        (&["film", "price=1", "--kind", "thing"], 2, "a kind is item, user or creator"),
    ] {
        let ran = bench.run(&[&["set"], args].concat()).fails(code, expected);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{ran:#?}");
    }
    bench.run(&["get", "film"]).fails(1, "no item \"film\"");
    bench.run(&["get", "otter", "--kind", "creator"]).fails(1, "no creator \"otter\"");
}

#[test]
fn a_csv_brings_the_columns_that_are_called_like_attributes() {
    let bench = shop();
    bench.write_gz(
        "films.csv.gz",
        b"id,title,tags,price,maker\nup,Up,new|\"x,y\",5,pixar\n\"wall,e\",Wall-E,,6.5,pixar\n",
    );
    let import = |file: &str| {
        let args = ["--json", "import-attributes", "--entity-column", "id", "--separator", "|"];
        bench.run(&[&args[..], &[file]].concat())
    };
    // The quote begins within a field, and so is part of it; the comma is not.
    let ran = import("films.csv.gz").fails(1, "1 of 2 rows was rejected");
    assert!(ran.stderr.contains("line 2: 6 columns, and the header has 5"), "{ran:#?}");
    bench.write("films.csv", b"id,title,tags,price,maker\nup,Up,\"new|x,y\",5,pixar\n");
    let value = import("films.csv").ok().json();
    let expected = ["rows", "accepted", "rejected", "attributes", "seconds", "rows_per_second"];
    assert_eq!(keys(&value), expected);
    assert_eq!((&value["rows"], &value["accepted"]), (&json!(1), &json!(1)));
    assert_eq!(value["attributes"], json!(["tags", "price", "maker"]));
    let pixar = json!({ "id": 1, "name": "pixar" });
    let up = json!({ "tags": ["new", "x,y"], "price": 5.0, "maker": pixar });
    assert_eq!(attributes(&bench, "up"), up);
    assert_eq!(attributes(&bench, "wall,e"), json!({ "price": 6.5, "maker": pixar }));
    // An empty field takes away; other columns stay.
    bench.write("more.csv", b"id,price\nup,\n");
    let ran = bench.run(&["import-attributes", "--entity-column", "id", "more.csv"]).ok();
    assert!(ran.stdout.starts_with("1 row with price in "), "{ran:?}");
    let up = json!({ "tags": ["new", "x,y"], "maker": pixar });
    assert_eq!(attributes(&bench, "up"), up);
}

/// The numbers of forgotten items are never used again, which the database says at the commit.
/// G116
#[test]
fn a_row_that_is_refused_at_the_commit_takes_no_other_with_it() {
    let bench = shop();
    let rows: String = (1..=40).map(|id| format!("{id},{id}\n")).collect();
    bench.write("items.csv", format!("id,pages\n{rows}").as_bytes());
    let args = ["import-attributes", "--entity-column", "id", "--numeric-ids", "--json"];
    let import = || bench.run(&[&args[..], &["items.csv"]].concat());
    let checksum = || bench.run(&["--json", "stats"]).ok().json()["checksum"].clone();
    import().ok();
    let before = checksum();
    import().ok();
    assert_eq!(checksum(), before);
    bench.run(&["forget", "item", "7", "31", "--yes"]).ok();
    let ran = import().fails(1, "2 of 40 rows were rejected");
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert!(said[0].starts_with("tidal: line 8: ") && said[1].starts_with("tidal: line 32: "));
    assert_eq!(ran.json()["accepted"], 38);
    for id in (1..=40).filter(|id| ![7, 31].contains(id)) {
        assert_eq!(attributes(&bench, &id.to_string()), json!({ "pages": id }));
    }
}

/// G116
#[test]
fn json_lines_may_hold_lists_and_booleans() {
    let bench = shop();
    let lines = [
        r#"{"id":"up","tags":["a","b,c",7],"sold":true,"price":5}"#,
        r#"{"id":"up","price":null}"#,
        r#"{"id":"down","tags":{"a":1}}"#,
        r#"{"id":"down","price":[1]}"#,
        r#"{"id":"down","price":1,"price":2}"#,
    ];
    bench.write("films.jsonl", lines.join("\n").as_bytes());
    let args = ["import-attributes", "--entity-column", "id", "films.jsonl"];
    let ran = bench.run(&[&args[..], &["--reject", "bad.jsonl", "--json"]].concat()).ok();
    assert_eq!(ran.json()["rejected"], 3);
    let said: Vec<&str> = ran.stderr.lines().collect();
    for (line, expected) in said.iter().zip([
        "line 3: the key \"tags\" holds an object",
        "line 4: price (float): a list is for attributes of type keywords",
        "line 5: the key \"price\" is there twice",
    ]) {
        assert!(line.contains(expected), "{line:?} lacks {expected:?}");
    }
    assert_eq!(bench.read("bad.jsonl"), format!("{}\n", lines[2..].join("\n")));
    assert_eq!(attributes(&bench, "up"), json!({ "tags": ["7", "a", "b,c"], "sold": true }));
    bench.run(&["get", "down"]).fails(1, "no item \"down\"");
}

#[test]
fn columns_may_be_chosen_and_be_numbers() {
    let bench = shop();
    let args = ["import-attributes", "--no-header", "--numeric-ids", "--entity-column", "1"];
    let columns = ["--columns", "language=3,pages=2", "-"];
    bench.pipe(&[&args[..], &columns].concat(), b"7,100,en\n8,200,fr\n").ok();
    assert_eq!(attributes(&bench, "7"), json!({ "language": "en", "pages": 100 }));
    assert_eq!(attributes(&bench, "8"), json!({ "language": "fr", "pages": 200 }));
    let ran = bench.pipe(&[&args[..], &columns].concat(), b"x,1,en\n9,1\n").fails(1, "2 of 2 rows");
    assert!(ran.stderr.contains("line 1: \"x\" is not a number"), "{ran:?}");
    assert!(ran.stderr.contains("line 2: 2 columns, and column 3 is asked for"), "{ran:?}");
}

#[test]
fn an_import_that_makes_no_sense_is_refused() {
    let bench = shop();
    bench.write("films.csv", b"id,title\nup,Up\n");
    let base = ["import-attributes", "--entity-column", "id"];
    for (args, code, expected) in [
        (["films.csv"].as_slice(), 1, "no column that is called like an attribute (language, tags"),
        (&["--columns", "price=title", "films.csv"], 1, "1 of 1 row was rejected"),
        (&["--columns", "price=cost", "films.csv"], 1, "no column \"cost\" in the header"),
        (&["--columns", "colour=title", "films.csv"], 1, "no attribute \"colour\""),
        (&["--kind", "user", "films.csv"], 1, "entities of kind user have no attributes"),
        (&["--columns", "price", "films.csv"], 2, "divided by ="),
        (&["--columns", "price=a,price=b", "films.csv"], 2, "--columns has price twice"),
        (&["--separator", "ab", "films.csv"], 2, "one byte"),
        (&["--no-header", "films.csv"], 2, "a number from 1"),
        (&["--reject", "-", "films.csv"], 2, "standard output carries data"),
        (&["--reject", "films.csv", "films.csv"], 1, "--reject would overwrite"),
        (&["missing.csv"], 1, "missing.csv"),
    ] {
        bench.run(&[&base[..], args].concat()).fails(code, expected);
    }
    let numbers = ["import-attributes", "--no-header", "--entity-column", "1", "films.csv"];
    bench.run(&numbers).fails(2, "columns have no names");
    bench.run(&["get", "up"]).fails(1, "no item \"up\"");
}

#[test]
fn a_schema_takes_up_attributes_and_profiles() {
    let bench = Bench::new();
    let with = |more: &str| format!("{}\n{more}", crate::runner::SCHEMA);
    let first = "[[attribute]]\nname = \"price\"\ntype = \"float\"\n\n[profile.front]\nby = \"score(view)\"\nlimit = 5\n";
    bench.write("more.toml", with(first).as_bytes());
    let ran = bench.run(&["init", "--schema", "more.toml"]).ok();
    for line in [
        "attribute price (item): type \"float\"",
        "profile front: {\"by\":\"score(view)\",\"limit\":5}",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown.trim() == line), "{line} is not in {ran:#?}");
    }
    assert!(!ran.stdout.contains("signal view"), "{ran:#?}");
    assert!(bench.run(&["init", "--schema", "more.toml"]).ok().stdout.contains("nothing to do"));
    // A profile may change, an attribute may not.
    bench.write("changed.toml", with(&first.replace("= 5", "= 6")).as_bytes());
    let value = bench.run(&["--json", "init", "--schema", "changed.toml"]).ok().json();
    assert_eq!(
        (&value["added_attributes"], &value["changed_profiles"]),
        (&json!([]), &json!(["front"]))
    );
    let schema = bench.run(&["--json", "stats"]).ok().json()["schema"].clone();
    assert_eq!(
        schema,
        json!({
            "signals": ["purchase", "view", "follow"],
            "attributes": [{ "kind": "item", "name": "price", "type": "float" }],
            "profiles": { "front": { "by": "score(view)", "limit": 6 } },
        })
    );
    assert!(bench.run(&["stats"]).ok().stdout.contains("front"));
    for (from, to, expected) in [
        ("\"float\"", "{ entity = \"user\" }", "type = \"float\" in the database"),
        (
            "\"price\"",
            "\"cost\"",
            "\"price\" of kind item is in the database and cannot be removed",
        ),
    ] {
        bench.write("refused.toml", with(&first.replace(from, to)).as_bytes());
        bench.run(&["init", "--schema", "refused.toml"]).fails(1, expected);
    }
    let unknown = with("[profile.front]\nby = \"score(fame)\"\n")
        .replace("[profile", &format!("{}[profile", first.split("[profile").next().unwrap()));
    bench.write("refused.toml", unknown.as_bytes());
    bench.run(&["init", "--schema", "refused.toml"]).fails(1, "profile \"front\" of the schema");
}
