//! Sliding windows: the spans over which events are counted.

use std::fmt;
use std::time::Duration;

const HOUR_SECS: u64 = 3600;

/// A window that slides with the time of the read. Windows are ordered by
/// length.
///
/// A window of length W, read at time t, holds the events with
/// `t - W < event time <= t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The last hour.
    OneHour,
    /// The last 24 hours.
    TwentyFourHours,
    /// The last seven days of 24 hours.
    SevenDays,
    /// The last thirty days of 24 hours.
    ThirtyDays,
    /// Everything there ever was.
    AllTime,
}

impl Window {
    /// Every window, shortest first.
    pub const ALL: [Self; 5] =
        [Self::OneHour, Self::TwentyFourHours, Self::SevenDays, Self::ThirtyDays, Self::AllTime];

    /// The length of the window; `None` for [`Window::AllTime`].
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        let hours = match self {
            Self::OneHour => 1,
            Self::TwentyFourHours => 24,
            Self::SevenDays => 7 * 24,
            Self::ThirtyDays => 30 * 24,
            Self::AllTime => return None,
        };
        Some(Duration::from_secs(hours * HOUR_SECS))
    }

    /// The name used in schemas, on the command line and in error texts: `1h`,
    /// `24h`, `7d`, `30d`, `all`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneHour => "1h",
            Self::TwentyFourHours => "24h",
            Self::SevenDays => "7d",
            Self::ThirtyDays => "30d",
            Self::AllTime => "all",
        }
    }
}

/// Windows as a person lists them: `1h, 7d`, or `none`.
pub(crate) fn list(windows: &[Window]) -> String {
    if windows.is_empty() {
        return "none".into();
    }
    windows.iter().map(|window| window.as_str()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_ordered_by_length() {
        for pair in Window::ALL.windows(2) {
            let length = |window: Window| window.duration().unwrap_or(Duration::MAX);
            assert!(pair[0] < pair[1]);
            assert!(length(pair[0]) < length(pair[1]));
        }
    }
}
