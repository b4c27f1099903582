//! Lyapunov exponents of maps, flows and simulations.
