//! Iterated function systems: fractal point sets from affine maps of the plane.
//!
//! A system is an array of contracting maps, with weights in proportion to which the chaos game chooses them; NULL
//! for the weights makes all maps equally probable. Results depend on the maps, the weights and the seed alone.
//! The work is done on the calling thread.

use std::ffi::c_double;

use ::mfn_sim::ifs::{AffineMap, Ifs, IfsError};

use crate::argument::{self, Slot};
use crate::error::{Failure, mfn_error, spec_faults};
use crate::guard;
use crate::status::{MFN_INVALID, mfn_status};

/// The map (x, y) -> (a x + b y + e, c x + d y + f).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_affine_map {
    /// Weight of x in the new x.
    pub a: c_double,
    /// Weight of y in the new x.
    pub b: c_double,
    /// Weight of x in the new y.
    pub c: c_double,
    /// Weight of y in the new y.
    pub d: c_double,
    /// Shift of x.
    pub e: c_double,
    /// Shift of y.
    pub f: c_double,
}

impl From<IfsError> for Failure {
    fn from(error: IfsError) -> Self {
        let failure = Self::from_error(MFN_INVALID, &error);
        if let IfsError::Parameters(spec) = &error { failure.with_faults(spec_faults(spec)) } else { failure }
    }
}

fn system(maps: *const mfn_affine_map, weights: *const c_double, count: usize) -> Result<Ifs, Failure> {
    let maps: Vec<AffineMap> = argument::array("maps", maps, count)?
        .iter()
        .map(|map| AffineMap { a: map.a, b: map.b, c: map.c, d: map.d, e: map.e, f: map.f })
        .collect();
    if weights.is_null() {
        return Ok(Ifs::new(maps)?);
    }
    Ok(Ifs::with_weights(maps, argument::array("weights", weights, count)?)?)
}

/// Writes point_count points (x, y) of the attractor of count maps to points, which has room for 2 * point_count
/// doubles. Refuses maps whose largest singular value is 1 or more. At most 2^28 points; needs 16 bytes a point
/// beside the host's. maps and weights are read during the call only; points belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ifs_points(
    maps: *const mfn_affine_map,
    weights: *const c_double,
    count: usize,
    random_seed: u64,
    points: *mut c_double,
    point_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let coordinates = point_count.saturating_mul(2);
        let slots = argument::slots("points", points, coordinates)?;
        let drawn = system(maps, weights, count)?.points(random_seed, point_count)?;
        slots.zip(drawn.into_iter().flatten()).for_each(|(slot, coordinate)| slot.write(coordinate));
        Ok(())
    })
}

/// The similarity dimension of count maps: the d with sum of ratio^d = 1 (Moran, 1946). Refuses maps that are no
/// similarities. maps is read during the call only; dimension belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ifs_dimension(
    maps: *const mfn_affine_map,
    count: usize,
    dimension: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("dimension", dimension)?;
        slot.write(system(maps, std::ptr::null(), count)?.similarity_dimension()?);
        Ok(())
    })
}

/// Both Lyapunov exponents of count maps, 1 per map applied, from steps maps (1 to 10^9). *smallest is -INFINITY
/// when a map that can be chosen is singular. maps and weights are read during the call only; largest and
/// smallest belong to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ifs_exponents(
    maps: *const mfn_affine_map,
    weights: *const c_double,
    count: usize,
    random_seed: u64,
    steps: u64,
    largest: *mut c_double,
    smallest: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let (high, low) = (Slot::required("largest", largest)?, Slot::required("smallest", smallest)?);
        let exponents = system(maps, weights, count)?.exponents(random_seed, steps)?;
        high.write(exponents.largest);
        low.write(exponents.smallest);
        Ok(())
    })
}
