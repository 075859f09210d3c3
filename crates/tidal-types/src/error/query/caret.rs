//! A character of a text, pointed at on a terminal.
//!
//! One line of text and one with a caret, whatever the text holds: what would break the
//! line or steer the terminal is shown as a space, and of a long text only what is around
//! the place. A terminal gives East Asian characters and most emoji two columns and
//! combining marks none; the tables are the blocks that have those, not each character
//! apart.

/// The most columns of the text that are shown.
const COLUMNS_MAX: usize = 72;

/// The most of them before the caret.
const COLUMNS_BEFORE_MAX: usize = 48;

/// What stands for what is left out.
const LEFT_OUT: char = '\u{2026}';

/// Ranges of characters without a column of their own: combining marks, joiners and
/// variation selectors.
const NO_COLUMN: [(char, char); 14] = [
    ('\u{300}', '\u{36f}'),
    ('\u{483}', '\u{489}'),
    ('\u{591}', '\u{5bd}'),
    ('\u{610}', '\u{61a}'),
    ('\u{64b}', '\u{65f}'),
    ('\u{93c}', '\u{93c}'),
    ('\u{e34}', '\u{e3a}'),
    ('\u{1ab0}', '\u{1aff}'),
    ('\u{1dc0}', '\u{1dff}'),
    ('\u{200b}', '\u{200d}'),
    ('\u{20d0}', '\u{20ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{fe20}', '\u{fe2f}'),
    ('\u{e0100}', '\u{e01ef}'),
];

/// Ranges of characters with two columns.
const TWO_COLUMNS: [(char, char); 12] = [
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{303e}'),
    ('\u{3041}', '\u{a4cf}'),
    ('\u{a960}', '\u{a97f}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff00}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{1f300}', '\u{1f64f}'),
    ('\u{1f680}', '\u{1f9ff}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// Marks that turn the direction of a line around.
const TURNS: [(char, char); 4] = [
    ('\u{61c}', '\u{61c}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2066}', '\u{2069}'),
];

/// The text, indented by two columns, and a caret under its character `at`, from 1; behind
/// the last when the text has not so many.
pub(super) fn pointed(text: &str, at: usize) -> String {
    let line: Vec<char> = text.chars().map(as_shown).collect();
    let (before, behind) = line.split_at(at.saturating_sub(1).min(line.len()));
    let left_out = before.len() - fitting(before.iter().rev(), COLUMNS_BEFORE_MAX);
    let front = || before.iter().skip(left_out);
    let width: usize = front().copied().map(columns).sum();
    let shown = fitting(behind.iter(), COLUMNS_MAX - width);

    let mut lines = String::from("  ");
    lines.extend((left_out > 0).then_some(LEFT_OUT));
    lines.extend(front().chain(behind.iter().take(shown)));
    lines.extend((shown < behind.len()).then_some(LEFT_OUT));
    lines.push_str("\n  ");
    lines.extend((left_out > 0).then_some(' '));
    lines.push_str(&" ".repeat(width));
    lines.push('^');
    lines
}

/// How many characters have room in so many columns.
fn fitting<'a>(characters: impl Iterator<Item = &'a char>, columns_max: usize) -> usize {
    let mut used = 0;
    let fits = |character: &&char| {
        used += columns(**character);
        used <= columns_max
    };
    characters.take_while(fits).count()
}

fn as_shown(character: char) -> char {
    if character.is_control() || is_in(character, &TURNS) { ' ' } else { character }
}

fn columns(character: char) -> usize {
    if is_in(character, &NO_COLUMN) {
        0
    } else if is_in(character, &TWO_COLUMNS) {
        2
    } else {
        1
    }
}

fn is_in(character: char, ranges: &[(char, char)]) -> bool {
    ranges.iter().any(|&(first, last)| (first..=last).contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_is_under_the_character() {
        for (text, at, shown) in [
            ("price <", 8, "  price <\n         ^"),
            ("a = b", 5, "  a = b\n      ^"),
            ("", 1, "  \n  ^"),
            ("a", 99, "  a\n   ^"),
            ("a", 0, "  a\n  ^"),
            // Two columns each, and an accent with none.
            ("\u{540d}\u{524d} = x", 6, "  \u{540d}\u{524d} = x\n         ^"),
            ("'\u{1f600}' e\u{301} x", 8, "  '\u{1f600}' e\u{301} x\n         ^"),
        ] {
            assert_eq!(pointed(text, at), shown, "{text}");
        }
    }

    #[test]
    fn the_text_is_one_line_and_steers_nothing() {
        let text = "a\n\tb\u{1b}[2J\u{202e}\r\u{85}c";
        assert_eq!(pointed(text, 5), "  a  b [2J   c\n      ^");
    }

    #[test]
    fn of_a_long_text_the_surroundings_are_shown() {
        let text = format!("{}!{}", "x".repeat(1000), "y".repeat(1000));
        let shown = pointed(&text, 1001);
        let (x, y) =
            ("x".repeat(COLUMNS_BEFORE_MAX), "y".repeat(COLUMNS_MAX - COLUMNS_BEFORE_MAX - 1));
        let indent = " ".repeat(COLUMNS_BEFORE_MAX);
        assert_eq!(shown, format!("  \u{2026}{x}!{y}\u{2026}\n   {indent}^"));
    }
}
