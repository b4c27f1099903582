//! Sparse attention: every token mixes the values of the k tokens whose keys fit its query best
//! (Vaswani et al., 2017, with all scores but the k largest of each query left out, as Zhao et
//! al., 2019).
//!
//! Queries are taken in blocks against blocks of keys, and each query keeps its best k only, so the
//! n x n scores are never in memory at once: beside the tokens themselves O(n k) is stored.

use ndarray::{Array3, ArrayView3};
use serde::{Deserialize, Serialize};

use super::error::{check_finite, check_length};
use super::linear::{Linear, axpy, dot};
use super::top_k::TopK;
use super::{LearningError, SETTINGS_TABLE};
use crate::Real;
use crate::error::SpecFault;
use crate::parallel::map_range;
use crate::rng::Generator;

/// Queries that one task answers.
const QUERY_BLOCK: usize = 16;
/// Keys that are scored before the next query, so that they stay in cache.
const KEY_BLOCK: usize = 64;
/// Longest sequence, tokens.
pub(super) const SEQUENCE_MAX: usize = 1 << 20;

/// Settings of [`SparseAttention`].
///
/// MFN 4.1 accepts `num_heads` and ignores it; its results are those of one head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttentionConfig {
    /// Numbers in a token, [1, 4096].
    pub embed_dim: usize,
    /// Heads, a divisor of `embed_dim`. Each sees its own part of query, key and value.
    pub num_heads: usize,
    /// Keys that a query attends to, [1, 65536]; all when the sequence is shorter.
    pub top_k: usize,
}

impl Default for AttentionConfig {
    fn default() -> Self {
        Self { embed_dim: 32, num_heads: 1, top_k: 4 }
    }
}

impl AttentionConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`LearningError::Settings`] or [`LearningError::Heads`].
    pub fn validate(&self) -> Result<(), LearningError> {
        SpecFault::check_table(&SETTINGS_TABLE, |field| match field {
            "embed_dim" => Some(self.embed_dim as f64),
            "num_heads" => Some(self.num_heads as f64),
            "top_k" => Some(self.top_k as f64),
            _ => None,
        })?;
        if !self.embed_dim.is_multiple_of(self.num_heads) {
            return Err(LearningError::Heads { num_heads: self.num_heads, embed_dim: self.embed_dim });
        }
        Ok(())
    }

    /// Number of parameters of such a layer: four times `embed_dim`^2 + `embed_dim`.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        4 * self.embed_dim * (self.embed_dim + 1)
    }
}

/// A layer of sparse attention with its parameters.
///
/// For each head with queries q_i, keys k_j and values v_j of length h: s_ij = q_i . k_j / sqrt(h); over the
/// `top_k` largest s_ij of query i (of equal ones the first) p_ij = softmax(s_ij); the mixture is
/// sum p_ij v_j. The mixtures of all heads together pass the output layer.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseAttention<T> {
    config: AttentionConfig,
    layer: Attention,
    parameters: Vec<T>,
}

impl<T: Real> SparseAttention<T> {
    /// A layer with given parameters: weight (outputs x inputs, row by row) and bias of the
    /// query, key, value and output layers, in this order.
    ///
    /// # Errors
    /// [`LearningError`] for settings, a wrong number of parameters, or one that is not finite.
    pub fn new(config: &AttentionConfig, parameters: Vec<T>) -> Result<Self, LearningError> {
        config.validate()?;
        check_length("parameters", "numbers", parameters.len(), config.parameter_count())?;
        check_finite("parameters", &parameters)?;
        Ok(Self { config: *config, layer: Attention::place(config, &mut 0), parameters })
    }

    /// A layer with random parameters, uniform in +-1/sqrt(`embed_dim`).
    ///
    /// # Errors
    /// [`LearningError`] for settings.
    pub fn random(config: &AttentionConfig, seed: u64) -> Result<Self, LearningError> {
        config.validate()?;
        let layer = Attention::place(config, &mut 0);
        let mut parameters = vec![T::ZERO; config.parameter_count()];
        layer.initialize(&mut parameters, &mut Generator::new(seed));
        Ok(Self { config: *config, layer, parameters })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &AttentionConfig {
        &self.config
    }

    /// The parameters, in the order of [`new`](Self::new).
    #[must_use]
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// The output for tokens of shape batch x sequence x `embed_dim`, of the same shape. Memory:
    /// six times the tokens, and two `top_k` scores for each query under way. Work: n^2 `embed_dim`
    /// for a sequence of n, in the rayon pool that the caller runs in, else on the calling thread; the same
    /// bits for any number of threads.
    ///
    /// # Errors
    /// [`LearningError`] for a shape that does not fit, no token, more than 2^20 tokens in a sequence,
    /// a number that is not finite, or a result that is not.
    pub fn forward(&self, tokens: ArrayView3<'_, T>) -> Result<Array3<T>, LearningError> {
        let (batch, length, width) = tokens.dim();
        check_length("tokens", "numbers each", width, self.layer.query.inputs)?;
        check_tokens(batch, length)?;
        let x: Vec<T> = tokens.iter().copied().collect();
        check_finite("tokens", &x)?;
        let (output, _) = self.layer.forward(&self.parameters, &x, length, false);
        check_finite("output", &output)
            .map_err(|_| LearningError::Overflow { what: "output of the attention" })?;
        Array3::from_shape_vec((batch, length, width), output)
            .map_err(|_| LearningError::Overflow { what: "shape of the output" })
    }
}

/// Accepts at least one sequence of 1 to [`SEQUENCE_MAX`] tokens.
pub(super) fn check_tokens(batch: usize, length: usize) -> Result<(), LearningError> {
    if batch == 0 {
        return Err(LearningError::Empty { what: "tokens", unit: "sequence" });
    }
    if length == 0 {
        return Err(LearningError::Empty { what: "tokens", unit: "token" });
    }
    if length > SEQUENCE_MAX {
        return Err(LearningError::TooLarge { what: "a sequence", needed: length, limit: SEQUENCE_MAX });
    }
    Ok(())
}

/// Where the parameters of the layer lie, and its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attention {
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) out: Linear,
    heads: usize,
    top_k: usize,
}

/// Keys with their scores or shares.
type Choices<T> = Vec<(T, u32)>;

/// What the backward pass needs of the forward pass.
pub(super) struct Trail<T> {
    queries: Vec<T>,
    keys: Vec<T>,
    values: Vec<T>,
    mixtures: Vec<T>,
    /// For each query and head the chosen keys and their shares, `places` of each.
    chosen: Choices<T>,
    places: usize,
    length: usize,
}

impl Attention {
    /// Places the parameters from `offset` on and moves `offset` behind them.
    pub(super) fn place(config: &AttentionConfig, offset: &mut usize) -> Self {
        let mut layer = || Linear::place(config.embed_dim, config.embed_dim, offset);
        let [query, key, value, out] = [layer(), layer(), layer(), layer()];
        Self { query, key, value, out, heads: config.num_heads, top_k: config.top_k }
    }

    pub(super) fn initialize<T: Real>(&self, parameters: &mut [T], random: &mut Generator) {
        for layer in [self.query, self.key, self.value, self.out] {
            layer.initialize(parameters, random);
        }
    }

    /// Numbers in a head.
    fn width(&self) -> usize {
        self.query.outputs / self.heads
    }

    /// Keys and shares that a pass over that many tokens stores for the backward pass.
    pub(super) fn places(&self, tokens: usize, length: usize) -> usize {
        tokens.saturating_mul(self.heads).saturating_mul(self.top_k.min(length))
    }

    fn scale<T: Real>(&self) -> T {
        T::of(1.0 / (self.width() as f64).sqrt())
    }

    /// The output for sequences of `length` tokens one after the other.
    pub(super) fn forward<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        length: usize,
        keep: bool,
    ) -> (Vec<T>, Trail<T>) {
        let [queries, keys, values] =
            [self.query, self.key, self.value].map(|layer| layer.forward(parameters, x));
        let embed = self.query.outputs;
        let blocks_per_sequence = length.div_ceil(QUERY_BLOCK);
        let sequences = x.len() / (embed * length);
        let blocks = map_range(0..sequences * blocks_per_sequence, &|block| {
            let tokens = block / blocks_per_sequence * length * embed;
            let sequence = tokens..tokens + length * embed;
            let first = block % blocks_per_sequence * QUERY_BLOCK;
            let rows = first * embed..length.min(first + QUERY_BLOCK) * embed;
            let queries = &queries[sequence.clone()][rows];
            self.answer(queries, &keys[sequence.clone()], &values[sequence], keep)
        });
        let (mixtures, chosen): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
        let (mixtures, chosen) = (mixtures.concat(), chosen.concat());
        let output = self.out.forward(parameters, &mixtures);
        let places = self.top_k.min(length);
        (output, Trail { queries, keys, values, mixtures, chosen, places, length })
    }

    /// The mixtures of a block of queries of one sequence, and on request the keys and shares.
    fn answer<T: Real>(&self, queries: &[T], keys: &[T], values: &[T], keep: bool) -> (Vec<T>, Choices<T>) {
        let (embed, width) = (self.query.outputs, self.width());
        let places = self.top_k.min(keys.len() / embed);
        let count = queries.len() / embed;
        let mut mixtures = vec![T::ZERO; queries.len()];
        let mut kept = vec![(T::ZERO, 0); if keep { count * self.heads * places } else { 0 }];
        let mut best: Vec<TopK<T>> = (0..count).map(|_| TopK::new(places)).collect();
        let mut chosen = Vec::with_capacity(places);
        for head in 0..self.heads {
            let part = head * width..(head + 1) * width;
            for (block, keys) in keys.chunks(KEY_BLOCK * embed).enumerate() {
                for (query, best) in queries.chunks_exact(embed).zip(&mut best) {
                    for (index, key) in keys.chunks_exact(embed).enumerate() {
                        let score = dot(&query[part.clone()], &key[part.clone()]) * self.scale();
                        // Fits: a sequence has at most 2^20 tokens.
                        best.push(score, (block * KEY_BLOCK + index) as u32);
                    }
                }
            }
            for (query, best) in best.iter_mut().enumerate() {
                best.take(&mut chosen);
                softmax(&mut chosen);
                let mixture = &mut mixtures[query * embed..(query + 1) * embed][part.clone()];
                for &(share, key) in &chosen {
                    axpy(share, &values[key as usize * embed..][part.clone()], mixture);
                }
                if keep {
                    let place = (query * self.heads + head) * places;
                    kept[place..place + places].copy_from_slice(&chosen);
                }
            }
        }
        (mixtures, kept)
    }

    /// Adds the gradient of the parameters and gives that of `x`, from that of the output.
    pub(super) fn backward<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        trail: &Trail<T>,
        slopes: &[T],
        gradient: &mut [T],
    ) -> Vec<T> {
        let (embed, width, scale) = (self.query.outputs, self.width(), self.scale::<T>());
        let mixture_slopes = self.out.backward(parameters, &trail.mixtures, slopes, gradient);
        let mut query_slopes = vec![T::ZERO; x.len()];
        let mut key_slopes = vec![T::ZERO; x.len()];
        let mut value_slopes = vec![T::ZERO; x.len()];
        let mut share_slopes = vec![T::ZERO; trail.places];
        for (index, chosen) in trail.chosen.chunks_exact(trail.places).enumerate() {
            let (token, head) = (index / self.heads, index % self.heads);
            let sequence = token - token % trail.length;
            let own = token * embed + head * width..token * embed + (head + 1) * width;
            let theirs = |key: u32| {
                let start = (sequence + key as usize) * embed + head * width;
                start..start + width
            };
            let slope = &mixture_slopes[own.clone()];
            // Softmax: ds_j = p_j (dp_j - sum p dp).
            let mut mean = T::ZERO;
            for (share_slope, &(share, key)) in share_slopes.iter_mut().zip(chosen) {
                *share_slope = dot(slope, &trail.values[theirs(key)]);
                mean += share * *share_slope;
                axpy(share, slope, &mut value_slopes[theirs(key)]);
            }
            for (share_slope, &(share, key)) in share_slopes.iter().zip(chosen) {
                let score_slope = share * (*share_slope - mean) * scale;
                axpy(score_slope, &trail.keys[theirs(key)], &mut query_slopes[own.clone()]);
                axpy(score_slope, &trail.queries[own.clone()], &mut key_slopes[theirs(key)]);
            }
        }
        let mut dx = vec![T::ZERO; x.len()];
        for (layer, slopes) in
            [(self.query, query_slopes), (self.key, key_slopes), (self.value, value_slopes)]
        {
            axpy(T::ONE, &layer.backward(parameters, x, &slopes, gradient), &mut dx);
        }
        dx
    }
}

/// Turns scores into shares that add up to 1.
fn softmax<T: Real>(scores: &mut [(T, u32)]) {
    let Some(&(first, _)) = scores.first() else { return };
    let highest = scores.iter().fold(first, |best, &(score, _)| if score > best { score } else { best });
    let mut total = T::ZERO;
    for (score, _) in scores.iter_mut() {
        *score = T::of((*score - highest).wide().exp());
        total += *score;
    }
    for (score, _) in scores {
        *score = *score / total;
    }
}
