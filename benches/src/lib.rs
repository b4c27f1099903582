//! Benches of libmfn.
