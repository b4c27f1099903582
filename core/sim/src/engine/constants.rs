//! Fixed constants of the model: those of MyceliumFractalNet 4.1 that no specification changes.

/// Mean of the initial potential, V.
pub const REST_MEAN_V: f64 = -0.070;
/// Standard deviation of the initial potential, V.
pub const REST_DEVIATION_V: f64 = 0.005;
/// Upper end of the uniform initial activator and inhibitor.
pub const INITIAL_MORPHOGEN_MAX: f64 = 0.1;
/// Mean of a growth event's spike, V.
pub const SPIKE_MEAN_V: f64 = 0.02;
/// Standard deviation of a growth event's spike, V.
pub const SPIKE_DEVIATION_V: f64 = 0.005;
/// What an activated cell gains in a step, V.
pub const ACTIVATION_GAIN_V: f64 = 0.005;
/// Lowest potential a cell can have after a step, V.
pub const FIELD_MIN_V: f64 = -0.095;
/// Highest potential a cell can have after a step, V.
pub const FIELD_MAX_V: f64 = 0.040;
