//! C++ and Go reach every function of the header. Their tables are generated, each by its own tool; here a function
//! without a line, and a line without a function, is a fault.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Subject;
use crate::check::{self, Findings};

/// The table that `go generate` writes; a test of bindings/go keeps it up to date.
const GO_TABLE: &str = "bindings/go/COVERAGE.md";

/// The C++ interface, read anew.
pub(super) fn check_cpp(subject: &Subject) -> Result<Findings> {
    check::cpp::check(&subject.workspace)
}

/// The Go binding, by its table.
pub(super) fn check_go(subject: &Subject) -> Result<Findings> {
    let interface = subject.interface()?;
    let table = subject.workspace.read(GO_TABLE)?;
    let mut reached = BTreeSet::new();
    let mut faults = Vec::new();
    for line in table.lines().filter_map(|line| line.strip_prefix("| `mfn_")) {
        let (name, by) = line.split_once("` | ").unwrap_or((line, ""));
        let name = format!("mfn_{name}");
        if !interface.functions.contains_key(&name) {
            faults.push(format!("{GO_TABLE} has {name}, which is not in the header"));
        } else if by.starts_with('`') {
            reached.insert(name);
        }
    }
    let missing = interface.functions.keys().filter(|name| !reached.contains(*name));
    faults.extend(
        missing.map(|name| format!("nothing in bindings/go leads to {name}; run `go generate .` there")),
    );
    Ok(Findings::new(faults, format!("{} functions", reached.len())))
}
