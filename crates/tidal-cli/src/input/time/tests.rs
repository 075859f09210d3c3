use super::*;

const NOON: u64 = 1_323_435_000;

fn read(format: &str, text: &str) -> Result<u64, String> {
    TimeFormat::parse(format).unwrap().read(text).map(Timestamp::as_nanos)
}

fn auto(text: &str) -> Result<u64, String> {
    TimeFormat::SecondsOrRfc3339.read(text).map(Timestamp::as_nanos)
}

#[test]
fn without_a_format_integers_are_seconds_and_the_rest_is_rfc_3339() {
    let noon = Ok(NOON * 1_000_000_000);
    for text in [
        "1323435000",
        "2011-12-09T12:50:00Z",
        "2011-12-09t12:50:00z",
        "2011-12-09 12:50:00",
        "2011-12-09T12:50:00",
        "2011-12-09 12:50",
        "2011-12-09T13:50:00+01:00",
        "2011-12-09 07:50:00-05:00",
        "2011-12-09T12:50:00.000Z",
    ] {
        assert_eq!(auto(text), noon, "{text}");
    }
    assert_eq!(auto("2011-12-09"), Ok((NOON - 12 * 3600 - 50 * 60) * 1_000_000_000));
    assert_eq!(auto("0"), Ok(0));
    assert_eq!(auto("1970-01-01T00:00:00.000000001Z"), Ok(1));
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "soon",
        "12.5",
        "1e9",
        "2011-13-09",
        "2011-02-30T00:00:00Z",
        "2011-12-09T25:00:00Z",
        "12:50:00",
        "-",
    ] {
        assert!(auto(text).is_err(), "{text}");
    }
}

#[test]
fn times_outside_the_range_are_refused() {
    for text in [
        "-1",
        "1969-12-31T23:59:59Z",
        "2555-01-01T00:00:00Z",
        "18446744074",
        "99999999999999999999",
    ] {
        assert!(auto(text).is_err(), "{text}");
    }
    assert_eq!(auto("18446744073"), Ok(18_446_744_073_000_000_000));
}

#[test]
fn unix_times_have_units_and_decimals() {
    assert_eq!(read("unix", "1.5"), Ok(1_500_000_000));
    assert_eq!(read("unix", "1.0000000019"), Ok(1_000_000_001));
    assert_eq!(read("unix-ms", "1500"), Ok(1_500_000_000));
    assert_eq!(read("unix-ms", "1500.25"), Ok(1_500_250_000));
    assert_eq!(read("unix-ns", "18446744073709551615"), Ok(u64::MAX));
    assert_eq!(read("unix-ns", "7.9"), Ok(7));
    for text in ["", "1.", ".5", "1e9", "-1", "-0.5", "0x10", " 1", "2011-12-09T12:50:00Z"] {
        assert!(read("unix", text).is_err(), "{text}");
    }
    assert!(read("unix-ns", "18446744073709551616").is_err());
    let problem = read("unix", "1700000000000000").unwrap_err();
    assert!(problem.contains("--time-format"), "{problem}");
}

#[test]
fn rfc_3339_alone_takes_no_integers() {
    assert!(read("rfc3339", "1323435000").is_err());
    assert_eq!(read("rfc3339", "2011-12-09T12:50:00Z"), Ok(NOON * 1_000_000_000));
}

#[test]
fn patterns_are_utc_unless_they_hold_a_zone() {
    let noon = Ok(NOON * 1_000_000_000);
    assert_eq!(read("%Y-%m-%d %H:%M:%S", "2011-12-09 12:50:00"), noon);
    assert_eq!(read("%d.%m.%Y %H:%M", "9.12.2011 12:50"), noon);
    assert_eq!(read("%m/%d/%y %I:%M %p", "12/09/11 12:50 PM"), noon);
    assert_eq!(read("%Y-%m-%dT%H:%M:%S%z", "2011-12-09T13:50:00+0100"), noon);
    assert_eq!(read("%s", "1323435000"), noon);
    assert_eq!(read("%Y%m%d", "20111209"), Ok((NOON - 12 * 3600 - 50 * 60) * 1_000_000_000));
    assert_eq!(
        read("%Y-%m-%d %H:%M:%S%.f", "2011-12-09 12:50:00.25"),
        Ok(NOON * 1_000_000_000 + 250_000_000)
    );
    assert!(read("%Y-%m-%d", "2011-12-09 12:50").is_err());
    assert!(read("%Y-%m-%d", "1969-12-31").is_err());
}

#[test]
fn a_format_that_gives_no_time_is_refused() {
    for text in ["seconds", "", "%J", "%H:%M", "%", "%Y-%m"] {
        assert!(TimeFormat::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_parser_remembers_the_last_time_and_nothing_else() {
    let mut parser = TimeParser::new(TimeFormat::SecondsOrRfc3339);
    assert!(parser.read(b"").is_err());
    assert_eq!(parser.read(b"60"), Ok(Timestamp::from_secs(60)));
    assert!(parser.read(b"x").is_err());
    assert_eq!(parser.read(b"60"), Ok(Timestamp::from_secs(60)));
    assert_eq!(parser.read(b" 61 "), Ok(Timestamp::from_secs(61)));
    assert_eq!(parser.read(b"   ").unwrap_err(), "no time");
    assert!(parser.read(b"\xff").is_err());
}
