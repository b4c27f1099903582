//! `cargo xtask figures`: draws the pictures of docs/images from real runs, so that a document shows what the
//! library does and not what somebody once drew. One file for each figure; a new one is a line in [`FIGURES`].

mod box_counting;
mod canvas;
mod dispersion;
mod network;
mod patterns;
mod percolation;
mod roofline;
mod runs;
mod scaling;

use anyhow::{Context, Result, ensure};

use self::canvas::Picture;
use crate::bench::results::Results;
use crate::workspace::Workspace;

/// Where the pictures lie.
pub(crate) const DIRECTORY: &str = "docs/images";

/// A picture that is drawn by this module.
struct Figure {
    /// The file's name without `.png`.
    name: &'static str,
    draw: fn(&Workspace) -> Result<Picture>,
}

impl Figure {
    /// The file, relative to the root.
    fn place(&self) -> String {
        format!("{DIRECTORY}/{}.png", self.name)
    }

    /// The file's bytes, drawn now.
    fn png(&self, workspace: &Workspace) -> Result<Vec<u8>> {
        let picture = (self.draw)(workspace).with_context(|| format!("can not draw {}", self.name))?;
        picture.png()
    }
}

/// All figures.
const FIGURES: &[Figure] = &[
    Figure { name: "box-counting", draw: |_| box_counting::draw() },
    Figure { name: "dispersion", draw: |_| dispersion::draw() },
    Figure { name: "network", draw: |_| network::draw() },
    Figure { name: "patterns", draw: |_| patterns::draw() },
    Figure { name: "percolation", draw: |_| percolation::draw() },
    Figure { name: "roofline", draw: |workspace| roofline::draw(&Results::committed(workspace)?) },
    Figure { name: "scaling", draw: |workspace| scaling::draw(&Results::committed(workspace)?) },
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
        let place = figure.place();
        std::fs::write(workspace.join(&place), figure.png(workspace)?)
            .with_context(|| format!("can not write {place}"))?;
        println!("wrote {place}");
    }
    Ok(())
}

/// Whether the file of a figure has the bytes that it would be drawn with now.
pub(crate) fn is_current(workspace: &Workspace, name: &str) -> Result<bool> {
    let figure = FIGURES.iter().find(|figure| figure.name == name);
    let figure = figure.with_context(|| format!("there is no figure {name}"))?;
    let drawn = figure.png(workspace)?;
    Ok(std::fs::read(workspace.join(figure.place())).is_ok_and(|present| present == drawn))
}
