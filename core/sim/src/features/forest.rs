//! Union-find over the runs of a mask: which consecutive active cells of its rows hang together.
//!
//! A run is a number: its place in the order of rows and columns. Where a run touches one of the row above is found with
//! shifts and ANDs for 64 cells at a time, and which runs these are by counting the bits where runs begin
//! (run-based labelling: He, Chao and Suzuki, 2008). So a row without contacts costs a few operations for each word.

use super::clusters::Connectivity;
use super::mask::{Mask, WORD};

/// A forest over the runs of a mask. The parent of a run is never a later one; a root is its own parent.
pub(super) struct Forest {
    parents: Vec<u32>,
    /// Trees, one for each cluster.
    pub(super) trees: usize,
}

/// A row of a mask with the numbers of its runs.
#[derive(Clone, Copy)]
struct Row<'a> {
    words: &'a [u64],
    first: u32,
    end: u32,
}

impl Row<'_> {
    fn is_set(&self, column: usize) -> bool {
        self.words[column / WORD] >> (column % WORD) & 1 == 1
    }
}

impl Forest {
    /// Of the runs of a mask, united where they touch.
    pub(super) fn of(mask: &Mask, connectivity: Connectivity, wrap: bool) -> Self {
        let mut forest = Self { parents: Vec::new(), trees: 0 };
        let corners = connectivity == Connectivity::Eight;
        let last_column = mask.dim().1 - 1;
        let join_seam = |forest: &mut Self, ending: Row<'_>, beginning: Row<'_>| {
            if ending.is_set(last_column) && beginning.is_set(0) {
                forest.unite(ending.end - 1, beginning.first);
            }
        };
        let join = |forest: &mut Self, above: Row<'_>, here: Row<'_>| {
            forest.join_rows(above, here, corners);
            if wrap && corners {
                join_seam(forest, above, here);
                join_seam(forest, here, above);
            }
        };
        let (mut top, mut above) = (None, None);
        for words in mask.row_words() {
            let here = forest.add_runs(words);
            if let Some(above) = above {
                join(&mut forest, above, here);
            }
            if wrap {
                join_seam(&mut forest, here, here);
            }
            above = Some(here);
            top = top.or(above);
        }
        if let (true, Some(above), Some(top)) = (wrap, above, top) {
            join(&mut forest, above, top);
        }
        forest
    }

    /// Adds the runs of a row, each alone.
    fn add_runs<'a>(&mut self, words: &'a [u64]) -> Row<'a> {
        let first = self.parents.len() as u32;
        let mut before = 0;
        let mut runs = 0;
        for &word in words {
            runs += starts(word, before).count_ones();
            before = word;
        }
        let end = first + runs;
        self.parents.extend(first..end);
        self.trees += runs as usize;
        Row { words, first, end }
    }

    /// Unites the runs of a row with those of the row above that they touch, over edges or also over corners.
    fn join_rows(&mut self, above: Row<'_>, here: Row<'_>, corners: bool) {
        let words = above.words.len();
        let (mut a_before, mut h_before) = (0, 0);
        // One less than the number of the first run that begins in the word; that of the last run before.
        let (mut a_run, mut h_run) = (above.first.wrapping_sub(1), here.first.wrapping_sub(1));
        for index in 0..words {
            let (a, h) = (above.words[index], here.words[index]);
            let (a_starts, h_starts) = (starts(a, a_before), starts(h, h_before));
            // The runs that hold a bit or begin before it.
            let a_upto = |bits: u64| a_run.wrapping_add((a_starts & bits).count_ones());
            let h_upto = |bits: u64| h_run.wrapping_add((h_starts & bits).count_ones());
            for_each_bit(starts(a & h, a_before & h_before), |upto| {
                self.unite(a_upto(upto), h_upto(upto));
            });
            if corners && (a | h) != 0 {
                let (a_after, h_after) = match (above.words.get(index + 1), here.words.get(index + 1)) {
                    (Some(&a), Some(&h)) => (a, h),
                    _ => (0, 0),
                };
                // A run that begins below the place after the end of one above.
                let left = h_starts & (a << 1 | a_before >> (WORD - 1)) & !a;
                for_each_bit(left, |upto| self.unite(a_upto(upto >> 1), h_upto(upto)));
                // A run that ends below the place before the start of one above.
                let h_ends = h & !(h >> 1 | h_after << (WORD - 1));
                let right = h_ends & (a >> 1 | a_after << (WORD - 1)) & !a;
                for_each_bit(right, |upto| self.unite(a_upto(upto).wrapping_add(1), h_upto(upto)));
            }
            a_run = a_upto(u64::MAX);
            h_run = h_upto(u64::MAX);
            (a_before, h_before) = (a, h);
        }
    }

    /// The first step up is taken in any case: a root is its own parent, and of most other runs the parent is the root.
    /// Which of the two a run is can not be foreseen; that the loop is not entered then can.
    fn root(&mut self, run: u32) -> u32 {
        let mut run = self.parents[run as usize] as usize;
        let mut parent = self.parents[run];
        while parent as usize != run {
            let grandparent = self.parents[parent as usize];
            self.parents[run] = grandparent;
            run = parent as usize;
            parent = grandparent;
        }
        run as u32
    }

    fn unite(&mut self, left: u32, right: u32) {
        let (left, right) = (self.root(left), self.root(right));
        if left != right {
            // The earlier run stays root, which keeps the trees flat.
            self.parents[left.max(right) as usize] = left.min(right);
            self.trees -= 1;
        }
    }

    /// The cells of each cluster, in the order of their first runs. A number of cells of 2^32, which only a full mask of
    /// the largest size has, is 0.
    pub(super) fn sizes(mut self, mask: &Mask) -> Vec<u32> {
        let mut cells = self.lengths(mask);
        // Without a branch on what is a root: it would be mispredicted for every third run of noise.
        for run in 0..cells.len() {
            // Parents come first, so the parent of a parent is a root by now.
            let root = self.parents[self.parents[run] as usize];
            self.parents[run] = root;
            let length = std::mem::take(&mut cells[run]);
            cells[root as usize] = cells[root as usize].wrapping_add(length);
        }
        let mut kept = 0;
        for run in 0..cells.len() {
            cells[kept] = cells[run];
            kept += usize::from(self.parents[run] as usize == run);
        }
        cells.truncate(kept);
        cells
    }

    /// The cells of each run.
    fn lengths(&self, mask: &Mask) -> Vec<u32> {
        let mut lengths = Vec::with_capacity(self.parents.len());
        let mut ended = 0;
        for words in mask.row_words() {
            let mut before = 0;
            for (index, &word) in words.iter().enumerate() {
                let place = (index * WORD) as u32;
                let after = words.get(index + 1).copied().unwrap_or(0);
                // Each run is first less its begin, then its end less its begin.
                lengths.extend(Bits(starts(word, before)).map(|bit| 0_u32.wrapping_sub(place + bit)));
                for bit in Bits(word & !(word >> 1 | after << (WORD - 1))) {
                    lengths[ended] = lengths[ended].wrapping_add(place + bit + 1);
                    ended += 1;
                }
                before = word;
            }
        }
        lengths
    }
}

/// The bits where runs begin, given the word before in the row.
fn starts(word: u64, before: u64) -> u64 {
    word & !(word << 1 | before >> (WORD - 1))
}

/// The places of the set bits, ascending.
struct Bits(u64);

impl Iterator for Bits {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let bit = (self.0 != 0).then(|| self.0.trailing_zeros());
        self.0 &= self.0.wrapping_sub(1);
        bit
    }
}

/// Shows for every set bit the word of all bits up to it.
#[inline]
fn for_each_bit(word: u64, mut visit: impl FnMut(u64)) {
    let mut rest = word;
    while rest != 0 {
        visit(rest ^ (rest - 1));
        rest &= rest - 1;
    }
}
