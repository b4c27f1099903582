//! docs/performance.md and its pictures: every number comes from the committed results. What is between
//! `<!-- generated: NAME -->` and `<!-- end -->` is written here.

use anyhow::{Context, Result};

use super::crossing::results::Results as Crossing;
use super::crossing::tables::SECTIONS as CROSSING_SECTIONS;
use super::delivery::results::Results as Delivery;
use super::delivery::tables::SECTIONS as DELIVERY_SECTIONS;
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
    let text = filled(workspace)?;
    std::fs::write(workspace.join(DOCUMENT), text).with_context(|| format!("can not write {DOCUMENT}"))?;
    println!("wrote {DOCUMENT}");
    figures::write(workspace, &PICTURES.map(str::to_owned))
}

/// What differs from the committed results.
pub(crate) fn stale(workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    if filled(workspace)? != workspace.read(DOCUMENT)? {
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
fn filled(workspace: &Workspace) -> Result<String> {
    let mut text = workspace.read(DOCUMENT)?;
    let (results, delivery) = (Results::committed(workspace)?, Delivery::committed(workspace)?);
    let crossing = Crossing::committed(workspace)?;
    let sections = SECTIONS.map(|(name, section)| (name, section(&results)));
    let of_delivery = DELIVERY_SECTIONS.map(|(name, section)| (name, section(&delivery)));
    let of_crossing = CROSSING_SECTIONS.map(|(name, section)| (name, section(&crossing)));
    for (name, section) in sections.into_iter().chain(of_delivery).chain(of_crossing) {
        let begin = format!("<!-- generated: {name} -->");
        let start = text.find(&begin).with_context(|| format!("{DOCUMENT} has no {begin}"))? + begin.len();
        let length = text[start..].find(END).with_context(|| format!("{begin} has no {END}"))?;
        text.replace_range(start..start + length, &format!("\n{section}"));
    }
    Ok(text)
}
