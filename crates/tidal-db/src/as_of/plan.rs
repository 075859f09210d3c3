//! The plan: what has to be accumulated for the features that are asked for, worked out
//! once from the schema.

use tidal_types::{DecaySpec, Schema, SignalTypeDefinition, TidalError, Window};

use super::features::{FeatureColumn, FeatureValue, FeatureValues};
use super::lane::Quantity;
use super::pass::Reading;
use super::request::{AsOf, AsOfClock, Measure};
use crate::Result;
use crate::ledger::Slot;

/// What is to be accumulated, and what becomes of it.
#[derive(Debug)]
pub(crate) struct Plan<'s> {
    pub(super) clock: AsOfClock,
    /// What each lane accumulates; two features of the same quantity share one.
    pub(super) lanes: Vec<Quantity>,
    /// The lanes of each signal type, in the order of the signal types' ids.
    pub(super) by_signal: Vec<Vec<usize>>,
    columns: Vec<Column<'s>>,
}

/// A feature, and how it is read from its lane.
#[derive(Debug)]
struct Column<'s> {
    name: String,
    signal: &'s SignalTypeDefinition,
    lane: usize,
    measure: Measure,
}

impl<'s> Plan<'s> {
    /// The plan for the features of a request.
    ///
    /// # Errors
    /// An unknown signal type, one of another kind of entity, and what it does not
    /// declare.
    pub(crate) fn of(request: &AsOf, schema: &'s Schema) -> Result<Self> {
        let mut plan = Self {
            clock: request.chosen_clock(),
            lanes: Vec::new(),
            by_signal: vec![Vec::new(); schema.signal_count()],
            columns: Vec::new(),
        };
        for feature in request.features() {
            let signal = schema.require(&feature.signal)?;
            if signal.kind() != request.kind() {
                return Err(TidalError::SignalOfOtherKind {
                    signal: signal.name().into(),
                    kind: signal.kind(),
                    asked: request.kind(),
                });
            }
            let measure = feature.measure;
            match measure {
                Measure::Score => {}
                Measure::Count(window) => drop(Slot::of_count(signal, window)?),
                Measure::Sum(window) => drop(Slot::of_sum(signal, window)?),
                Measure::Velocity(window) => drop(Slot::of_velocity(signal, window)?),
            }
            let lane = plan.lane(signal, quantity(signal, measure));
            plan.columns.push(Column { name: feature.to_string(), signal, lane, measure });
        }
        Ok(plan)
    }

    /// The columns of so many rows, all zero.
    pub(super) fn blank(&self, row_count: usize) -> Vec<FeatureColumn> {
        let blank = |column: &Column<'_>| {
            let values = match column.measure {
                Measure::Count(_) => FeatureValues::Whole(vec![0; row_count]),
                _ => FeatureValues::Real(vec![0.0; row_count]),
            };
            FeatureColumn { name: column.name.clone(), values }
        };
        self.columns.iter().map(blank).collect()
    }

    /// Sets the features of the row at a place: what a pass has read, and what `base`
    /// adds to it.
    pub(super) fn fill(
        &self,
        columns: &mut [FeatureColumn],
        place: usize,
        reading: &Reading<'_>,
        base: impl Fn(&SignalTypeDefinition, Measure) -> Result<Option<FeatureValue>>,
    ) -> Result<()> {
        for (column, out) in self.columns.iter().zip(columns) {
            let (signal, measure) = (column.signal, column.measure);
            let value = match measure {
                Measure::Score | Measure::Sum(_) => {
                    let before = base(signal, measure)?.map_or(0.0, FeatureValue::as_f64);
                    FeatureValue::Real(before + reading.sum(column.lane))
                }
                Measure::Count(window) | Measure::Velocity(window) => {
                    let before = match base(signal, Measure::Count(window))? {
                        Some(FeatureValue::Whole(before)) => before,
                        _ => 0,
                    };
                    let count = before + reading.count(column.lane);
                    match measure {
                        Measure::Velocity(_) => FeatureValue::Real(per_second(count, window)),
                        _ => FeatureValue::Whole(count),
                    }
                }
            };
            out.values.set(place, value);
        }
        Ok(())
    }

    /// The lane of a quantity of a signal type, which is there once.
    fn lane(&mut self, signal: &SignalTypeDefinition, quantity: Quantity) -> usize {
        let of_signal = self.by_signal.get_mut(usize::from(signal.id().get()));
        let of_signal = of_signal.expect("the signal type is one of the schema");
        let known = of_signal.iter().find(|&&lane| self.lanes.get(lane) == Some(&quantity));
        if let Some(&lane) = known {
            return lane;
        }
        self.lanes.push(quantity);
        of_signal.push(self.lanes.len() - 1);
        self.lanes.len() - 1
    }
}

fn quantity(signal: &SignalTypeDefinition, measure: Measure) -> Quantity {
    match (measure, signal.decay()) {
        (Measure::Score, DecaySpec::Exponential { .. }) => {
            Quantity::Carried { rate_per_sec: Some(signal.rate_per_sec()) }
        }
        (Measure::Score, DecaySpec::Linear { lifetime }) => {
            Quantity::Fading { lifetime: nanos(lifetime) }
        }
        (Measure::Score, DecaySpec::Permanent) => Quantity::Carried { rate_per_sec: None },
        (Measure::Count(window) | Measure::Velocity(window), _) => {
            Quantity::Counted { span: window.duration().map(nanos) }
        }
        (Measure::Sum(window), _) => match window.duration() {
            Some(span) => Quantity::Summed { span: nanos(span) },
            None => Quantity::Carried { rate_per_sec: None },
        },
    }
}

/// A span of the schema, which is at most a hundred years.
fn nanos(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Events a second over a window that ends, which is all that have a velocity.
fn per_second(count: u64, window: Window) -> f64 {
    window.duration().map_or(0.0, |span| count as f64 / span.as_secs_f64())
}
