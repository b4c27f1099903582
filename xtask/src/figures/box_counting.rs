//! The box-counting fit: the default pattern beside a set whose dimension is known.

use anyhow::Result;
use mfn_sim::features::box_count;
use ndarray::Array2;
use plotters::prelude::*;

use super::canvas::{FAINT, FONT, INK, LABEL_PX, Picture, TITLE_PX, line_colour, text};
use super::runs;

/// A side that both halve often: 2^8.
const MYCELIUM_SIDE: usize = 256;
/// 3^6.
const CARPET_SIDE: usize = 729;

/// Box sizes and counts of a set.
struct Counts {
    words: &'static str,
    points: Vec<(f64, f64)>,
}

pub(super) fn draw() -> Result<Picture> {
    let field = runs::mycelium(MYCELIUM_SIDE)?;
    let pattern = field.mapv(|volts| volts > runs::THRESHOLD_V);
    let carpet = Array2::from_shape_fn((CARPET_SIDE, CARPET_SIDE), |(row, col)| is_in_carpet(row, col));
    let sets = [
        counts("Sierpinski carpet, ln 8 / ln 3 = 1.893", &carpet, 3),
        counts("preset mycelium, cells above -60 mV", &pattern, 2),
    ];
    Picture::draw((1040, 700), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(24)
            .caption("Box counting: the slope is the dimension", text(TITLE_PX))
            .x_label_area_size(64)
            .y_label_area_size(76)
            .build_cartesian_2d(-4.8..0.3, 2.0..14.0)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(text(LABEL_PX - 2))
            .axis_desc_style(text(LABEL_PX))
            .x_label_formatter(&|value| format!("{:.1}", value + 0.0))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .x_desc("ln (1 / s), s = side of a box in cells")
            .y_desc("ln N, N = boxes with an active cell")
            .draw()?;
        for (index, set) in sets.iter().enumerate() {
            let colour = line_colour(2 * index);
            let (slope, intercept, fit) = line_through(&set.points);
            let ends = [set.points[0].0, set.points[set.points.len() - 1].0];
            let line = ends.map(|x| (x, intercept + slope * x));
            chart
                .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
                .label(format!("{}: slope {slope:.3}, R² = {fit:.4}", set.words))
                .legend(move |(x, y)| Circle::new((x + 14, y), 6, colour.filled()));
            chart.draw_series(set.points.iter().map(|&point| Circle::new(point, 6, colour.filled())))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(FAINT)
            .legend_area_size(36)
            .margin(14)
            .label_font((FONT, LABEL_PX).into_font().color(&INK))
            .draw()?;
        Ok(())
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

/// The boxes with an active cell, for sides that are powers of `base` up to a quarter of the grid.
fn counts(words: &'static str, mask: &Array2<bool>, base: usize) -> Counts {
    let sides =
        std::iter::successors(Some(1), |side| Some(side * base)).take_while(|side| side * 4 <= mask.nrows());
    let point = |side: usize| (-(side as f64).ln(), (box_count(mask.view(), side) as f64).ln());
    Counts { words, points: sides.map(point).collect() }
}

/// Slope, intercept and coefficient of determination of the least-squares line.
fn line_through(points: &[(f64, f64)]) -> (f64, f64, f64) {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y - mean_y);
        yy += (y - mean_y) * (y - mean_y);
    }
    let slope = xy / xx;
    (slope, mean_y - slope * mean_x, xy * xy / (xx * yy))
}
