//! What is asked of the log: `--retain`, `verify --deep`, `replay`, `diff`.

use crate::runner::{Bench, SCHEMA, keys};

fn fed() -> Bench {
    let bench = Bench::new();
    let mut rows = String::from("item,at\n");
    for number in 0..200 {
        let (item, hour) = (number * number % 17, number % 24);
        rows.push_str(&format!("item-{item},2024-05-{:02}T{hour:02}:00:00Z\n", 1 + number % 28));
    }
    bench.write("rows.csv", rows.as_bytes());
    bench.import("rows.csv", &[]).ok();
    bench.run(&["signal", "follow", "ann", "--time", "last"]).ok();
    bench
}

/// G75
#[test]
fn how_long_the_log_is_kept_is_chosen_once() {
    let bench = Bench::empty();
    let init = ["init", "--schema", "schema.toml"];
    let retain =
        |bench: &Bench| bench.run(&["stats", "--json"]).ok().json()["log"]["retain"].clone();
    bench.run(&init).ok();
    assert_eq!(retain(&bench), "forever");
    for choice in ["30d", "until-checkpoint", "36h", "forever"] {
        bench.run(&[&init[..], &["--retain", choice]].concat()).ok();
        bench.run(&init).ok();
        assert_eq!(retain(&bench), choice);
    }
    let ran = bench.run(&[&init[..], &["--retain", "month"]].concat());
    ran.fails(2, "forever or until-checkpoint");
    let text = bench.run(&["stats"]).ok().stdout;
    assert!(text.contains("log kept") && text.contains("log per million"), "{text}");
}

/// G76
#[test]
fn a_deep_verification_makes_the_state_again() {
    let bench = fed();
    let checksum = bench.run(&["stats", "--json"]).ok().json()["checksum"].clone();
    let plain = bench.run(&["verify", "--json"]).ok().json();
    assert!(plain.get("state").is_none());
    let deep = bench.run(&["verify", "--deep", "--json"]).ok().json();
    let state = &deep["state"];
    assert_eq!((&state["recomputed"], &state["stored"]), (&checksum, &checksum));
    let expected =
        ["ok", "from", "through", "recomputed", "stored", "differences", "exact", "first"];
    assert_eq!(keys(state), expected);
    let text = bench.run(&["verify", "--deep", "--scratch", "work"]).ok().stdout;
    assert!(text.contains("state ok: records 1 to"), "{text}");
    assert!(!bench.path("work").exists());
    bench.run(&["verify", "--scratch", "work"]).fails(2, "--deep");
    bench.run(&["verify", "--deep", "--scratch", "."]).fails(1, "not empty");
    // Without storage there is nothing to compare with.
    std::fs::remove_dir_all(bench.path("db/storage")).unwrap();
    let ran = bench.run(&["verify", "--deep", "--json"]).ok().json();
    assert_eq!(ran["state"]["stored"], serde_json::Value::Null);
}

/// G77 and G79: another half-life makes another ranking, and what moved is shown.
#[test]
fn what_if_is_a_database_beside_the_first() {
    let bench = fed();
    bench.write("fast.toml", SCHEMA.replace("half_life = \"7d\"", "half_life = \"1h\"").as_bytes());
    let before = bench.run(&["stats", "--json"]).ok().json()["checksum"].clone();
    let made =
        bench.run(&["replay", "--schema", "fast.toml", "--to", "fast", "--json"]).ok().json();
    let told = ["made", "engine", "records", "events", "written", "checksum", "left_out"];
    assert_eq!(keys(&made), [told.as_slice(), &["attributes_left_out"]].concat());
    assert_eq!(made["attributes_left_out"], 0);
    assert_eq!((&made["events"], &made["left_out"]), (&201.into(), &serde_json::json!({})));
    assert_eq!(bench.run(&["stats", "--json"]).ok().json()["checksum"], before);
    bench.run(&["replay", "--schema", "fast.toml", "--to", "fast"]).fails(1, "fast");
    let diff = |args: &[&str]| {
        let output = bench.command(&[&["diff"], args].concat()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text, said)
    };
    let (code, text, _) = diff(&["db", "fast", "--signal", "purchase", "--top", "5", "--json"]);
    assert_eq!(code, Some(0));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let purchase = &value["diffs"][0];
    let sides = purchase["in_both"].as_u64().unwrap() + purchase["left"].as_u64().unwrap();
    assert_eq!(sides, 5);
    let tau = purchase["kendall_tau"].as_f64();
    assert!(tau.is_none_or(|tau| (-1.0..=1.0).contains(&tau)));
    let (_, same, _) = diff(&["db", "db2"]);
    assert!(same.is_empty());
    let (code, text, _) = diff(&["db", "fast"]);
    assert!(code == Some(0) && text.contains("Kendall's tau") && text.contains("purchase at"));
    assert!(text.contains("follow at"), "{text}");
    let (code, _, said) = diff(&["db", "fast", "--signal", "purchase", "--by", "count"]);
    assert!(code == Some(2) && said.contains("--window"), "{said}");
    let (code, _, said) = diff(&["--db", "db", "db", "fast"]);
    assert!(code == Some(2) && said.contains("--db"), "{said}");
}

/// G77: what the new schema lacks is counted by name.
#[test]
fn what_a_schema_lacks_is_left_out_and_counted() {
    let bench = fed();
    let only = "[[signal]]\nname = \"follow\"\nkind = \"creator\"\ndecay = \"permanent\"\n";
    bench.write("only.toml", only.as_bytes());
    let ran = bench.run(&["replay", "--schema", "only.toml", "--to", "only", "--json"]).ok();
    let made = ran.json();
    assert_eq!(made["left_out"], serde_json::json!({ "purchase": 200 }));
    assert_eq!(made["events"], 1);
    let text = bench.run(&["replay", "--schema", "only.toml", "--to", "again"]).ok().stdout;
    assert!(text.contains("200 of purchase"), "{text}");
}
