//! Descriptors of a pattern beyond the 18 features.
