use std::io::Cursor;

use proptest::prelude::*;

use super::super::buffer::Dribble;
use super::*;

/// What a reader made of a file: for each row its line and its fields or the
/// reason against it.
type Read = Vec<(u64, Result<Vec<String>, String>)>;

fn columns(names: [&str; 5]) -> Columns<String> {
    let [entity, time, signal, weight, actor] = names.map(str::to_owned);
    let given = |name: String| Some(name).filter(|name| !name.is_empty());
    Columns {
        entity,
        time: given(time),
        signal: given(signal),
        weight: given(weight),
        actor: given(actor),
    }
}

fn drain(mut rows: CsvRows) -> Read {
    let mut read = Vec::new();
    while let Some(row) = rows.next_row().unwrap() {
        let fields = row.fields.map(|fields| {
            [fields.entity, fields.time]
                .iter()
                .map(|field| String::from_utf8_lossy(field).into_owned())
                .collect()
        });
        read.push((row.line, fields));
    }
    read
}

/// Reads a file with the columns `e` and `t`, once in one piece and once byte
/// by byte.
fn read(text: &str) -> Read {
    let open = |source: Box<dyn io::Read>| {
        CsvRows::open(source, Delimiter::COMMA, true, &columns(["e", "t", "", "", ""])).unwrap()
    };
    let whole = drain(open(Box::new(Cursor::new(text.as_bytes().to_vec()))));
    let dribbled = drain(open(Box::new(Dribble(text.as_bytes().to_vec()))));
    assert_eq!(whole, dribbled);
    whole
}

fn good(line: u64, fields: [&str; 2]) -> (u64, Result<Vec<String>, String>) {
    (line, Ok(fields.map(str::to_owned).to_vec()))
}

#[test]
fn fields_are_found_by_name_and_stay_as_they_are() {
    assert_eq!(
        read("t,x,e\n1,,a\n2,y, B \n,,\n"),
        [good(2, ["a", "1"]), good(3, [" B ", "2"]), good(4, ["", ""])]
    );
}

#[test]
fn quotes_hold_delimiters_quotes_and_line_breaks() {
    assert_eq!(
        read(
            "e,t\n\"a,b\",1\n\"say \"\"hi\"\"\",2\n\"two\nlines\",3\n\"\",4\n5\" pipe,5\n\"\"\"\",\"\"\n"
        ),
        [
            good(2, ["a,b", "1"]),
            good(3, ["say \"hi\"", "2"]),
            good(4, ["two\nlines", "3"]),
            good(6, ["", "4"]),
            good(7, ["5\" pipe", "5"]),
            good(8, ["\"", ""]),
        ]
    );
}

#[test]
fn line_breaks_come_in_two_kinds_and_the_last_may_be_missing() {
    for end in ["", "\n", "\r\n"] {
        let text = format!("\u{feff}e,t\r\na,1\r\n\r\n\n\"b\",\"2\"\r\nc,3{end}");
        assert_eq!(read(&text), [good(2, ["a", "1"]), good(5, ["b", "2"]), good(6, ["c", "3"])]);
    }
}

#[test]
fn a_row_of_another_width_is_refused() {
    let read = read("e,t\na\nb,1,x\nc,2\n\"d\ne\"\n");
    let problem = |place: usize| read[place].1.clone().unwrap_err();
    assert_eq!(problem(0), "1 columns, and the header has 2");
    assert_eq!(problem(1), "3 columns, and the header has 2");
    assert_eq!(read[2], good(4, ["c", "2"]));
    assert!(problem(3).contains("ends on line 6"), "{}", problem(3));
}

#[test]
fn reading_goes_on_behind_a_broken_quote() {
    let read = read("e,t\na,1\n\"b,2\nc,\"3\"\n\"d\"e,4\nf,5\n\"g,6\n");
    let lines: Vec<_> = read.iter().map(|(line, fields)| (*line, fields.is_ok())).collect();
    assert_eq!(lines, [(2, true), (3, false), (4, true), (5, false), (6, true), (7, false)]);
    assert_eq!(read[2], good(4, ["c", "3"]));
}

#[test]
fn a_quote_that_is_never_closed_costs_one_row() {
    let rest = "x,1\n".repeat(10_000);
    let read = read_whole(&format!("e,t\n\"a,0\n{rest}"));
    assert_eq!(read.len(), 10_001);
    assert!(read[0].1.is_err());
    assert!(read[1..].iter().all(|(_, fields)| fields.is_ok()));
}

fn read_whole(text: &str) -> Read {
    let source = Box::new(Cursor::new(text.as_bytes().to_vec()));
    drain(CsvRows::open(source, Delimiter::COMMA, true, &columns(["e", "t", "", "", ""])).unwrap())
}

#[test]
fn rows_are_handed_back_byte_for_byte() {
    let lines = ["e,t\r\n", "\"a\nb\",1\r\n", "\"broken,1\n", "c", ",", "2"];
    let text = lines.concat();
    let source = Box::new(Cursor::new(text.clone().into_bytes()));
    let mut rows =
        CsvRows::open(source, Delimiter::COMMA, true, &columns(["e", "", "", "", ""])).unwrap();
    let mut raw = rows.header().to_vec();
    while let Some(row) = rows.next_row().unwrap() {
        raw.extend_from_slice(row.raw);
    }
    assert_eq!(String::from_utf8(raw).unwrap(), text);
}

#[test]
fn without_a_header_columns_are_numbers() {
    let open = |text: &str, columns| {
        CsvRows::open(
            Box::new(Cursor::new(text.as_bytes().to_vec())),
            Delimiter::parse(" ").unwrap(),
            false,
            &columns,
        )
    };
    let read = drain(open("1 4 100\n3 5 200 more\n6\n", columns(["2", "3", "", "", ""])).unwrap());
    assert_eq!(read[0], good(1, ["4", "100"]));
    assert_eq!(read[1], good(2, ["5", "200"]));
    assert_eq!(read[2], (3, Err("1 columns, and column 3 is asked for".into())));
    assert!(drain(open("", columns(["1", "", "", "", ""])).unwrap()).is_empty());
    assert!(open("a b\n", columns(["e", "", "", "", ""])).unwrap_err().is_usage());
}

#[test]
fn a_header_must_be_readable() {
    let open = |text: &str| {
        let source = Box::new(Cursor::new(text.as_bytes().to_vec()));
        CsvRows::open(source, Delimiter::COMMA, true, &columns(["e", "", "", "", ""])).map(drain)
    };
    assert!(open("").unwrap_err().message().contains("empty"));
    assert!(open("\"e,t").unwrap_err().message().contains("line 1"));
    assert!(open("x,y\n").unwrap_err().message().contains(r#""x", "y""#));
    assert_eq!(open("\"e\",t\n").unwrap(), []);
}

#[test]
fn names_need_not_be_text() {
    let source = Box::new(Cursor::new(b"e\ncaf\xe9\n".to_vec()));
    let mut rows =
        CsvRows::open(source, Delimiter::COMMA, true, &columns(["e", "", "", "", ""])).unwrap();
    let row = rows.next_row().unwrap().unwrap();
    assert_eq!(row.fields.unwrap().entity, b"caf\xe9");
}

proptest! {
    /// Whatever the csv crate writes is read back as it was.
    #[test]
    fn what_the_csv_crate_writes_is_read_back(
        rows in prop::collection::vec(prop::array::uniform2("[a ,\"\r\n\u{e9}]{0,6}"), 0..12),
        always in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().quote_style(style).terminator(terminator).from_writer(Vec::new());
        writer.write_record(["e", "t"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let fields: Vec<Vec<String>> = read(&text).into_iter().map(|(_, fields)| fields.unwrap()).collect();
        let expected: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
        prop_assert_eq!(fields, expected);
    }

    /// Any bytes at all are split into rows that add up to the input, with true
    /// line numbers.
    #[test]
    fn no_byte_is_lost_and_lines_are_counted(text in "[a,\"\r\n]{0,40}") {
        let source = Box::new(Dribble(text.clone().into_bytes()));
        let mut rows = CsvRows::open(source, Delimiter::COMMA, false, &columns(["1", "", "", "", ""])).unwrap();
        let (mut seen, mut line) = (String::new(), 0);
        while let Some(row) = rows.next_row().unwrap() {
            let raw = String::from_utf8(row.raw.to_vec()).unwrap();
            let place = text[seen.len()..].find(&raw).unwrap() + seen.len();
            prop_assert!(text[seen.len()..place].chars().all(|skipped| "\r\n".contains(skipped)));
            seen = text[..place].to_owned();
            prop_assert_eq!(row.line, 1 + seen.matches('\n').count() as u64);
            prop_assert!(row.line > line);
            line = row.line;
            seen.push_str(&raw);
        }
        prop_assert!(text[seen.len()..].chars().all(|skipped| "\r\n".contains(skipped)));
    }
}
