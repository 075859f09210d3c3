//! A small database, what was done to it, and what a ranking of it is by definition.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::btree_set;
use proptest::prelude::*;
use tidal_types::{
    AttributeType, AttributeValue, DecaySpec, EntityId, EntityKind, Event, SchemaBuilder,
    Timestamp, Window,
};

use super::super::number::{add, divide, finite, multiply, subtract};
use super::super::plan::AGE_MAX_SECS;
use super::super::random::Draw;
use super::super::*;
use crate::TidalDB;
use crate::ledger::{Measure, RankKey};

/// Ids are below this.
pub(super) const ITEMS: u64 = 24;
/// Who asks, and did something.
pub(super) const USER: EntityId = EntityId::new(900);

const START_SECS: u64 = 1_500_000_000;
const ITEM: EntityKind = EntityKind::Item;
const WORDS: [&str; 3] = ["en", "de", "fr"];

/// Something that is done.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Event {
        signal: usize,
        id: u64,
        weight: f64,
        secs: u64,
        by_user: bool,
    },
    Describe {
        id: u64,
        language: Option<usize>,
        price: Option<i32>,
        posted: Option<u64>,
        creator: Option<u64>,
        tags: BTreeSet<usize>,
    },
    Forget {
        id: u64,
    },
}

impl Step {
    /// Whom it is about.
    pub(super) fn id(&self) -> u64 {
        match self {
            Self::Event { id, .. } | Self::Describe { id, .. } | Self::Forget { id } => *id,
        }
    }
}

const SIGNALS: [&str; 4] = ["like", "view", "report", "perm"];

pub(super) fn steps() -> impl Strategy<Value = Step> {
    let weight = prop_oneof![4 => Just(1.0), 2 => Just(-1.0), 1 => Just(0.0), 2 => -5.0..5.0_f64];
    // Late events, and ties.
    let secs = prop_oneof![3 => (0..6_u64).prop_map(|hours| hours * 1800), 1 => 0..400_000_u64];
    let event = (0..SIGNALS.len(), 0..ITEMS, weight, secs, prop::bool::weighted(0.2));
    let described = (
        0..ITEMS,
        prop::option::of(0..WORDS.len()),
        prop::option::of(-3..6_i32),
        prop::option::of(0..10_000_u64),
        prop::option::of(0..4_u64),
        btree_set(0..WORDS.len(), 0..3),
    );
    prop_oneof![
        12 => event.prop_map(|(signal, id, weight, secs, by_user)| Step::Event { signal, id, weight, secs, by_user }),
        4 => described.prop_map(|(id, language, price, posted, creator, tags)| {
            Step::Describe { id, language, price, posted, creator, tags }
        }),
        1 => (0..ITEMS).prop_map(|id| Step::Forget { id }),
    ]
}

/// A score of anything that there is.
pub(super) fn expressions() -> impl Strategy<Value = Expr> {
    let window = prop_oneof![Just(Window::OneHour), Just(Window::AllTime)];
    let leaf = prop_oneof![
        4 => prop::sample::select(&SIGNALS[..]).prop_map(score),
        1 => prop::sample::select(&["like", "view"][..]).prop_map(rate),
        2 => window.clone().prop_map(|window| count("view", window)),
        1 => Just(velocity("view", Window::OneHour)),
        1 => window.clone().prop_map(|window| sum("view", window)),
        1 => window.prop_map(|window| uniques("view", window)),
        1 => Just(attribute("price").value()),
        1 => Just(attribute("posted").value()),
        1 => Just(attribute("posted").age()),
        1 => prop::sample::select(&["creator", "tags"][..]).prop_map(|of| affinity("like", of)),
        1 => (-3.0..3.0_f64).prop_map(number),
    ];
    let weighted = (prop_oneof![-10.0..10.0_f64, Just(1.0)], leaf.clone());
    let weighted = weighted.prop_map(|(weight, leaf)| weight * leaf);
    prop_oneof![leaf, weighted].prop_recursive(4, 20, 3, |part| {
        let operands = (part.clone(), part.clone());
        let function = prop::sample::select(Function::ALL);
        prop_oneof![
            5 => operands.clone().prop_map(|(a, b)| a + b),
            3 => operands.clone().prop_map(|(a, b)| a - b),
            1 => operands.clone().prop_map(|(a, b)| a * b),
            1 => operands.prop_map(|(a, b)| a / b),
            1 => part.clone().prop_map(|a| -a),
            2 => (function, prop::collection::vec(part, 8)).prop_map(|(function, arguments)| {
                Expr::call(function, arguments.into_iter().take(*function.arity().start()))
            }),
        ]
    })
}

pub(super) fn filters() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        prop::sample::select(&WORDS[..]).prop_map(|word| attribute("language").equals(word)),
        prop::sample::select(&WORDS[..]).prop_map(|word| attribute("tags").equals(word)),
        (-3..6_i64).prop_map(|price| attribute("price").less_than(price)),
        (0..4_i64).prop_map(|creator| attribute("creator").equals(creator)),
        Just(attribute("posted").exists()),
    ];
    leaf.prop_recursive(2, 6, 2, |part| {
        prop_oneof![
            (part.clone(), part.clone()).prop_map(|(a, b)| a.and(b)),
            (part.clone(), part.clone()).prop_map(|(a, b)| a.or(b)),
            part.prop_map(|a| !a),
        ]
    })
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Described {
    language: Option<String>,
    price: Option<f64>,
    posted: Option<u64>,
    creator: Option<u64>,
    tags: BTreeSet<String>,
}

impl Described {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// The database, and what is known to be in it.
pub(super) struct World {
    pub(super) db: TidalDB,
    /// Signals and entities that have cells.
    cells: BTreeSet<(String, u64)>,
    /// What the user liked.
    liked: BTreeSet<u64>,
    described: BTreeMap<u64, Described>,
    forgotten: BTreeSet<u64>,
    newest: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let mut schema = SchemaBuilder::new();
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let exponential = |half_life| DecaySpec::Exponential { half_life };
        schema.signal("like", ITEM, exponential(hours(24))).history(true).add();
        schema
            .signal("view", ITEM, exponential(hours(1)))
            .windows(&[Window::OneHour, Window::AllTime])
            .velocity(true)
            .sums(true)
            .uniques(true)
            .add();
        schema.signal("report", ITEM, DecaySpec::Linear { lifetime: hours(48) }).add();
        schema.signal("perm", ITEM, DecaySpec::Permanent).add();
        schema.attribute("language", ITEM, AttributeType::Keyword);
        schema.attribute("price", ITEM, AttributeType::Float);
        schema.attribute("posted", ITEM, AttributeType::Timestamp);
        schema.attribute("creator", ITEM, AttributeType::Entity(EntityKind::Creator));
        schema.attribute("tags", ITEM, AttributeType::Keywords);
        Self {
            db: TidalDB::in_memory(schema.build().unwrap()).unwrap(),
            cells: BTreeSet::new(),
            liked: BTreeSet::new(),
            described: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            newest: START_SECS,
        }
    }

    /// The time of the newest event.
    pub(super) fn newest_secs(&self) -> u64 {
        self.newest
    }

    /// Writes events: signal, item, weight, seconds since the start.
    pub(super) fn write(&mut self, events: &[(&str, u64, f64, u64)]) {
        let events = events.iter().map(|&(signal, id, weight, secs)| {
            self.cells.insert((signal.into(), id));
            self.newest = self.newest.max(START_SECS + secs);
            Event::new(signal, EntityId::new(id), weight, Timestamp::from_secs(START_SECS + secs))
        });
        let events: Vec<Event<'_>> = events.collect();
        self.db.signals(&events).unwrap();
    }

    pub(super) fn describe(
        &mut self,
        id: u64,
        language: Option<&str>,
        price: Option<f64>,
        posted: Option<u64>,
        tags: &[&str],
    ) {
        self.put(
            id,
            Described {
                language: language.map(Into::into),
                price,
                posted: posted.map(|secs| START_SECS + secs),
                creator: None,
                tags: tags.iter().map(|&tag| tag.into()).collect(),
            },
        );
    }

    fn put(&mut self, id: u64, of: Described) {
        let tags: Vec<String> = of.tags.iter().cloned().collect();
        let patch = [
            ("language", of.language.clone().map(AttributeValue::Keyword)),
            ("price", of.price.map(AttributeValue::Float)),
            ("posted", of.posted.map(|secs| AttributeValue::Timestamp(Timestamp::from_secs(secs)))),
            ("creator", of.creator.map(|id| AttributeValue::Entity(EntityId::new(id)))),
            ("tags", (!tags.is_empty()).then_some(AttributeValue::Keywords(tags))),
        ];
        self.db.put_attributes(ITEM, EntityId::new(id), &patch).unwrap();
        self.described.insert(id, of);
    }

    pub(super) fn forget(&mut self, id: u64) {
        self.db.forget(ITEM, EntityId::new(id)).unwrap();
        self.forgotten.insert(id);
        self.cells.retain(|cell| cell.1 != id);
        self.liked.remove(&id);
        self.described.remove(&id);
    }

    pub(super) fn take(&mut self, step: &Step) {
        let id = step.id();
        if self.forgotten.contains(&id) {
            return;
        }
        match step {
            Step::Event { signal, weight, secs, by_user: true, .. } => {
                let (signal, at) = (SIGNALS[*signal], START_SECS + secs);
                let event =
                    Event::new(signal, EntityId::new(id), *weight, Timestamp::from_secs(at));
                self.db.signals(&[event.by(USER)]).unwrap();
                self.cells.insert((signal.into(), id));
                self.newest = self.newest.max(at);
                if signal == "like" {
                    self.liked.insert(id);
                }
            }
            Step::Event { signal, weight, secs, .. } => {
                self.write(&[(SIGNALS[*signal], id, *weight, *secs)]);
            }
            Step::Describe { language, price, posted, creator, tags, .. } => {
                let word = |word: &usize| WORDS[*word].to_owned();
                self.put(
                    id,
                    Described {
                        language: language.as_ref().map(word),
                        price: price.map(f64::from),
                        posted: posted.map(|secs| START_SECS + secs),
                        creator: *creator,
                        tags: tags.iter().map(word).collect(),
                    },
                );
            }
            Step::Forget { .. } => self.forget(id),
        }
    }

    /// Everyone who takes part, best first: item, and the bits of its value.
    pub(super) fn ranked(&self, query: &Query, at: Timestamp) -> Vec<(u64, u64)> {
        let mut all: Vec<(u64, f64)> = Vec::new();
        for id in 0..ITEMS {
            let described = self.described.get(&id).cloned().unwrap_or_default();
            let takes_part = self.names(&query.by, id, &described)
                || query.including_quiet && !described.is_nothing();
            let passes = query.filter.as_ref().is_none_or(|filter| passes(filter, &described));
            let is_seen = !query.unseen_by.is_empty() && self.liked.contains(&id);
            if takes_part && passes && !is_seen {
                all.push((id, self.value(&query.by, (id, &described), at, &mut 0)));
            }
        }
        if let Some(signal) = by_one_score(&query.by) {
            all.sort_by_key(|(id, _)| (Reverse(self.key(signal, *id, at)), *id));
        } else {
            all.sort_by(|(a, x), (b, y)| y.partial_cmp(x).unwrap().then(a.cmp(b)));
        }
        all.into_iter().map(|(id, value)| (id, value.to_bits())).collect()
    }

    /// By what `top` orders.
    fn key(&self, signal: &str, id: u64, at: Timestamp) -> RankKey {
        let state = self.db.state().unwrap();
        let measure = Measure::score(state.schema().signal(signal).unwrap());
        let read = state.ledger.measure_with_key(measure, EntityId::new(id), at).unwrap();
        read.map_or(RankKey::ZERO, |(key, _)| key)
    }

    fn names(&self, expr: &Expr, id: u64, of: &Described) -> bool {
        let has = |attribute: &str| match attribute {
            "price" => of.price.is_some(),
            "posted" => of.posted.is_some(),
            "creator" => of.creator.is_some(),
            _ => !of.tags.is_empty(),
        };
        match expr {
            Expr::Number(_) => false,
            Expr::Signal(of) => self.cells.contains(&(of.signal.clone(), id)),
            Expr::Attribute(name) | Expr::Age(name) => has(name),
            Expr::Affinity { attribute, .. } => has(attribute),
            Expr::Neg(a) => self.names(a, id, of),
            Expr::Add(a, b) | Expr::Sub(a, b) | Expr::Mul(a, b) | Expr::Div(a, b) => {
                self.names(a, id, of) || self.names(b, id, of)
            }
            Expr::Call(_, arguments) => arguments.iter().any(|part| self.names(part, id, of)),
        }
    }

    fn value(&self, expr: &Expr, of: (u64, &Described), at: Timestamp, calls: &mut u32) -> f64 {
        let (id, described) = (EntityId::new(of.0), of.1);
        let mut part = |expr: &Expr| self.value(expr, of, at, calls);
        match expr {
            Expr::Number(number) => *number,
            Expr::Signal(SignalFigure { signal, figure }) => {
                let score = || self.db.decay_score_at(signal, id, at).unwrap();
                finite(match figure {
                    Figure::Score => score(),
                    Figure::Rate => {
                        score() * self.db.schema().signal(signal).unwrap().rate_per_sec()
                    }
                    Figure::Count(window) => {
                        self.db.windowed_count_at(signal, id, *window, at).unwrap() as f64
                    }
                    Figure::Sum(window) => {
                        self.db.windowed_sum_at(signal, id, *window, at).unwrap()
                    }
                    Figure::Velocity(window) => {
                        self.db.velocity_at(signal, id, *window, at).unwrap()
                    }
                    Figure::Uniques(window) => self.uniques(signal, id, *window, at),
                })
            }
            Expr::Attribute(name) if name == "price" => described.price.unwrap_or(0.0),
            Expr::Attribute(_) => described.posted.unwrap_or(0) as f64,
            Expr::Age(_) => {
                let age = |posted: u64| {
                    (at.as_nanos() as f64 / 1e9 - posted as f64).clamp(0.0, AGE_MAX_SECS)
                };
                described.posted.map_or(AGE_MAX_SECS, age)
            }
            Expr::Affinity { attribute, .. } => self.affinity(attribute, of.0, at),
            Expr::Neg(a) => finite(-part(a)),
            Expr::Add(a, b) => {
                let a = part(a);
                add(a, part(b))
            }
            Expr::Sub(a, b) => {
                let a = part(a);
                subtract(a, part(b))
            }
            Expr::Mul(a, b) => {
                let a = part(a);
                multiply(a, part(b))
            }
            Expr::Div(a, b) => {
                let a = part(a);
                divide(a, part(b))
            }
            Expr::Call(function, arguments) => {
                let arguments: Vec<f64> = arguments.iter().map(part).collect();
                let call = *calls;
                *calls += u32::from(function.draws());
                function.evaluate(&arguments, &Draw::new(5, id, call))
            }
        }
    }

    fn uniques(&self, signal: &str, id: EntityId, window: Window, at: Timestamp) -> f64 {
        let state = self.db.state().unwrap();
        let signal = state.schema().signal(signal).unwrap();
        state.unique_actors(signal, id, window, at).unwrap().unwrap_or(0.0)
    }

    /// The mean over what the item is in of what the user has of each.
    fn affinity(&self, attribute: &str, id: u64, at: Timestamp) -> f64 {
        let state = self.db.state().unwrap();
        let history = state.history_of(state.schema().signal("like").unwrap(), USER).unwrap();
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for (liked, score) in history.iter().flat_map(|history| history.scores(at)) {
            for group in self.groups(attribute, liked.get()) {
                *sums.entry(group).or_default() += score;
            }
        }
        let groups = self.groups(attribute, id);
        let sum: f64 = groups.iter().filter_map(|group| sums.get(group)).sum();
        if groups.is_empty() { 0.0 } else { finite(sum / groups.len() as f64) }
    }

    pub(super) fn groups(&self, attribute: &str, id: u64) -> Vec<String> {
        let Some(described) = self.described.get(&id) else { return Vec::new() };
        match attribute {
            "creator" => described.creator.iter().map(ToString::to_string).collect(),
            _ => described.tags.iter().cloned().collect(),
        }
    }
}

fn passes(filter: &Filter, of: &Described) -> bool {
    match filter {
        Filter::Compare { attribute, value: Literal::Text(word), .. } => match &**attribute {
            "language" => of.language.as_ref() == Some(word),
            _ => of.tags.contains(word),
        },
        Filter::Compare { attribute, value: Literal::Integer(number), .. } => match &**attribute {
            "price" => of.price.is_some_and(|price| price < *number as f64),
            _ => of.creator == Some(number.unsigned_abs()),
        },
        Filter::Exists(_) => of.posted.is_some(),
        Filter::And(all) => all.iter().all(|filter| passes(filter, of)),
        Filter::Or(some) => some.iter().any(|filter| passes(filter, of)),
        Filter::Not(filter) => !passes(filter, of),
        other => panic!("no filter of these tests: {other:?}"),
    }
}

fn by_one_score(by: &Expr) -> Option<&str> {
    match by {
        Expr::Signal(SignalFigure { signal, figure: Figure::Score | Figure::Rate })
            if signal == "like" || signal == "view" =>
        {
            Some(signal)
        }
        Expr::Mul(a, b) => match (&**a, &**b) {
            (Expr::Number(factor), rest) | (rest, Expr::Number(factor)) if *factor > 0.0 => {
                by_one_score(rest)
            }
            _ => None,
        },
        Expr::Div(a, b) => match **b {
            Expr::Number(divisor) if divisor > 0.0 => by_one_score(a),
            _ => None,
        },
        _ => None,
    }
}
