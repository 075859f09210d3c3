//! Rule: what no code of ours says, tests included.
//!
//! Comments and literals are not looked at, so an error text may name any of
//! these.

use super::Finding;
use super::source::Source;
use super::tree::Tree;

/// Words that do not occur, and what to write in their place.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo!", "finish it, or leave it out"),
    ("unimplemented!", "finish it, or leave it out"),
    ("dbg!", "use a test, or a trace that stays"),
    ("#[allow(", "use `#[expect(lint, reason = \"...\")]`"),
    ("#![allow(", "use `#![expect(lint, reason = \"...\")]`"),
    ("thread::sleep", "wait for the event itself: a condition variable, a channel, a ticket"),
    ("unsafe", "safe Rust does it"),
];

/// Files that may say `unsafe`, each with its reason beside it.
const UNSAFE_ALLOWED: &[&str] = &[
    // It stands in for two functions of the C library.
    "benches/logs/src/sync.rs",
    // It opens LMDB.
    "crates/tidal-storage/src/engines/lmdb/environment.rs",
    // So does this, to compare.
    "benches/engines/src/native/environment.rs",
];

/// Files that may sleep, each with its reason beside it.
const SLEEP_ALLOWED: &[&str] = &[
    // It plays a slow disk.
    "benches/logs/src/sync.rs",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources.iter().flat_map(findings).collect()
}

fn findings(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |offset, problem: String| {
        findings.push(Finding::new(&source.path, source.line_of(offset), problem));
    };
    for &(word, instead) in FORBIDDEN {
        let allowed = match word {
            "unsafe" => UNSAFE_ALLOWED,
            "thread::sleep" => SLEEP_ALLOWED,
            _ => &[],
        };
        if allowed.contains(&source.path.as_str()) {
            continue;
        }
        for offset in words(&source.code, word) {
            add(offset, format!("`{word}`: {instead}"));
        }
    }
    for offset in ignored_results(&source.code) {
        add(offset, "`let _` hides a result: handle it, or say `drop`".into());
    }
    for offset in idle_matches(&source.code) {
        add(offset, "`matches!` as a statement asserts nothing".into());
    }
    findings
}

/// Where `word` stands on its own.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let opens_with_part = word.starts_with(is_part);
    let ends_with_part = word.ends_with(is_part);
    code.match_indices(word).map(|(offset, _)| offset).filter(move |&offset| {
        let before = code.get(..offset).unwrap_or_default();
        let after = code.get(offset + word.len()..).unwrap_or_default();
        let goes_on = opens_with_part && before.ends_with(is_part)
            || ends_with_part && after.starts_with(is_part);
        !goes_on
    })
}

/// Where a value is bound to nothing: `let _ = x` and `let _: T = x`.
fn ignored_results(code: &str) -> impl Iterator<Item = usize> {
    words(code, "let").filter(|offset| {
        let after = code.get(offset + "let".len()..).unwrap_or_default();
        let pattern = after.trim_start().strip_prefix('_');
        pattern.is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
    })
}

/// Where the answer of `matches!` goes nowhere.
fn idle_matches(code: &str) -> impl Iterator<Item = usize> {
    words(code, "matches!").filter(|&offset| {
        let before = code.get(..offset).unwrap_or_default().trim_end();
        let after = code.get(offset + "matches!".len()..).unwrap_or_default();
        let opens_statement = before.is_empty() || before.ends_with([';', '{', '}']);
        opens_statement
            && past_brackets(after).is_some_and(|rest| rest.trim_start().starts_with(';'))
    })
}

/// What comes after the brackets with which `code` begins.
fn past_brackets(code: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return code.get(at + c.len_utf8()..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> usize {
        let text = format!("//! A.\nfn a() {{\n{code}\n}}\n");
        check(&Tree::of(&[("crates/a/src/lib.rs", &text)])).len()
    }

    #[test]
    fn forbidden_code_is_found() {
        for bad in [
            "todo!()",
            "unimplemented!(\"later\")",
            "dbg!(x);",
            "#[allow(dead_code)] fn b() {}",
            "#![allow(dead_code)]",
            "std::thread::sleep(second);",
            "unsafe { b() }",
            "let _ = b();",
            "let _: u8 = b();",
            "let  _=b();",
            "matches!(b(), Some(_));",
            "b(); matches!(b(), Some(x) if x > (1));",
        ] {
            assert_eq!(found(bad), 1, "{bad}");
        }
    }

    #[test]
    fn what_only_looks_alike_passes() {
        for good in [
            "my_todo!()",
            "#[expect(dead_code, reason = \"kept\")] fn b() {}",
            "#![forbid(unsafe_code)]",
            "let _guard = lock();",
            "let (_, b) = c();",
            "matches!(b(), Some(_))",
            "assert!(matches!(b(), Some(_)));",
            "let b = matches!(b(), Some(_));",
            "return matches!(b(), Some(_));",
            "// todo!() and unsafe and let _ = b();",
            "b(\"unsafe dbg! todo!\");",
        ] {
            assert_eq!(found(good), 0, "{good}");
        }
    }
}
