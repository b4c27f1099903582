//! docs/performance.md and its pictures against the results that they are made from: a number that somebody edited,
//! or results without a new drawing, would be a claim that nobody measured.

use anyhow::Result;

use super::Findings;
use crate::bench::{results::RESULTS, stale};
use crate::workspace::Workspace;

/// Makes the page's sections and the pictures anew and compares.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    Ok(Findings::new(stale(workspace)?, format!("docs/performance.md and its pictures, {RESULTS}")))
}
