//! Scenarios, parameter sampling and the rows of a dataset.
