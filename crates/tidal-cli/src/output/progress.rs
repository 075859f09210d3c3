//! A progress bar on standard error, shown on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

use super::note;

/// How far an import has come.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar over `total` bytes, or a running count when nobody knows how many
    /// will come.
    pub(crate) fn over_bytes(total: Option<u64>) -> Self {
        let template = match total {
            Some(_) => "{bar:40} {percent:>3}%  {msg}  {eta} left",
            None => "{spinner} {msg}",
        };
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(bar.with_style(style))
    }

    /// Moves to `position` bytes.
    pub(crate) fn advance(&self, position: u64, message: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_message(message());
            self.0.set_position(position);
        }
    }

    /// Says one line without tearing the bar.
    pub(crate) fn note(&self, message: &str) {
        self.0.suspend(|| note(message));
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    /// Takes the bar off the screen when a command fails on the way.
    fn drop(&mut self) {
        self.finish();
    }
}
