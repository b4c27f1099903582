//! Union-find: which things hang together (Tarjan, 1975).

/// A forest over numbered things; each root carries the size of its tree.
#[derive(Debug, Clone)]
pub(super) struct Forest {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl Forest {
    /// `count` things, each alone. At most 2^32 - 1.
    pub(super) fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).collect(), sizes: vec![1; count] }
    }

    pub(super) fn root(&mut self, thing: u32) -> u32 {
        let mut at = thing as usize;
        while self.parents[at] != at as u32 {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        at as u32
    }

    /// Joins two trees and returns the sizes that they had, or `None` when they were one already.
    pub(super) fn unite(&mut self, left: u32, right: u32) -> Option<(u32, u32)> {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
            return None;
        }
        let sizes = (self.sizes[left as usize], self.sizes[right as usize]);
        let (root, child) = if sizes.0 >= sizes.1 { (left, right) } else { (right, left) };
        self.parents[child as usize] = root;
        self.sizes[root as usize] = sizes.0 + sizes.1;
        Some(sizes)
    }
}
