//! Profiles by how good something is, as far as that is known.

use tidal_types::Window;

use super::votes::all;
use crate::rank::expr::{Expr, count, number, sum};
use crate::rank::function::Function;
use crate::rank::query::Query;

/// The share of votes that are up which can be relied on: the lower end of Wilson's
/// interval at 80 %. Nine of ten votes are less than ninety of a hundred.
///
/// Needs signals for votes up and down with the window `all`.
///
/// Source: Wilson 1927; by it Reddit ranks comments as best. See [`Function::Wilson`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::wilson("up", "down").to_json(),
///     r#"{"by":"wilson(count(up, all), count(up, all) + count(down, all))"}"#
/// );
/// ```
#[must_use]
pub fn wilson(up: &str, down: &str) -> Query {
    Query::items().by(Expr::call(Function::Wilson, [all(up), all(up) + all(down)]))
}

/// The mean of ratings, drawn towards `prior_mean` as if there were `prior_count` ratings
/// of that more,
///
/// ```text
/// (prior_count * prior_mean + sum) / (prior_count + count)
/// ```
///
/// Needs a signal whose weight is the rating, with sums and the window `all`. Take the
/// mean of all ratings, and some five to fifty ratings.
///
/// Source: the weighted rating of film charts. See [`Function::BayesianMean`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::bayesian_mean("rating", 3.5, 10.0).to_json(),
///     r#"{"by":"bayesian_mean(sum(rating, all), count(rating, all), 3.5, 10)"}"#
/// );
/// ```
#[must_use]
pub fn bayesian_mean(rating: &str, prior_mean: f64, prior_count: f64) -> Query {
    let given = [sum(rating, Window::AllTime), all(rating)];
    let prior = [prior_mean, prior_count].map(number);
    Query::items().by(Expr::call(Function::BayesianMean, given.into_iter().chain(prior)))
}

/// Clicks for an impression in a window, drawn towards `prior_rate`, which is that of the
/// whole site, with the weight of ten clicks.
///
/// Needs signals for clicks and impressions with that window.
///
/// Source: the normalised rate of Metarank. See [`Function::SmoothedRate`].
///
/// ```
/// use tidal_db::{Window, profile};
///
/// assert_eq!(
///     profile::smoothed_ctr("click", "impression", Window::SevenDays, 0.02).to_json(),
///     r#"{"by":"smoothed_rate(count(click, 7d), count(impression, 7d), 0.02)"}"#
/// );
/// ```
#[must_use]
pub fn smoothed_ctr(click: &str, impression: &str, window: Window, prior_rate: f64) -> Query {
    let arguments = [count(click, window), count(impression, window), number(prior_rate)];
    Query::items().by(Expr::call(Function::SmoothedRate, arguments))
}

/// What is good and hardly seen: the lower end of Wilson's interval for the share of
/// those who saw it and liked it, discounted by how many saw it; half for `known` of
/// them.
///
/// Needs signals for both with the window `all`.
///
/// Source: [`Function::HiddenGem`], where it is written down.
///
/// ```
/// assert_eq!(
///     tidal_db::profile::hidden_gems("like", "view", 1000.0).to_json(),
///     r#"{"by":"hidden_gem(count(like, all), count(view, all), count(view, all), 1000)"}"#
/// );
/// ```
#[must_use]
pub fn hidden_gems(positive: &str, shown: &str, known: f64) -> Query {
    let arguments = [all(positive), all(shown), all(shown), number(known)];
    Query::items().by(Expr::call(Function::HiddenGem, arguments))
}
