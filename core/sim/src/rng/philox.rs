//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011).
//!
//! A number is a function of seed, step, stream and cell, not of the numbers drawn before it, so
//! that a cell's noise does not depend on who computes it, in which order, on how many threads.
//!
//! Normal numbers are made by the transformation of Box and Muller (1958) with a logarithm, a
//! sine and a cosine of this module's own: those of C libraries differ from system to system in
//! the last bit. They are the polynomials of FDLIBM (Sun Microsystems, 1993), evaluated with
//! additions, multiplications, divisions and square roots alone, which IEEE 754 fixes.
//!
//! Stretches of cells are filled in blocks of [`BLOCK_PAIRS`] pairs, a loop without branches that
//! compilers turn into vector instructions. A pair has the same bits in every such form.

use super::polynomials::{ln, sin_cos_turn};
use crate::real::Real;

const MULTIPLIER_0: u32 = 0xd251_1f53;
const MULTIPLIER_1: u32 = 0xcd9e_8d57;
const WEYL_0: u32 = 0x9e37_79b9;
const WEYL_1: u32 = 0xbb67_ae85;
const ROUNDS: u32 = 10;

/// Pairs of cells that are computed in one loop: a few vectors of the widest registers, and few
/// enough to be computed for nothing at the end of a row.
const BLOCK_PAIRS: usize = 16;

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
        let [first, second] = self.words(pair);
        [(first >> 11) as f64 * UNIT, (second >> 11) as f64 * UNIT]
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
        let (sine, cosine) = sin_cos_turn(second >> 11);
        [radius * cosine, radius * sine]
    }

    /// The normal numbers of the cells from `first_cell` on, times `deviation`.
    #[inline(always)]
    pub fn fill_normal<T: Real>(&self, first_cell: u64, deviation: f64, out: &mut [T]) {
        self.fill(first_cell, &Normal { deviation }, out);
    }

    /// The uniform numbers in [0, `high`) of the cells from `first_cell` on.
    #[inline(always)]
    pub fn fill_uniform<T: Real>(&self, first_cell: u64, high: f64, out: &mut [T]) {
        self.fill(first_cell, &Uniform { high }, out);
    }

    /// Computes whole blocks of pairs, and keeps of the first and the last what lies inside.
    #[inline(always)]
    fn fill<T: Real, D: Distribution>(&self, first_cell: u64, distribution: &D, out: &mut [T]) {
        let mut first_pair = first_cell / 2;
        let mut before = (first_cell % 2) as usize;
        let mut rest = out;
        while !rest.is_empty() {
            let block = self.block::<T, D>(first_pair, distribution);
            let cells = &block.as_flattened()[before..];
            let inside = cells.len().min(rest.len());
            let (now, later) = rest.split_at_mut(inside);
            now.copy_from_slice(&cells[..inside]);
            rest = later;
            before = 0;
            first_pair += BLOCK_PAIRS as u64;
        }
    }

    /// The numbers of the pairs from `first_pair` on.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "iterators with debug assertions are not vectorised")]
    fn block<T: Real, D: Distribution>(&self, first_pair: u64, distribution: &D) -> [[T; 2]; BLOCK_PAIRS] {
        // Firsts and seconds apart: a loop that wrote them in turns would not be vectorised well.
        let mut firsts = [T::ZERO; BLOCK_PAIRS];
        let mut seconds = [T::ZERO; BLOCK_PAIRS];
        for place in 0..BLOCK_PAIRS {
            // A check for overflow would be a branch. Pairs are below 2^32 anyway.
            let [first, second] = distribution.pair(self, first_pair.wrapping_add(place as u64));
            firsts[place] = T::of(first);
            seconds[place] = T::of(second);
        }
        let mut cells = [[T::ZERO; 2]; BLOCK_PAIRS];
        for place in 0..BLOCK_PAIRS {
            cells[place] = [firsts[place], seconds[place]];
        }
        cells
    }
}

/// How the numbers of a pair of cells are made. A trait and not a closure: only a function can be
/// made to be inlined, and so compiled for the vector instructions of its caller.
trait Distribution {
    fn pair(&self, philox: &Philox, pair: u64) -> [f64; 2];
}

/// Normal numbers around 0.
struct Normal {
    deviation: f64,
}

impl Distribution for Normal {
    #[inline(always)]
    fn pair(&self, philox: &Philox, pair: u64) -> [f64; 2] {
        let [first, second] = philox.normals(pair);
        [self.deviation * first, self.deviation * second]
    }
}

/// Uniform numbers in [0, `high`).
struct Uniform {
    high: f64,
}

impl Distribution for Uniform {
    #[inline(always)]
    fn pair(&self, philox: &Philox, pair: u64) -> [f64; 2] {
        let [first, second] = philox.uniforms(pair);
        [self.high * first, self.high * second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{SimdLevel, Vectorised, vectorised};

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

    /// Guards the bits of the normals in whatever form they are computed: the noise of a run that
    /// is repeated years later is the same.
    #[test]
    fn known_normals() {
        let philox = Philox::new(42, Stream::Noise, 0);
        assert_eq!(philox.normals(0).map(f64::to_bits), [0xbfde_2bff_844b_bf61, 0xbff4_9d1d_2a32_16b0]);
        let mut bytes = Vec::new();
        for pair in (0..50_000).chain((1 << 32) - 50_000..1 << 32) {
            for normal in philox.normals(pair) {
                bytes.extend(normal.to_le_bytes());
            }
        }
        assert_eq!(crc32fast::hash(&bytes), 0x37f0_3f7e);
    }

    /// A stretch of normals, to be computed with the instructions of a level.
    struct Stretch<'a, T> {
        philox: Philox,
        first_cell: u64,
        out: &'a mut [T],
    }

    impl<T: Real> Vectorised for Stretch<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            self.philox.fill_normal(self.first_cell, 0.3, self.out);
        }
    }

    /// Compares stretches of all lengths up to `length_max` at each level with cells on their own.
    fn levels_agree<T: Real>(length_max: usize) {
        let philox = Philox::new(0x0123_4567_89ab_cdef, Stream::Noise, 5 << 32 | 3);
        for level in SimdLevel::available() {
            let level = level.resolve().expect("it is available");
            for (length, first_cell) in (0..=length_max).flat_map(|length| {
                [0, 1, 31, 32, 1_000_003, (1 << 33) - 70].map(|first_cell| (length, first_cell))
            }) {
                let mut out = vec![T::ZERO; length];
                vectorised(level, Stretch { philox, first_cell, out: &mut out });
                for (cell, &got) in (first_cell..).zip(&out) {
                    let wanted = T::of(0.3 * philox.normals(cell / 2)[(cell % 2) as usize]);
                    // As f64, which is exact, to compare bits.
                    assert_eq!(
                        got.wide().to_bits(),
                        wanted.wide().to_bits(),
                        "{level:?}, {length} from {first_cell}: {cell}"
                    );
                }
            }
        }
    }

    /// Guards that a number has the same bits at every level of vector instructions, and in every
    /// place of a block, in both precisions.
    #[test]
    fn every_level_gives_the_same_bits() {
        levels_agree::<f64>(100);
        levels_agree::<f32>(100);
    }

    /// Guards the bits of the uniform numbers in blocks against those of pairs on their own.
    #[test]
    fn uniforms_belong_to_their_cells() {
        let philox = Philox::new(3, Stream::Activator, 0);
        let mut cells = [0.0; 77];
        philox.fill_uniform(5, 0.1, &mut cells);
        for (cell, got) in (5..).zip(cells) {
            assert_eq!(got, 0.1 * philox.uniforms(cell / 2)[(cell % 2) as usize]);
        }
    }
}
