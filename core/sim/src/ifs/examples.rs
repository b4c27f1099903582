//! Well-known systems, ready to use.

use super::{AffineMap, Ifs};

fn system(maps: &[[f64; 6]], weights: &[f64]) -> Ifs {
    let maps = maps.iter().copied().map(AffineMap::new).collect();
    Ifs::with_weights(maps, weights).unwrap_or_else(|error| unreachable!("a built-in system: {error}"))
}

/// The Sierpinski triangle with its right angle at the origin, in the unit square: three maps of
/// ratio 1/2, dimension ln 3 / ln 2 (Sierpinski, 1915).
#[must_use]
pub fn sierpinski_triangle() -> Ifs {
    let corner = |e: f64, f: f64| [0.5, 0.0, 0.0, 0.5, e, f];
    system(&[corner(0.0, 0.0), corner(0.5, 0.0), corner(0.0, 0.5)], &[1.0; 3])
}

/// The Sierpinski carpet in the unit square: eight maps of ratio 1/3, dimension ln 8 / ln 3
/// (Sierpinski, 1916).
#[must_use]
pub fn sierpinski_carpet() -> Ifs {
    let third = 1.0 / 3.0;
    let squares = (0..9).filter(|&square| square != 4);
    let maps: Vec<[f64; 6]> = squares
        .map(|square| {
            let (row, column) = (square / 3, square % 3);
            [third, 0.0, 0.0, third, f64::from(column) / 3.0, f64::from(row) / 3.0]
        })
        .collect();
    system(&maps, &[1.0; 8])
}

/// Barnsley's fern, with his probabilities (Barnsley, 1988). Its first map is singular, and no map
/// but that of the stem is near a similarity.
#[must_use]
pub fn barnsley_fern() -> Ifs {
    system(
        &[
            [0.0, 0.0, 0.0, 0.16, 0.0, 0.0],
            [0.85, 0.04, -0.04, 0.85, 0.0, 1.6],
            [0.2, -0.26, 0.23, 0.22, 0.0, 1.6],
            [-0.15, 0.28, 0.26, 0.24, 0.0, 0.44],
        ],
        &[0.01, 0.85, 0.07, 0.07],
    )
}
