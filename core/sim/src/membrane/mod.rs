//! The electrical membrane: Nernst and GHK potentials, and the integration of membrane equations.
