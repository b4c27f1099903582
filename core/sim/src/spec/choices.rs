//! The choices of a specification that have a name and not a number.

use serde::{Deserialize, Serialize};

/// A choice whose names in specifications are written once, here.
macro_rules! choice {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$meaning:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$meaning])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// The name used in specifications.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

choice! {
    /// What lies outside the grid.
    BoundaryCondition {
        /// The grid is a torus: the left neighbour of the first column is the last column.
        #[default]
        Periodic = "periodic",
        /// No flux: outside an edge cell lies a copy of it.
        Neumann = "neumann",
        /// Zero outside: 0 V for the potential, 0 for activator and inhibitor.
        Dirichlet = "dirichlet",
    }
}

choice! {
    /// The floating-point type in which a run computes and keeps its fields.
    Precision {
        /// IEEE 754 double precision.
        #[default]
        F64 = "f64",
        /// IEEE 754 single precision: half the memory, about seven digits.
        F32 = "f32",
    }
}

choice! {
    /// Where the random numbers of a run come from.
    RngKind {
        /// Philox4x32-10: each number is a function of seed, step and cell, whoever computes it.
        #[default]
        Philox = "philox",
        /// NumPy's `default_rng(seed)`, drawn in one fixed sequence.
        Pcg64 = "pcg64",
    }
}

choice! {
    /// What the fields are before the first step.
    #[non_exhaustive]
    InitialCondition {
        /// The potential normal around -70 mV; activator and inhibitor uniform in [0, 0.1), as
        /// in MFN 4.1.
        #[default]
        Random = "random",
        /// The potential as above; activator and inhibitor at the homogeneous steady state of
        /// the kinetics on which patterns grow, plus normal noise.
        Steady = "steady",
        /// The potential as above; activator and inhibitor at the state of rest, with random
        /// square patches of the other state, plus normal noise (Pearson, 1993). For
        /// Gray-Scott.
        Seeded = "seeded",
    }
}

choice! {
    /// A system whose results are reproduced.
    #[non_exhaustive]
    Compat {
        /// MyceliumFractalNet 4.1: its equations, order of operations and random streams.
        #[default]
        V4_1 = "v4.1",
    }
}
