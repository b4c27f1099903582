//! Grid operators for fields of a host's own: Laplacian, gradient, statistics, clamp, one step.
