//! docs/performance.md and its pictures, and the long runs of docs/delivery.md, against the results that they are made from:
//! a number that somebody edited, or results without a new drawing, would be a claim that nobody measured.

use anyhow::Result;

use super::Findings;
use crate::bench::{results::RESULTS, stale};
use crate::faults;
use crate::workspace::Workspace;

/// Makes the page's sections and the pictures anew and compares.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let mut faults = stale(workspace)?;
    faults.extend(faults::stale(workspace)?);
    let scope = format!("docs/performance.md and its pictures, {RESULTS}, long runs of faults");
    Ok(Findings { warnings: faults::missing(workspace)?, ..Findings::new(faults, scope) })
}
