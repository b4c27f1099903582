//! The k best keys of one query, found in a stream of scores with 2 k places.

use std::cmp::Ordering;

use crate::Real;

/// Keeps the k highest scores; of equal scores the lowest index.
pub(super) struct TopK<T> {
    k: usize,
    kept: Vec<(T, u32)>,
    /// The k-th best score so far; lower ones can not come in.
    floor: Option<T>,
}

impl<T: Real> TopK<T> {
    pub(super) fn new(k: usize) -> Self {
        Self { k, kept: Vec::with_capacity(2 * k), floor: None }
    }

    /// Takes a score. Indices must ascend.
    pub(super) fn push(&mut self, score: T, index: u32) {
        // Of equal scores the earlier index stays, so only a higher score can come in.
        if self.floor.is_some_and(|floor| score <= floor) {
            return;
        }
        self.kept.push((score, index));
        if self.kept.len() == 2 * self.k {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        if self.kept.len() >= self.k {
            let (_, last, _) = self.kept.select_nth_unstable_by(self.k - 1, best_first);
            self.floor = Some(last.0);
            self.kept.truncate(self.k);
        }
    }

    /// The best by ascending index; ready for the next query afterwards.
    pub(super) fn take(&mut self, out: &mut Vec<(T, u32)>) {
        self.shrink();
        self.kept.sort_unstable_by_key(|&(_, index)| index);
        out.clear();
        out.append(&mut self.kept);
        self.floor = None;
    }
}

fn best_first<T: Real>(a: &(T, u32), b: &(T, u32)) -> Ordering {
    b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Generator;

    /// Guards the selection against a full sort, with many equal scores.
    #[test]
    fn the_best_are_those_of_a_sort() {
        let mut random = Generator::new(4);
        for (count, k) in [(1, 1), (10, 3), (200, 1), (200, 7), (200, 199), (200, 200), (50, 4)] {
            for levels in [3.0, 1e9] {
                let scores: Vec<f64> = (0..count).map(|_| (random.random() * levels).floor()).collect();
                let mut all: Vec<(f64, u32)> =
                    scores.iter().enumerate().map(|(i, s)| (*s, i as u32)).collect();
                all.sort_by(best_first);
                all.truncate(k);
                all.sort_by_key(|pair| pair.1);
                let (mut top, mut out) = (TopK::new(k), Vec::new());
                for _ in 0..2 {
                    scores.iter().enumerate().for_each(|(index, score)| top.push(*score, index as u32));
                    top.take(&mut out);
                    assert_eq!(out, all, "{count} {k} {levels}");
                }
            }
        }
    }
}
