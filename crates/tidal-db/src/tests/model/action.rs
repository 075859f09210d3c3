//! What a run does, as data: proptest draws it, and takes away from it what a failure
//! does not need.
//!
//! Nothing here is relative to the state by more than a small number ("the next event of
//! producer 1", "the key of before"), which the run makes a record of when it is there.
//! So a list of actions stays meaningful whatever is taken out of it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use tidal_types::EntityKind;

/// How a run is set up.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Of the disk: what of unsynced bytes survives, and which reads fall short.
    pub(super) seed: u64,
    pub(super) durability: Level,
    /// Whether the log is cut behind checkpoints.
    pub(super) cuts_log: bool,
    /// One in so many operations of the disk falls short; none when zero.
    pub(super) disturbed: u64,
    /// Whether the entities of each kind have names.
    pub(super) named: [bool; 3],
    /// Over so many bytes, cells leave memory.
    pub(super) memory_budget: Option<u64>,
}

/// When a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Durable,
    Written,
    Buffered,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Do(Doing),
    /// The disk fails once, after so many operations, and the database is opened again.
    Fail {
        after: u8,
        doing: Doing,
    },
    /// The process or the machine ends, after so many operations of the disk.
    Die {
        after: u8,
        doing: Doing,
        end: End,
    },
    /// A commit to storage fails, and the database goes on.
    StorageFails {
        after: u8,
        writing: Writing,
    },
    /// The process or the machine ends after so many commits to storage.
    StorageDies {
        after: u8,
        writing: Writing,
        end: End,
    },
    Crash(End),
    /// It is shut down, or dropped, and opened, by the schema that it has or with more
    /// signal types.
    Reopen {
        clean: bool,
        with: With,
    },
    /// Time passes.
    Wait {
        secs: u32,
    },
    /// The log does what it does when nothing comes: it notes down how far it is synced,
    /// and makes a segment ahead.
    Idle,
    /// Everything that can be read is compared.
    Look,
}

#[derive(Debug, Clone)]
pub(super) enum Doing {
    /// Several batches are written as one group.
    Commit(Vec<Vec<Op>>),
    Name {
        kind: EntityKind,
        names: Vec<u8>,
    },
    Forget {
        kind: EntityKind,
        entity: u8,
    },
    Write(Writing),
}

/// What is written to storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    Checkpoint,
    /// Changed cells without a checkpoint, so that they can leave memory: those that were
    /// not used lately, or all.
    Cold,
    Cells,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    SameSchema,
    MoreSignals,
    StoredSchema,
}

/// How a process ends, and what of the next ones do not live long enough to open.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) cut: Option<PowerCut>,
    pub(super) recoveries: Vec<Recovery>,
}

/// The power was cut, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct PowerCut {
    /// So many commits of storage are left behind the last that was synced.
    pub(super) unsynced: u8,
}

/// A process that ends while it opens the database, or right after.
#[derive(Debug, Clone)]
pub(super) struct Recovery {
    pub(super) after: u8,
    /// Storage ends after so many commits.
    pub(super) storage_after: Option<u8>,
    pub(super) cut: Option<PowerCut>,
}

/// A part of a batch.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Event {
        signal: u8,
        entity: u8,
        weight: u8,
        when: When,
        actor: Option<u8>,
        from: From,
    },
    Write {
        entity: u8,
        bytes: u16,
    },
    Delete {
        entity: u8,
    },
    Note {
        producer: u8,
    },
    /// The attribute with this number, and those behind it of the same kind of entity.
    Put {
        entity: u8,
        attribute: u8,
        values: Vec<Option<u8>>,
    },
}

/// When an event happened.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// So many seconds before the clock.
    Late(u32),
    /// At the edge of a bucket, where others are too.
    Tie(u8),
    /// After the clock, by less than the skew that is allowed.
    Ahead(u16),
    /// Later than is allowed.
    TooFar,
}

/// What an event is told from its repeats by.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    Nothing,
    /// The next of a producer, or one further on.
    Next {
        producer: u8,
        skip: u8,
    },
    /// One that the producer has sent, or never will.
    Again {
        producer: u8,
        back: u8,
    },
    /// The first of the next epoch.
    NewEpoch {
        producer: u8,
    },
    /// Of the epoch before.
    OldEpoch {
        producer: u8,
    },
    /// The event of this key, if it was sent, or another one under the same key.
    Client {
        key: u8,
        is_other: bool,
    },
    /// A new event, or the last one that was known by its content.
    Content {
        is_again: bool,
    },
}

pub(super) fn setting() -> impl Strategy<Value = Setting> {
    let durability = prop_oneof![
        4 => Just(Level::Durable),
        1 => Just(Level::Written),
        1 => Just(Level::Buffered),
    ];
    let disturbed = prop_oneof![2 => Just(0), 1 => Just(50), 1 => Just(10)];
    let named = prop::array::uniform3(prop::bool::weighted(0.3));
    // None of a cell may stay, or a few, or nearly all.
    let budget = prop_oneof![
        3 => Just(None),
        2 => Just(Some(0)),
        2 => (500..20_000_u64).prop_map(Some),
        1 => Just(Some(100 << 10)),
    ];
    (any::<u64>().no_shrink(), durability, any::<bool>(), disturbed, named, budget).prop_map(
        |(seed, durability, cuts_log, disturbed, named, memory_budget)| Setting {
            seed,
            durability,
            cuts_log,
            disturbed,
            named,
            memory_budget,
        },
    )
}

pub(super) fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 1..30)
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => doing().prop_map(Action::Do),
        3 => (operations(), doing()).prop_map(|(after, doing)| Action::Fail { after, doing }),
        4 => (operations(), doing(), end())
            .prop_map(|(after, doing, end)| Action::Die { after, doing, end }),
        2 => (0..9_u8, writing())
            .prop_map(|(after, writing)| Action::StorageFails { after, writing }),
        3 => (0..9_u8, writing(), end())
            .prop_map(|(after, writing, end)| Action::StorageDies { after, writing, end }),
        2 => end().prop_map(Action::Crash),
        2 => (any::<bool>(), with()).prop_map(|(clean, with)| Action::Reopen { clean, with }),
        2 => prop_oneof![0..30_u32, 0..2000_u32, 0..400_000_u32]
            .prop_map(|secs| Action::Wait { secs }),
        1 => Just(Action::Idle),
        1 => Just(Action::Look),
    ]
}

/// A group takes two or three, a checkpoint and a new segment some more.
fn operations() -> impl Strategy<Value = u8> {
    prop_oneof![4 => 0..4_u8, 1 => 0..30_u8]
}

fn with() -> impl Strategy<Value = With> {
    prop_oneof![Just(With::SameSchema), Just(With::MoreSignals), Just(With::StoredSchema)]
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        8 => vec(vec(op(), 1..9), 1..4).prop_map(Doing::Commit),
        1 => (kind(), vec(0..10_u8, 1..4)).prop_map(|(kind, names)| Doing::Name { kind, names }),
        1 => (kind(), forgotten()).prop_map(|(kind, entity)| Doing::Forget { kind, entity }),
        3 => writing().prop_map(Doing::Write),
    ]
}

fn writing() -> impl Strategy<Value = Writing> {
    prop_oneof![
        4 => Just(Writing::Checkpoint),
        1 => Just(Writing::Cold),
        2 => Just(Writing::Cells),
    ]
}

fn kind() -> impl Strategy<Value = EntityKind> {
    prop::sample::select(EntityKind::ALL.to_vec())
}

fn end() -> impl Strategy<Value = End> {
    (cut(), vec(recovery(), 0..3)).prop_map(|(cut, recoveries)| End { cut, recoveries })
}

fn cut() -> impl Strategy<Value = Option<PowerCut>> {
    option::of((0..8_u8).prop_map(|unsynced| PowerCut { unsynced }))
}

fn recovery() -> impl Strategy<Value = Recovery> {
    (0..40_u8, option::of(0..3_u8), cut()).prop_map(|(after, storage_after, cut)| Recovery {
        after,
        storage_after,
        cut,
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        14 => event(),
        3 => (entity(), prop_oneof![4 => 0..40_u16, 1 => 1000..6000_u16])
            .prop_map(|(entity, bytes)| Op::Write { entity, bytes }),
        1 => entity().prop_map(|entity| Op::Delete { entity }),
        1 => producer().prop_map(|producer| Op::Note { producer }),
        3 => (entity(), attribute(), vec(option::weighted(0.8, entity()), 0..4))
            .prop_map(|(entity, attribute, values)| Op::Put { entity, attribute, values }),
    ]
}

/// The last number is of no attribute.
fn attribute() -> impl Strategy<Value = u8> {
    prop_oneof![40 => 0..6_u8, 1 => Just(u8::MAX)]
}

/// Few, so that some have many events.
fn entity() -> impl Strategy<Value = u8> {
    prop_oneof![6 => 0..2_u8, 3 => 0..12_u8]
}

/// Seldom one that has many events, since nothing is written about it afterwards.
fn forgotten() -> impl Strategy<Value = u8> {
    prop_oneof![1 => 0..2_u8, 4 => 0..12_u8]
}

fn producer() -> impl Strategy<Value = u8> {
    0..2_u8
}

fn event() -> impl Strategy<Value = Op> {
    // The last number is of no signal type.
    let signal = prop_oneof![40 => 0..6_u8, 1 => Just(u8::MAX)];
    let when = prop_oneof![
        8 => prop_oneof![Just(0), 0..100_u32, 0..200_000_u32, 0..4_000_000_u32]
            .prop_map(When::Late),
        3 => (0..90_u8).prop_map(When::Tie),
        2 => (0..3600_u16).prop_map(When::Ahead),
    ];
    let when = prop_oneof![60 => when, 1 => Just(When::TooFar)];
    let actor = option::weighted(0.2, entity());
    (signal, entity(), 0..8_u8, when, actor, from()).prop_map(
        |(signal, entity, weight, when, actor, from)| Op::Event {
            signal,
            entity,
            weight,
            when,
            actor,
            from,
        },
    )
}

fn from() -> impl Strategy<Value = From> {
    prop_oneof![
        20 => Just(From::Nothing),
        6 => (producer(), 0..3_u8).prop_map(|(producer, skip)| From::Next { producer, skip }),
        3 => (producer(), 0..4_u8).prop_map(|(producer, back)| From::Again { producer, back }),
        1 => producer().prop_map(|producer| From::NewEpoch { producer }),
        1 => producer().prop_map(|producer| From::OldEpoch { producer }),
        6 => (0..6_u8, prop::bool::weighted(0.03))
            .prop_map(|(key, is_other)| From::Client { key, is_other }),
        3 => any::<bool>().prop_map(|is_again| From::Content { is_again }),
    ]
}
