use std::io::Cursor;

use super::*;

fn columns() -> Columns<String> {
    Columns {
        entity: "e".into(),
        time: Some("t".into()),
        signal: None,
        weight: Some("w".into()),
        actor: Some("e".into()),
    }
}

fn open(text: &str) -> JsonRows {
    JsonRows::open(Box::new(Cursor::new(text.as_bytes().to_vec())), &columns()).unwrap()
}

fn one(line: &str) -> Result<[String; 4], String> {
    let mut rows = open(line);
    let row = rows.next_row().unwrap().unwrap();
    row.fields.map(|fields| {
        [fields.entity, fields.time, fields.weight, fields.actor]
            .map(|field| String::from_utf8(field.to_vec()).unwrap())
    })
}

#[test]
fn strings_and_numbers_are_taken_as_they_are_written() {
    let fields = |texts: [&str; 4]| Ok(texts.map(str::to_owned));
    assert_eq!(
        one(r#"{"e":"a","t":1700000000,"w":-2.50}"#),
        fields(["a", "1700000000", "-2.50", "a"])
    );
    assert_eq!(one(r#"{"e":17850.0,"t":"x","w":null}"#), fields(["17850.0", "x", "", "17850.0"]));
    assert_eq!(
        one(r#"{"e":123456789012345678901234567890}"#),
        fields(["123456789012345678901234567890", "", "", "123456789012345678901234567890"])
    );
    assert_eq!(
        one(r#" { "other":{"e":[1]}, "\u0065" : "a\"\u00e9\n" } "#),
        fields(["a\"\u{e9}\n", "", "", "a\"\u{e9}\n"])
    );
}

#[test]
fn what_is_no_plain_object_is_refused() {
    let cases = [
        (r#"{"e":["a"]}"#, "neither a string nor a number"),
        (r#"{"e":{"x":1}}"#, "neither a string nor a number"),
        (r#"{"e":true}"#, "neither a string nor a number"),
        (r#"{"e":"a","e":"b"}"#, "twice"),
        (r#"["a"]"#, "a JSON object"),
        (r#"{"e":"a""#, "not a JSON object"),
        (r#"{"e":"a"} x"#, "trailing"),
        (r#"{"e":01}"#, "not a JSON object"),
        ("e,t,w", "not a JSON object"),
    ];
    for (line, expected) in cases {
        let problem = one(line).unwrap_err();
        assert!(problem.contains(expected), "{line} gave {problem}");
        assert!(!problem.contains('\n'));
    }
}

#[test]
fn invalid_utf_8_is_refused() {
    let source = Box::new(Cursor::new(b"{\"e\":\"caf\xe9\"}\n".to_vec()));
    let mut rows = JsonRows::open(source, &columns()).unwrap();
    assert!(rows.next_row().unwrap().unwrap().fields.is_err());
}

#[test]
fn lines_are_counted_and_empty_ones_skipped() {
    let mut rows = open("\u{feff}{\"e\":1}\r\n\n  \nbroken\n{\"e\":2}");
    let mut lines = Vec::new();
    while let Some(row) = rows.next_row().unwrap() {
        lines.push((row.line, row.raw.to_vec(), row.fields.is_ok()));
    }
    assert_eq!(
        lines,
        [
            (1, b"{\"e\":1}\r\n".to_vec(), true),
            (4, b"broken\n".to_vec(), false),
            (5, b"{\"e\":2}".to_vec(), true)
        ]
    );
    assert_eq!(rows.never_seen(), ["t", "w"]);
}
