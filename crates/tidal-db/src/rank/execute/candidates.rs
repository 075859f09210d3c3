//! Every entity that passes the filter, where these are few.

use super::super::page::Method;
use super::{Finder, Source, scan};
use crate::Result;

/// Evaluates every entity that passes the filter; all, where there is none that says who
/// does.
pub(super) fn run<S: Source>(finder: &mut Finder<'_, S>) -> Result<Method> {
    let source = finder.source;
    let Some((_, passing)) = source.passing() else {
        return scan::run(finder);
    };
    for id in passing {
        finder.pass(id)?;
    }
    Ok(Method::Candidates)
}
