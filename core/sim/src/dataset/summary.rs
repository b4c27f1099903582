//! The summary of a dataset: least, largest, mean and sample deviation of each feature.

use serde::Serialize;

use crate::features::{Features, NAMES};

/// The summary of one column. Values that are NaN are left out, as pandas does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// Values that are not NaN.
    pub count: u64,
    /// Least value; NaN without values.
    pub min: f64,
    /// Largest value; NaN without values.
    pub max: f64,
    /// Mean; NaN without values.
    pub mean: f64,
    /// Sample standard deviation (one degree of freedom is taken off, unlike the deviations inside the
    /// features); NaN for fewer than two values.
    pub std: f64,
    /// Sum of squared deviations so far.
    #[serde(skip)]
    squares: f64,
}

impl Default for ColumnSummary {
    fn default() -> Self {
        let nan = f64::NAN;
        Self { count: 0, min: nan, max: nan, mean: nan, std: nan, squares: 0.0 }
    }
}

impl ColumnSummary {
    /// Takes one more value (Welford, 1962).
    pub fn push(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        self.count += 1;
        let before = if self.count == 1 { 0.0 } else { self.mean };
        let mean = before + (value - before) / self.count as f64;
        self.squares += (value - before) * (value - mean);
        self.mean = mean;
        // The other operand may be NaN, which min and max pass over.
        self.min = value.min(self.min);
        self.max = value.max(self.max);
        if self.count > 1 {
            self.std = (self.squares / (self.count - 1) as f64).sqrt();
        }
    }
}

/// The summaries of the 18 features over many runs, in constant memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DatasetStats {
    columns: [ColumnSummary; 18],
}

impl DatasetStats {
    /// Takes the features of one more run.
    pub fn push(&mut self, features: &Features) {
        self.push_values(&features.to_array());
    }

    /// As [`push`](Self::push), from the values in the order of [`NAMES`].
    pub fn push_values(&mut self, values: &[f64; 18]) {
        for (column, &value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
    }

    /// The summaries with the names of their features.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &ColumnSummary)> {
        NAMES.into_iter().zip(&self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the definition against `pandas.Series.describe`: sample deviation, NaN left out.
    #[test]
    fn summaries_are_those_of_pandas() {
        let mut summary = ColumnSummary::default();
        assert!(summary.mean.is_nan() && summary.std.is_nan() && summary.min.is_nan());
        for value in [2.0, f64::NAN, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            summary.push(value);
        }
        assert_eq!((summary.count, summary.min, summary.max, summary.mean), (8, 2.0, 9.0, 5.0));
        assert!((summary.std - 2.138_089_935_299_395).abs() < 1e-15, "{}", summary.std);
    }

    /// Guards a single value: it has a mean, and no deviation.
    #[test]
    fn one_value_has_no_deviation() {
        let mut summary = ColumnSummary::default();
        summary.push(-3.0);
        assert_eq!((summary.min, summary.max, summary.mean), (-3.0, -3.0, -3.0));
        assert!(summary.std.is_nan());
    }
}
