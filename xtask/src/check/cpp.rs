//! The C++ interface covers the C header: every function is called by it, and the committed table says where.

use anyhow::Result;

use super::Findings;
use crate::cpp::coverage::{self, TABLE};
use crate::workspace::Workspace;

/// Generates the table, looks for gaps, and compares it with the committed one.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let coverage = coverage::generate(workspace)?;
    let mut faults: Vec<String> = coverage
        .gaps
        .iter()
        .map(|function| format!("no header of bindings/cpp/include calls {function}"))
        .collect();
    if !workspace.read(TABLE).is_ok_and(|present| present == coverage.table) {
        faults.push(format!("{TABLE} is out of date; run `cargo xtask header`"));
    }
    Ok(Findings::new(faults, format!("{} functions", coverage.functions)))
}
