//! Iterated function systems: fractal point sets from affine maps.
//!
//! An [`Ifs`] is a list of contracting affine maps of the plane with probabilities. Its attractor
//! is the one compact set that equals the union of its images (Hutchinson, 1981). The chaos game
//! draws points of it (Barnsley, 1988) with the same bits for every number of threads;
//! [`Ifs::similarity_dimension`] solves Moran's equation, and [`Ifs::exponents`] gives both
//! Lyapunov exponents. [`v4_1`] is the generator of MyceliumFractalNet 4.1.
//!
//! ```
//! use mfn_sim::ifs::examples;
//! let carpet = examples::sierpinski_carpet();
//! let dimension = carpet.similarity_dimension()?;
//! assert!((dimension - 8f64.ln() / 3f64.ln()).abs() < 1e-12);
//! # Ok::<(), mfn_sim::ifs::IfsError>(())
//! ```

mod affine;
mod chaos_game;
mod error;
pub mod examples;
mod exponents;
mod raster;
mod system;
pub mod v4_1;

pub use affine::AffineMap;
pub use chaos_game::{BLOCK_POINTS, POINTS_MAX};
pub use error::IfsError;
pub use exponents::{EXPONENT_TABLE, IfsExponents};
pub use raster::{CELLS_MAX, Raster, SIDE_MAX_CELLS, Window};
pub use system::{COEFFICIENT_MAX, Ifs, MAPS_MAX};
