//! What somebody meant who misspelt a word: the nearest one that there is.

use tidal_types::Window;

/// The known word that takes the fewest letters to insert, leave out, replace or swap with
/// their neighbour, if these are at most a third of it, rounded up. Of several the first.
pub(in crate::rank) fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word: Vec<char> = word.to_lowercase().chars().take(WORD_CHARS_MAX).collect();
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How much of a word is compared; no known word is longer.
const WORD_CHARS_MAX: usize = 64;

/// The restricted Damerau-Levenshtein distance, by rows.
fn distance(word: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=candidate.len()).collect();
    let mut letter_before = None;
    for (row, &letter) in word.iter().enumerate() {
        let mut costs = vec![row + 1];
        let mut left = row + 1;
        let mut other_before = None;
        for (column, &other) in candidate.iter().enumerate() {
            let cost = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(0);
            let replaced = cost(&last, column) + usize::from(letter != other);
            let mut best = replaced.min(cost(&last, column + 1) + 1).min(left + 1);
            if letter_before == Some(other) && other_before == Some(letter) {
                best = best.min(cost(&before_last, column - 1) + 1);
            }
            costs.push(best);
            left = best;
            other_before = Some(other);
        }
        letter_before = Some(letter);
        before_last = std::mem::replace(&mut last, costs);
    }
    last.last().copied().unwrap_or(0)
}

/// The window whose length is nearest, by its ratio, to what is written as a number and a
/// unit: `1d` is `24h`, `2w` is `7d`. Without a unit that is known, the one that is
/// spelt most alike.
pub(super) fn nearest_window(text: &str) -> Option<Window> {
    let spelt = || {
        let name = nearest(text, Window::ALL.map(Window::as_str))?;
        Window::ALL.into_iter().find(|window| window.as_str() == name)
    };
    let Some(hours) = hours(text) else {
        return spelt();
    };
    let ratio = |window: Window| {
        let length = window.duration()?.as_secs_f64() / 3600.0;
        Some((length / hours).max(hours / length))
    };
    Window::ALL
        .into_iter()
        .filter_map(|window| Some((ratio(window)?, window)))
        .min_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, window)| window)
}

fn hours(text: &str) -> Option<f64> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let of_unit = match unit.to_ascii_lowercase().as_str() {
        "m" | "min" | "minute" | "minutes" => 1.0 / 60.0,
        "h" | "hour" | "hours" => 1.0,
        "d" | "day" | "days" => 24.0,
        "w" | "week" | "weeks" => 168.0,
        "mo" | "month" | "months" => 730.0,
        "y" | "year" | "years" => 8766.0,
        _ => return None,
    };
    number.parse::<f64>().ok().filter(|number| *number > 0.0).map(|number| number * of_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_few_letters_away() {
        let known = ["min", "max", "wilson", "reddit_hot", "log10"];
        for (word, meant) in [
            ("mni", Some("min")),
            ("MAX", Some("max")),
            ("wislon", Some("wilson")),
            ("redit_hot", Some("reddit_hot")),
            ("redithott", Some("reddit_hot")),
            ("lgo10", Some("log10")),
            ("sinus", None),
            ("", None),
            ("\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn the_nearest_window_is_of_about_that_length() {
        use Window::{OneHour, SevenDays, ThirtyDays, TwentyFourHours};
        for (text, meant) in [
            ("1d", Some(TwentyFourHours)),
            ("2h", Some(OneHour)),
            ("5m", Some(OneHour)),
            ("1w", Some(SevenDays)),
            ("1month", Some(ThirtyDays)),
            ("10y", Some(ThirtyDays)),
            ("7dd", Some(SevenDays)),
            ("al", Some(Window::AllTime)),
            ("0h", Some(OneHour)),
            ("everything", None),
        ] {
            assert_eq!(nearest_window(text), meant, "{text}");
        }
    }
}
