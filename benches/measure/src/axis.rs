//! An axis of powers of ten: from where to where, and its labels.

use std::ops::Range;

/// The powers of ten around these numbers, which are above 0; those around 1 if there are
/// none.
pub fn decades(numbers: impl IntoIterator<Item = f64>) -> Range<f64> {
    let (lowest, highest) =
        numbers.into_iter().fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), number| {
            (low.min(number), high.max(number))
        });
    if lowest > highest {
        return 1.0..10.0;
    }
    let (low, high) = (lowest.log10().floor() as i32, highest.log10().ceil() as i32);
    10_f64.powi(low)..10_f64.powi(high.max(low + 1))
}

/// A label, with thousands or millions.
#[must_use]
pub fn power(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{} M", number / 1e6),
        number if number >= 1e3 => format!("{} k", number / 1e3),
        number => format!("{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_goes_from_power_to_power() {
        assert_eq!(decades([250.0, 9e5]), 100.0..1e6);
        assert_eq!(decades([100.0]), 100.0..1000.0);
        assert_eq!(decades([0.25, 0.5]), 0.1..1.0);
        assert_eq!(decades([]), 1.0..10.0);
    }

    #[test]
    fn labels_are_short() {
        assert_eq!([0.1, 1.0, 100.0, 1e4, 1e7].map(power), ["0.1", "1", "100", "10 k", "10 M"]);
    }
}
