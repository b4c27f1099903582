//! The features of a history, accumulated frame by frame in constant memory.

use ndarray::ArrayView2;

use super::MV_PER_V;
use super::config::FeatureConfig;
use super::error::{FeatureError, check_shape};
use crate::moments::{for_each_row, sum_row};

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
    /// Rows and columns of every frame, once there is one.
    shape: (usize, usize),
    /// The last frame, mV, row by row.
    last_mv: Vec<f64>,
    /// The change that led to it, mV, row by row.
    change_mv: Vec<f64>,
    change_mean: RunningMean,
    change_max: f64,
    quiet_steps: u64,
    stable_at: Option<u64>,
    energy: RunningSlope,
}

/// All that an accumulator knows, as plain data: a stream that is saved and taken up again gives the same
/// bits. The numbers may be NaN or infinite.
#[derive(Debug, Clone, PartialEq)]
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

/// What one pass over a frame gives.
#[derive(Debug, Clone, Copy, Default)]
struct FrameSums {
    energy_mv2: f64,
    change_mv: f64,
    change_max_mv: f64,
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
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
            shape: (0, 0),
            last_mv: Vec::new(),
            change_mv: Vec::new(),
            change_mean: RunningMean::default(),
            change_max: 0.0,
            quiet_steps: 0,
            stable_at: None,
            energy: RunningSlope::default(),
        })
    }

    /// All that the accumulator knows, to be saved. `config` is the one that it was made with.
    #[must_use]
    pub fn state(&self, config: &FeatureConfig) -> TemporalState {
        TemporalState {
            config: config.clone(),
            frames: self.frames,
            rows: self.shape.0,
            cols: self.shape.1,
            last_mv: self.last_mv.clone(),
            change_mean_mv: self.change_mean.mean,
            change_max_mv: self.change_max,
            quiet_steps: self.quiet_steps,
            stable_at: self.stable_at,
            energy: self.energy,
        }
    }

    /// Takes up a stream where [`state`](Self::state) was saved.
    ///
    /// # Errors
    /// [`FeatureError::Config`], or [`FeatureError::State`] when the numbers do not fit together.
    pub fn from_state(state: TemporalState) -> Result<Self, FeatureError> {
        let fresh = Self::new(&state.config)?;
        let wrong = |what| Err(FeatureError::State { what });
        if state.frames == 0 {
            return if state == fresh.state(&state.config) {
                Ok(fresh)
            } else {
                wrong("sums without a frame")
            };
        }
        check_shape(state.rows, state.cols)?;
        if state.rows.checked_mul(state.cols) != Some(state.last_mv.len()) {
            return wrong("the last frame does not have rows x cols cells");
        }
        if state.energy.count != state.frames {
            return wrong("the energy counts other frames");
        }
        let stable_at = state.stable_at.unwrap_or(1);
        if state.quiet_steps >= state.frames || stable_at == 0 || stable_at > state.frames {
            return wrong("it became quiet after its last frame");
        }
        Ok(Self {
            frames: state.frames,
            shape: (state.rows, state.cols),
            change_mv: vec![0.0; state.last_mv.len()],
            last_mv: state.last_mv,
            change_mean: RunningMean { count: state.frames - 1, mean: state.change_mean_mv },
            change_max: state.change_max_mv,
            quiet_steps: state.quiet_steps,
            stable_at: state.stable_at,
            energy: state.energy,
            ..fresh
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
        let (rows, columns) = frame.dim();
        check_shape(rows, columns)?;
        if self.frames == 0 {
            self.shape = (rows, columns);
            self.last_mv = vec![0.0; frame.len()];
            self.change_mv = vec![0.0; frame.len()];
        }
        if (rows, columns) != self.shape {
            let (expected_rows, expected_columns) = self.shape;
            return Err(FeatureError::FrameShape { rows, columns, expected_rows, expected_columns });
        }
        let sums = self.replace_last(frame);
        self.energy.push(sums.energy_mv2);
        if self.frames > 0 {
            self.record_change(sums);
        }
        self.frames += 1;
        Ok(())
    }

    /// Makes `frame` the last one and the difference from the one before it the change.
    fn replace_last(&mut self, frame: ArrayView2<'_, f64>) -> FrameSums {
        let mut sums = FrameSums::default();
        let mut rest = (&mut self.last_mv[..], &mut self.change_mv[..]);
        for_each_row(frame, |row| {
            let (last, last_rest) = std::mem::take(&mut rest.0).split_at_mut(row.len());
            let (change, change_rest) = std::mem::take(&mut rest.1).split_at_mut(row.len());
            rest = (last_rest, change_rest);
            for ((last, change), &value) in last.iter_mut().zip(change.iter_mut()).zip(row) {
                let value_mv = value * MV_PER_V;
                *change = (value_mv - *last).abs();
                *last = value_mv;
            }
            let [energy] = sum_row(last, |value| [value * value]);
            sums.energy_mv2 += energy;
            let [change_sum] = sum_row(change, |value| [value]);
            sums.change_mv += change_sum;
            sums.change_max_mv =
                change.iter().fold(sums.change_max_mv, |max, &value| if value > max { value } else { max });
        });
        sums
    }

    fn record_change(&mut self, sums: FrameSums) {
        let cells = self.change_mv.len() as f64;
        let mean = sums.change_mv / cells;
        self.change_mean.push(mean);
        // A NaN anywhere makes the sum NaN, and then the largest change has no meaning.
        let nan = sums.change_mv.is_nan() || self.change_max.is_nan();
        self.change_max = if nan { f64::NAN } else { self.change_max.max(sums.change_max_mv) };

        let mut squares = 0.0;
        for row in self.change_mv.chunks_exact(self.shape.1) {
            let [row_squares] = sum_row(row, |value| [(value - mean) * (value - mean)]);
            squares += row_squares;
        }
        let quiet = (squares / cells).sqrt() < self.threshold_mv;
        self.quiet_steps = if quiet { self.quiet_steps + 1 } else { 0 };
        if self.stable_at.is_none() && self.quiet_steps >= self.window {
            // `frames` does not count this frame yet: it is the 1-based index of the change.
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
    /// "never" is the number of frames.
    #[test]
    fn stable_from_the_first_quiet_window() {
        let config = FeatureConfig { stability_window: 3, ..FeatureConfig::default() };
        let t_stable = |noisy_changes: u64, frames: u64| {
            let mut accumulator = TemporalAccumulator::new(&config).expect("accepted");
            for frame in 0..frames {
                let level = frame.min(noisy_changes) as f64 * 0.01;
                let cells = ndarray::array![[level, 0.0], [0.0, 0.0]];
                accumulator.push(cells.view()).expect("one shape");
            }
            accumulator.finish().t_stable
        };
        assert_eq!(t_stable(0, 3), 3.0, "two changes are not a window of three");
        assert_eq!(t_stable(0, 4), 1.0);
        assert_eq!(t_stable(2, 10), 3.0);
        assert_eq!(t_stable(9, 10), 10.0);
        assert_eq!(t_stable(0, 1), 0.0);
    }
}
