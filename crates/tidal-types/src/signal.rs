//! Signal types: the named kinds of events a schema declares.

use std::fmt;

use crate::{DecaySpec, EntityKind, Window};

/// The number a schema gives to a signal type, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalTypeId(u16);

impl SignalTypeId {
    /// The id with this number.
    #[must_use]
    pub const fn new(id: u16) -> Self {
        Self(id)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for SignalTypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A signal type as the schema fixed it. Only a [`Schema`](crate::Schema) makes
/// one, so its parts are known to be valid.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalTypeDefinition {
    pub(crate) id: SignalTypeId,
    pub(crate) name: Box<str>,
    pub(crate) kind: EntityKind,
    pub(crate) decay: DecaySpec,
    pub(crate) rate_per_sec: f64,
    pub(crate) windows: Vec<Window>,
    pub(crate) velocity: bool,
    pub(crate) sums: bool,
    pub(crate) uniques: bool,
    pub(crate) history: bool,
}

impl SignalTypeDefinition {
    /// The id, which is also the place in [`Schema::signals`](crate::Schema::signals).
    #[must_use]
    pub const fn id(&self) -> SignalTypeId {
        self.id
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of entity it happens to.
    #[must_use]
    pub const fn kind(&self) -> EntityKind {
        self.kind
    }

    /// How its events fade.
    #[must_use]
    pub const fn decay(&self) -> DecaySpec {
        self.decay
    }

    /// The decay rate lambda = ln 2 / half-life, per second; zero unless the
    /// decay is exponential.
    #[must_use]
    pub const fn rate_per_sec(&self) -> f64 {
        self.rate_per_sec
    }

    /// The windows its events are counted in, shortest first, each once.
    #[must_use]
    pub fn windows(&self) -> &[Window] {
        &self.windows
    }

    /// Whether `window` is one of them.
    #[must_use]
    pub fn has_window(&self, window: Window) -> bool {
        self.windows.contains(&window)
    }

    /// Whether velocities can be read.
    #[must_use]
    pub const fn velocity(&self) -> bool {
        self.velocity
    }

    /// Whether sums of weights can be read.
    #[must_use]
    pub const fn sums(&self) -> bool {
        self.sums
    }

    /// Whether the different users who acted are counted in each window.
    #[must_use]
    pub const fn uniques(&self) -> bool {
        self.uniques
    }

    /// Whether it is kept what each user did to which entity.
    #[must_use]
    pub const fn history(&self) -> bool {
        self.history
    }
}
