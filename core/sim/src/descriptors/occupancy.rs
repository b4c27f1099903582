//! Information and correlation dimension of the pattern, from its mass in boxes.
//!
//! The cells of the pattern carry equal mass. Boxes of side e hold the fractions p of it. Of the generalized
//! dimensions D_q of Hentschel and Procaccia (1983), which rest on the entropies of Renyi, two are fitted:
//! D1 from the information - sum p ln p = D1 ln(1 / e) + c, and D2 from ln sum p^2 = D2 ln e + c. Sum p^2 is
//! the box version of the correlation integral of Grassberger and Procaccia (1983): the probability that two cells
//! share a box, instead of the probability that they are closer than e. D0 >= D1 >= D2 for a true fractal, and all
//! are equal when its mass is spread evenly.

use super::DescriptorConfig;
use super::pattern::Pattern;
use crate::least_squares;

/// A fitted dimension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dimension {
    pub(super) slope: f64,
    pub(super) r_squared: f64,
}

impl Dimension {
    const UNDEFINED: Self = Self { slope: f64::NAN, r_squared: f64::NAN };

    fn of(points: &[(f64, f64)]) -> Self {
        least_squares::line(points)
            .map_or(Self::UNDEFINED, |line| Self { slope: line.slope, r_squared: line.r_squared })
    }
}

/// Both dimensions with the quality of their fits.
pub(super) struct Dimensions {
    pub(super) information: Dimension,
    pub(super) correlation: Dimension,
}

/// The sides of the boxes: from the smallest, each `box_ratio` times the one before, up to the largest.
pub(super) fn box_sizes(rows: usize, cols: usize, config: &DescriptorConfig) -> Vec<usize> {
    let shorter = if rows.min(cols) == 1 { rows.max(cols) } else { rows.min(cols) };
    let largest = config.max_box_size.unwrap_or(shorter / 2);
    let following = |&size: &usize| size.checked_mul(config.box_ratio).filter(|&next| next <= largest);
    let first = Some(config.min_box_size).filter(|&size| size <= largest);
    std::iter::successors(first, following).collect()
}

/// The dimensions by least squares over boxes of the given sizes, which cover the grid from its first cell; those
/// at the far edges may reach beyond it.
pub(super) fn dimensions(pattern: &Pattern, sizes: &[usize]) -> Dimensions {
    let mass: u64 = pattern.rows().flatten().map(|&cell| u64::from(cell)).sum();
    if mass == 0 {
        return Dimensions { information: Dimension::UNDEFINED, correlation: Dimension::UNDEFINED };
    }
    let mass = mass as f64;
    let mut information = Vec::with_capacity(sizes.len());
    let mut correlation = Vec::with_capacity(sizes.len());
    for &size in sizes {
        let sums = box_sums(pattern, size);
        let fineness = -(size as f64).ln();
        information.push((fineness, mass.ln() - sums.n_ln_n / mass));
        correlation.push((fineness, -(sums.n_squared as f64 / (mass * mass)).ln()));
    }
    Dimensions { information: Dimension::of(&information), correlation: Dimension::of(&correlation) }
}

/// Sums over the boxes of one size; n is the number of cells of the pattern in a box.
struct BoxSums {
    n_ln_n: f64,
    n_squared: u128,
}

fn box_sums(pattern: &Pattern, size: usize) -> BoxSums {
    let mut sums = BoxSums { n_ln_n: 0.0, n_squared: 0 };
    let mut band = vec![0u32; pattern.cols.div_ceil(size)];
    for first_row in (0..pattern.rows).step_by(size) {
        band.fill(0);
        for row in first_row..(first_row + size).min(pattern.rows) {
            for (sum, cells) in band.iter_mut().zip(pattern.row(row).chunks(size)) {
                *sum += cells.iter().map(|&cell| u32::from(cell)).sum::<u32>();
            }
        }
        for &n in band.iter().filter(|&&n| n > 1) {
            sums.n_ln_n += f64::from(n) * f64::from(n).ln();
        }
        sums.n_squared += band.iter().map(|&n| u128::from(n) * u128::from(n)).sum::<u128>();
    }
    sums
}
