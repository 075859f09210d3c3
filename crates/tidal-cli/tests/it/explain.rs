//! `tidal explain`, as a table and as JSON.

use serde_json::{Value, json};

use crate::runner::{Bench, keys};

/// Six purchases of one item and one of another; the newest at 2011-12-09T12:00:00Z.
fn shop() -> Bench {
    let bench = Bench::new();
    let mut sales = String::from("item,at,n\n71053,2011-12-09T12:00:00Z,-1\n");
    for (day, weight) in [(3, 1), (4, 2), (5, 3), (6, 4), (7, 5), (9, -6)] {
        sales.push_str(&format!("85123A,2011-12-0{day}T12:00:00Z,{weight}\n"));
    }
    bench.write("sales.csv", sales.as_bytes());
    bench.import("sales.csv", &["--weight-column", "n"]).ok();
    bench
}

fn contributions(value: &Value) -> Vec<f64> {
    let parts = value["parts"].as_array().unwrap();
    parts.iter().map(|part| part["contribution"].as_f64().unwrap()).collect()
}

#[test]
fn a_score_is_taken_apart_and_sums_up_g71() {
    let bench = shop();
    let value = bench.run(&["explain", "purchase", "71053", "--at", "last", "--json"]).ok().json();
    let expected = [
        "signal", "kind", "id", "name", "at", "score", "sum", "events", "grouped", "parts",
        "windows",
    ];
    assert_eq!(keys(&value), expected);
    assert_eq!((&value["score"], &value["sum"]), (&json!(-1.0), &json!(-1.0)));
    let part = json!({
        "part": "event",
        "from": "2011-12-09T12:00:00Z",
        "to": "2011-12-09T12:00:00Z",
        "events": 1,
        "weight": -1.0,
        "factor": 1.0,
        "contribution": -1.0,
    });
    assert_eq!(value["parts"], json!([part]));
    assert_eq!(value["windows"]["7d"], json!({ "count": 1, "whole": 1, "divided": null }));
    let value = bench.run(&["explain", "purchase", "85123A", "--at", "last", "--json"]).ok().json();
    assert_eq!((&value["parts"][0]["part"], &value["events"]), (&json!("decayed sum"), &json!(6)));
    assert_eq!(value["windows"]["all"]["count"], 6);
}

#[test]
fn the_log_shows_every_event_sorted_by_contribution_g72() {
    let bench = shop();
    let from_log = ["explain", "purchase", "85123A", "--at", "last", "--from-log", "--json"];
    let value = bench.run(&from_log).ok().json();
    let found = contributions(&value);
    assert_eq!(found.len(), 6);
    assert!(found.windows(2).all(|pair| pair[0] >= pair[1]), "{found:?}");
    assert_eq!(found.last(), Some(&-6.0));
    let sum: f64 = found.iter().sum();
    assert!((sum - value["score"].as_f64().unwrap()).abs() < 1e-9);
    let value = bench.run(&[&from_log[..], &["--parts", "2"]].concat()).ok().json();
    assert_eq!(value["grouped"]["events"], 6);
    assert!(value["parts"].as_array().unwrap().len() <= 2);
}

#[test]
fn a_person_is_shown_the_same() {
    let bench = shop();
    let ran = bench.run(&["explain", "purchase", "85123A", "--at", "last", "--from-log"]).ok();
    for expected in [
        "purchase of item 85123A at 2011-12-09T12:00:00Z: ",
        "6 events, halved every 168.00 h",
        "contribution",
        "\nsum ",
        "divided bucket",
    ] {
        assert!(ran.stdout.contains(expected), "{ran:#?}");
    }
    let ran = bench.run(&["explain", "view", "85123A", "--at", "last"]).ok();
    assert!(ran.stdout.contains(": 0\n0 events, fading evenly over 720.00 h"), "{ran:#?}");
}

#[test]
fn who_is_unknown_and_what_is_past_are_refused() {
    let bench = shop();
    bench.run(&["explain", "purchase", "nobody"]).fails(1, "no item \"nobody\"");
    bench.run(&["explain", "shout", "85123A"]).fails(1, "no signal type \"shout\"");
    let past = ["explain", "purchase", "85123A", "--at", "2011-12-01T00:00:00Z"];
    bench.run(&past).fails(1, "--at last");
}
