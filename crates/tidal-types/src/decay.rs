//! How the weight of an event fades.

use std::fmt;
use std::time::Duration;

/// The longest half-life and lifetime a schema may ask for: 100 years of
/// 365.25 days.
pub const SPAN_MAX: Duration = Duration::from_secs(100 * 31_557_600);

/// How the weight w of an event of age a counts in a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecaySpec {
    /// `w * 2^(-a / half_life)`: half of it is left after each half-life.
    Exponential {
        /// The span after which half is left. More than zero, at most
        /// [`SPAN_MAX`].
        half_life: Duration,
    },
    /// `w * max(0, 1 - a / lifetime)`: it falls evenly and then is gone.
    Linear {
        /// The span after which nothing is left. More than zero, at most
        /// [`SPAN_MAX`].
        lifetime: Duration,
    },
    /// `w`, for ever.
    Permanent,
}

impl DecaySpec {
    /// The decay rate lambda = ln 2 / half-life, per second. Zero unless the
    /// decay is exponential.
    #[must_use]
    pub fn rate_per_sec(self) -> f64 {
        match self {
            Self::Exponential { half_life } => std::f64::consts::LN_2 / half_life.as_secs_f64(),
            Self::Linear { .. } | Self::Permanent => 0.0,
        }
    }
}

impl fmt::Display for DecaySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exponential { half_life } => write!(f, "half_life {half_life:?}"),
            Self::Linear { lifetime } => write!(f, "lifetime {lifetime:?}"),
            Self::Permanent => f.pad("permanent"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_left_after_a_half_life() {
        let half_life = Duration::from_secs(7 * 24 * 3600);
        let rate = DecaySpec::Exponential { half_life }.rate_per_sec();
        let left = libm::exp(-rate * half_life.as_secs_f64());
        assert!((left - 0.5).abs() < 1e-15, "{left}");
    }
}
