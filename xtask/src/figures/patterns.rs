//! The pattern of each kinetics: the activator at the end of the run of each preset.

use std::ops::ControlFlow;

use anyhow::Result;
use mfn_sim::kinetics::turing_analysis_of;
use mfn_sim::{Simulation, Spec};
use ndarray::Array2;
use plotters::prelude::*;

use super::canvas::{Area, INK, LABEL_PX, Picture, TITLE_PX, colour_bar, heat_map, text};

/// The presets that form patterns, row by row.
pub(super) const PRESETS: [(&str, &str); 6] = [
    ("mycelium", "Gray-Scott: network"),
    ("gray-scott-spots", "Gray-Scott: dividing spots"),
    ("schnakenberg-spots", "Schnakenberg: spots"),
    ("gierer-meinhardt-spots", "Gierer-Meinhardt: peaks"),
    ("fitzhugh-nagumo-labyrinth", "FitzHugh-Nagumo: labyrinth"),
    ("brusselator-stripes", "Brusselator: stripes"),
];
const COLUMNS: usize = 3;
const SIDE: usize = 128;
const ZOOM: i32 = 3;
const TILE_PX: i32 = SIDE as i32 * ZOOM;
const LEFT: i32 = 28;
/// From the top of the picture to the first tile, and between the rows of tiles.
const TOP: i32 = 56;
const PITCH: (i32, i32) = (TILE_PX + 118, TILE_PX + 128);

pub(super) fn draw() -> Result<Picture> {
    let rows = PRESETS.len().div_ceil(COLUMNS) as i32;
    let size = ((LEFT + COLUMNS as i32 * PITCH.0) as u32, (rows * PITCH.1 + 10) as u32);
    Picture::draw(size, |area| {
        for (tile, (preset, title)) in PRESETS.into_iter().enumerate() {
            let (row, column) = ((tile / COLUMNS) as i32, (tile % COLUMNS) as i32);
            draw_tile(area, (LEFT + column * PITCH.0, TOP + row * PITCH.1), preset, title)?;
        }
        Ok(())
    })
}

fn draw_tile(area: &Area<'_>, (left, top): (i32, i32), preset: &str, title: &'static str) -> Result<()> {
    let spec = super::runs::preset(preset)?;
    let activator = final_activator(spec.clone())?;
    let low = activator.iter().copied().fold(f64::INFINITY, f64::min);
    let high = activator.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    area.draw(&Text::new(title, (left, top - TITLE_PX as i32 - 12), text(TITLE_PX)))?;
    heat_map(area, (left, top), ZOOM, activator.view(), (low, high))?;
    area.draw(&Rectangle::new([(left, top), (left + TILE_PX, top + TILE_PX)], INK.stroke_width(1)))?;
    colour_bar(area, (left + TILE_PX + 12, top), TILE_PX, (low, high), "")?;
    let wave = match turing_analysis_of(&spec)?.turing_state().and_then(|state| state.wavelength_cells()) {
        Some(cells) => format!("predicted wavelength {cells:.1} cells"),
        None => "grows from patches".to_owned(),
    };
    for (line, caption) in
        [preset.to_owned(), format!("{} steps, {wave}", spec.steps)].into_iter().enumerate()
    {
        let place = (left, top + TILE_PX + 8 + line as i32 * (LABEL_PX as i32 + 4));
        area.draw(&Text::new(caption, place, text(LABEL_PX - 2)))?;
    }
    Ok(())
}

fn final_activator(spec: Spec) -> Result<Array2<f64>> {
    let mut simulation = Simulation::new(Spec { grid_size: SIDE, ..spec })?;
    let steps = simulation.spec().steps;
    simulation.run(steps, &mut |_| ControlFlow::Continue(()))?;
    Ok(simulation.activator().into_owned())
}
