//! The dispersion relation of each Turing-unstable preset, with growth rates measured in the
//! simulation.

use std::f64::consts::TAU;
use std::ops::ControlFlow;

use anyhow::Result;
use mfn_sim::kinetics::{Linearization, SteadyState, grid_symbol, turing_analysis_of};
use mfn_sim::{Simulation, Spec};
use ndarray::Array2;
use plotters::prelude::*;

use super::canvas::{Area, FAINT, FONT, INK, LABEL_PX, Picture, TITLE_PX, line_colour, text};
use super::patterns::PRESETS;

const PANEL: (i32, i32) = (520, 400);
const COLUMNS: usize = 3;
/// Measured waves run along the columns of a grid with so many.
const CELLS: usize = 160;
const STEPS: u64 = 60;
/// Radians per cell.
const K_MAX: f64 = 1.4;
const MEASURED: RGBColor = RGBColor(225, 40, 70);

pub(super) fn draw() -> Result<Picture> {
    let size = (PANEL.0 as u32 * COLUMNS as u32, PANEL.1 as u32 * 2);
    Picture::draw(size, |area| {
        let panels = area.split_evenly((2, COLUMNS));
        let mut free = panels.iter();
        for (preset, title) in PRESETS {
            let spec = super::runs::preset(preset)?;
            let analysis = turing_analysis_of(&spec)?;
            let (Some(state), Some((kinetics, _))) = (analysis.turing_state(), title.split_once(':')) else {
                continue;
            };
            let Some(panel) = free.next() else { break };
            draw_panel(panel, &spec, state, &format!("{kinetics} ({preset})"))?;
        }
        free.next().map_or(Ok(()), draw_legend)
    })
}

fn draw_panel(area: &Area<'_>, spec: &Spec, state: &SteadyState, title: &str) -> Result<()> {
    const SCALE: f64 = 1e3;
    let linear = &state.linear;
    let top = SCALE * state.fastest_growth_rate();
    let mut chart = ChartBuilder::on(area)
        .caption(title, text(TITLE_PX - 6))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..K_MAX, -1.2 * top..1.3 * top)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style((FONT, LABEL_PX - 4).into_font().color(&INK))
        .x_labels(7)
        .y_labels(7)
        .x_desc("wavenumber k, rad/cell")
        .y_desc("growth rate, 1/1000 time")
        .draw()?;
    let is_visible = |(_, y): &(f64, f64)| *y > -1.2 * top;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (K_MAX, 0.0)], INK.stroke_width(1)))?;
    let relations: [(&dyn Fn(f64) -> f64, RGBColor); 2] =
        [(&|k| linear.growth_rate(k), line_colour(3)), (&|k| scheme_rate(linear, k), line_colour(0))];
    for (rate, colour) in relations {
        let curve: Vec<(f64, f64)> =
            (0..=140).map(|sample| K_MAX * f64::from(sample) / 140.0).map(|k| (k, SCALE * rate(k))).collect();
        // A curve that leaves the panel below comes back as another piece.
        for piece in
            curve.chunk_by(|a, b| is_visible(a) == is_visible(b)).filter(|piece| is_visible(&piece[0]))
        {
            chart.draw_series(LineSeries::new(piece.iter().copied(), colour.stroke_width(3)))?;
        }
    }
    let mut points = Vec::new();
    for periods in (2..=34).step_by(2) {
        let k = TAU * f64::from(periods) / CELLS as f64;
        if linear.eigenvalues(grid_symbol(0.0, k))[0].imaginary == 0.0 {
            points.push((k, SCALE * measured_rate(spec, state, k)?));
        }
    }
    let points =
        points.into_iter().filter(is_visible).map(|(k, rate)| Circle::new((k, rate), 5, MEASURED.filled()));
    chart.draw_series(points)?;
    Ok(())
}

fn draw_legend(area: &Area<'_>) -> Result<()> {
    let entries = [
        (line_colour(3), "equations in the plane"),
        (line_colour(0), "scheme on the grid"),
        (MEASURED, "measured in the simulation"),
    ];
    for (entry, (colour, words)) in entries.into_iter().enumerate() {
        let y = 130 + 48 * entry as i32;
        if entry < 2 {
            area.draw(&PathElement::new(vec![(70, y), (120, y)], colour.stroke_width(4)))?;
        } else {
            area.draw(&Circle::new((95, y), 6, colour.filled()))?;
        }
        area.draw(&Text::new(words, (136, y - LABEL_PX as i32 / 2 - 1), text(LABEL_PX)))?;
    }
    let note = format!("{STEPS} steps, {CELLS} cells along the wave");
    area.draw(&Text::new(note, (70, 270), text(LABEL_PX - 2)))?;
    Ok(())
}

/// What the growth per step of the scheme is per unit of time.
fn scheme_rate(linear: &Linearization, k: f64) -> f64 {
    linear.eigenvalues(grid_symbol(0.0, k))[0].euler_growth(linear.time_step) / linear.time_step
}

/// The growth rate of a small wave in the simulation, 1 per unit of time.
fn measured_rate(spec: &Spec, state: &SteadyState, k: f64) -> Result<f64> {
    const AMPLITUDE: f64 = 1e-7;
    let [[f_u, f_v], _] = state.linear.jacobian;
    let q = grid_symbol(0.0, k);
    let along_v = (state.linear.eigenvalues(q)[0].real - f_u + q * state.linear.d_activator) / f_v;
    let wave = |column: usize| (k * column as f64).cos();
    let perturbed = |steady: f64, along: f64| {
        Array2::from_shape_fn((1, CELLS), |(_, column)| steady + AMPLITUDE * along * wave(column))
    };
    let mut simulation =
        Simulation::new(Spec { rows: Some(1), cols: Some(CELLS), steps: STEPS, ..spec.clone() })?;
    simulation.set_initial_activator(perturbed(state.activator, 1.0).view())?;
    simulation.set_initial_inhibitor(perturbed(state.inhibitor, along_v).view())?;
    simulation.run(STEPS, &mut |_| ControlFlow::Continue(()))?;
    let activator = simulation.activator();
    let projected: f64 =
        activator.iter().enumerate().map(|(column, u)| (u - state.activator) * wave(column)).sum();
    let amplitude = 2.0 * projected / CELLS as f64;
    Ok((amplitude / AMPLITUDE).ln() / (STEPS as f64 * spec.time_step))
}
