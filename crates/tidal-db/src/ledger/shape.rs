//! What the cells of a signal type keep, worked out once from its definition.

use tidal_types::{DecaySpec, SignalTypeDefinition, TidalError, Window};

use super::grid::{Grid, nanos};

/// The form of every cell of one signal type.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) decay: Decay,
    /// The windows that end, shortest first.
    pub(crate) windows: Box<[Grid]>,
    /// Whether the windows keep sums of weights.
    pub(crate) sums: bool,
}

/// How the score of a cell fades.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Decay {
    /// By half with each half-life.
    Exponential { rate_per_sec: f64, half_life_nanos: u64 },
    /// Evenly over the span of the grid.
    Linear(Grid),
    /// Never.
    Permanent,
}

impl Shape {
    pub(crate) fn of(signal: &SignalTypeDefinition) -> Self {
        let decay = match signal.decay() {
            DecaySpec::Exponential { half_life } => Decay::Exponential {
                rate_per_sec: signal.rate_per_sec(),
                half_life_nanos: nanos(half_life),
            },
            DecaySpec::Linear { lifetime } => Decay::Linear(Grid::new(lifetime)),
            DecaySpec::Permanent => Decay::Permanent,
        };
        let spans = signal.windows().iter().filter_map(|window| window.duration());
        Self { decay, windows: spans.map(Grid::new).collect(), sums: signal.sums() }
    }
}

/// A window that a signal type counts in, as a cell knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot {
    /// The whole life of the cell.
    AllTime,
    /// The window at this place in [`Shape::windows`].
    Sliding { place: usize, grid: Grid },
}

impl Slot {
    /// The slot of a window in which `signal` counts.
    ///
    /// # Errors
    /// [`TidalError::WindowNotDeclared`].
    pub(crate) fn of_count(
        signal: &SignalTypeDefinition,
        window: Window,
    ) -> Result<Self, TidalError> {
        // Windows are sorted by length, so the one that never ends is the last
        // and the places of all others are those in the shape.
        let place = signal.windows().iter().position(|declared| *declared == window);
        let place = place.ok_or_else(|| TidalError::WindowNotDeclared {
            signal: signal.name().into(),
            window,
            declared: signal.windows().to_vec(),
        })?;
        Ok(grid_of(window).map_or(Self::AllTime, |grid| Self::Sliding { place, grid }))
    }

    /// The slot of a window in which `signal` sums weights.
    ///
    /// # Errors
    /// [`TidalError::SumsNotDeclared`], [`TidalError::WindowNotDeclared`].
    pub(crate) fn of_sum(
        signal: &SignalTypeDefinition,
        window: Window,
    ) -> Result<Self, TidalError> {
        if !signal.sums() {
            return Err(TidalError::SumsNotDeclared { signal: signal.name().into() });
        }
        Self::of_count(signal, window)
    }

    /// The slot of a window over which `signal` has a velocity, and the length
    /// of the window in seconds.
    ///
    /// # Errors
    /// [`TidalError::VelocityNotDeclared`], also for a window that never ends;
    /// [`TidalError::WindowNotDeclared`].
    pub(crate) fn of_velocity(
        signal: &SignalTypeDefinition,
        window: Window,
    ) -> Result<(Self, f64), TidalError> {
        match window.duration() {
            Some(span) if signal.velocity() => {
                Ok((Self::of_count(signal, window)?, span.as_secs_f64()))
            }
            _ => Err(TidalError::VelocityNotDeclared { signal: signal.name().into(), window }),
        }
    }
}

/// The grid of a window that ends, worked out by the compiler, since every read of a
/// count asks for it.
fn grid_of(window: Window) -> Option<Grid> {
    const fn grid(window: Window) -> Option<Grid> {
        match window.duration() {
            Some(span) => Some(Grid::new(span)),
            None => None,
        }
    }
    match window {
        Window::OneHour => const { grid(Window::OneHour) },
        Window::TwentyFourHours => const { grid(Window::TwentyFourHours) },
        Window::SevenDays => const { grid(Window::SevenDays) },
        Window::ThirtyDays => const { grid(Window::ThirtyDays) },
        Window::AllTime => None,
    }
}
