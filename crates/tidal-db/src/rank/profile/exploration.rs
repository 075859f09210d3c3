//! Profiles that try out what little is known of.

use crate::rank::expr::{Expr, number, score};
use crate::rank::function::Function;
use crate::rank::query::Query;

/// Thompson sampling: each entity gets a draw of what its rate of clicks may be, by a beta
/// distribution over its clicks and impressions so far. What was shown often is where
/// its rate is; what was shown rarely is tried now and then, and so is what was never
/// shown, which takes part too.
///
/// Give each request a [seed](Query::seed) of its own, and the same one for its further
/// pages; with the same seed the draws come again.
///
/// Needs signals for clicks and impressions of the same decay. With exponential decay old
/// experience fades, so that a rate may change.
///
/// Source: Thompson 1933; discounted, Raj and Kalyani, arXiv 1707.09727. See
/// [`Function::Thompson`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::thompson("click", "impression").seed(7).to_json(),
///     r#"{"by":"thompson(score(click), score(impression))","including_quiet":true,"seed":7}"#
/// );
/// ```
#[must_use]
pub fn thompson(click: &str, impression: &str) -> Query {
    let arguments = [score(click), score(impression)];
    Query::items().by(Expr::call(Function::Thompson, arguments)).including_quiet()
}

/// The upper confidence bound: the rate of clicks, and what it may be beyond, which is
/// more the less an entity was shown. `impressions` is how many there were over all
/// entities, about. What was never shown takes part too, and comes first.
///
/// Needs signals for clicks and impressions of the same decay.
///
/// Source: UCB1 of Auer, Cesa-Bianchi and Fischer, 2002. See [`Function::Ucb`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::ucb("click", "impression", 50000.0).to_json(),
///     r#"{"by":"ucb(score(click), score(impression), 50000)","including_quiet":true}"#
/// );
/// ```
#[must_use]
pub fn ucb(click: &str, impression: &str, impressions: f64) -> Query {
    let arguments = [score(click), score(impression), number(impressions)];
    Query::items().by(Expr::call(Function::Ucb, arguments)).including_quiet()
}
