//! Profiles in the schema: found by name, and refused with the schema when they could not
//! be used.

use tidal_db::{
    AttributeType, Config, Engine, EntityKind, ErrorKind, Query, QueryError, Schema, SchemaBuilder,
    TidalDB, TidalError, attribute, replay, score,
};

use crate::fixture::{declare, open};

fn with(profiles: &[(&str, &str)]) -> Schema {
    let mut builder = SchemaBuilder::new();
    declare(&mut builder);
    builder.attribute("language", EntityKind::Item, AttributeType::Keyword);
    for (name, text) in profiles {
        builder.profile(name, text);
    }
    builder.build().unwrap()
}

const FRONT: &str = r#"{"by": "score(view) + 2 * score(like)", "filter": "language = 'en'"}"#;

fn front() -> Query {
    Query::items()
        .by(score("view") + 2.0 * score("like"))
        .filter(attribute("language").equals("en"))
}

/// G105
#[test]
fn a_profile_is_a_query_with_a_name_and_may_be_declared_anew() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let config = |schema| Config { data_dir: data_dir.clone(), schema };
    let db = TidalDB::open(config(with(&[("front", FRONT), ("best", r#"{"by": "1"}"#)]))).unwrap();
    assert_eq!(db.profiles(), ["best", "front"]);
    assert_eq!(db.profile("front").unwrap(), front());
    let error = db.profile("fornt").unwrap_err();
    let known = vec!["best".into(), "front".into()];
    let unknown = QueryError::UnknownProfile { profile: "fornt".into(), known };
    assert!(matches!(&error, TidalError::Query(error) if *error == unknown), "{error}");
    db.shutdown().unwrap();
    assert!(matches!(db.profile("front"), Err(TidalError::Closed)));

    let db = TidalDB::open(config(with(&[("best", r#"{"by": "score(like)"}"#)]))).unwrap();
    assert_eq!(db.profile("best").unwrap(), Query::items().by(score("like")));
    drop(db);
    let db = TidalDB::open_existing(&data_dir).unwrap();
    assert_eq!(db.profile("best").unwrap(), Query::items().by(score("like")));
    assert_eq!(db.profile("front").unwrap(), front());
}

/// G105
#[test]
fn a_profile_that_could_not_be_used_is_refused_with_its_schema() {
    for (text, problem) in [
        ("score(view)", "the query is not understood: expected value at line 1 column 1"),
        (
            r#"{"by": "score(view"}"#,
            "at character 11: expected `)`, found the end\n  score(view\n            ^",
        ),
        (
            r#"{"by": "score(veiw)"}"#,
            "no signal type \"veiw\" in the schema, which has view, like, follow",
        ),
        (
            r#"{"by": "-score(view) / (1 + max(1, score(follow)))"}"#,
            "signal type \"follow\" is about entities of kind creator, not item; ask for each kind apart",
        ),
        (
            r#"{"by": "age(posted)"}"#,
            "entities of kind item have no attribute \"posted\"; they have language",
        ),
        (
            r#"{"by": "1", "filter": "language = 'en' or not (sold and true)"}"#,
            "entities of kind item have no attribute \"sold\"; they have language",
        ),
        (
            r#"{"by": "affinity(view, creator)", "for_user": 7}"#,
            "signal type \"view\" keeps no history; declare `history`",
        ),
        (
            r#"{"by": "1", "unseen_by": "seen"}"#,
            "no signal type \"seen\" in the schema, which has view, like, follow",
        ),
        (
            r#"{"by": "1", "at_most": {"of": "a", "max": 1}}"#,
            "entities of kind item have no attribute \"a\"; they have language",
        ),
        (
            r#"{"by": "1", "discount": {"of": "a", "factor": 1}}"#,
            "entities of kind item have no attribute \"a\"; they have language",
        ),
        (
            r#"{"by": "1", "at_least": {"of": "a", "min": 1}}"#,
            "entities of kind item have no attribute \"a\"; they have language",
        ),
        (
            r#"{"kind": "creator", "by": "score(follow)", "filter": "exists language"}"#,
            "entities of kind creator have no attribute \"language\"; they have none",
        ),
        (r#"{"by": "1", "cursor": "x"}"#, "\"cursor\" is of one call; leave it out"),
        (r#"{"by": "1", "at": 7}"#, "\"at\" is of one call; leave it out"),
    ] {
        let error = TidalDB::in_memory(with(&[("best", FRONT), ("front", text)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        let (profile, problem) = ("front".into(), problem.into());
        let expected = QueryError::Profile { profile, problem };
        assert_eq!(error.to_string(), expected.to_string(), "{text}");
    }
}

/// G105, G5: a database in a directory is left as it was, and none is made.
#[test]
fn what_is_refused_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let (data_dir, other) = (dir.path().join("data"), dir.path().join("other"));
    let broken = with(&[("front", "{}")]);
    let config = || Config { data_dir: data_dir.clone(), schema: broken.clone() };
    let refused = |error| matches!(error, TidalError::Query(QueryError::Profile { .. }));
    assert!(refused(TidalDB::open(config()).unwrap_err()));
    assert!(!data_dir.exists());
    open(&data_dir).shutdown().unwrap();
    assert!(refused(TidalDB::open(config()).unwrap_err()));
    assert_eq!(TidalDB::open_existing(&data_dir).unwrap().stats().unwrap().records, 1);
    assert!(refused(replay(&data_dir, &other, &broken, Engine::default()).unwrap_err()));
    assert!(!other.exists());
}
