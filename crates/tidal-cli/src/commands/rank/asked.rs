//! What is asked: a profile, a file or a score, and what the command line says beside it.

use std::fs;
use std::str::FromStr;

use serde_json::Value;
use tidal_db::{EntityKind, Expr, Filter, Query, QueryError, TidalDB, TidalError};

use crate::args::RankArgs;
use crate::entity;
use crate::failure::Failure;
use crate::moment::Moment;

/// A query, and what the program has to know of it.
pub(super) struct Asked {
    pub(super) query: Query,
    pub(super) kind: EntityKind,
    /// The score as text.
    pub(super) by: String,
    /// Whether nobody has said another time than now.
    pub(super) at_is_now: bool,
}

/// What can be read without the database.
pub(super) struct Read {
    /// The query of a file or a score; none of a profile.
    query: Option<Query>,
    filter: Option<Filter>,
}

/// Reads what stands on the command line, and the file if there is one.
///
/// # Errors
/// Wrong usage: a score or a filter is none. The file cannot be read, or is no query.
pub(super) fn read(args: &RankArgs) -> Result<Read, Failure> {
    let query = match (&args.by, &args.query) {
        (Some(by), _) => {
            let query = Query::items().by(language::<Expr>("--by", by)?);
            Some(query)
        }
        (None, Some(path)) => {
            let text =
                fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
            let query = Query::from_json(&text)
                .map_err(|error| Failure::from(error).within(path.display()))?;
            Some(query)
        }
        (None, None) => None,
    };
    let filter = args.filter.as_ref().map(|text| language("--filter", text)).transpose()?;
    Ok(Read { query, filter })
}

fn language<T: FromStr<Err = QueryError>>(option: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error| Failure::from(error).within(option).of_usage())
}

/// The profile of that name, or what to do where there is none.
fn profile(db: &TidalDB, name: &str) -> Result<Query, Failure> {
    db.profile(name).map_err(|error| match error {
        TidalError::Query(QueryError::UnknownProfile { .. }) => Failure::from(error)
            .hinting("declare it with [profile.NAME] in the schema, or use --by"),
        other => other.into(),
    })
}

impl Asked {
    /// The query as the command line changes it.
    ///
    /// # Errors
    /// There is no such profile or user, or `last` is asked for and there is no event.
    pub(super) fn of(db: &TidalDB, args: &RankArgs, read: Read) -> Result<Self, Failure> {
        let mut query = match (read.query, &args.profile) {
            (Some(query), _) => query,
            (None, name) => profile(db, name.as_deref().unwrap_or_default())?,
        };
        if let Some(kind) = args.kind {
            query = query.of_kind(kind);
        }
        if let Some(filter) = read.filter {
            query = query.filter(filter);
        }
        if let Some(name) = &args.for_user {
            let user = entity::find(db, EntityKind::User, name)?;
            query =
                query.for_user(user.ok_or_else(|| entity::unknown(db, EntityKind::User, name))?);
        }
        for signal in &args.unseen_by {
            query = query.unseen_by(signal);
        }
        for (max, attribute) in &args.at_most {
            query = query.at_most(*max, attribute);
        }
        if let Some(limit) = args.limit {
            query = query.limit(limit);
        }
        if let Some(seed) = args.seed {
            query = query.seed(seed);
        }
        if let Some(cursor) = &args.cursor {
            query = query.after(cursor);
        }
        if args.explain {
            query = query.explained();
        }
        if let Some(at) = args.at {
            query = query.at(at.of_read(db)?);
        }
        Ok(Self::taken_apart(query, args.at))
    }

    fn taken_apart(query: Query, at: Option<Moment>) -> Self {
        let json: Value = serde_json::from_str(&query.to_json()).unwrap_or_default();
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        let kind = EntityKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == text("kind"));
        Self {
            kind: kind.unwrap_or(EntityKind::Item),
            by: text("by").unwrap_or_default().to_owned(),
            at_is_now: at.map_or_else(|| json.get("at").is_none(), |at| at == Moment::Now),
            query,
        }
    }
}
