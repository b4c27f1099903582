//! The features of a history, accumulated frame by frame in constant memory.

use ndarray::{Array2, ArrayView2, Zip};

use super::MV_PER_V;
use super::config::FeatureConfig;
use super::error::{FeatureError, check_shape};
use crate::moments::{Summary, sum_rows};

/// The four temporal features.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TemporalFeatures {
    /// Mean absolute change of a cell from frame to frame, mV; 0 for fewer than two frames.
    pub dv_mean: f64,
    /// Largest absolute change of a cell from frame to frame, mV; 0 for fewer than two frames.
    pub dv_max: f64,
    /// Frame at which the history became quiet; the number of frames if it did not; 0 for
    /// fewer than two frames.
    pub t_stable: f64,
    /// Least-squares slope of the sum of squared potentials over the frames, mV^2 per frame.
    pub e_trend: f64,
}

/// Turns a stream of frames into [`TemporalFeatures`]. Holds two grids, however many frames
/// it has seen.
#[derive(Debug, Clone)]
pub struct TemporalAccumulator {
    threshold_mv: f64,
    window: u64,
    frames: u64,
    previous_mv: Array2<f64>,
    change_mv: Array2<f64>,
    change_mean: RunningMean,
    change_max: f64,
    quiet_steps: u64,
    stable_at: Option<u64>,
    energy: RunningSlope,
}

/// The mean of a stream of numbers.
#[derive(Debug, Clone, Copy, Default)]
struct RunningMean {
    count: u64,
    mean: f64,
}

impl RunningMean {
    fn push(&mut self, value: f64) {
        self.count += 1;
        self.mean += (value - self.mean) / self.count as f64;
    }
}

/// The least-squares slope of a stream of numbers over their index (Welford, 1962).
#[derive(Debug, Clone, Copy, Default)]
struct RunningSlope {
    values: RunningMean,
    covariance: f64,
}

impl RunningSlope {
    fn push(&mut self, value: f64) {
        let index = self.values.count as f64;
        // The mean index of the values before this one is (index - 1) / 2.
        let index_deviation = if self.values.count == 0 { 0.0 } else { index - (index - 1.0) / 2.0 };
        self.values.push(value);
        self.covariance += index_deviation * (value - self.values.mean);
    }

    fn slope(&self) -> f64 {
        let count = self.values.count as f64;
        if self.values.count < 2 {
            return 0.0;
        }
        // The sum of squared deviations of 0, 1, ..., count - 1 from their mean.
        let index_variation = count * (count * count - 1.0) / 12.0;
        self.covariance / index_variation
    }
}

impl TemporalAccumulator {
    /// An accumulator that has seen no frame.
    ///
    /// # Errors
    /// [`FeatureError::Config`] when the configuration is refused.
    pub fn new(config: &FeatureConfig) -> Result<Self, FeatureError> {
        config.validate()?;
        Ok(Self {
            threshold_mv: config.stability_threshold_mv,
            window: config.stability_window,
            frames: 0,
            previous_mv: Array2::zeros((0, 0)),
            change_mv: Array2::zeros((0, 0)),
            change_mean: RunningMean::default(),
            change_max: 0.0,
            quiet_steps: 0,
            stable_at: None,
            energy: RunningSlope::default(),
        })
    }

    /// Frames seen.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Takes the next frame, in volts, of any strides.
    ///
    /// # Errors
    /// [`FeatureError`] when the frame is empty, not square, too large, or of another shape
    /// than the frames before it; it is then not counted.
    pub fn push(&mut self, frame: ArrayView2<'_, f64>) -> Result<(), FeatureError> {
        check_shape(frame.nrows(), frame.ncols())?;
        if self.frames == 0 {
            self.previous_mv = frame.mapv(|value| value * MV_PER_V);
            self.change_mv = Array2::zeros(frame.dim());
        } else {
            self.check_same_shape(frame)?;
            self.compare(frame);
        }
        let [energy] = sum_rows(self.previous_mv.view(), |value| [value * value]);
        self.energy.push(energy);
        self.frames += 1;
        Ok(())
    }

    fn check_same_shape(&self, frame: ArrayView2<'_, f64>) -> Result<(), FeatureError> {
        if frame.dim() == self.previous_mv.dim() {
            return Ok(());
        }
        Err(FeatureError::FrameShape {
            rows: frame.nrows(),
            columns: frame.ncols(),
            expected_rows: self.previous_mv.nrows(),
            expected_columns: self.previous_mv.ncols(),
        })
    }

    /// Records the change from the previous frame and makes `frame` the previous one.
    fn compare(&mut self, frame: ArrayView2<'_, f64>) {
        Zip::from(&mut self.change_mv).and(&mut self.previous_mv).and(frame).for_each(
            |change, previous, &value| {
                let value_mv = value * MV_PER_V;
                *change = (value_mv - *previous).abs();
                *previous = value_mv;
            },
        );
        let change = Summary::of(self.change_mv.view(), 1.0);
        self.change_mean.push(change.mean);
        self.change_max = if change.max.is_nan() || self.change_max.is_nan() {
            f64::NAN
        } else {
            self.change_max.max(change.max)
        };
        if change.deviation() < self.threshold_mv {
            self.quiet_steps += 1;
        } else {
            self.quiet_steps = 0;
        }
        if self.stable_at.is_none() && self.quiet_steps >= self.window {
            // `frames` is the 1-based index of this change.
            self.stable_at = Some(self.frames + 1 - self.window);
        }
    }

    /// The features of the frames seen so far.
    #[must_use]
    pub fn finish(&self) -> TemporalFeatures {
        if self.frames < 2 {
            return TemporalFeatures::default();
        }
        TemporalFeatures {
            dv_mean: self.change_mean.mean,
            dv_max: self.change_max,
            t_stable: self.stable_at.unwrap_or(self.frames) as f64,
            e_trend: self.energy.slope(),
        }
    }
}
