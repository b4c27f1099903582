//! Iterated function systems: fractal point sets from affine maps.
