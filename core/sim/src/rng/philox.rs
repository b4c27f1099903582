//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011).
//!
//! A number is a function of seed, step, stream and cell, not of the numbers drawn before it, so
//! that a cell's noise does not depend on who computes it, in which order, on how many threads.
//!
//! Normal numbers are made by the transformation of Box and Muller (1958) with a logarithm, a
//! sine and a cosine of this module's own: those of C libraries differ from system to system in
//! the last bit. They are the polynomials of FDLIBM (Sun Microsystems, 1993), evaluated with
//! additions, multiplications, divisions and square roots alone, which IEEE 754 fixes.

use super::polynomials::{ln, sin_cos_turn};
use crate::real::Real;

const MULTIPLIER_0: u32 = 0xd251_1f53;
const MULTIPLIER_1: u32 = 0xcd9e_8d57;
const WEYL_0: u32 = 0x9e37_79b9;
const WEYL_1: u32 = 0xbb67_ae85;
const ROUNDS: u32 = 10;

/// 2^-53.
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

/// Four random words for a counter under a key.
#[inline(always)]
#[must_use]
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let product_0 = u64::from(MULTIPLIER_0) * u64::from(c0);
        let product_1 = u64::from(MULTIPLIER_1) * u64::from(c2);
        let next_0 = (product_1 >> 32) as u32 ^ c1 ^ k0;
        let next_2 = (product_0 >> 32) as u32 ^ c3 ^ k1;
        (c0, c1, c2, c3) = (next_0, product_1 as u32, next_2, product_0 as u32);
        k0 = k0.wrapping_add(WEYL_0);
        k1 = k1.wrapping_add(WEYL_1);
    }
    [c0, c1, c2, c3]
}

/// One of the independent uses of random numbers in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// The initial potential.
    Potential = 0,
    /// The initial activator.
    Activator = 1,
    /// The initial inhibitor.
    Inhibitor = 2,
    /// The places of the initial patches.
    Patches = 3,
    /// Growth events.
    Events = 4,
    /// The noise of each step.
    Noise = 5,
}

/// The random numbers of one stream in one step.
///
/// The counter is (pair of cells, stream, step, step / 2^32), the key the seed. Plain data;
/// safe to share between threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Philox {
    key: [u32; 2],
    stream: u32,
    step: u64,
}

impl Philox {
    /// The numbers of `stream` in `step` under `seed`.
    #[must_use]
    pub fn new(seed: u64, stream: Stream, step: u64) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], stream: stream as u32, step }
    }

    /// The two 64-bit words of the pair of cells `pair`, which is below 2^32.
    #[inline(always)]
    #[must_use]
    pub fn words(&self, pair: u64) -> [u64; 2] {
        let counter = [pair as u32, self.stream, self.step as u32, (self.step >> 32) as u32];
        let [w0, w1, w2, w3] = philox4x32(counter, self.key);
        [(u64::from(w1) << 32) | u64::from(w0), (u64::from(w3) << 32) | u64::from(w2)]
    }

    /// Uniform numbers in [0, 1) with 53 random bits for the cells 2 `pair` and 2 `pair` + 1.
    #[inline(always)]
    #[must_use]
    pub fn uniforms(&self, pair: u64) -> [f64; 2] {
        self.words(pair).map(|word| (word >> 11) as f64 * UNIT)
    }

    /// A whole number in [0, `bound`) from the second word of `pair`. The bias against a uniform
    /// number is below `bound` / 2^64.
    #[must_use]
    pub fn below(&self, pair: u64, bound: u64) -> u64 {
        ((u128::from(self.words(pair)[1]) * u128::from(bound)) >> 64) as u64
    }

    /// Normal numbers with mean 0 and deviation 1 for the cells 2 `pair` and 2 `pair` + 1, of
    /// magnitude at most 8.58.
    #[inline(always)]
    #[must_use]
    pub fn normals(&self, pair: u64) -> [f64; 2] {
        let [first, second] = self.words(pair);
        // In (0, 1], so that the logarithm is finite.
        let radius_from = ((first >> 11) + 1) as f64 * UNIT;
        let radius = (-2.0 * ln(radius_from)).sqrt();
        let (sine, cosine) = sin_cos_turn((second >> 11) as f64 * UNIT);
        [radius * cosine, radius * sine]
    }

    /// The normal numbers of the cells from `first_cell` on, times `deviation`.
    #[inline(always)]
    pub fn fill_normal<T: Real>(&self, first_cell: u64, deviation: f64, out: &mut [T]) {
        self.fill(first_cell, out, |philox, pair| {
            philox.normals(pair).map(|normal| T::of(deviation * normal))
        });
    }

    /// The uniform numbers in [0, `high`) of the cells from `first_cell` on.
    #[inline(always)]
    pub fn fill_uniform<T: Real>(&self, first_cell: u64, high: f64, out: &mut [T]) {
        self.fill(first_cell, out, |philox, pair| philox.uniforms(pair).map(|uniform| T::of(high * uniform)));
    }

    /// Cuts the cells into pairs; a pair that is only half inside is computed for that half.
    #[inline(always)]
    fn fill<T: Real>(&self, first_cell: u64, out: &mut [T], pair_of: impl Fn(&Self, u64) -> [T; 2]) {
        let lone = usize::from(first_cell % 2 == 1).min(out.len());
        let (head, rest) = out.split_at_mut(lone);
        if let [cell] = head {
            *cell = pair_of(self, first_cell / 2)[1];
        }
        let first_pair = first_cell.div_ceil(2);
        let (pairs, tail) = rest.as_chunks_mut::<2>();
        for (pair, cells) in (first_pair..).zip(pairs.iter_mut()) {
            *cells = pair_of(self, pair);
        }
        if let [cell] = tail {
            *cell = pair_of(self, first_pair + pairs.len() as u64)[0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the generator against the known answers published with Random123.
    #[test]
    fn known_answers() {
        let ones = u32::MAX;
        for (counter, key, answer) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ones; 4], [ones; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(philox4x32(counter, key), answer);
        }
    }

    /// Guards that a cell's number does not depend on where a stretch begins or ends.
    #[test]
    fn a_number_belongs_to_its_cell() {
        let philox = Philox::new(7, Stream::Noise, 1 << 40);
        let mut whole = [0.0; 37];
        philox.fill_normal(0, 2.0, &mut whole);
        for start in 0..whole.len() {
            for end in start..=whole.len() {
                let mut part = vec![0.0; end - start];
                philox.fill_normal(start as u64, 2.0, &mut part);
                assert_eq!(part, whole[start..end]);
            }
        }
    }

    /// Guards that seed, stream and step each change the numbers.
    #[test]
    fn streams_differ() {
        let first = Philox::new(7, Stream::Noise, 3).words(0);
        for other in [
            Philox::new(8, Stream::Noise, 3),
            Philox::new(7 | 1 << 32, Stream::Noise, 3),
            Philox::new(7, Stream::Events, 3),
            Philox::new(7, Stream::Noise, 4),
            Philox::new(7, Stream::Noise, 3 | 1 << 32),
        ] {
            assert_ne!(other.words(0), first);
        }
    }

    /// Guards the distribution: moments of a million normals (each bound is five standard
    /// errors), their tail, and the two of a pair being uncorrelated.
    #[test]
    fn normals_are_normal() {
        let mut sample = vec![0.0; 1_000_000];
        Philox::new(42, Stream::Noise, 0).fill_normal(0, 1.0, &mut sample);
        let moment = |power: i32| sample.iter().map(|x: &f64| x.powi(power)).sum::<f64>() / 1e6;
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0_f64)]
        {
            let error = (moment(power) - expected).abs();
            assert!(error < 5.0 * variance.sqrt() / 1e3, "moment {power} is off by {error}");
        }
        let beyond = sample.iter().filter(|x| x.abs() > 3.0).count() as f64;
        assert!((beyond - 2_699.8).abs() < 5.0 * 2_699.8_f64.sqrt(), "{beyond} beyond 3 deviations");
        let pairs: f64 = sample.chunks_exact(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / 5e5;
        assert!(pairs.abs() < 5.0 / 5e5_f64.sqrt(), "correlation {pairs}");
    }
}
