//! Robust aggregation of gradients: Krum and its relatives.
