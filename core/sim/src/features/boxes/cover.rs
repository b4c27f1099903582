//! The fewest boxes that cover the active cells, for box sides that halve from one to the next.
//!
//! The smallest square that holds the active cells, of side L, is divided into 2^K x 2^K base
//! cells, K the whole part of log2 L; a base cell is then 1 to 2 cells wide, and exactly one cell
//! when L is a power of two. Boxes have 1, 2, 4, ... base cells on a side. All offsets of the
//! boxes by whole base cells are tried, and the smallest count is the measure (the covering
//! number that the definition of the dimension asks for; Falconer, 2003, section 3.1).
//! A side that is a power of three (from 27 on) is divided by three instead of two, again without a remainder,
//! as sets made of thirds need it.
//!
//! The lattices of one size contain those of the next, so that the count at least stays and
//! at most grows to four (nine) times when the side is divided: the fitted dimension cannot leave [0, 2].

use super::divide::base_cells;
use super::{BoxPoint, BoxScales};
use crate::features::mask::Mask;
use crate::moments::widest_level;

/// Extents of fewer cells are also covered by one box of the full extent; larger ones have enough
/// sizes without it, and that one box says nothing about the shape.
const HALVED_FROM_CELLS: usize = 8;

/// The covering numbers of the active cells by ascending size; empty when no cell is active.
pub(super) fn count(mask: &Mask, scales: &BoxScales) -> Vec<BoxPoint> {
    let Some(extent) = mask.extent() else { return Vec::new() };
    let side = extent.side();
    let largest = match scales.max_box_size {
        Some(size) => size.min(side) as f64,
        None if side < HALVED_FROM_CELLS => side as f64,
        None => side as f64 / 2.0,
    };
    let (base, levels) = division(side);
    let parts = base.pow(levels);
    let size_of = |multiple: usize| side as f64 * multiple as f64 / parts as f64;
    let multiples: Vec<usize> = (0..=levels)
        .map(|level| base.pow(level))
        .filter(|&multiple| (scales.min_box_size as f64..=largest).contains(&size_of(multiple)))
        .take(scales.num_scales)
        .collect();
    let (Some(&smallest), Some(&last)) = (multiples.first(), multiples.last()) else { return Vec::new() };
    let mut boxes = base_cells(mask, extent, parts, last);
    let level = widest_level();
    let mut multiple = 1;
    let mut points = Vec::with_capacity(multiples.len());
    loop {
        if multiple >= smallest {
            points.push(BoxPoint {
                size: size_of(multiple),
                count: boxes.fewest_on_a_lattice(level, multiple),
            });
        }
        if multiple == last {
            return points;
        }
        for _ in 1..base {
            boxes.extend_boxes(multiple);
        }
        multiple *= base;
    }
}

/// By what a side is divided, and how often at most. Nine cells have too few thirds for a fit.
fn division(side: usize) -> (usize, u32) {
    let thirds = side.ilog(3);
    if thirds > 2 && 3_usize.pow(thirds) == side { (3, thirds) } else { (2, side.ilog2()) }
}
