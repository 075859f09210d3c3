//! Options of `rank`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use tidal_db::{EntityKind, LIMIT_MAX};

use super::number::whole;
use super::read::entity_kind;
use crate::moment::Moment;

const EXAMPLES: &str = "\
Examples:
  tidal --db shop rank --by 'score(purchase) - 10 * score(return)' --at last
  tidal --db shop rank front --for-user 17850 --filter \"price < 20 and tags in ('heart')\"
  tidal --db shop rank --query q.json --limit 50 --explain
  tidal --db shop rank front --cursor TEXT      # the page behind the one that gave TEXT

Scores:
  numbers, + - * / and ( ); of a signal: score(s), rate(s), count(s, w), sum(s, w),
  velocity(s, w), uniques(s, w), where w is 1h, 24h, 7d, 30d or all; an attribute that is a
  number; age(a) of a time, in seconds; affinity(s, a), how much the user likes what the
  attribute says; functions such as ln, min, wilson(positive, total), reddit_hot(ups, downs,
  posted), hacker_news(points, age).

Filters:
  a = 'x', a != 1, a < 3, a in (..), a between 1 and 2, exists a; and, or, not, ( ).

The file of --query holds one JSON object, of which only \"by\" has to be there:
  {\"by\": \"score(purchase)\", \"filter\": \"price < 20\", \"at_most\": {\"of\": \"maker\", \"max\": 2}}

With --json: {\"at\", \"results\": [{\"rank\", \"id\", \"name\", \"value\", \"explanation\"}], \"cursor\",
\"statistics\": {\"method\", \"looked_at\", \"evaluated\", \"passing\"}}; cursor is null on the last page.

Equal values rank by the lower id.";

/// Options of `rank`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("asked").required(true).args(["profile", "query", "by"]))]
pub(crate) struct RankArgs {
    /// The name of a profile of the schema.
    #[arg(value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// A file with a query as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) query: Option<PathBuf>,
    /// By what to rank: a score, such as 'score(like) + count(view, 1h)'.
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true)]
    pub(crate) by: Option<String>,
    /// The kind of the entities: item, user or creator; without it what the query says, or item.
    #[arg(long, value_name = "KIND", value_parser = entity_kind)]
    pub(crate) kind: Option<EntityKind>,
    /// Which of them take part, such as "language = 'en' and price < 20".
    #[arg(long, value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// For whom: the name of a user, or the number when users are numeric.
    #[arg(long, value_name = "USER")]
    pub(crate) for_user: Option<OsString>,
    /// Only what that user has not had to do with by this signal type; may be given again.
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) unseen_by: Vec<String>,
    /// At most so many with one value of an attribute, such as 2:creator; may be given again.
    #[arg(long, value_name = "N:ATTRIBUTE", value_parser = at_most)]
    pub(crate) at_most: Vec<(usize, String)>,
    /// How many to show; 20 unless the query says otherwise.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| whole::<usize>(text, 1..=LIMIT_MAX as u64))]
    pub(crate) limit: Option<usize>,
    /// What the page before gave, to show what comes behind it. The query has to be the same.
    #[arg(long, value_name = "TEXT")]
    pub(crate) cursor: Option<String>,
    /// What the draws of exploration follow from: the same seed, the same draws.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| whole::<u64>(text, 0..=u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// The time: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event);
    /// without it what the query says, or now.
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) at: Option<Moment>,
    /// Show what each value is made of.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Reads `2:creator`.
fn at_most(text: &str) -> Result<(usize, String), String> {
    let (count, attribute) = text
        .split_once(':')
        .filter(|(_, attribute)| !attribute.is_empty())
        .ok_or("a number and an attribute are divided by a colon, as in 2:creator")?;
    Ok((whole(count, 1..=u64::MAX)?, attribute.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_stands_behind_its_number() {
        assert_eq!(at_most("2:creator"), Ok((2, "creator".into())));
        for text in ["2", "2:", ":creator", "0:creator", "-1:creator", "two:creator"] {
            assert!(at_most(text).is_err(), "{text}");
        }
    }
}
