//! The network of a pattern: skeleton, nodes, branches, robustness.
