//! A file of Rust, taken apart just far enough for the rules: what is code, what
//! is comment, and what is compiled for tests only.
//!
//! O1. `code` and `comments` have the length and the line ends of `text`, with
//!     spaces in place of everything else, so that an offset means the same in
//!     all three. Text of string and character literals is in neither.

use std::ops::Range;

/// A file of Rust.
pub(super) struct Source {
    /// Relative to the root.
    pub(super) path: String,
    pub(super) text: String,
    /// The text without comments and without what literals hold.
    pub(super) code: String,
    /// The comments only.
    pub(super) comments: String,
    /// Whether the whole file is compiled for tests only.
    pub(super) is_test: bool,
    /// What is compiled for tests only in a file that is not; as offsets.
    test_items: Vec<Range<usize>>,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (code, comments) = divide(text);
        let is_test = path.ends_with("/tests.rs") || path.split('/').any(|part| part == "tests");
        let test_items = test_items(&code);
        Self { path: path.into(), text: text.into(), code, comments, is_test, test_items }
    }

    /// The line, from 1, in which `offset` lies.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|&&byte| byte == b'\n').count()
    }

    /// Whether what is at `offset` is compiled for tests only.
    pub(super) fn is_test_at(&self, offset: usize) -> bool {
        self.is_test || self.test_items.iter().any(|item| item.contains(&offset))
    }

    /// Each line with its offset.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut offset = 0;
        self.text.split_inclusive('\n').map(move |line| {
            let start = offset;
            offset += line.len();
            (start, line)
        })
    }

    /// The files, without `.rs`, of the modules that this file declares for
    /// tests only.
    pub(super) fn test_modules(&self) -> Vec<String> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let folder = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder,
            _ => self.path.strip_suffix(".rs").unwrap_or(&self.path),
        };
        let items = self.test_items.iter().filter_map(|item| self.code.get(item.clone()));
        items
            .filter_map(|item| item.strip_suffix(';')?.rsplit_once("mod "))
            .map(|(_, module)| format!("{folder}/{}", module.trim()))
            .collect()
    }
}

/// The code and the comments of `text`.
fn divide(text: &str) -> (String, String) {
    let mut code = Mask::of(text);
    let mut comments = Mask::of(text);
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = next_piece(rest, text.get(..at).unwrap_or_default());
        match kind {
            Piece::Code => code.keep(length),
            Piece::Comment | Piece::Literal => code.hide(length),
        }
        match kind {
            Piece::Comment => comments.keep(length),
            Piece::Code | Piece::Literal => comments.hide(length),
        }
        at += length;
    }
    (code.masked, comments.masked)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Comment,
    Literal,
}

/// A copy of a text in which some parts are blanked out.
struct Mask<'a> {
    rest: &'a str,
    masked: String,
}

impl<'a> Mask<'a> {
    const fn of(text: &'a str) -> Self {
        Self { rest: text, masked: String::new() }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (part, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        part
    }

    fn keep(&mut self, length: usize) {
        let part = self.take(length);
        self.masked.push_str(part);
    }

    fn hide(&mut self, length: usize) {
        for byte in self.take(length).bytes() {
            self.masked.push(if byte == b'\n' { '\n' } else { ' ' });
        }
    }
}

/// What `rest` begins with, and its length in bytes, which is never zero.
fn next_piece(rest: &str, before: &str) -> (Piece, usize) {
    if rest.starts_with("//") {
        return (Piece::Comment, rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return (Piece::Comment, block_comment(rest));
    }
    let continues_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if !continues_word && let Some(length) = raw_string(rest) {
        return (Piece::Literal, length);
    }
    if rest.starts_with('"') {
        return (Piece::Literal, quoted(rest, '"').unwrap_or(rest.len()));
    }
    if rest.starts_with('\'')
        && let Some(length) = character(rest)
    {
        return (Piece::Literal, length);
    }
    (Piece::Code, rest.chars().next().map_or(1, char::len_utf8))
}

/// The length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a raw string: `r"..."`, `r#"..."#`, also of bytes or for C.
fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inner = body.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let opening = rest.len() - inner.len();
    Some(inner.find(&end).map_or(rest.len(), |length| opening + length + end.len()))
}

/// The length of a literal that begins and ends with `quote`.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// The length of a character literal; `None` for a lifetime or a label.
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    if first == '\\' {
        return quoted(rest, '\'');
    }
    let length = first.len_utf8();
    inner.get(length..)?.starts_with('\'').then_some(length + 2)
}

/// The items under `#[cfg(test)]`, from the attribute to the end of the item.
fn test_items(code: &str) -> Vec<Range<usize>> {
    ["#[cfg(test)]", "#[cfg(all(test"]
        .iter()
        .flat_map(|attribute| code.match_indices(attribute))
        .map(|(start, attribute)| {
            let rest = code.get(start + attribute.len()..).unwrap_or_default();
            start..start + attribute.len() + item_length(rest)
        })
        .collect()
}

/// Up to the `;` or the closing brace that ends an item.
fn item_length(code: &str) -> usize {
    let mut braces = 0_i32;
    // Only a `;` outside of these ends an item: `const A: [u8; 2] = ...;`
    let mut brackets = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            _ => {}
        }
        let ends = c == '}' && braces <= 0 || c == ';' && braces == 0 && brackets <= 0;
        if ends {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_literals_are_told_apart() {
        // Each sample with its code and its comments, every other byte a space.
        for (text, code, comments) in [
            ("a // b\nc", "a     \nc", "  // b\n "),
            ("a /*/**/*/ b", "a          b", "  /*/**/*/  "),
            (r#"f("//\"x")//y"#, "f(       )   ", "          //y"),
            (r##"r#"a"b"#c//"##, "        c  ", "         //"),
            ("br\"x\"var\"y\"", "     var   ", "           "),
            (r"'a'+'b:'\''<'c>'", "   +'b:    <'c>'", "                "),
            ("\"é\"x//é", "    x    ", "     //é"),
        ] {
            let source = Source::new("a.rs", text);
            assert_eq!(source.code, code, "{text}");
            assert_eq!(source.comments, comments, "{text}");
        }
    }

    #[test]
    fn an_unfinished_literal_or_comment_ends_with_the_file() {
        for text in ["\"abc", "r#\"abc\"", "/* abc", "'", "'\\", "// abc"] {
            assert_eq!(Source::new("a.rs", text).code.len(), text.len(), "{text}");
        }
    }

    #[test]
    fn items_for_tests_are_found_to_their_end() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\" }\n}\nfn c() {}\n";
        let source = Source::new("crates/a/src/lib.rs", text);
        let is_test = |word| source.is_test_at(text.find(word).unwrap());
        assert_eq!([is_test("fn a"), is_test("fn b"), is_test("fn c")], [false, true, false]);

        let text = "#[cfg(test)]\nconst A: [u8; 1] = [0];\nfn c() {}\n";
        let source = Source::new("crates/a/src/lib.rs", text);
        assert!(source.is_test_at(text.find("= [0]").unwrap()));
        assert!(!source.is_test_at(text.find("fn c").unwrap()));
    }
}
