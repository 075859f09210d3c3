//! Profiles of feeds: what is liked, new, or more than it was.

use tidal_types::{QueryError, Window};

use crate::rank::expr::{Expr, attribute, count, number, rate, score};
use crate::rank::function::Function;
use crate::rank::query::Query;

/// What is liked lately: the decayed score of a signal. The half-life of the signal says
/// how long an event matters; after seven of them it counts less than a hundredth.
///
/// Needs a signal of any decay. With exponential decay the ranking stays as it is until
/// there are events, so it is read from an index that time does not touch.
///
/// Source: forward decay (Cormode and others, ICDE 2009); X ranked by such sums.
///
/// ```
/// assert_eq!(tidal_db::profile::hot("view").to_json(), r#"{"by":"score(view)"}"#);
/// ```
#[must_use]
pub fn hot(signal: &str) -> Query {
    Query::items().by(score(signal))
}

/// The most events in a window, or ever: charts.
///
/// Needs a signal with that window.
///
/// ```
/// use tidal_db::{Window, profile};
///
/// let chart = profile::top("play", Window::SevenDays);
/// assert_eq!(chart.to_json(), r#"{"by":"count(play, 7d)"}"#);
/// ```
#[must_use]
pub fn top(signal: &str, window: Window) -> Query {
    Query::items().by(count(signal, window))
}

/// The latest by a time that is an attribute. Entities that nothing has happened to take
/// part too.
///
/// Needs an attribute of type timestamp.
///
/// ```
/// let latest = tidal_db::profile::new("posted");
/// assert_eq!(latest.to_json(), r#"{"by":"posted","including_quiet":true}"#);
/// ```
#[must_use]
pub fn new(posted: &str) -> Query {
    Query::items().by(attribute(posted).value()).including_quiet()
}

/// Velocity against its own past: how far the events in the short window are above what
/// the rest of the long one lets expect, in standard deviations of a Poisson process,
///
/// ```text
/// expected = (count(long) - count(short)) * short / (long - short)
/// value    = (count(short) - expected) / sqrt(expected + 1)
/// ```
///
/// What always has many events does not trend, what has more than it used to does, and
/// the 1 keeps one event after none from being a sensation.
///
/// Needs a signal with both windows.
///
/// Source: the z-score of the trends of social networks, with the variance of a Poisson
/// process, whose mean it is, so that no squares have to be kept.
///
/// # Errors
/// [`QueryError::OutOfRange`] unless `long` ends and is longer than `short`.
///
/// ```
/// use tidal_db::{Window, profile};
///
/// let trending = profile::trending("view", Window::OneHour, Window::TwentyFourHours)?;
/// assert_eq!(
///     trending.to_json(),
///     r#"{"by":"poisson_score(count(view, 1h), (count(view, 24h) - count(view, 1h)) / 23)"}"#
/// );
/// # Ok::<(), tidal_db::QueryError>(())
/// ```
pub fn trending(signal: &str, short: Window, long: Window) -> Result<Query, QueryError> {
    let times = match (short.duration(), long.duration()) {
        (Some(span), Some(whole)) if whole > span => {
            (whole - span).as_secs_f64() / span.as_secs_f64()
        }
        _ => {
            return Err(QueryError::OutOfRange {
                what: "the long window",
                value: long.to_string(),
                range: format!("one that ends and is longer than {short}"),
            });
        }
    };
    let observed = count(signal, short);
    let expected = (count(signal, long) - observed.clone()) / times;
    Ok(Query::items().by(Expr::call(Function::PoissonScore, [observed, expected])))
}

/// What is accelerating: the rate of events lately over the rate of a longer time, by two
/// signal types that get the same events and have two half-lives. Both have one event an
/// hour added, so that few events make no rise.
///
/// Needs two signals of exponential decay, `fast` with the shorter half-life; an
/// application sends each event to both.
///
/// Source: velocity and acceleration of decayed sums, as in X's features of real time.
///
/// ```
/// let rising = tidal_db::profile::rising("like_hour", "like_week");
/// assert_eq!(
///     rising.to_json(),
///     r#"{"by":"ratio(rate(like_hour), rate(like_week), 1 / 3600)"}"#
/// );
/// ```
#[must_use]
pub fn rising(fast: &str, slow: &str) -> Query {
    let hourly = number(1.0) / 3600.0;
    Query::items().by(Expr::call(Function::Ratio, [rate(fast), rate(slow), hourly]))
}
