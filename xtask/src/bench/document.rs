//! docs/performance.md and its pictures: every number comes from the committed results. What is between
//! `<!-- generated: NAME -->` and `<!-- end -->` is written here.

use anyhow::{Context, Result};

use super::results::Results;
use super::tables::SECTIONS;
use crate::figures;
use crate::workspace::Workspace;

/// The document.
const DOCUMENT: &str = "docs/performance.md";
const END: &str = "<!-- end -->";
/// The pictures that are drawn from the results.
pub(crate) const PICTURES: [&str; 2] = ["roofline", "scaling"];

/// Writes the sections and draws the pictures anew.
pub(super) fn write(workspace: &Workspace) -> Result<()> {
    let results = Results::committed(workspace)?;
    let text = filled(&workspace.read(DOCUMENT)?, &results)?;
    std::fs::write(workspace.join(DOCUMENT), text).with_context(|| format!("can not write {DOCUMENT}"))?;
    println!("wrote {DOCUMENT}");
    figures::write(workspace, &PICTURES.map(str::to_owned))
}

/// What differs from the committed results.
pub(crate) fn stale(workspace: &Workspace) -> Result<Vec<String>> {
    let results = Results::committed(workspace)?;
    let present = workspace.read(DOCUMENT)?;
    let mut faults = Vec::new();
    if filled(&present, &results)? != present {
        faults.push(format!("{DOCUMENT} is not what the results give: run cargo xtask bench --draw"));
    }
    for name in PICTURES {
        if !figures::is_current(workspace, name)? {
            faults.push(format!(
                "the picture {name} is not what the results give: run cargo xtask bench --draw"
            ));
        }
    }
    Ok(faults)
}

/// The document with every section as the results give it.
fn filled(document: &str, results: &Results) -> Result<String> {
    let mut text = document.to_owned();
    for (name, section) in SECTIONS {
        let begin = format!("<!-- generated: {name} -->");
        let start = text.find(&begin).with_context(|| format!("{DOCUMENT} has no {begin}"))? + begin.len();
        let length = text[start..].find(END).with_context(|| format!("{begin} has no {END}"))?;
        text.replace_range(start..start + length, &format!("\n{}", section(results)));
    }
    Ok(text)
}
