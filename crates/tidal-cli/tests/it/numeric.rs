//! Kinds whose ids the application chose.

use serde_json::{Value, json};

use crate::runner::{Bench, Ran};

const FILE: &[u8] = b"item,at,user\n42,1000,ada\n7,1001,bob\n42,1002,ada\n";

fn numbered() -> Bench {
    let bench = Bench::new();
    bench.write("f.csv", FILE);
    bench.import("f.csv", &["--numeric-ids", "--actor-column", "user"]).ok();
    bench
}

#[test]
fn the_flag_makes_a_kind_numeric_at_its_first_write() {
    let bench = numbered();
    let value = bench.run(&["--json", "get", "42", "--at", "last"]).ok().json();
    assert_eq!((&value["id"], &value["name"]), (&json!(42), &Value::Null));
    assert_eq!(value["signals"]["purchase"]["count"]["all"], 2);
    let top = bench.run(&["--json", "top", "purchase", "--at", "last"]).ok().json();
    assert_eq!(top["results"][0]["id"], 42);
    assert_eq!(top["results"][0]["name"], Value::Null);
    // Actors are users, and those have names.
    bench.run(&["get", "ada", "--kind", "user"]).ok();
}

#[test]
fn later_writes_need_no_flag_and_no_names() {
    let bench = numbered();
    bench.write("g.csv", b"item,at\n42,1003\nheart,1004\n18446744073709551615,1005\n");
    let ran = bench.import("g.csv", &["--reject", "bad.csv"]).ok();
    assert_eq!((&ran.json()["accepted"], &ran.json()["rejected"]), (&json!(2), &json!(1)));
    assert!(ran.stderr.contains("line 3") && ran.stderr.contains("\"heart\""), "{ran:?}");
    bench.run(&["signal", "view", "42", "--time", "last"]).ok();
    bench.run(&["put", "43", "metadata only"]).ok();
    bench.run(&["get", "43"]).ok();
    let unknown = bench.run(&["get", "44"]).fails(1, "no item 44 in this database");
    assert!(!unknown.stderr.contains("byte for byte"), "{unknown:?}");
    bench.run(&["get", "nobody", "--kind", "user"]).fails(1, "byte for byte");
    bench.run(&["get", "nobody", "--kind", "creator"]).fails(1, "no entity of that kind");
    bench.run(&["get", "heart"]).fails(1, "number");
    bench.run(&["signal", "view", "heart"]).fails(1, "number");
    assert_eq!(bench.count("purchase", "18446744073709551615"), 1);
}

#[test]
fn a_kind_with_names_stays_named() {
    let bench = Bench::new();
    bench.write("f.csv", FILE);
    bench.import("f.csv", &[]).ok();
    bench.import("f.csv", &["--numeric-ids"]).fails(1, "have names");
    // Digits are a name like any other.
    let value = bench.run(&["--json", "get", "42", "--at", "last"]).ok().json();
    assert_eq!((&value["id"], &value["name"]), (&json!(1), &json!("42")));
}

#[test]
fn bad_numbers_are_rejected_and_cost_nothing_else() {
    let bench = Bench::new();
    bench
        .write("f.csv", b"item,at\n1,1000\n-1,1000\n1.5,1000\n18446744073709551616,1000\n0,1000\n");
    let ran = bench.import("f.csv", &["--numeric-ids", "--reject", "bad.csv"]).ok();
    assert_eq!((&ran.json()["accepted"], &ran.json()["rejected"]), (&json!(2), &json!(3)));
    assert_eq!(bench.read("bad.csv"), "item,at\n-1,1000\n1.5,1000\n18446744073709551616,1000\n");
    assert_eq!(bench.count("purchase", "0"), 1);
}

#[test]
fn a_row_with_a_bad_actor_leaves_no_name_behind() {
    let bench = Bench::new();
    bench.write("schema.toml", b"[[signal]]\nname = \"visit\"\nkind = \"user\"\ndecay = \"permanent\"\n[[signal]]\nname = \"view\"\ndecay = \"permanent\"\n");
    let init = ["--db", "db2", "init", "--schema", "schema.toml"];
    Ran::of(&mut bench.command(&init)).ok();
    bench.write("users.csv", b"user\n1\n");
    let visits = [
        "--db",
        "db2",
        "import",
        "--signal",
        "visit",
        "--entity-column",
        "user",
        "--numeric-ids",
        "users.csv",
    ];
    Ran::of(&mut bench.command(&visits)).ok();
    bench.write("views.csv", b"item,user\ngood,1\nbad,ada\n");
    let views = [
        "--db",
        "db2",
        "import",
        "--signal",
        "view",
        "--entity-column",
        "item",
        "--actor-column",
        "user",
        "views.csv",
    ];
    Ran::of(&mut bench.command(&views)).fails(1, "1 of 2 rows");
    Ran::of(&mut bench.command(&["--db", "db2", "get", "good"])).ok();
    Ran::of(&mut bench.command(&["--db", "db2", "get", "bad"])).fails(1, "bad");
}
