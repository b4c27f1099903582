//! `cargo xtask figures`: draws the pictures of docs/images from real runs, so that a document shows what the
//! library does and not what somebody once drew. One file for each figure; a new one is a line in [`FIGURES`].

mod box_counting;
mod canvas;
mod dispersion;
mod network;
mod patterns;
mod percolation;
mod runs;

use anyhow::{Context, Result, ensure};

use self::canvas::Picture;
use crate::workspace::Workspace;

/// Where the pictures lie.
pub(crate) const DIRECTORY: &str = "docs/images";

/// A picture that is drawn by this module.
struct Figure {
    /// The file's name without `.png`.
    name: &'static str,
    draw: fn() -> Result<Picture>,
}

/// All figures.
const FIGURES: &[Figure] = &[
    Figure { name: "box-counting", draw: box_counting::draw },
    Figure { name: "dispersion", draw: dispersion::draw },
    Figure { name: "network", draw: network::draw },
    Figure { name: "patterns", draw: patterns::draw },
    Figure { name: "percolation", draw: percolation::draw },
];

/// The file names of all figures.
pub(crate) fn files() -> impl Iterator<Item = String> {
    FIGURES.iter().map(|figure| format!("{}.png", figure.name))
}

/// Draws the named figures, or all when none is named.
pub(crate) fn write(workspace: &Workspace, names: &[String]) -> Result<()> {
    for name in names {
        let known = FIGURES.iter().map(|figure| figure.name).collect::<Vec<_>>().join(", ");
        ensure!(FIGURES.iter().any(|figure| figure.name == name), "there is no figure {name}: {known}");
    }
    let is_wanted = |figure: &&Figure| names.is_empty() || names.iter().any(|name| name == figure.name);
    for figure in FIGURES.iter().filter(is_wanted) {
        let place = format!("{DIRECTORY}/{}.png", figure.name);
        let picture = (figure.draw)().with_context(|| format!("can not draw {}", figure.name))?;
        std::fs::write(workspace.join(&place), picture.png()?)
            .with_context(|| format!("can not write {place}"))?;
        println!("wrote {place}");
    }
    Ok(())
}
