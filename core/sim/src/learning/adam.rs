//! Adam: gradient descent with a step size for each parameter (Kingma and Ba, 2015, algorithm 1).

use serde::{Deserialize, Serialize};

use super::{LearningError, SETTINGS_TABLE};
use crate::Real;
use crate::error::SpecFault;

/// Settings of Adam.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Step size, [1e-12, 1].
    pub learning_rate: f64,
    /// Decay of the mean of the gradients, [0, 1).
    pub beta1: f64,
    /// Decay of the mean of their squares, [0, 1).
    pub beta2: f64,
    /// Added to the root of that mean, [1e-30, 1].
    pub epsilon: f64,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl AdamConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearningError::Settings`].
    pub fn validate(&self) -> Result<(), LearningError> {
        for beta in [self.beta1, self.beta2] {
            SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
                "learning_rate" => Some(self.learning_rate),
                "beta" => Some(beta),
                "epsilon" => Some(self.epsilon),
                _ => None,
            })?;
        }
        Ok(())
    }
}

/// The running means of one set of parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Adam<T> {
    config: AdamConfig,
    mean: Vec<T>,
    square: Vec<T>,
    steps: u64,
}

impl<T: Real> Adam<T> {
    pub(super) fn new(config: AdamConfig, parameters: usize) -> Self {
        Self { config, mean: vec![T::ZERO; parameters], square: vec![T::ZERO; parameters], steps: 0 }
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves the parameters against the gradient.
    pub(super) fn step(&mut self, parameters: &mut [T], gradient: &[T]) {
        let AdamConfig { learning_rate, beta1, beta2, epsilon } = self.config;
        self.steps += 1;
        // A power with an exponent beyond this is 0 for every beta below 1 that differs from it.
        let power = |beta: f64| beta.powi(i32::try_from(self.steps).unwrap_or(i32::MAX));
        let step_size = T::of(learning_rate / (1.0 - power(beta1)));
        let root = (1.0 - power(beta2)).sqrt();
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, (mean, square)), &slope) in parameters.iter_mut().zip(moments).zip(gradient) {
            *mean = T::of(beta1) * *mean + T::of(1.0 - beta1) * slope;
            *square = T::of(beta2) * *square + T::of(1.0 - beta2) * (slope * slope);
            let spread = T::of(square.wide().sqrt() / root) + T::of(epsilon);
            *parameter += -step_size * (*mean / spread);
        }
    }
}
