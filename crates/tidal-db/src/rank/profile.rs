//! Profiles: queries with a name.
//!
//! A schema has them as JSON, see [`Query::from_json`](crate::Query::from_json), and
//! [`TidalDB::profile`](crate::TidalDB::profile) gives them by name.
//!
//! ```
//! use std::time::Duration;
//! use tidal_db::{DecaySpec, EntityId, EntityKind, SchemaBuilder, TidalDB};
//!
//! let mut schema = SchemaBuilder::new();
//! let half_life = Duration::from_secs(6 * 3600);
//! schema
//!     .signal("like", EntityKind::Item, DecaySpec::Exponential { half_life })
//!     .add()
//!     .profile("front_page", r#"{"by": "score(like)", "limit": 50}"#);
//! let db = TidalDB::in_memory(schema.build()?)?;
//!
//! let front_page = db.profile("front_page")?.for_user(EntityId::new(7));
//! # Ok::<(), tidal_db::TidalError>(())
//! ```
//!
//! Built in are the functions of this module, which make the query for signals and
//! attributes of the application. The example of each is its JSON, to be copied into a
//! schema and changed there.
//!
//! | for | begin with |
//! |---|---|
//! | a feed that is never stale | [`hot`], with a half-life of how long a thing is of interest |
//! | charts of a day or a week | [`top`] |
//! | what is talked about now | [`trending`], [`rising`], [`mastodon`] |
//! | a forum, links that are voted on | [`reddit_hot`], [`hacker_news`], [`lemmy`], [`discourse`] |
//! | the best answers, reviews, products | [`wilson`], [`bayesian_mean`] |
//! | a shop, advertisements | [`smoothed_ctr`], [`thompson`], [`ucb`] |
//! | discovery | [`hidden_gems`], [`new`], [`controversial`] |

mod exploration;
mod feeds;
mod quality;
mod stored;
mod votes;

#[cfg(test)]
mod tests;

pub use exploration::{thompson, ucb};
pub use feeds::{hot, new, rising, top, trending};
pub(crate) use stored::{check, named};

pub use quality::{bayesian_mean, hidden_gems, smoothed_ctr, wilson};
pub use votes::{controversial, discourse, hacker_news, lemmy, mastodon, reddit_hot};
