//! Header drift: the committed include/mfn.h must be what the sources of ffi give.

use anyhow::Result;

use super::Findings;
use crate::header::{self, HEADER};
use crate::workspace::Workspace;

/// Generates the header and compares it with the committed one.
pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let expected = header::generate(workspace)?;
    let present = workspace.read(HEADER)?;
    let mut faults = Vec::new();
    if present != expected {
        faults.push(format!(
            "{HEADER} differs from the sources of ffi {}; run `cargo xtask header`",
            first_difference(&present, &expected)
        ));
    }
    Ok(Findings::new(faults, format!("{HEADER}, {} lines", expected.lines().count())))
}

/// The first line that differs, as `at line N: present "..", generated ".."`.
fn first_difference(present: &str, expected: &str) -> String {
    let mut present = present.lines();
    let mut expected = expected.lines();
    for number in 1.. {
        match (present.next(), expected.next()) {
            (Some(a), Some(b)) if a == b => {}
            (None, None) => break,
            (a, b) => {
                let text = |line: Option<&str>| line.unwrap_or("(end of file)").to_owned();
                return format!("at line {number}: present {:?}, generated {:?}", text(a), text(b));
            }
        }
    }
    String::from("in its line ends")
}
