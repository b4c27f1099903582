//! Bounded integers by multiplication and rejection (Lemire, 2019), and sampling without
//! replacement, as NumPy draws them.

use std::collections::HashSet;

use super::Generator;

/// Above this population NumPy prefers shuffling the tail of the whole population to Floyd's
/// algorithm, if the sample is large enough.
const TAIL_SHUFFLE_POPULATION: u64 = 10_000;
/// The sample is large enough when it exceeds the population divided by this.
const TAIL_SHUFFLE_DIVISOR: u64 = 50;

impl Generator {
    /// A whole number in [0, `bound`), as `integers(0, bound)`. Bounds of 0 and 1 give 0 and
    /// draw nothing; bounds up to 2^32 use 32-bit draws and the kept half word.
    pub fn integer_below(&mut self, bound: u64) -> u64 {
        let largest = bound.saturating_sub(1);
        match largest {
            0 => 0,
            0xffff_ffff => u64::from(self.next_u32()),
            1..0xffff_ffff => u64::from(self.lemire_u32(bound as u32)),
            _ => self.lemire_u64(bound),
        }
    }

    fn lemire_u32(&mut self, bound: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(bound);
        if (product as u32) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u32) < threshold {
                product = u64::from(self.next_u32()) * u64::from(bound);
            }
        }
        (product >> 32) as u32
    }

    fn lemire_u64(&mut self, bound: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.next_u64()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// `sample` different whole numbers in [0, `population`) in random order, as
    /// `choice(population, sample, replace=False)`. `None` when the population is too small.
    pub fn choice_without_replacement(&mut self, population: u64, sample: usize) -> Option<Vec<u64>> {
        let sample_u64 = sample as u64;
        if sample_u64 > population {
            return None;
        }
        if population > TAIL_SHUFFLE_POPULATION && sample_u64 > population / TAIL_SHUFFLE_DIVISOR {
            let mut all: Vec<u64> = (0..population).collect();
            let first = all.len() - sample;
            self.shuffle_from(first, &mut all);
            return Some(all.split_off(first));
        }
        let mut taken = HashSet::with_capacity(sample);
        let mut chosen = Vec::with_capacity(sample);
        for last in population - sample_u64..population {
            let candidate = self.integer_below(last + 1);
            let value = if taken.insert(candidate) {
                candidate
            } else {
                taken.insert(last);
                last
            };
            chosen.push(value);
        }
        self.shuffle_from(0, &mut chosen);
        Some(chosen)
    }

    /// Fisher-Yates from the end down to index `first`. Index 0 draws nothing.
    fn shuffle_from(&mut self, first: usize, values: &mut [u64]) {
        for index in (first..values.len()).rev() {
            let other = self.integer_below(index as u64 + 1) as usize;
            values.swap(index, other);
        }
    }
}
