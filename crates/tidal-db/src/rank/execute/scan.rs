//! Every entity, one after the other: the way that is always open, and the measure of the
//! others.

use super::super::page::Method;
use super::{Finder, Source};
use crate::Result;

/// Evaluates every entity that is wanted.
pub(super) fn run<S: Source>(finder: &mut Finder<'_, S>) -> Result<Method> {
    for id in finder.source.everyone() {
        finder.pass(id)?;
    }
    Ok(Method::Scan)
}
