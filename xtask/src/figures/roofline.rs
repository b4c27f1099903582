//! The roofline (Williams, Waterman and Patterson, 2009) of the step: what memory and the first-level cache allow, and
//! what was reached, from the committed results.

use anyhow::{Context, Result};
use plotters::prelude::*;

use super::canvas::{FAINT, FONT, INK, LABEL_PX, Picture, TITLE_PX, line_colour, text};
use crate::bench::results::Results;

const SIZE: (u32, u32) = (1400, 820);
/// Additions, subtractions and multiplications of a cell-step of v4.1's kinetics: 7 for the potential, 12 for the
/// activator, 10 for the inhibitor. Comparisons and clipping are not counted.
const FLOPS_PER_CELL_STEP: f64 = 29.0;
/// Three doubles read and written: what a sweep over the grid moves for a step.
const BYTES_PER_CELL_STEP: f64 = 48.0;
/// Operations for a byte that the picture shows.
const INTENSITY: (f64, f64) = (0.1, 10.0);
const POINT: RGBColor = RGBColor(225, 40, 70);

pub(super) fn draw(results: &Results) -> Result<Picture> {
    let copy = results.stream("copy").context("STREAM copy was not measured")? / 1e9;
    let update = results.stream("update").context("STREAM update was not measured")? / 1e9;
    let level = results.machine.levels.last().context("no level was measured")?;
    let gflops = |rate: f64| rate * FLOPS_PER_CELL_STEP / 1e9;
    let ceiling = |level: &String| Some((level.clone(), gflops(results.ceiling(level)?)));
    let ceilings: Vec<(String, f64)> = results.machine.levels.iter().filter_map(ceiling).collect();
    let top = ceilings.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let intensity = FLOPS_PER_CELL_STEP / BYTES_PER_CELL_STEP;
    Picture::draw(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .caption("Roofline of the step, one thread, double precision", text(TITLE_PX))
            .margin(16)
            .margin_right(330)
            .x_label_area_size(56)
            .y_label_area_size(90)
            .build_cartesian_2d((INTENSITY.0..INTENSITY.1).log_scale(), (1.0..top * 2.5).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style((FONT, LABEL_PX - 2).into_font().color(&INK))
            .x_label_formatter(&|value| format!("{value}"))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .x_desc("operations for a byte of one sweep over the grid")
            .y_desc("billion operations a second")
            .draw()?;
        let mut legend: Vec<(String, RGBColor)> = Vec::new();
        for (index, (name, bandwidth)) in
            [("STREAM copy", copy), ("update in place", update)].into_iter().enumerate()
        {
            let ends = [INTENSITY.0, INTENSITY.1].map(|x| (x, (bandwidth * x).min(top)));
            let knee = (top / bandwidth).clamp(INTENSITY.0, INTENSITY.1);
            let line = [ends[0], (knee, bandwidth * knee), ends[1]];
            chart.draw_series(LineSeries::new(line, line_colour(index).stroke_width(3)))?;
            legend.push((format!("{name}, {bandwidth:.1} GB/s"), line_colour(index)));
        }
        for (index, (name, value)) in ceilings.iter().enumerate() {
            let colour = line_colour(index + 2);
            let line = [(INTENSITY.0, *value), (INTENSITY.1, *value)];
            chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
            legend.push((format!("row kernel in L1, {name}"), colour));
        }
        // Libmfn's labels stand to the right of its points, the others' to the left.
        let programs = [(format!("libmfn {level}"), POINT, 10), (String::from("plain Rust loop"), INK, -48)];
        for (program, colour, beside) in programs {
            for row in results.of_task("step").filter(|row| row.program == program) {
                let point = (intensity, gflops(row.rate()));
                chart.draw_series([Circle::new(point, 6, colour.filled())])?;
                let name = EmptyElement::at(point)
                    + Text::new(format!("{}", row.size), (beside, -10), text(LABEL_PX - 4));
                chart.draw_series([name])?;
            }
            legend.push((format!("{program} by side"), colour));
        }
        for (index, (words, colour)) in legend.into_iter().enumerate() {
            let (x, y) = (SIZE.0 as i32 - 315, 80 + 38 * index as i32);
            area.draw(&PathElement::new(vec![(x, y), (x + 30, y)], colour.stroke_width(4)))?;
            area.draw(&Text::new(words, (x + 40, y - 10), text(LABEL_PX - 4)))?;
        }
        Ok(())
    })
}
