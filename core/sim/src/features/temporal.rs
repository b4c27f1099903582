//! The features of a history, accumulated frame by frame in constant memory.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use super::MV_PER_V;
use super::config::FeatureConfig;
use super::error::{FeatureError, check_shape};
use super::row_sums::{FrameSums, RowSums};
use crate::moments::{for_each_row, widest_level};
use crate::real::Real;

/// Frames of a state are at most this many, so that no count of a stream that goes on from it overflows.
const FRAMES_MAX: u64 = 1 << 62;

/// The four temporal features.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TemporalFeatures {
    /// Mean absolute change of a cell from frame to frame, mV; 0 for fewer than two frames.
    pub dv_mean: f64,
    /// Largest absolute change of a cell from frame to frame, mV; 0 for fewer than two frames.
    pub dv_max: f64,
    /// Frame at which the history became quiet, counted from 1; `None` if it did not. In the v4.1
    /// mode a number always: the number of frames if it did not, 0 for fewer than two frames.
    pub t_stable: Option<f64>,
    /// Least-squares slope of the sum of squared potentials over the frames, mV^2 per frame.
    pub e_trend: f64,
}

impl TemporalFeatures {
    /// Those of a single field.
    pub(super) fn of_one_frame(config: &FeatureConfig) -> Self {
        Self { t_stable: config.compat.map(|_| 0.0), ..Self::default() }
    }
}

/// Turns a stream of frames into [`TemporalFeatures`]. Holds one grid of `f64`, however many frames it has
/// seen.
#[derive(Debug, Clone)]
pub struct TemporalAccumulator {
    state: TemporalState,
}

/// All that an accumulator knows, as plain data: a stream that is saved and taken up again gives the
/// same bits. The numbers may be NaN or infinite, so a text format without them loses some.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TemporalState {
    /// What the features depend on beside the frames.
    pub config: FeatureConfig,
    /// Frames seen.
    pub frames: u64,
    /// Rows of every frame; 0 before the first.
    pub rows: usize,
    /// Columns of every frame; 0 before the first.
    pub cols: usize,
    /// The last frame, mV, row by row.
    pub last_mv: Vec<f64>,
    /// Mean over the frames after the first of the mean absolute change, mV.
    pub change_mean_mv: f64,
    /// Largest absolute change, mV.
    pub change_max_mv: f64,
    /// Quiet frames in a row up to the last.
    pub quiet_steps: u64,
    /// Frame at which the history became quiet, counted from 1.
    pub stable_at: Option<u64>,
    /// The sums behind the slope of the squared potentials.
    pub energy: RunningSlope,
}

/// The least-squares slope of a stream of numbers over their index (Welford, 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RunningSlope {
    /// Values seen.
    pub count: u64,
    /// The first value. A slope does not depend on an offset, and differences from it lose
    /// fewer digits than the values.
    pub offset: f64,
    /// Mean of the values less the offset.
    pub mean: f64,
    /// Sum of the products of the deviations of index and value from their means.
    pub covariance: f64,
}

impl RunningSlope {
    fn push(&mut self, value: f64) {
        if self.count == 0 {
            self.offset = value;
        }
        let value = value - self.offset;
        let index = self.count as f64;
        // The mean index of the values before this one is (index - 1) / 2. For the first value
        // the other factor is 0.
        let index_deviation = index - (index - 1.0) / 2.0;
        self.count += 1;
        self.mean += (value - self.mean) / self.count as f64;
        self.covariance += index_deviation * (value - self.mean);
    }

    fn slope(&self) -> f64 {
        let count = self.count as f64;
        if self.count < 2 {
            return 0.0;
        }
        // The sum of squared deviations of 0, 1, ..., count - 1 from their mean.
        let index_variation = count * (count * count - 1.0) / 12.0;
        self.covariance / index_variation
    }
}

impl TemporalState {
    /// Whether the numbers fit together.
    pub(crate) fn check(&self) -> Result<(), FeatureError> {
        self.config.validate()?;
        let wrong = |what| Err(FeatureError::State { what });
        if self.frames == 0 {
            let fresh = Self::new(&self.config);
            return if *self == fresh { Ok(()) } else { wrong("sums without a frame") };
        }
        check_shape(self.rows, self.cols, self.config.compat)?;
        if self.rows.checked_mul(self.cols) != Some(self.last_mv.len()) {
            return wrong("the last frame does not have rows x cols cells");
        }
        if self.frames > FRAMES_MAX {
            return wrong("more frames than any run has");
        }
        if self.energy.count != self.frames {
            return wrong("the energy counts other frames");
        }
        if self.quiet_steps >= self.frames || self.stable_at.is_some_and(|at| at == 0 || at >= self.frames) {
            return wrong("it became quiet after its last frame");
        }
        Ok(())
    }

    fn new(config: &FeatureConfig) -> Self {
        Self {
            config: config.clone(),
            frames: 0,
            rows: 0,
            cols: 0,
            last_mv: Vec::new(),
            change_mean_mv: 0.0,
            change_max_mv: 0.0,
            quiet_steps: 0,
            stable_at: None,
            energy: RunningSlope::default(),
        }
    }
}

impl TemporalAccumulator {
    /// An accumulator that has seen no frame.
    ///
    /// # Errors
    /// [`FeatureError::Config`] when the configuration is refused.
    pub fn new(config: &FeatureConfig) -> Result<Self, FeatureError> {
        Self::from_state(TemporalState::new(config))
    }

    /// Takes up a stream where [`state`](Self::state) was saved.
    ///
    /// # Errors
    /// [`FeatureError::Config`], or [`FeatureError::State`] when the numbers do not fit together.
    pub fn from_state(state: TemporalState) -> Result<Self, FeatureError> {
        state.check()?;
        Ok(Self { state })
    }

    /// All that the accumulator knows, to be saved.
    #[must_use]
    pub fn state(&self) -> &TemporalState {
        &self.state
    }

    /// What the features depend on beside the frames.
    #[must_use]
    pub fn config(&self) -> &FeatureConfig {
        &self.state.config
    }

    /// Frames seen.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.state.frames
    }

    /// Takes the next frame, in volts, of any strides. NaN in a cell makes the features NaN.
    ///
    /// # Errors
    /// [`FeatureError`] when the frame is empty, too large, of another shape than the frames before
    /// it, or, in the v4.1 mode, not square; it is then not counted.
    pub fn push<T: Real>(&mut self, frame: ArrayView2<'_, T>) -> Result<(), FeatureError> {
        let (rows, columns) = frame.dim();
        check_shape(rows, columns, self.state.config.compat)?;
        if self.state.frames == 0 {
            (self.state.rows, self.state.cols) = (rows, columns);
            self.state.last_mv = vec![0.0; frame.len()];
        }
        let (expected_rows, expected_columns) = (self.state.rows, self.state.cols);
        if (rows, columns) != (expected_rows, expected_columns) {
            return Err(FeatureError::FrameShape { rows, columns, expected_rows, expected_columns });
        }
        let sums = self.replace_last(frame);
        self.record(sums);
        Ok(())
    }

    /// Takes the sums of the next frame of a grid of `rows * cols` cells whose shape was
    /// checked. The frame itself is kept by the caller; [`state_with`](Self::state_with) asks for it.
    pub(crate) fn push_sums(&mut self, (rows, cols): (usize, usize), sums: FrameSums) {
        (self.state.rows, self.state.cols) = (rows, cols);
        self.record(sums);
    }

    /// Whether `field`, in volts, is the last frame, if there was one. NaN is any NaN.
    pub(crate) fn saw_last<T: Real>(&self, field: &[T]) -> bool {
        let same = |(last, value): (&f64, &T)| {
            let value_mv = value.wide() * MV_PER_V;
            *last == value_mv || (last.is_nan() && value_mv.is_nan())
        };
        self.state.frames == 0 || self.state.last_mv.iter().zip(field).all(same)
    }

    /// Gives the memory of the last frame back, for a caller that keeps it.
    pub(crate) fn forget_last(&mut self) {
        self.state.last_mv = Vec::new();
    }

    /// The state of a stream whose last frame, in volts, is kept by the caller.
    pub(crate) fn state_with<T: Real>(&self, last: &[T]) -> TemporalState {
        let mut state = self.state.clone();
        if state.frames > 0 {
            state.last_mv = last.iter().map(|value| value.wide() * MV_PER_V).collect();
        }
        state
    }

    /// Makes `frame` the last one and sums up the difference from the one before it.
    fn replace_last<T: Real>(&mut self, frame: ArrayView2<'_, T>) -> FrameSums {
        let mut sums = FrameSums::default();
        let columns = frame.ncols();
        let mut rows = self.state.last_mv.chunks_exact_mut(columns);
        let level = widest_level();
        for_each_row(frame, |row| {
            let Some(last) = rows.next() else { return };
            sums.add(&RowSums::after_millivolts(level, row, last), columns as f64);
            for (last, value) in last.iter_mut().zip(row) {
                *last = value * MV_PER_V;
            }
        });
        sums
    }

    fn record(&mut self, sums: FrameSums) {
        self.state.energy.push(sums.energy_mv2);
        if self.state.frames > 0 {
            self.record_change(sums);
        }
        self.state.frames += 1;
    }

    fn record_change(&mut self, sums: FrameSums) {
        let mean = sums.change_mean_mv();
        let variance = sums.change_variance_mv2();
        let state = &mut self.state;
        let quiet_mv = match state.config.compat {
            None => (variance + mean * mean).sqrt(),
            // MFN 4.1 takes the spatial standard deviation of the change for its size.
            Some(_) => variance.sqrt(),
        };
        // `frames` does not count this frame yet: it is the number of changes, this one included.
        state.change_mean_mv += (mean - state.change_mean_mv) / state.frames as f64;
        // A NaN anywhere makes the sum NaN, and then the largest change has no meaning.
        let nan = sums.change_mv.is_nan() || state.change_max_mv.is_nan();
        state.change_max_mv = if nan { f64::NAN } else { state.change_max_mv.max(sums.change_max_mv) };

        let quiet = quiet_mv < state.config.stability_threshold_mv;
        state.quiet_steps = if quiet { state.quiet_steps + 1 } else { 0 };
        if state.stable_at.is_none() && state.quiet_steps >= state.config.stability_window {
            state.stable_at = Some(state.frames + 1 - state.config.stability_window);
        }
    }

    /// The features of the frames seen so far.
    #[must_use]
    pub fn finish(&self) -> TemporalFeatures {
        let state = &self.state;
        if state.frames < 2 {
            return TemporalFeatures::of_one_frame(&state.config);
        }
        let stable_at = state.stable_at.map(|frame| frame as f64);
        TemporalFeatures {
            dv_mean: state.change_mean_mv,
            dv_max: state.change_max_mv,
            t_stable: stable_at.or(state.config.compat.map(|_| state.frames as f64)),
            e_trend: state.energy.slope(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the streaming slope against the textbook formula, with a large offset that
    /// would cost a sum of products its digits.
    #[test]
    fn slope_of_a_stream() {
        let values: Vec<f64> = (0..50).map(|t| 1e9 - 3.0 * f64::from(t) + f64::from(t % 7)).collect();
        let mut stream = RunningSlope::default();
        values.iter().for_each(|&value| stream.push(value));
        let mean_t = 24.5;
        let (mut over, mut under) = (0.0, 0.0);
        for (t, value) in values.iter().enumerate() {
            over += (t as f64 - mean_t) * (value - 1e9);
            under += (t as f64 - mean_t).powi(2);
        }
        assert!((stream.slope() - over / under).abs() < 1e-12, "{}", stream.slope());
    }

    /// Guards what T_stable means: frame counts from 1, the window must be complete, and
    /// "never" is nothing, and for MFN 4.1 the number of frames.
    #[test]
    fn stable_from_the_first_quiet_window() {
        let t_stable = |config: FeatureConfig, noisy_changes: u64, frames: u64| {
            let config = FeatureConfig { stability_window: 3, ..config };
            let mut accumulator = TemporalAccumulator::new(&config).expect("accepted");
            for frame in 0..frames {
                let level = frame.min(noisy_changes) as f64 * 0.01;
                let cells = ndarray::array![[level, 0.0], [0.0, 0.0]];
                accumulator.push(cells.view()).expect("one shape");
            }
            accumulator.finish().t_stable
        };
        for (noisy_changes, frames, expected, expected_v4_1) in [
            (0, 3, None, 3.0), // two changes are not a window of three
            (0, 4, Some(1.0), 1.0),
            (2, 10, Some(3.0), 3.0),
            (9, 10, None, 10.0),
            (0, 1, None, 0.0),
        ] {
            assert_eq!(t_stable(FeatureConfig::default(), noisy_changes, frames), expected);
            assert_eq!(t_stable(FeatureConfig::v4_1(), noisy_changes, frames), Some(expected_v4_1));
        }
    }

    /// Guards the size of a change: a field that drifts as a whole is not quiet, except for MFN 4.1.
    #[test]
    fn a_uniform_drift_is_not_quiet() {
        let t_stable = |config: &FeatureConfig| {
            let mut accumulator = TemporalAccumulator::new(config).expect("accepted");
            for frame in 0..20 {
                let cells = ndarray::Array2::from_elem((2, 2), 0.0625 * f64::from(frame));
                accumulator.push(cells.view()).expect("one shape");
            }
            accumulator.finish().t_stable
        };
        assert_eq!(t_stable(&FeatureConfig::default()), None);
        assert_eq!(t_stable(&FeatureConfig::v4_1()), Some(1.0));
    }
}
