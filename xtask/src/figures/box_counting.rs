//! The box-counting fit: the default pattern beside a set whose dimension is known.

use anyhow::Result;
use mfn_sim::features::{BoxDimension, BoxFit, BoxPoint, BoxScales, box_fit};
use ndarray::Array2;
use plotters::prelude::*;

use super::canvas::{FAINT, INK, LABEL_PX, Picture, TITLE_PX, decimal, legend, line_colour, text};
use super::runs;

/// Cells along each side of the pattern.
const MYCELIUM_SIDE: usize = 256;
/// 3^6.
const CARPET_SIDE: usize = 729;

pub(super) fn draw() -> Result<Picture> {
    let field = runs::mycelium(MYCELIUM_SIDE)?;
    let pattern = field.mapv(|volts| volts > runs::THRESHOLD_V);
    let carpet = Array2::from_shape_fn((CARPET_SIDE, CARPET_SIDE), |(row, col)| is_in_carpet(row, col));
    let sets = [
        ("Sierpinski carpet, ln 8 / ln 3 = 1.893", carpet),
        ("preset mycelium, cells above -60 mV", pattern),
    ];
    Picture::draw((1040, 700), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(24)
            .caption("Box counting: the slope is the dimension", text(TITLE_PX))
            .x_label_area_size(64)
            .y_label_area_size(76)
            .build_cartesian_2d(-6.0..0.0, 1.0..13.0)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(text(LABEL_PX - 2))
            .axis_desc_style(text(LABEL_PX))
            .x_label_formatter(&|value| decimal(*value, 1))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .x_desc("ln (1 / s), s = side of a box in cells")
            .y_desc("ln N, N = boxes with an active cell")
            .draw()?;
        for (index, (words, mask)) in sets.iter().enumerate() {
            let colour = line_colour(2 * index);
            let BoxFit { dimension, intercept, points } = box_fit(mask.view(), &BoxScales::default())?;
            let BoxDimension { dimension: slope, r_squared, .. } = dimension;
            let points: Vec<(f64, f64)> = points.iter().map(BoxPoint::logs).collect();
            let ends = [points[0].0, points[points.len() - 1].0];
            let line = ends.map(|x| (x, intercept + slope * x));
            chart
                .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
                .label(format!("{words}: slope {slope:.3}, R² = {r_squared:.4}"))
                .legend(move |(x, y)| Circle::new((x + 14, y), 6, colour.filled()));
            chart.draw_series(points.iter().map(|&point| Circle::new(point, 6, colour.filled())))?;
        }
        legend(&mut chart, SeriesLabelPosition::UpperLeft)
    })
}

/// Whether a cell is left when the middle ninth of every square is taken out (Sierpinski, 1916).
fn is_in_carpet(mut row: usize, mut col: usize) -> bool {
    while row > 0 || col > 0 {
        if row % 3 == 1 && col % 3 == 1 {
            return false;
        }
        (row, col) = (row / 3, col / 3);
    }
    true
}
