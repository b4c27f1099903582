//! What the last long run of each fault gave: kept in docs/data, and from there in the table of docs/delivery.md, so that
//! no number of that table was written by hand.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Counted, mebibytes, table::FAULTS};
use crate::workspace::Workspace;

/// What was counted, by the number of the fault.
const RESULTS: &str = "docs/data/faults.json";
/// The document, and the marks around its table.
const DOCUMENT: &str = "docs/delivery.md";
const BEGIN: &str = "<!-- generated: soak -->\n";
const END: &str = "<!-- end -->";

/// A row of the results.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Row {
    #[serde(flatten)]
    counted: Counted,
    /// How long all tests of the fault took together.
    seconds: u64,
}

type Rows = BTreeMap<u8, Row>;

/// Keeps what a fault gave in full size, and writes the table anew.
pub(super) fn keep(workspace: &Workspace, number: u8, counted: Counted, seconds: u64) -> Result<()> {
    let mut rows = read(workspace)?;
    rows.insert(number, Row { counted, seconds });
    let text = format!("{}\n", serde_json::to_string_pretty(&rows)?);
    fs::write(workspace.join(RESULTS), text).with_context(|| format!("can not write {RESULTS}"))?;
    let text = filled(&workspace.read(DOCUMENT)?, &rows)?;
    fs::write(workspace.join(DOCUMENT), text).with_context(|| format!("can not write {DOCUMENT}"))
}

/// Whether the document's table is not that of the results.
pub(crate) fn stale(workspace: &Workspace) -> Result<Option<String>> {
    let present = workspace.read(DOCUMENT)?;
    let is_stale = filled(&present, &read(workspace)?)? != present;
    Ok(is_stale.then(|| format!("{DOCUMENT} is not what {RESULTS} gives: run cargo xtask soak")))
}

/// Faults that were never run in full size.
pub(crate) fn missing(workspace: &Workspace) -> Result<Vec<String>> {
    let rows = read(workspace)?;
    let missing = FAULTS.iter().map(|fault| fault.number).filter(|number| !rows.contains_key(number));
    Ok(missing
        .map(|number| format!("{RESULTS} has no fault {number}: run cargo xtask soak {number}"))
        .collect())
}

fn read(workspace: &Workspace) -> Result<Rows> {
    if !workspace.join(RESULTS).exists() {
        return Ok(Rows::new());
    }
    serde_json::from_str(&workspace.read(RESULTS)?).with_context(|| format!("{RESULTS} can not be read"))
}

/// The document with the table as the results give it.
fn filled(document: &str, rows: &Rows) -> Result<String> {
    let start = document.find(BEGIN).with_context(|| format!("{DOCUMENT} has no {BEGIN}"))? + BEGIN.len();
    let length =
        document[start..].find(END).with_context(|| format!("{BEGIN} has no {END} in {DOCUMENT}"))?;
    let mut table = String::from(
        "| # | struck | lost | duplicated | peak, MiB | allowed, MiB | seconds |\n|---|---|---|---|---|---|---|\n",
    );
    for (number, Row { counted, seconds }) in rows {
        let Counted { struck, lost, duplicated, memory } = counted;
        let (peak, allowed) = (mebibytes(memory.peak), mebibytes(memory.allowed));
        writeln!(table, "| {number} | {struck} | {lost} | {duplicated} | {peak} | {allowed} | {seconds} |")?;
    }
    let total: u64 = rows.values().map(|row| row.seconds).sum();
    writeln!(table, "\nThese rows together took {} minutes.", total.div_ceil(60))?;
    let mut text = document.to_owned();
    text.replace_range(start..start + length, &table);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the table: a row for each fault that was run, between the marks and nowhere else.
    #[test]
    fn the_table_holds_the_results() {
        let counted = Counted { struck: 7, duplicated: 2, ..Counted::default() };
        let rows = Rows::from([(3, Row { counted, seconds: 61 })]);
        let text = filled(&format!("before\n{BEGIN}old\n{END}\nafter\n"), &rows).unwrap();
        assert!(text.contains(
            "| 3 | 7 | 0 | 2 | 0.0 | 0.0 | 61 |\n\nThese rows together took 2 minutes.\n<!-- end -->"
        ));
        assert!(text.starts_with("before\n<!--") && text.ends_with("-->\nafter\n") && !text.contains("old"));
        assert!(filled("no marks", &rows).is_err());
    }
}
