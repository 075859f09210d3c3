use super::*;

fn counts() -> Counts {
    Counts {
        environment: Environment::of(|name| Ok::<_, String>(format!("some {name} 1.0"))).unwrap(),
        cases: vec![("append".into(), Count(104_463)), ("top".into(), Count(7))],
    }
}

#[test]
fn a_count_is_what_an_operation_takes() {
    assert_eq!(Count::of(1000, 3), Some(Count(3333)));
    assert_eq!(Count(3333).to_string(), "333.3");
    for (instructions, operations) in [(1000, 0), (0, 10), (u64::MAX, 10)] {
        assert_eq!(Count::of(instructions, operations), None);
    }
}

#[test]
fn counts_are_read_as_they_were_written() {
    let text = counts().to_string();
    assert!(
        text.ends_with(
            "\nappend                      10446.3\ntop                             0.7\n"
        )
    );
    assert_eq!(Counts::parse(&text), Ok(counts()));
}

#[test]
fn a_damaged_file_is_refused() {
    let text = counts().to_string();
    for (from, to, problem) in [
        ("append  ", "top  ", "line 11: that case is there twice"),
        ("10446.3", "10446", "line 10: that is not the name of a case and its count"),
        ("10446.3", "10446.35", "line 10: that is not the name of a case and its count"),
        ("10446.3", "-1.5", "line 10: that is not the name of a case and its count"),
        ("10446.3", "+1.5", "line 10: that is not the name of a case and its count"),
        ("10446.3", "0.0", "line 10: that is not the name of a case and its count"),
        ("10446.3", ".", "line 10: that is not the name of a case and its count"),
        ("10446.3", "", "line 10: that is not the name of a case and its count"),
        ("10446.3", "1 2.0", "line 10: that is not the name of a case and its count"),
        (
            "10446.3",
            "99999999999999999999.0",
            "line 10: that is not the name of a case and its count",
        ),
        ("libc: ", "library: ", "line 7: nothing of that name is known of how counts are taken"),
        ("libc: ", "target: ", "line 7: that is said twice"),
        ("libc: ", "# libc: ", "`libc` is missing"),
        ("libc: ", "libc ", "line 7: that is not the name of a case and its count"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_eq!(Counts::parse(&changed), Err(problem.to_owned()), "{from} -> {to}");
    }
    let (head, _) = text.split_once("append").unwrap();
    assert_eq!(Counts::parse(head), Err("there is no case in it".into()));
    assert_eq!(Counts::parse(""), Err("`compiler` is missing".into()));
    // Whichever way it is cut, what is read is no more than what was written.
    for end in 0..text.len() {
        if let Ok(read) = Counts::parse(text.get(..end).unwrap()) {
            assert!(read.cases.iter().all(|(name, _)| counts().of(name).is_some()), "{read:?}");
        }
    }
}

#[test]
fn a_file_that_is_missing_is_told_with_what_writes_it() {
    let failure = Counts::read(Path::new("no-such-folder")).unwrap_err();
    let Failure::Failed(problem) = failure else { panic!("{failure:?}") };
    assert!(problem.starts_with(KEPT) && problem.contains("--check --update"), "{problem}");
}
