//! Attributes of entities, from the outside: what is written, refused and read back,
//! through checkpoints, openings, copies and purges.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use tidal_db::{
    AttributeType, AttributeValue, Batch, Checksum, Config, DeepOptions, Differing, Engine,
    EntityKind, ErrorKind, IdMode, KEYWORDS_MAX, Meaning, QueryError, Schema, SchemaBuilder,
    SchemaError, Seq, TidalDB, TidalError, dump, migrate, replay, restore, verify, verify_deep,
};
use tidal_storage::{FjallStorage, Storage};

use crate::fixture::{NOW, declare, id};

const ITEM: EntityKind = EntityKind::Item;
const CREATOR: EntityKind = EntityKind::Creator;

fn builder(names: &[&str]) -> SchemaBuilder {
    let mut builder = SchemaBuilder::new();
    declare(&mut builder);
    let known = [
        ("language", ITEM, AttributeType::Keyword),
        ("price", ITEM, AttributeType::Float),
        ("tags", ITEM, AttributeType::Keywords),
        ("maker", ITEM, AttributeType::Entity(CREATOR)),
        ("released", ITEM, AttributeType::Timestamp),
        ("verified", CREATOR, AttributeType::Boolean),
        ("age", EntityKind::User, AttributeType::Integer),
    ];
    for name in names {
        let (name, kind, of_type) = known.into_iter().find(|(known, ..)| known == name).unwrap();
        builder.attribute(name, kind, of_type);
    }
    builder
}

const ALL: [&str; 7] = ["language", "price", "tags", "maker", "released", "verified", "age"];

fn schema() -> Schema {
    builder(&ALL).build().unwrap()
}

fn open_with(dir: &Path, schema: Schema) -> TidalDB {
    let config = Config { data_dir: dir.into(), schema };
    TidalDB::builder(config).segment_bytes(16 << 10).checkpoint_every(u64::MAX).open().unwrap()
}

fn open(dir: &Path) -> TidalDB {
    open_with(dir, schema())
}

fn word(word: &str) -> AttributeValue {
    AttributeValue::Keyword(word.into())
}

fn words(words: &[&str]) -> AttributeValue {
    AttributeValue::Keywords(words.iter().map(|word| (*word).to_owned()).collect())
}

fn maker(number: u64) -> AttributeValue {
    AttributeValue::Entity(id(number))
}

fn named<const N: usize>(values: [(&str, AttributeValue); N]) -> BTreeMap<String, AttributeValue> {
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

/// One value of every type, of entities of every kind.
fn feed(db: &TidalDB) {
    for number in 1..=30 {
        let price = AttributeValue::Float(number as f64 / 4.0);
        let batch = Batch::new()
            .signal("view", id(number), 1.0, NOW)
            .put_attributes(
                ITEM,
                id(number),
                [("language", Some(word("en"))), ("price", Some(price))],
            )
            .put_attributes(ITEM, id(number), [("maker", Some(maker(number % 7)))])
            .put_attributes(
                ITEM,
                id(number),
                [
                    ("tags", Some(words(&["new", "sale"]))),
                    ("released", Some(AttributeValue::Timestamp(NOW))),
                ],
            )
            .put_attributes(
                CREATOR,
                id(number % 7),
                [("verified", Some(AttributeValue::Boolean(true)))],
            );
        let age = AttributeValue::Integer(number.cast_signed() - 20);
        let age = number.is_multiple_of(2).then_some(age);
        db.commit(batch.put_attributes(EntityKind::User, id(number % 3), [("age", age)])).unwrap();
        if number == 20 {
            db.checkpoint().unwrap();
        }
    }
    db.put_attributes(ITEM, id(2), &[("tags", None), ("language", Some(word("fr")))]).unwrap();
}

/// What item 2 has after [`feed`].
fn second() -> BTreeMap<String, AttributeValue> {
    named([
        ("language", word("fr")),
        ("price", AttributeValue::Float(0.5)),
        ("maker", maker(2)),
        ("released", AttributeValue::Timestamp(NOW)),
    ])
}

/// G94, G95: what is named changes and the rest stays, wherever it is kept.
#[test]
fn attributes_are_read_back_wherever_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed(&db);
    let expected = db.checksum().unwrap();
    let expect = |db: &TidalDB, context: &str| {
        assert_eq!(db.attributes(ITEM, id(2)).unwrap(), second(), "{context}");
        assert!(db.attributes(ITEM, id(99)).unwrap().is_empty(), "{context}");
        let age = named([("age", AttributeValue::Integer(10))]);
        assert_eq!(db.attributes(EntityKind::User, id(0)).unwrap(), age, "{context}");
        assert_eq!(db.checksum().unwrap(), expected, "{context}");
    };
    expect(&db, "over storage");
    drop(db);
    let db = open(dir.path());
    expect(&db, "replayed");
    db.checkpoint().unwrap();
    expect(&db, "in storage");
    db.shutdown().unwrap();
    expect(&TidalDB::open_existing(dir.path()).unwrap(), "reopened");
}

/// G94: of what comes twice the last counts, in a patch and in a batch.
#[test]
fn the_last_write_counts() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let values = [
        ("price", Some(AttributeValue::Float(1.0))),
        ("price", None),
        ("language", Some(word("en"))),
    ];
    let batch = Batch::new()
        .put_attributes(ITEM, id(1), [("language", Some(word("fr")))])
        .put_attributes(ITEM, id(1), values);
    db.commit(batch).unwrap();
    assert_eq!(db.attributes(ITEM, id(1)).unwrap(), named([("language", word("en"))]));
    // A set without keywords is no value.
    db.put_attributes(ITEM, id(1), &[("tags", Some(words(&["b", "a", "b"])))]).unwrap();
    assert_eq!(db.attributes(ITEM, id(1)).unwrap()["tags"], words(&["a", "b"]));
    db.put_attributes(ITEM, id(1), &[("tags", Some(words(&[]))), ("language", None)]).unwrap();
    assert!(db.attributes(ITEM, id(1)).unwrap().is_empty());
}

/// G5, G94: what the schema does not allow is refused before anything is written.
#[test]
fn unsound_attributes_are_refused() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let records = db.stats().unwrap().records;
    let long = "x".repeat(256);
    let many: Vec<String> = (0..=KEYWORDS_MAX).map(|number| number.to_string()).collect();
    for (name, value, part) in [
        ("language", word(""), "is empty"),
        ("language", word(&long), "256 bytes"),
        ("language", words(&["en"]), "it cannot be keywords"),
        ("price", AttributeValue::Float(f64::NAN), "not finite"),
        ("price", AttributeValue::Integer(1), "it cannot be an integer"),
        ("tags", AttributeValue::Keywords(many), "65 keywords"),
        ("released", AttributeValue::Integer(1), "it cannot be an integer"),
    ] {
        let good = ("price", Some(AttributeValue::Float(1.0)));
        let error = db.put_attributes(ITEM, id(1), &[good, (name, Some(value))]).unwrap_err();
        assert!(matches!(error, TidalError::Query(QueryError::WrongType { .. })), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Input);
        let told = error.to_string();
        assert!(told.contains(name) && told.contains(part), "{told}");
    }
    // It is of another kind.
    let error = db.put_attributes(ITEM, id(1), &[("age", None)]).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("\"age\"") && told.contains("language, price, tags"), "{told}");
    assert_eq!(db.stats().unwrap().records, records);
    assert_eq!(db.id_mode(ITEM), None);
    assert!(db.attributes(ITEM, id(1)).unwrap().is_empty());
}

/// G16, G94: ids and names are as they are for events, also where an entity is a value.
#[test]
fn ids_are_those_of_their_kinds() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let ada = db.entity_id(CREATOR, "ada").unwrap();
    let put = |value: AttributeValue| db.put_attributes(ITEM, id(1), &[("maker", Some(value))]);
    let error = put(maker(99)).unwrap_err();
    assert!(matches!(error, TidalError::KindIsNamed { kind: CREATOR, .. }), "{error:?}");
    put(AttributeValue::Entity(ada)).unwrap();
    assert_eq!(
        (db.id_mode(ITEM), db.id_mode(CREATOR)),
        (Some(IdMode::Numeric), Some(IdMode::Named))
    );
    let error = db.put_attributes(CREATOR, id(99), &[("verified", None)]).unwrap_err();
    assert!(matches!(error, TidalError::KindIsNamed { kind: CREATOR, .. }), "{error:?}");

    let db = TidalDB::in_memory(schema()).unwrap();
    db.put_attributes(ITEM, id(1), &[("maker", Some(maker(5)))]).unwrap();
    let error = db.entity_id(CREATOR, "ada").unwrap_err();
    assert!(matches!(error, TidalError::KindIsNumeric { kind: CREATOR }), "{error:?}");
    db.forget(CREATOR, id(5)).unwrap();
    let refused = db.put_attributes(ITEM, id(2), &[("maker", Some(maker(5)))]).unwrap_err();
    assert!(matches!(refused, TidalError::Forgotten { kind: CREATOR, .. }), "{refused:?}");
    assert!(db.attributes(ITEM, id(1)).unwrap().is_empty());
    db.forget(ITEM, id(1)).unwrap();
    let refused = db.put_attributes(ITEM, id(1), &[("language", None)]).unwrap_err();
    assert!(matches!(refused, TidalError::Forgotten { kind: ITEM, .. }), "{refused:?}");
}

fn meanings(dir: &Path) -> Vec<Meaning> {
    let mut meanings = Vec::new();
    dump(dir, Seq::ZERO, &mut |record| {
        meanings.push(record.meaning.clone());
        ControlFlow::Continue(())
    })
    .unwrap();
    meanings
}

fn deep(dir: &Path) -> tidal_db::DeepReport {
    let scratch = tempfile::tempdir().unwrap();
    verify_deep(dir, &DeepOptions::new(scratch.path().join("work"))).unwrap()
}

/// The rows of items, as they are stored.
fn stored_rows(storage: &dyn Storage) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = storage.backend(ITEM).scan_prefix(&[]).unwrap();
    let entries = entries.map(Result::unwrap).filter(|(key, _)| key[9..] == [3, 1]);
    entries.map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn with_storage<T>(dir: &Path, look: impl FnOnce(&dyn Storage) -> T) -> T {
    let storage = FjallStorage::open(dir.join("storage")).unwrap();
    let seen = look(&storage);
    storage.flush_all().unwrap();
    storage.close().unwrap();
    seen
}

/// G82, G95: a purge takes it out of the log and out of storage where a forgotten entity
/// is the value of another's attribute, also right behind a checkpoint; and nothing reads
/// otherwise than before.
#[test]
fn a_purge_takes_out_values_that_name_who_was_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    for number in [1, 2] {
        let values = [("language", Some(word("en"))), ("maker", Some(maker(0x7777_7777)))];
        db.put_attributes(ITEM, id(number), &values).unwrap();
    }
    db.put_attributes(ITEM, id(3), &[("language", Some(word("en")))]).unwrap();
    db.forget(CREATOR, id(0x7777_7777)).unwrap();
    db.forget(ITEM, id(2)).unwrap();
    db.checkpoint().unwrap();
    let checksum = db.checksum().unwrap();
    let purged = db.purge_forgotten().unwrap();
    assert_eq!((purged.tombstones, purged.without_actor), (1, 1));
    assert_eq!(db.checksum().unwrap(), checksum);
    db.shutdown().unwrap();
    // As a varint, in the value of an entity.
    let named = [8, 0xf7, 0xee, 0xdd, 0xbb, 0x07];
    let rows = with_storage(dir.path(), stored_rows);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|(_, row)| row.windows(6).all(|bytes| bytes != named)), "{rows:?}");
    let values = vec![("language".to_owned(), Some(word("en"))), ("maker".to_owned(), None)];
    let put = Meaning::PutAttributes { kind: ITEM, id: id(1), name: None, values };
    assert_eq!(meanings(dir.path())[1..3], [put, Meaning::Purged]);
    assert!(verify(dir.path()).unwrap().ok() && deep(dir.path()).ok());
    let db = open(dir.path());
    assert_eq!(db.checksum().unwrap(), checksum);
    assert_eq!(db.attributes(ITEM, id(1)).unwrap().len(), 1);
}

fn checksum(dir: &Path) -> Checksum {
    TidalDB::open_existing(dir).unwrap().checksum().unwrap()
}

/// G54, G56, G76, G78: copies and replays have the attributes.
#[test]
fn copies_have_the_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed(&db);
    let expected = db.checksum().unwrap();
    let other = tempfile::tempdir().unwrap();
    let at = |name: &str| other.path().join(name);
    db.backup(at("backup")).unwrap();
    db.shutdown().unwrap();
    assert!(deep(dir.path()).ok());
    restore(at("backup"), at("restored"), Engine::Fjall).unwrap();
    migrate(dir.path(), at("migrated"), Engine::Fjall).unwrap();
    let made = replay(dir.path(), at("replayed"), &schema(), Engine::Fjall).unwrap();
    assert_eq!((made.checksum, made.attributes_left_out), (expected, 0));
    for copy in ["restored", "migrated", "replayed"] {
        assert_eq!(checksum(&at(copy)), expected, "{copy}");
        let db = TidalDB::open_existing(at(copy)).unwrap();
        assert_eq!(db.attributes(ITEM, id(2)).unwrap(), second(), "{copy}");
    }
}

/// G77: under a schema that has its attributes in another order, and lacks some, the
/// others are as they would have been.
#[test]
fn a_replay_takes_over_the_attributes_that_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed(&db);
    db.shutdown().unwrap();
    let to = tempfile::tempdir().unwrap();
    let fewer = builder(&["verified", "price", "language"]).build().unwrap();
    let made = replay(dir.path(), to.path(), &fewer, Engine::Fjall).unwrap();
    // Makers, tags, times and ages, and one set of tags that was removed.
    assert_eq!(made.attributes_left_out, 4 * 30 + 1);
    let copy = TidalDB::open_existing(to.path()).unwrap();
    let expected = named([("language", word("fr")), ("price", AttributeValue::Float(0.5))]);
    assert_eq!(copy.attributes(ITEM, id(2)).unwrap(), expected);
    let verified = named([("verified", AttributeValue::Boolean(true))]);
    assert_eq!(copy.attributes(CREATOR, id(2)).unwrap(), verified);
    drop(copy);

    let mut changed = builder(&[]);
    changed.attribute("price", ITEM, AttributeType::Integer);
    let to = tempfile::tempdir().unwrap();
    let refused = replay(dir.path(), to.path(), &changed.build().unwrap(), Engine::Fjall);
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, TidalError::Schema(SchemaError::AttributeChanged { .. })),
        "{refused:?}"
    );
}

/// G6: a schema that grows by attributes alone is in force from its record on, whether or
/// not a checkpoint came behind it.
#[test]
fn a_schema_grows_by_attributes_alone() {
    let dir = tempfile::tempdir().unwrap();
    let few = || builder(&["language"]).build().unwrap();
    let db = open_with(dir.path(), few());
    db.put_attributes(ITEM, id(1), &[("language", Some(word("en")))]).unwrap();
    db.checkpoint().unwrap();
    drop(db);
    let db = open(dir.path());
    let values = [("price", Some(AttributeValue::Float(1.0))), ("maker", Some(maker(5)))];
    db.put_attributes(ITEM, id(1), &values).unwrap();
    let expected = db.checksum().unwrap();
    drop(db);
    assert_eq!(checksum(dir.path()), expected);
    let db = TidalDB::open_existing(dir.path()).unwrap();
    assert_eq!(db.attributes(ITEM, id(1)).unwrap().len(), 3);
    db.checkpoint().unwrap();
    drop(db);
    assert_eq!(checksum(dir.path()), expected);
    assert!(deep(dir.path()).ok());
    let config = Config { data_dir: dir.path().into(), schema: few() };
    let refused = TidalDB::open(config).unwrap_err();
    assert!(
        matches!(refused, TidalError::Schema(SchemaError::AttributeRemoved { .. })),
        "{refused:?}"
    );
}

/// G76, G97: a row that is not what was written is told, with the entity that has it.
#[test]
fn damaged_rows_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed(&db);
    db.shutdown().unwrap();
    with_storage(dir.path(), |storage| {
        let rows = stored_rows(storage);
        // The second item has what the first has.
        storage.backend(ITEM).put(&rows[1].0, &rows[0].1).unwrap();
    });
    let differences = deep(dir.path()).state.unwrap().differences;
    assert_eq!(differences.count, 1);
    let first = &differences.first[0];
    assert_eq!(first.what, Differing::Attributes(ITEM, id(2)));
    let (recomputed, stored) = (first.recomputed.as_ref().unwrap(), first.stored.as_ref().unwrap());
    assert!(recomputed.contains("fr") && stored.contains("sale"), "{first:?}");

    with_storage(dir.path(), |storage| {
        let rows = stored_rows(storage);
        storage.backend(ITEM).put(&rows[1].0, &rows[1].1[..5]).unwrap();
    });
    let db = open(dir.path());
    for error in [db.attributes(ITEM, id(2)).unwrap_err(), db.checksum().unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Damage);
        assert!(error.to_string().contains("the attributes of item 2"), "{error}");
    }
    assert_eq!(db.attributes(ITEM, id(1)).unwrap().len(), 5);
}

/// G19: the log shows what was written.
#[test]
fn patches_are_shown_with_what_they_mean() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let ada = db.entity_id(CREATOR, "ada").unwrap();
    let verified = [("verified", Some(AttributeValue::Boolean(true)))];
    db.put_attributes(CREATOR, ada, &verified).unwrap();
    db.put_attributes(ITEM, id(7), &[("price", None), ("language", Some(word("en")))]).unwrap();
    db.shutdown().unwrap();
    let values = vec![("verified".to_owned(), Some(AttributeValue::Boolean(true)))];
    let name = Some(b"ada".to_vec());
    let of_ada = Meaning::PutAttributes { kind: CREATOR, id: ada, name, values };
    let values = vec![("language".to_owned(), Some(word("en"))), ("price".to_owned(), None)];
    let of_item = Meaning::PutAttributes { kind: ITEM, id: id(7), name: None, values };
    assert_eq!(meanings(dir.path())[2..], [of_ada, of_item]);
}
