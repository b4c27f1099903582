//! The generator: PCG64 (XSL-RR 128/64, O'Neill 2014) and its elementary draws.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng as _;

use super::SeedSequence;

/// A random stream, equal to NumPy's `Generator(PCG64(seed))`.
///
/// Cloning copies the state, so a stream can be replayed from any point. Not shared between
/// threads; each simulation owns one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generator {
    pcg: Pcg64,
    /// The upper half of the last 64-bit output, kept by a 32-bit draw for the next one. It
    /// survives any number of 64-bit draws in between.
    kept_half: Option<u32>,
    /// 64-bit outputs so far.
    drawn: u64,
}

/// How far a stream has been drawn: with its seed, everything needed to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GeneratorPosition {
    /// 64-bit outputs so far.
    pub drawn: u64,
    /// The half word kept for the next 32-bit draw.
    pub kept_half: Option<u32>,
}

impl Generator {
    /// The stream of a seed, drawn up to a position. Takes the same time for every position.
    #[must_use]
    pub fn at(seed: u64, position: GeneratorPosition) -> Self {
        let mut generator = Self::new(seed);
        generator.pcg.advance(u128::from(position.drawn));
        Self { kept_half: position.kept_half, drawn: position.drawn, ..generator }
    }

    /// How far the stream has been drawn.
    #[must_use]
    pub fn position(&self) -> GeneratorPosition {
        GeneratorPosition { drawn: self.drawn, kept_half: self.kept_half }
    }

    /// The stream of `numpy.random.default_rng(seed)`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::from_seed_sequence(&SeedSequence::new(seed))
    }

    /// The stream of a seed sequence.
    #[must_use]
    pub fn from_seed_sequence(sequence: &SeedSequence) -> Self {
        let [state_high, state_low, stream_high, stream_low] = sequence.generate_u64x4().map(u128::from);
        Self {
            pcg: Pcg64::new((state_high << 64) | state_low, (stream_high << 64) | stream_low),
            kept_half: None,
            drawn: 0,
        }
    }

    /// The underlying PCG64 state.
    #[must_use]
    pub fn pcg(&self) -> &Pcg64 {
        &self.pcg
    }

    /// The half word kept for the next 32-bit draw, if there is one.
    #[must_use]
    pub fn kept_half(&self) -> Option<u32> {
        self.kept_half
    }

    /// 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.drawn = self.drawn.wrapping_add(1);
        self.pcg.next_u64()
    }

    /// 32 random bits: the low half of a 64-bit output, then its kept high half.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.kept_half.take() {
            return half;
        }
        let word = self.next_u64();
        self.kept_half = Some((word >> 32) as u32);
        word as u32
    }

    /// A uniform number in [0, 1) with 53 random bits.
    #[inline]
    pub fn random(&mut self) -> f64 {
        const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0; // 2^-53
        (self.next_u64() >> 11) as f64 * UNIT
    }

    /// A uniform number in [`low`, `high`).
    #[inline]
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random()
    }

    /// A normal number with the given mean and standard deviation.
    #[inline]
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * self.standard_normal()
    }

    /// Fills `cells` with uniform numbers in [`low`, `high`).
    pub fn fill_uniform(&mut self, low: f64, high: f64, cells: &mut [f64]) {
        cells.fill_with(|| self.uniform(low, high));
    }

    /// Fills `cells` with normal numbers.
    pub fn fill_normal(&mut self, mean: f64, deviation: f64, cells: &mut [f64]) {
        cells.fill_with(|| self.normal(mean, deviation));
    }
}
