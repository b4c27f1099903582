//! The state of a run as bytes, and back.
