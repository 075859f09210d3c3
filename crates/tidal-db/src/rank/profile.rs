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

mod stored;

pub(crate) use stored::{check, named};
