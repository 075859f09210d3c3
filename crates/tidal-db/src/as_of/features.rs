//! The answer: a column for each feature, a value in it for each row.

use tidal_types::Position;

/// The features of the rows of an [`AsOf`](crate::AsOf), from
/// [`TidalDB::as_of`](crate::TidalDB::as_of).
#[derive(Debug, Clone, PartialEq)]
pub struct AsOfFeatures {
    /// In the order in which the features were asked for.
    pub columns: Vec<FeatureColumn>,
    /// The last record that was looked at. All rows are as of this one log.
    pub position: Position,
    /// How many times the log was read.
    pub passes: usize,
}

/// One feature of every row.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureColumn {
    /// Its name: the signal type, what is measured, and the window, as in
    /// `view_count_1h`.
    pub name: String,
    /// In the order of the rows.
    pub values: FeatureValues,
}

/// The values of a feature.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureValues {
    /// Scores and sums, in the unit of the weights, and velocities, in events per
    /// second. Finite.
    Real(Vec<f64>),
    /// Counts.
    Whole(Vec<u64>),
}

/// The value of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FeatureValue {
    /// A score, a sum or a velocity.
    Real(f64),
    /// A count.
    Whole(u64),
}

impl AsOfFeatures {
    /// The features of the row at this place, from 0, in the order in which they were
    /// asked for; none when there is no such row.
    pub fn row(&self, place: usize) -> impl Iterator<Item = FeatureValue> {
        self.columns.iter().filter_map(move |column| column.values.get(place))
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&FeatureColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl FeatureValues {
    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Real(values) => values.len(),
            Self::Whole(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of the row at this place, from 0.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<FeatureValue> {
        match self {
            Self::Real(values) => values.get(place).copied().map(FeatureValue::Real),
            Self::Whole(values) => values.get(place).copied().map(FeatureValue::Whole),
        }
    }

    /// Sets the value of a row; a value of the other type is none.
    pub(super) fn set(&mut self, place: usize, value: FeatureValue) {
        match (self, value) {
            (Self::Real(values), FeatureValue::Real(value)) => {
                if let Some(slot) = values.get_mut(place) {
                    *slot = value;
                }
            }
            (Self::Whole(values), FeatureValue::Whole(value)) => {
                if let Some(slot) = values.get_mut(place) {
                    *slot = value;
                }
            }
            (Self::Real(_), FeatureValue::Whole(_)) | (Self::Whole(_), FeatureValue::Real(_)) => {
                unreachable!("the plan makes each column of its feature's type")
            }
        }
    }
}

impl FeatureValue {
    /// The value as a number of the one type; a count above 2^53 is rounded.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Real(value) => value,
            Self::Whole(value) => value as f64,
        }
    }
}
