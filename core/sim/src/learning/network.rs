//! The network of MFN: tokens pass a linear layer and sparse attention, their mean passes two hidden
//! layers and gives one number. Forward, backward and one step of Adam.

use std::ops::Range;

use ndarray::ArrayView3;
use serde::{Deserialize, Serialize};

use super::adam::{Adam, AdamConfig};
use super::attention::{Attention, AttentionConfig, check_tokens};
use super::error::{check_finite, check_length};
use super::linear::Linear;
use super::{LearningError, SETTINGS_TABLE};
use crate::Real;
use crate::error::SpecFault;
use crate::rng::Generator;

/// Most numbers in one layer of activations (batch x sequence x width) and in the choices of
/// the attention. A training step holds about 16 such layers.
const ACTIVATIONS_MAX: usize = 1 << 24;

/// Shape and training of a [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Numbers in an input token, [1, 4096].
    pub input_dim: usize,
    /// Width of the hidden layers, [2, 1024]; the last has half of it, rounded down.
    pub hidden_dim: usize,
    /// Whether there is an attention layer.
    pub use_sparse_attention: bool,
    /// Heads of the attention, a divisor of `hidden_dim`.
    pub num_heads: usize,
    /// Keys that a query attends to.
    pub top_k: usize,
    /// Adam.
    pub adam: AdamConfig,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        let adam = AdamConfig::default();
        Self { input_dim: 4, hidden_dim: 32, use_sparse_attention: true, num_heads: 1, top_k: 4, adam }
    }
}

impl NetworkConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearningError::Settings`] or [`LearningError::Heads`].
    pub fn validate(&self) -> Result<(), LearningError> {
        SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
            "input_dim" => Some(self.input_dim as f64),
            "hidden_dim" => Some(self.hidden_dim as f64),
            _ => None,
        })?;
        self.adam.validate()?;
        self.attention().validate()
    }

    fn attention(&self) -> AttentionConfig {
        AttentionConfig { embed_dim: self.hidden_dim, num_heads: self.num_heads, top_k: self.top_k }
    }
}

/// One named array among the parameters of a [`Network`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterBlock {
    /// Its name in MFN 4.1, such as `attention.q_proj.weight`.
    pub name: &'static str,
    /// Outputs x inputs for a weight, outputs x 1 for a bias.
    pub shape: (usize, usize),
    /// Where it lies among [`Network::parameters`], row by row.
    pub range: Range<usize>,
}

/// The network with its parameters and the state of Adam.
#[derive(Debug, Clone, PartialEq)]
pub struct Network<T> {
    config: NetworkConfig,
    input: Linear,
    attention: Option<Attention>,
    hidden: [Linear; 3],
    parameters: Vec<T>,
    adam: Adam<T>,
}

/// What the backward pass needs of the forward pass.
struct Trail<T> {
    x: Vec<T>,
    tokens: Vec<T>,
    attended: Option<super::attention::Trail<T>>,
    length: usize,
    /// The inputs of the three last layers.
    inputs: [Vec<T>; 3],
    output: Vec<T>,
}

impl<T: Real> Network<T> {
    /// A network with random parameters: each layer uniform in +-1/sqrt(inputs), as torch draws by
    /// default, but from this library's own stream of `seed`.
    ///
    /// # Errors
    /// [`LearningError`] for settings.
    pub fn new(config: &NetworkConfig, seed: u64) -> Result<Self, LearningError> {
        config.validate()?;
        let (width, mut count) = (config.hidden_dim, 0);
        let input = Linear::place(config.input_dim, width, &mut count);
        let attention =
            config.use_sparse_attention.then(|| Attention::place(&config.attention(), &mut count));
        let hidden = [(width, width), (width, width / 2), (width / 2, 1)]
            .map(|(inputs, outputs)| Linear::place(inputs, outputs, &mut count));
        let mut parameters = vec![T::ZERO; count];
        let mut random = Generator::new(seed);
        input.initialize(&mut parameters, &mut random);
        if let Some(attention) = attention {
            attention.initialize(&mut parameters, &mut random);
        }
        for layer in hidden {
            layer.initialize(&mut parameters, &mut random);
        }
        Ok(Self {
            config: *config,
            input,
            attention,
            hidden,
            parameters,
            adam: Adam::new(config.adam, count),
        })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// All parameters in the order of [`blocks`](Self::blocks).
    #[must_use]
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// Names, shapes and places of the parameters.
    #[must_use]
    pub fn blocks(&self) -> Vec<ParameterBlock> {
        let mut layers = vec![(["input_proj.weight", "input_proj.bias"], self.input)];
        if let Some(attention) = self.attention {
            layers.push((["attention.q_proj.weight", "attention.q_proj.bias"], attention.query));
            layers.push((["attention.k_proj.weight", "attention.k_proj.bias"], attention.key));
            layers.push((["attention.v_proj.weight", "attention.v_proj.bias"], attention.value));
            layers.push((["attention.out_proj.weight", "attention.out_proj.bias"], attention.out));
        }
        layers.push((["net.0.weight", "net.0.bias"], self.hidden[0]));
        layers.push((["net.2.weight", "net.2.bias"], self.hidden[1]));
        layers.push((["net.4.weight", "net.4.bias"], self.hidden[2]));
        let blocks = layers.into_iter().flat_map(|([weight, bias], layer)| {
            let shape = (layer.outputs, layer.inputs);
            [
                ParameterBlock { name: weight, shape, range: layer.weight() },
                ParameterBlock { name: bias, shape: (layer.outputs, 1), range: layer.bias() },
            ]
        });
        blocks.collect()
    }

    /// Replaces all parameters and starts Adam anew.
    ///
    /// # Errors
    /// [`LearningError`] for a wrong number of parameters or one that is not finite.
    pub fn set_parameters(&mut self, parameters: &[T]) -> Result<(), LearningError> {
        check_length("parameters", "numbers", parameters.len(), self.parameters.len())?;
        check_finite("parameters", parameters)?;
        self.parameters.copy_from_slice(parameters);
        self.adam = Adam::new(self.config.adam, parameters.len());
        Ok(())
    }

    /// Steps of training done since the parameters were set.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.adam.steps()
    }

    /// One number for each sequence of `x`, which is batch x sequence x `input_dim`. The work is done in the rayon
    /// pool that the caller runs in, else on the calling thread; the same bits for any number of threads.
    ///
    /// # Errors
    /// [`LearningError`] for a shape that does not fit, no token, too many of them, a number that
    /// is not finite, or a result that is not.
    pub fn forward(&self, x: ArrayView3<'_, T>) -> Result<Vec<T>, LearningError> {
        Ok(self.trail(x, false)?.output)
    }

    /// The mean squared error against `y` (one number per sequence) and its gradient by every
    /// parameter, in the order of [`parameters`](Self::parameters). Only the pass forward is shared out to a pool,
    /// as in [`forward`](Self::forward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and for a `y` of another length.
    pub fn loss_and_gradient(&self, x: ArrayView3<'_, T>, y: &[T]) -> Result<(T, Vec<T>), LearningError> {
        check_length("y", "numbers", y.len(), x.dim().0)?;
        check_finite("y", y)?;
        let trail = self.trail(x, true)?;
        let count = T::of(y.len() as f64);
        let errors: Vec<T> = trail.output.iter().zip(y).map(|(output, y)| *output - *y).collect();
        let loss = errors.iter().map(|error| *error * *error).sum::<T>() / count;
        let slopes: Vec<T> = errors.into_iter().map(|error| T::of(2.0) * error / count).collect();
        let gradient = self.gradient(&trail, slopes);
        // Adam squares the gradient.
        let finite = loss.is_finite() && gradient.iter().all(|slope| (*slope * *slope).is_finite());
        if finite {
            Ok((loss, gradient))
        } else {
            Err(LearningError::Overflow { what: "gradient of the loss" })
        }
    }

    /// One step of Adam on the mean squared error; gives the error before the step.
    ///
    /// # Errors
    /// As [`loss_and_gradient`](Self::loss_and_gradient); the network is unchanged then.
    pub fn train_step(&mut self, x: ArrayView3<'_, T>, y: &[T]) -> Result<T, LearningError> {
        let (loss, gradient) = self.loss_and_gradient(x, y)?;
        self.adam.step(&mut self.parameters, &gradient);
        Ok(loss)
    }

    fn trail(&self, x: ArrayView3<'_, T>, keep: bool) -> Result<Trail<T>, LearningError> {
        let (batch, length, width) = x.dim();
        check_length("x", "numbers in a token", width, self.config.input_dim)?;
        check_tokens(batch, length)?;
        let tokens = batch.saturating_mul(length);
        let choices = self.attention.filter(|_| keep).map_or(0, |layer| layer.places(tokens, length));
        for (what, needed) in [
            ("a layer of activations", tokens.saturating_mul(self.config.hidden_dim)),
            ("the choices of the attention", choices),
        ] {
            if needed > ACTIVATIONS_MAX {
                return Err(LearningError::TooLarge { what, needed, limit: ACTIVATIONS_MAX });
            }
        }
        let x: Vec<T> = x.iter().copied().collect();
        check_finite("x", &x)?;

        let tokens = self.input.forward(&self.parameters, &x);
        let (mixed, attended) = match self.attention {
            Some(attention) => {
                let (mixed, trail) = attention.forward(&self.parameters, &tokens, length, keep);
                (mixed, Some(trail))
            }
            None => (tokens.clone(), None),
        };
        let mean = mean_over_sequence(&mixed, length, self.config.hidden_dim);
        let first = relu(self.hidden[0].forward(&self.parameters, &mean));
        let second = relu(self.hidden[1].forward(&self.parameters, &first));
        let output = self.hidden[2].forward(&self.parameters, &second);
        if output.iter().any(|value| !value.is_finite()) {
            return Err(LearningError::Overflow { what: "output of the network" });
        }
        Ok(Trail { x, tokens, attended, length, inputs: [mean, first, second], output })
    }

    fn gradient(&self, trail: &Trail<T>, mut slopes: Vec<T>) -> Vec<T> {
        let mut gradient = vec![T::ZERO; self.parameters.len()];
        for (index, (layer, input)) in self.hidden.iter().zip(&trail.inputs).enumerate().rev() {
            slopes = layer.backward(&self.parameters, input, &slopes, &mut gradient);
            if index > 0 {
                // The input is max(0, .): where it is 0 nothing passes.
                for (slope, input) in slopes.iter_mut().zip(input) {
                    if *input <= T::ZERO {
                        *slope = T::ZERO;
                    }
                }
            }
        }
        let width = self.config.hidden_dim;
        let share = T::ONE / T::of(trail.length as f64);
        let mut token_slopes = Vec::with_capacity(trail.tokens.len());
        for slopes in slopes.chunks_exact(width) {
            for _ in 0..trail.length {
                token_slopes.extend(slopes.iter().map(|slope| *slope * share));
            }
        }
        if let (Some(attention), Some(attended)) = (self.attention, &trail.attended) {
            token_slopes =
                attention.backward(&self.parameters, &trail.tokens, attended, &token_slopes, &mut gradient);
        }
        self.input.backward(&self.parameters, &trail.x, &token_slopes, &mut gradient);
        gradient
    }
}

fn mean_over_sequence<T: Real>(tokens: &[T], length: usize, width: usize) -> Vec<T> {
    let mut means = Vec::with_capacity(tokens.len() / length);
    for sequence in tokens.chunks_exact(length * width) {
        for column in 0..width {
            let sum = sequence.iter().skip(column).step_by(width).copied().sum::<T>();
            means.push(sum / T::of(length as f64));
        }
    }
    means
}

fn relu<T: Real>(mut values: Vec<T>) -> Vec<T> {
    for value in &mut values {
        // NaN stays, so that an overflow is noticed.
        if *value < T::ZERO {
            *value = T::ZERO;
        }
    }
    values
}
