//! Normal numbers by the hundred million: is their distribution the normal one?
//!
//! The noise of the default mode rests on it. Moments see the middle of the distribution, the
//! statistic of Anderson and Darling (1952) every part of it, counts of rare numbers its tails.
//! The seeds are fixed, so that a test passes always or never.
#![allow(clippy::print_stdout)]

use mfn_sim::rng::{Philox, Stream};

/// Numbers lie in bins of this width between -`EDGE` and `EDGE`; none is greater than 8.58.
const BINS_PER_UNIT: usize = 1024;
const EDGE: usize = 9;
const BINS: usize = 2 * EDGE * BINS_PER_UNIT;

/// The even moments of the normal distribution, up to the eighth.
const EVEN_MOMENTS: [f64; 5] = [1.0, 1.0, 3.0, 15.0, 105.0];

/// Anderson and Darling's statistic that one normal sample in a hundred exceeds (Stephens, 1974).
const ONE_IN_A_HUNDRED: f64 = 3.857;

/// What is counted and summed up over a sample.
struct Sample {
    count: u64,
    bins: Vec<u64>,
    /// Of the first to the fourth power.
    sums: [f64; 4],
    /// Of the products of the two numbers of a pair, and of two pairs that follow each other.
    pair_products: f64,
    neighbour_products: f64,
}

impl Sample {
    /// `blocks` steps of a million cells each, every number changed by `change`.
    fn draw(seed: u64, blocks: u64, change: impl Fn(f64) -> f64) -> Self {
        let mut cells = vec![0.0_f64; 1_000_000];
        let mut sample = Self {
            count: blocks * cells.len() as u64,
            bins: vec![0; BINS],
            sums: [0.0; 4],
            pair_products: 0.0,
            neighbour_products: 0.0,
        };
        for step in 0..blocks {
            Philox::new(seed, Stream::Noise, step).fill_normal(0, 1.0, &mut cells);
            cells.iter_mut().for_each(|cell| *cell = change(*cell));
            // Summed up block by block, so that rounding stays far below the errors looked for.
            let mut sums = [0.0; 4];
            for &x in &cells {
                let square = x * x;
                for (sum, power) in sums.iter_mut().zip([x, square, square * x, square * square]) {
                    *sum += power;
                }
                sample.bins[((x + EDGE as f64) * BINS_PER_UNIT as f64) as usize] += 1;
            }
            for (sum, block) in sample.sums.iter_mut().zip(sums) {
                *sum += block;
            }
            let products = |from: usize| -> f64 {
                cells[from..].as_chunks::<2>().0.iter().map(|[first, second]| first * second).sum()
            };
            sample.pair_products += products(0);
            sample.neighbour_products += products(1);
        }
        sample
    }

    /// How many standard errors each of the first four moments is off.
    fn moment_errors(&self) -> [f64; 4] {
        let count = self.count as f64;
        let expected = |power: usize| if power.is_multiple_of(2) { EVEN_MOMENTS[power / 2] } else { 0.0 };
        std::array::from_fn(|index| {
            let power = index + 1;
            let variance = expected(2 * power) - expected(power).powi(2);
            (self.sums[index] / count - expected(power)) / (variance / count).sqrt()
        })
    }

    /// How many standard errors the two correlations are off 0.
    fn correlation_errors(&self) -> [f64; 2] {
        let products = (self.count as f64 / 2.0).sqrt();
        [self.pair_products / products, self.neighbour_products / products]
    }

    /// The statistic of Anderson and Darling for a distribution in bins (Choulakian, Lockhart and
    /// Stephens, 1994), which for bins as narrow as these has the quantiles of the continuous one.
    fn anderson_darling(&self) -> f64 {
        let probabilities = bin_probabilities();
        // From both ends to the middle: a tail is not 1 minus something near 1.
        let half = |order: &mut dyn Iterator<Item = usize>| {
            let (mut seen, mut below, mut statistic) = (0, 0.0, 0.0);
            for bin in order {
                seen += self.bins[bin];
                below += probabilities[bin];
                let difference = seen as f64 - self.count as f64 * below;
                statistic += difference * difference * probabilities[bin] / (below * (1.0 - below));
            }
            statistic / self.count as f64
        };
        half(&mut (0..BINS / 2)) + half(&mut (BINS / 2..BINS).rev())
    }

    /// How many standard errors the counts beyond 3, 4 and 5 deviations are off.
    fn tail_errors(&self) -> [f64; 3] {
        let probabilities = bin_probabilities();
        [3, 4, 5].map(|deviations| {
            let bins = (EDGE - deviations) * BINS_PER_UNIT;
            let expected = 2.0 * probabilities[..bins].iter().sum::<f64>() * self.count as f64;
            let beyond: u64 = self.bins[..bins].iter().chain(&self.bins[BINS - bins..]).sum();
            (beyond as f64 - expected) / expected.sqrt()
        })
    }

    /// Compares with the normal distribution and prints the figures.
    fn check(&self) {
        let moments = self.moment_errors();
        let correlations = self.correlation_errors();
        let tails = self.tail_errors();
        let statistic = self.anderson_darling();
        println!(
            "{} normals, in standard errors: moments {moments:.2?}, correlations {correlations:.2?}, \
             tails {tails:.2?}; Anderson-Darling {statistic:.3}",
            self.count
        );
        assert!(moments.iter().chain(&correlations).chain(&tails).all(|error| error.abs() < 4.0));
        assert!(statistic < ONE_IN_A_HUNDRED);
    }
}

/// The probability of each bin: Simpson's rule, whose error is far below that of a double here.
fn bin_probabilities() -> Vec<f64> {
    let density = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
    let at = |half_bins: usize| density(half_bins as f64 / (2 * BINS_PER_UNIT) as f64 - EDGE as f64);
    (0..BINS)
        .map(|bin| (at(2 * bin) + 4.0 * at(2 * bin + 1) + at(2 * bin + 2)) / (6 * BINS_PER_UNIT) as f64)
        .collect()
}

/// Guards moments, shape and independence of ten million normals.
#[test]
fn ten_million_are_normal() {
    Sample::draw(42, 10, |x| x).check();
}

/// Guards that the statistic is able to fail: a deviation 0.2 % too large, a mean 0.002 too high
/// and tails that end at 3 deviations each show in ten million numbers.
#[test]
fn what_is_not_normal_is_noticed() {
    for (what, statistic) in [
        ("wider", Sample::draw(42, 10, |x| 1.002 * x).anderson_darling()),
        ("higher", Sample::draw(42, 10, |x| x + 0.002).anderson_darling()),
        ("without tails", Sample::draw(42, 10, |x| x.clamp(-3.0, 3.0)).anderson_darling()),
    ] {
        println!("{what}: {statistic:.1}");
        assert!(statistic > ONE_IN_A_HUNDRED, "{what}: {statistic}");
    }
}

/// Guards the same of a billion normals, where an error a tenth as large shows.
#[test]
#[ignore = "takes half a minute"]
fn a_billion_are_normal() {
    Sample::draw(42, 1000, |x| x).check();
}
