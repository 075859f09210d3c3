//! One fault: what it is called, what it breaks, the edit, and who has to notice.
//!
//! ```text
//! fault: the-name-of-a-segment-is-not-synced
//! breaks: R12: a segment is entered before its name is durable.
//! file: crates/tidal-wal/src/segment_file.rs
//! caught by: tidal-wal lib tests::faults::a_segment_is_durable_before_it_is_entered
//!      a line that stays
//! -    a line that goes
//! +    a line that comes
//! ```
//!
//! The edit is as in a patch without line numbers: each line begins with a space, `-`
//! or `+`, and what stays or goes stands in the file exactly once, in whole lines.
//! The target of a test is `lib`, or the name of an integration test. `may hang` on a
//! line of its own says that a test that does not end has noticed too. Lines that
//! begin with `#` are remarks.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Result};

/// Where the lists are.
pub(crate) const FOLDER: &str = "xtask/mutants";

/// A deliberate fault.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) breaks: String,
    /// Relative to the root of the workspace.
    pub(super) file: String,
    pub(super) tests: Vec<Test>,
    pub(super) may_hang: bool,
    /// What the file says, in whole lines.
    old: String,
    /// What the fault makes of it.
    new: String,
}

/// A test, and which program holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Test {
    pub(super) program: Program,
    /// Its name, with all modules.
    pub(super) name: String,
}

/// A program of tests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Program {
    pub(super) package: String,
    /// `lib`, or the name of an integration test.
    pub(super) target: String,
}

/// Every fault, in the order of the files' names.
pub(super) fn read(root: &Path) -> Result<Vec<Fault>> {
    let cannot = |error| Failure::failed(format!("cannot read {FOLDER}: {error}"));
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join(FOLDER)).map_err(cannot)? {
        names.push(entry.map_err(cannot)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    let mut faults = Vec::new();
    for name in names {
        let path = format!("{FOLDER}/{name}");
        let text = fs::read_to_string(root.join(&path)).map_err(cannot)?;
        faults.extend(parse(&text).map_err(|error| Failure::failed(format!("{path}:{error}")))?);
    }
    Ok(faults)
}

/// The faults of a list; what is wrong with it begins with the number of the line.
fn parse(text: &str) -> std::result::Result<Vec<Fault>, String> {
    let mut faults: Vec<Fault> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("fault: ") {
            faults.push(Fault { name: name.into(), ..Fault::default() });
            continue;
        }
        let taken = faults.last_mut().and_then(|fault| fault.take(line));
        taken.ok_or_else(|| format!("{}: {line:?} means nothing here", index + 1))?;
    }
    match faults.iter().find(|fault| !fault.is_whole()) {
        None => Ok(faults),
        Some(fault) => Err(format!(" {} needs breaks, file, caught by and an edit", fault.name)),
    }
}

impl Fault {
    fn take(&mut self, line: &str) -> Option<()> {
        if let Some((sign, code)) =
            line.split_at_checked(1).filter(|(sign, _)| " -+".contains(sign))
        {
            let parts = [(sign != "+", &mut self.old), (sign != "-", &mut self.new)];
            for (_, part) in parts.into_iter().filter(|(is_part, _)| *is_part) {
                part.push_str(code);
                part.push('\n');
            }
        } else if line == "may hang" {
            self.may_hang = true;
        } else {
            match line.split_once(": ")? {
                ("breaks", breaks) => self.breaks = breaks.into(),
                ("file", file) => self.file = file.into(),
                ("caught by", test) => self.tests.push(Test::parse(test)?),
                _ => return None,
            }
        }
        Some(())
    }

    fn is_whole(&self) -> bool {
        let is_edit = !self.old.is_empty() && self.old != self.new;
        is_edit && !self.breaks.is_empty() && !self.file.is_empty() && !self.tests.is_empty()
    }

    /// The text of the file with the fault; `None` when the edit does not fit exactly
    /// once.
    pub(super) fn applied_to(&self, text: &str) -> Option<String> {
        let begins_line =
            |place| place == 0 || text.get(..place).is_some_and(|before| before.ends_with('\n'));
        let places = text.match_indices(&self.old).map(|(place, _)| place);
        let mut places = places.filter(|&place| begins_line(place));
        let place = places.next()?;
        if places.next().is_some() {
            return None;
        }
        let (before, from) = text.split_at(place);
        Some(format!("{before}{}{}", self.new, from.strip_prefix(&self.old)?))
    }

    /// What keeps the fault from being tried, if anything does.
    pub(super) fn misfit(&self, root: &Path) -> Option<String> {
        let name = &self.name;
        let Ok(text) = fs::read_to_string(root.join(&self.file)) else {
            return Some(format!("{name}: there is no {}", self.file));
        };
        if self.applied_to(&text).is_none() {
            return Some(format!("{name}: the edit does not fit {} exactly once", self.file));
        }
        let lost = self.tests.iter().find(|test| !test.is_in(root))?;
        Some(format!("{name}: {} has no test {}", lost.program, lost.name))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    {}\n    {}", self.name, self.breaks, self.file)?;
        self.tests.iter().try_for_each(|test| write!(f, "\n    {} {}", test.program, test.name))
    }
}

impl Test {
    fn parse(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        let program = Program { package: words.next()?.into(), target: words.next()?.into() };
        let name = words.next()?.into();
        words.next().is_none().then_some(Self { program, name })
    }

    /// Whether a function of its name is in the sources of its program.
    fn is_in(&self, root: &Path) -> bool {
        let Program { package, target } = &self.program;
        let below = if target == "lib" { "src" } else { &format!("tests/{target}") };
        let function = format!("fn {}(", self.name.rsplit("::").next().unwrap_or_default());
        let mut folders = vec![root.join("crates").join(package).join(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if fs::read_to_string(&path).is_ok_and(|text| text.contains(&function)) {
                    return true;
                }
            }
        }
        false
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.package, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# A remark.\n\nfault: one\nbreaks: R1: all of it.\nfile: a.rs\ncaught by: a lib tests::b\nmay hang\n     keep();\n-    go();\n+    come();\n";

    #[test]
    fn a_list_is_read() {
        let faults = parse(LIST).unwrap();
        let program = Program { package: "a".into(), target: "lib".into() };
        let expected = Fault {
            name: "one".into(),
            breaks: "R1: all of it.".into(),
            file: "a.rs".into(),
            tests: vec![Test { program, name: "tests::b".into() }],
            may_hang: true,
            old: "    keep();\n    go();\n".into(),
            new: "    keep();\n    come();\n".into(),
        };
        assert_eq!(faults, [expected]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for (bad, complaint) in [
            ("caught by: a lib b\n", "1: "),
            ("fault: one\nbroken\n", "2: "),
            ("fault: one\ncaught by: a lib\n", "2: "),
            ("fault: one\ncaught by: a lib b c\n", "2: "),
            ("fault: one\nbreaks: b\nfile: f\ncaught by: a lib b\n", " one needs"),
            (&LIST.replace("come", "go"), " one needs"),
            (&LIST.replace("file: a.rs\n", ""), " one needs"),
        ] {
            let error = parse(bad).unwrap_err();
            assert!(error.starts_with(complaint), "{bad:?}: {error}");
        }
    }

    #[test]
    fn an_edit_fits_once_in_whole_lines() {
        let fault = parse(LIST).unwrap().remove(0);
        let edit = |text: &str| fault.applied_to(text);
        let expected = Some("a\n    keep();\n    come();\nb\n".to_owned());
        assert_eq!(edit("a\n    keep();\n    go();\nb\n"), expected);
        assert_eq!(edit("    keep();\n    go();\n").unwrap(), "    keep();\n    come();\n");
        for text in ["", "    keep();\n", "x    keep();\n    go();\n", "    keep();\n    go(); \n"]
        {
            assert_eq!(edit(text), None, "{text:?}");
        }
        assert_eq!(edit(&"    keep();\n    go();\n".repeat(2)), None);
    }
}
