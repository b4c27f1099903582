//! The straight line of least squares through points: how every dimension is fitted.

/// A fitted line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
    /// Coefficient of determination; 0 when the ordinates do not vary.
    pub(crate) r_squared: f64,
    /// Sum of squared distances of the ordinates from the line.
    pub(crate) residual: f64,
    /// Sum of squared distances of the abscissas from their mean.
    pub(crate) spread: f64,
}

/// The line through points (x, y), or `None` with fewer than two. The abscissas must not all be the same.
pub(crate) fn line(points: &[(f64, f64)]) -> Option<Line> {
    if points.len() < 2 {
        return None;
    }
    let count = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let slope = covariance / spread;
    let intercept = mean_y - slope * mean_x;
    let residual: f64 = points.iter().map(|(x, y)| (y - (slope * x + intercept)).powi(2)).sum();
    let total: f64 = points.iter().map(|(_, y)| (y - mean_y).powi(2)).sum();
    let r_squared = if total > 0.0 { 1.0 - residual / total } else { 0.0 };
    Some(Line { slope, intercept, r_squared, residual, spread })
}
