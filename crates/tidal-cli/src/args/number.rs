//! Numbers on the command line, refused in plain words.

use std::ops::RangeInclusive;

use crate::output::count;

/// Reads a whole number in `range`.
pub(crate) fn whole<N: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<N, String> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let fraction = text.parse::<f64>().is_ok_and(f64::is_finite);
        return Err(if fraction { "it is not a whole number" } else { "it is not a number" }.into());
    }
    // Digits that do not fit in 64 bits are more than any limit.
    let number = digits.parse::<u64>().ok().filter(|_| !negative);
    let (least, most) = (*range.start(), *range.end());
    match number {
        Some(number) if range.contains(&number) => {
            N::try_from(number).map_err(|_| "it is too large".into())
        }
        None if !negative && most == u64::MAX => Err("it is too large".into()),
        _ if most == u64::MAX => Err(format!("it must be {} or more", count(least))),
        _ => Err(format!("it must be from {} to {}", count(least), count(most))),
    }
}

/// Reads a weight. What the schema thinks of it is another question.
pub(crate) fn weight(text: &str) -> Result<f64, String> {
    let weight: f64 = text.parse().map_err(|_| "it is not a number")?;
    if weight.is_infinite() && text.contains(|character: char| character.is_ascii_digit()) {
        return Err("it is too large".into());
    }
    Ok(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_within_their_range() {
        assert_eq!(whole::<u64>("0", 0..=u64::MAX), Ok(0));
        assert_eq!(whole::<u64>("18446744073709551615", 0..=u64::MAX), Ok(u64::MAX));
        assert_eq!(whole::<u32>("1000", 1..=1_000), Ok(1_000));
    }

    #[test]
    fn what_is_no_such_number_is_told_in_plain_words() {
        for (text, expected) in [
            ("-1", "it must be 0 or more"),
            ("-99999999999999999999999", "it must be 0 or more"),
            ("x", "it is not a number"),
            ("", "it is not a number"),
            ("-", "it is not a number"),
            ("1_000", "it is not a number"),
            ("\u{661}", "it is not a number"),
            ("nan", "it is not a number"),
            ("1.5", "it is not a whole number"),
            ("1e3", "it is not a whole number"),
            ("18446744073709551616", "it is too large"),
        ] {
            assert_eq!(whole::<u64>(text, 0..=u64::MAX), Err(expected.into()), "{text}");
        }
        for text in ["0", "-1", "1000001", "18446744073709551616"] {
            let refused = Err("it must be from 1 to 1,000,000".into());
            assert_eq!(whole::<u32>(text, 1..=1_000_000), refused, "{text}");
        }
        assert_eq!(whole::<u8>("256", 0..=u64::MAX), Err("it is too large".into()));
    }

    #[test]
    fn a_weight_is_any_number() {
        assert_eq!(weight("-2.5"), Ok(-2.5));
        assert_eq!(weight("1e3"), Ok(1000.0));
        assert_eq!(weight("abc"), Err("it is not a number".into()));
        assert_eq!(weight("1e999"), Err("it is too large".into()));
        // These are for the schema to refuse.
        assert_eq!(weight("inf"), Ok(f64::INFINITY));
        assert!(weight("nan").unwrap().is_nan());
    }
}
