//! Throughput by the size of the grid: libmfn and its peers, from the committed results.

use anyhow::{Context, Result};
use plotters::prelude::*;

use super::canvas::{FAINT, FONT, INK, LABEL_PX, Picture, TITLE_PX, line_colour, text};
use crate::bench::results::Results;

const SIZE: (u32, u32) = (1400, 820);
const PEER: RGBColor = RGBColor(225, 40, 70);

/// A curve: its rows, its name in the legend, its colour, and whether its points are open.
struct Curve {
    points: Vec<(f64, f64)>,
    label: String,
    colour: RGBColor,
    dashed: bool,
}

pub(super) fn draw(results: &Results) -> Result<Picture> {
    let curves = curves(results);
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let high = points().map(|point| point.1).fold(0.0, f64::max);
    let sizes = results.sizes("step");
    let (first, last) = sizes.first().zip(sizes.last()).context("no step was measured")?;
    Picture::draw(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("Million cell-steps a second by the side of the grid", text(TITLE_PX))
            .margin(16)
            .margin_right(360)
            .x_label_area_size(56)
            .y_label_area_size(90)
            .build_cartesian_2d(
                (*first as f64 * 0.9..*last as f64 * 1.12).log_scale(),
                (low * 0.7..high * 1.4).log_scale(),
            )?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style((FONT, LABEL_PX - 2).into_font().color(&INK))
            .x_label_formatter(&|value| format!("{value:.0}"))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .x_desc("cells on a side")
            .y_desc("million cell-steps a second")
            .draw()?;
        let mut row = 0;
        for curve in &curves {
            let style = curve.colour.stroke_width(if curve.dashed { 2 } else { 4 });
            chart.draw_series(LineSeries::new(curve.points.iter().copied(), style))?;
            let dots = curve.points.iter().map(|&point| Circle::new(point, 5, curve.colour.filled()));
            chart.draw_series(dots)?;
            let (x, y) = (SIZE.0 as i32 - 340, 80 + 38 * row);
            area.draw(&PathElement::new(vec![(x, y), (x + 40, y)], style))?;
            area.draw(&Circle::new((x + 20, y), 5, curve.colour.filled()))?;
            area.draw(&Text::new(curve.label.clone(), (x + 54, y - 11), text(LABEL_PX)))?;
            row += 1;
        }
        let note = "CPU time of one thread; two threads: wall time";
        area.draw(&Text::new(note, (SIZE.0 as i32 - 340, 80 + 38 * row), text(LABEL_PX - 6)))?;
        Ok(())
    })
}

/// What is drawn, as far as it was measured: libmfn in the colours of the pictures, peers in shades of red.
fn curves(results: &Results) -> Vec<Curve> {
    let levels = results.machine.levels.iter().map(|level| format!("libmfn {level}"));
    let widest = results.machine.levels.last().map(|level| format!("libmfn f32 {level}"));
    let own = levels.chain(widest).chain([String::from("libmfn 2 threads")]);
    let own = own.zip([0, 1, 2, 3, 4]).map(|(program, colour)| (program, line_colour(colour), false));
    let peers = ["plain Rust loop", "Numba", "JAX", "Devito", "py-pde", "NumPy"];
    let peers = peers.into_iter().enumerate().map(|(index, peer)| {
        let shade = (index as u8) * 34;
        (peer.to_owned(), RGBColor(PEER.0, PEER.1 + shade, PEER.2 + shade / 2), true)
    });
    own.chain(peers)
        .map(|(program, colour, dashed)| {
            let rows = results.of_task("step").filter(|row| row.program == program);
            let points = rows.map(|row| (row.size as f64, row.rate() / 1e6)).collect();
            Curve { points, label: program, colour, dashed }
        })
        .filter(|curve| !curve.points.is_empty())
        .collect()
}
