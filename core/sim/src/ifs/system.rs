//! An iterated function system: maps, probabilities, and what follows from them without a draw.

use super::{AffineMap, IfsError};

/// Most maps of a system.
pub const MAPS_MAX: usize = 4096;
/// Largest magnitude of a coefficient.
pub const COEFFICIENT_MAX: f64 = 1e9;
const WEIGHT_MAX: f64 = 1e12;

/// Contracting affine maps with the probabilities with which the chaos game chooses them.
#[derive(Debug, Clone, PartialEq)]
pub struct Ifs {
    maps: Vec<AffineMap>,
    probabilities: Vec<f64>,
    /// Sums of the probabilities up to and with each map.
    cumulative: Vec<f64>,
}

impl Ifs {
    /// A system whose maps are equally probable.
    ///
    /// # Errors
    /// [`IfsError::MapCount`], [`IfsError::Coefficient`], or [`IfsError::NotContractive`] for the
    /// first map whose largest singular value is 1 or more.
    pub fn new(maps: Vec<AffineMap>) -> Result<Self, IfsError> {
        let weights = vec![1.0; maps.len()];
        Self::with_weights(maps, &weights)
    }

    /// A system whose maps are chosen in proportion to `weights`, each in [0, 1e12].
    ///
    /// # Errors
    /// As [`new`](Self::new), [`IfsError::WeightCount`], [`IfsError::Weight`] or
    /// [`IfsError::NoWeight`].
    pub fn with_weights(maps: Vec<AffineMap>, weights: &[f64]) -> Result<Self, IfsError> {
        if maps.is_empty() || maps.len() > MAPS_MAX {
            return Err(IfsError::MapCount { count: maps.len() });
        }
        if weights.len() != maps.len() {
            return Err(IfsError::WeightCount { weights: weights.len(), maps: maps.len() });
        }
        for (map, affine) in maps.iter().enumerate() {
            for (name, value) in ('a'..='f').zip(affine.coefficients()) {
                let allowed = value.abs() <= COEFFICIENT_MAX;
                if !allowed {
                    return Err(IfsError::Coefficient { map, name, value });
                }
            }
            let [factor, _] = affine.singular_values();
            if factor >= 1.0 || affine.fixed_point().is_none() {
                return Err(IfsError::NotContractive { map, factor });
            }
        }
        if let Some(index) = weights.iter().position(|weight| !(0.0..=WEIGHT_MAX).contains(weight)) {
            return Err(IfsError::Weight { index, value: weights[index] });
        }
        let total: f64 = weights.iter().sum();
        if total == 0.0 {
            return Err(IfsError::NoWeight);
        }
        let probabilities: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let cumulative = probabilities
            .iter()
            .scan(0.0, |sum, probability| {
                *sum += probability;
                Some(*sum)
            })
            .collect();
        Ok(Self { maps, probabilities, cumulative })
    }

    /// The maps.
    #[must_use]
    pub fn maps(&self) -> &[AffineMap] {
        &self.maps
    }

    /// The probability of each map; they add up to 1.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The map that a uniform number in [0, 1) chooses. Maps of probability 0 are never chosen.
    #[inline]
    pub(super) fn choose(&self, uniform: f64) -> &AffineMap {
        // The sums may end a rounding error below 1: then the last map with a probability is meant.
        let index = self.cumulative.partition_point(|&sum| sum <= uniform);
        match self.maps.get(index) {
            Some(map) => map,
            None => self.last_probable(),
        }
    }

    #[cold]
    fn last_probable(&self) -> &AffineMap {
        let index = self.probabilities.iter().rposition(|&probability| probability > 0.0);
        &self.maps[index.unwrap_or(0)]
    }

    /// The largest factor by which a map of the system changes lengths; below 1.
    #[must_use]
    pub fn contraction(&self) -> f64 {
        self.maps.iter().map(|map| map.singular_values()[0]).fold(0.0, f64::max)
    }

    /// The similarity dimension: the d with sum of ratio^d = 1 (Moran, 1946). It is the dimension
    /// of the attractor when the images of some open set do not overlap (Hutchinson, 1981), and an
    /// upper bound of it otherwise, which may exceed 2. Maps of ratio 0 add nothing. Probabilities
    /// do not matter.
    ///
    /// # Errors
    /// [`IfsError::NotSimilar`] for the first map that is no similarity.
    pub fn similarity_dimension(&self) -> Result<f64, IfsError> {
        let mut logarithms = Vec::with_capacity(self.maps.len());
        for (map, affine) in self.maps.iter().enumerate() {
            let Some(ratio) = affine.similarity_ratio() else {
                let [largest, smallest] = affine.singular_values();
                return Err(IfsError::NotSimilar { map, largest, smallest });
            };
            if ratio > 0.0 {
                logarithms.push(ratio.ln());
            }
        }
        Ok(moran(&logarithms))
    }

    /// Mean of ln |det| over the probabilities: the sum of both Lyapunov exponents, and what v4.1
    /// calls its Lyapunov exponent. -infinity when a map with a probability is singular.
    #[must_use]
    pub fn mean_log_area_change(&self) -> f64 {
        self.maps
            .iter()
            .zip(&self.probabilities)
            .filter(|&(_, &probability)| probability > 0.0)
            .map(|(map, probability)| probability * map.determinant().abs().ln())
            .sum()
    }
}

/// Solves sum of exp(d l) = 1 for negative l by bisection, to the last bit that the sum resolves.
fn moran(logarithms: &[f64]) -> f64 {
    let largest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if logarithms.len() < 2 {
        return 0.0;
    }
    // The sum is the number of maps at d = 0, and at most 1 at the upper end.
    let (mut low, mut high) = (0.0, (logarithms.len() as f64).ln() / -largest);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        let sum: f64 = logarithms.iter().map(|logarithm| (middle * logarithm).exp()).sum();
        if sum > 1.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}
