//! What is told of several measurements of one thing.

use std::fmt;

/// Measurements of one thing, in the order of the rounds.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds the measurement of one more round.
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one in the middle, or the mean of the two there.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Each divided by that of the same round: what disturbs a round disturbs both.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }

    /// What this share of the samples, from 0 to 1, lies below.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = share * (sorted.len().saturating_sub(1)) as f64;
        let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(f64::NAN);
        let (below, above) = (at(place.floor()), at(place.ceil()));
        below + (above - below) * place.fract()
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<T: IntoIterator<Item = f64>>(samples: T) -> Self {
        Self(samples.into_iter().collect())
    }
}

/// The median, and how far the middle half of the samples reaches around it.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (self.quantile(0.25), self.quantile(0.75));
        write!(f, "{} ({} to {})", Short(self.median()), Short(low), Short(high))
    }
}

/// A number with three digits, and its thousands or millions.
#[derive(Debug, Clone, Copy)]
pub struct Short(pub f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            value if value >= 999_500.0 => (value / 1e6, " M"),
            value if value >= 9_995.0 => (value / 1e3, " k"),
            value => (value, ""),
        };
        let digits = match value {
            value if value >= 99.95 => 0,
            value if value >= 9.995 => 1,
            _ => 2,
        };
        write!(f, "{value:.digits$}{unit}")
    }
}

/// Which of `count` goes when in this round: each round begins with another.
pub fn turns(round: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |turn| (round + turn) % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples(values.to_vec())
    }

    #[test]
    fn the_median_is_in_the_middle_of_any_order() {
        assert_eq!(samples(&[3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(samples(&[4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        assert_eq!(samples(&[7.0]).median(), 7.0);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ratios = samples(&[2.0, 30.0, 4.0]).over(&samples(&[1.0, 10.0, 2.0]));
        assert_eq!(ratios.median(), 2.0);
        assert_eq!(ratios.to_string(), "2.00 (2.00 to 2.50)");
    }

    #[test]
    fn each_has_one_turn_in_each_round() {
        assert_eq!(turns(0, 3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(turns(4, 3).collect::<Vec<_>>(), [1, 2, 0]);
    }

    #[test]
    fn numbers_are_short() {
        for (value, shown) in [
            (0.954, "0.95"),
            (27.136, "27.1"),
            (9_500.0, "9500"),
            (12_345.0, "12.3 k"),
            (999_700.0, "1.00 M"),
            (8_765_432.0, "8.77 M"),
        ] {
            assert_eq!(Short(value).to_string(), shown);
        }
    }
}
