//! The straight line through (ln 1/size, ln count): its slope is the dimension.

use super::{BoxDimension, BoxFit, BoxPoint};
use crate::least_squares;

/// The 0.975 quantiles of Student's t distribution for 1, 2, ... degrees of freedom. Sixteen
/// doublings take the smallest box to the longest side, so more are only reached in the v4.1 mode.
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// Least squares through the points; 0 with fewer than two.
pub(super) fn line(points: Vec<BoxPoint>) -> BoxFit {
    let logs: Vec<(f64, f64)> = points.iter().map(BoxPoint::logs).collect();
    let Some(line) = least_squares::line(&logs) else {
        return BoxFit { dimension: BoxDimension::default(), intercept: 0.0, points };
    };
    let interval = (points.len() > 2).then(|| {
        let freedom = points.len() - 2;
        let quantile = T_975[freedom.min(T_975.len()) - 1];
        let half_width = quantile * (line.residual / freedom as f64 / line.spread).sqrt();
        [line.slope - half_width, line.slope + half_width]
    });
    BoxFit {
        dimension: BoxDimension { dimension: line.slope, r_squared: line.r_squared, interval },
        intercept: line.intercept,
        points,
    }
}
