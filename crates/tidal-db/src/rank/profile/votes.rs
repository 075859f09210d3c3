//! Profiles that well-known forums and networks rank by.

use tidal_types::Window;

use crate::rank::expr::{Expr, attribute, count, uniques};
use crate::rank::function::Function;
use crate::rank::query::Query;

/// Every event of a signal.
pub(super) fn all(signal: &str) -> Expr {
    count(signal, Window::AllTime)
}

/// The hot ranking of Reddit: the logarithm of the votes, and the time of posting, of
/// which 12.5 hours weigh as much as ten times the votes,
///
/// ```text
/// sign(ups - downs) * log10(max(|ups - downs|, 1)) + (posted - 1134028003 s) / 45000 s
/// ```
///
/// Needs signals for votes up and down with the window `all`, and an attribute of type
/// timestamp. What nobody has voted on takes part too.
///
/// Source: `_sorts.pyx` of Reddit's published code. See [`Function::RedditHot`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::reddit_hot("up", "down", "posted").to_json(),
///     r#"{"by":"reddit_hot(count(up, all), count(down, all), posted)","including_quiet":true}"#
/// );
/// ```
#[must_use]
pub fn reddit_hot(up: &str, down: &str, posted: &str) -> Query {
    let arguments = [all(up), all(down), attribute(posted).value()];
    Query::items().by(Expr::call(Function::RedditHot, arguments)).including_quiet()
}

/// What is disputed: many votes, and as many up as down, in a window,
///
/// ```text
/// (ups + downs) ^ (min(ups, downs) / max(ups, downs))
/// ```
///
/// Needs signals for votes up and down with that window.
///
/// Source: `_sorts.pyx` of Reddit's published code. See [`Function::RedditControversy`].
///
/// ```
/// use tidal_db::{Window, profile};
///
/// assert_eq!(
///     profile::controversial("up", "down", Window::TwentyFourHours).to_json(),
///     r#"{"by":"reddit_controversy(count(up, 24h), count(down, 24h))"}"#
/// );
/// ```
#[must_use]
pub fn controversial(up: &str, down: &str, window: Window) -> Query {
    let votes = [count(up, window), count(down, window)];
    Query::items().by(Expr::call(Function::RedditControversy, votes))
}

/// The front page of Hacker News: votes to the power of 0.8 over the age to that of 1.8,
///
/// ```text
/// (points - 1) ^ 0.8 / (age in hours + 2) ^ 1.8
/// ```
///
/// The 1 that is added to the votes is the point that a story has from its poster; leave
/// it out where that is an event too.
///
/// Needs a signal for votes with the window `all`, and an attribute of type timestamp.
///
/// Source: `news.arc` of its published code. See [`Function::HackerNews`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::hacker_news("vote", "posted").to_json(),
///     r#"{"by":"hacker_news(count(vote, all) + 1, age(posted))"}"#
/// );
/// ```
#[must_use]
pub fn hacker_news(vote: &str, posted: &str) -> Query {
    let arguments = [all(vote) + 1.0, attribute(posted).age()];
    Query::items().by(Expr::call(Function::HackerNews, arguments))
}

/// The hot ranking of Lemmy: the logarithm of the score over the age to the power of 1.8,
/// for a week,
///
/// ```text
/// log10(max(2, ups - downs + 2)) / (age in hours + 2) ^ 1.8
/// ```
///
/// Needs signals for votes up and down with the window `all`, and an attribute of type
/// timestamp. What nobody has voted on takes part too.
///
/// Source: `hot_rank` in Lemmy's migrations. See [`Function::Lemmy`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::lemmy("up", "down", "posted").to_json(),
///     r#"{"by":"lemmy(count(up, all) - count(down, all), age(posted))","including_quiet":true}"#
/// );
/// ```
#[must_use]
pub fn lemmy(up: &str, down: &str, posted: &str) -> Query {
    let arguments = [all(up) - all(down), attribute(posted).age()];
    Query::items().by(Expr::call(Function::Lemmy, arguments)).including_quiet()
}

/// The hot topics of Discourse: all likes over the age of the topic, and the likes and
/// posters of the last day over the time since its first reply,
///
/// ```text
/// likes / (age + 2) ^ 1.2 + (likes of a day + posters of a day - 1) / (bumped + 2) ^ 1.2
/// ```
///
/// with both times in hours.
///
/// Needs a signal for likes with the windows `24h` and `all`, one for replies that keeps
/// unique actors and has the window `24h`, and two attributes of type timestamp.
///
/// Source: `TopicHotScore` in Discourse. See [`Function::Discourse`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::discourse("like", "reply", "posted", "bumped").to_json(),
///     concat!(
///         r#"{"by":"discourse(count(like, all), age(posted), count(like, 24h), "#,
///         r#"uniques(reply, 24h), age(bumped))"}"#,
///     )
/// );
/// ```
#[must_use]
pub fn discourse(like: &str, reply: &str, posted: &str, bumped: &str) -> Query {
    let day = Window::TwentyFourHours;
    let arguments = [
        all(like),
        attribute(posted).age(),
        count(like, day),
        uniques(reply, day),
        attribute(bumped).age(),
    ];
    Query::items().by(Expr::call(Function::Discourse, arguments))
}

/// The trends of Mastodon: by how much more accounts use a tag or a link within a day than
/// was to be expected, as chi-square has it,
///
/// ```text
/// (observed - expected)^2 / expected, 0 for fewer than 5 or for no more than expected
/// ```
///
/// Mastodon expects the accounts of the day before. Here it is the mean of the events in
/// a day over the six days before, so who repeats himself raises only what is expected.
/// Mastodon refreshes by the minute and lets the highest value fade; this is the value of
/// the moment.
///
/// Needs a signal that keeps unique actors and has the windows `24h` and `7d`.
///
/// Source: `Trends::Base` in Mastodon. See [`Function::Mastodon`].
///
/// ```
/// assert_eq!(
///     tidal_db::profile::mastodon("share").to_json(),
///     r#"{"by":"mastodon(uniques(share, 24h), (count(share, 7d) - count(share, 24h)) / 6)"}"#
/// );
/// ```
#[must_use]
pub fn mastodon(signal: &str) -> Query {
    let day = Window::TwentyFourHours;
    let expected = (count(signal, Window::SevenDays) - count(signal, day)) / 6.0;
    Query::items().by(Expr::call(Function::Mastodon, [uniques(signal, day), expected]))
}
