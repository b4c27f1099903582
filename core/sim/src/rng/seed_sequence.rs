//! NumPy's `SeedSequence`: spreads a seed of any length over the state of a generator.
//!
//! The mixing functions are those of Melissa O'Neill's `randutils` seed sequence (2015), with
//! NumPy's constants.

const POOL_WORDS: usize = 4;
const XSHIFT: u32 = 16;
const HASH_INIT_FILL: u32 = 0x43b0_d7e5;
const HASH_MULTIPLIER_FILL: u32 = 0x931e_8875;
const HASH_INIT_OUTPUT: u32 = 0x8b51_f9dd;
const HASH_MULTIPLIER_OUTPUT: u32 = 0x58f3_8ded;
const MIX_MULTIPLIER_LEFT: u32 = 0xca01_f9dd;
const MIX_MULTIPLIER_RIGHT: u32 = 0x4973_f715;

/// A running hash whose multiplier changes with every word.
struct WordHash {
    multiplier: u32,
    factor: u32,
}

impl WordHash {
    fn hash(&mut self, word: u32) -> u32 {
        let mixed = word ^ self.multiplier;
        self.multiplier = self.multiplier.wrapping_mul(self.factor);
        let product = mixed.wrapping_mul(self.multiplier);
        product ^ (product >> XSHIFT)
    }
}

fn mix(left: u32, right: u32) -> u32 {
    let difference =
        MIX_MULTIPLIER_LEFT.wrapping_mul(left).wrapping_sub(MIX_MULTIPLIER_RIGHT.wrapping_mul(right));
    difference ^ (difference >> XSHIFT)
}

/// The entropy pool made from a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedSequence {
    pool: [u32; POOL_WORDS],
}

impl SeedSequence {
    /// The sequence of a whole-number seed, as `SeedSequence(seed)`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // NumPy writes a number as its 32-bit words, low word first, without leading zeros.
        let words = [seed as u32, (seed >> 32) as u32];
        let used = if words[1] == 0 { 1 } else { 2 };
        Self::from_words(&words[..used])
    }

    /// The sequence of 32-bit words, low word first: a seed of any length, or, with one word
    /// for each, a list of numbers below 2^32, as `SeedSequence([1, 2, 3])`.
    #[must_use]
    pub fn from_words(words: &[u32]) -> Self {
        let mut hash = WordHash { multiplier: HASH_INIT_FILL, factor: HASH_MULTIPLIER_FILL };
        let mut pool = [0; POOL_WORDS];
        for (index, slot) in pool.iter_mut().enumerate() {
            *slot = hash.hash(words.get(index).copied().unwrap_or(0));
        }
        for source in 0..POOL_WORDS {
            for target in 0..POOL_WORDS {
                if source != target {
                    pool[target] = mix(pool[target], hash.hash(pool[source]));
                }
            }
        }
        for &word in words.iter().skip(POOL_WORDS) {
            for slot in &mut pool {
                *slot = mix(*slot, hash.hash(word));
            }
        }
        Self { pool }
    }

    /// The entropy pool.
    #[must_use]
    pub fn pool(&self) -> [u32; 4] {
        self.pool
    }

    /// Fills `words` with the state for a generator, as `generate_state(n, uint32)`.
    pub fn generate_u32(&self, words: &mut [u32]) {
        let mut hash = WordHash { multiplier: HASH_INIT_OUTPUT, factor: HASH_MULTIPLIER_OUTPUT };
        for (word, &source) in words.iter_mut().zip(self.pool.iter().cycle()) {
            *word = hash.hash(source);
        }
    }

    /// Four 64-bit words, as `generate_state(4, uint64)`: the low half of each comes first.
    #[must_use]
    pub fn generate_u64x4(&self) -> [u64; 4] {
        let mut halves = [0; 8];
        self.generate_u32(&mut halves);
        std::array::from_fn(|index| u64::from(halves[2 * index]) | (u64::from(halves[2 * index + 1]) << 32))
    }
}
