//! Iterated function systems: fractal point sets from affine maps of the plane.
//!
//! A system is an array of contracting maps, with weights in proportion to which the chaos game chooses them; NULL
//! for the weights makes all maps equally probable. Results depend on the maps, the weights and the seed alone.
//! The work is done on the calling thread.

use std::ffi::{c_double, c_void};
use std::ops::ControlFlow;

use ::mfn_sim::RunEnd;
use ::mfn_sim::ifs::v4_1::{FractalConfig, generate_fractal_ifs, generate_ifs};
use ::mfn_sim::ifs::{AffineMap, Ifs, IfsError, Window};
use ::mfn_sim::rng::Generator;

use crate::aggregation::{count as whole, outputs};
use crate::argument::{self, SizedSlot, Slot, read_sized, sized32};
use crate::error::{Failure, mfn_error, spec_faults};
use crate::guard;
use crate::learning::write_all;
use crate::simulation::mfn_progress_fn;
use crate::status::{MFN_CANCELLED, MFN_INVALID, mfn_status};

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

/// The part of the plane that a raster shows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_ifs_window {
    /// Left end.
    pub x_min: c_double,
    /// Right end.
    pub x_max: c_double,
    /// Lower end.
    pub y_min: c_double,
    /// Upper end.
    pub y_max: c_double,
}

/// What the generator of MyceliumFractalNet 4.1 draws. Fill it with mfn_ifs_init_v4_1().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_ifs_config_v4_1 {
    /// sizeof(mfn_ifs_config_v4_1).
    pub struct_size: u32,
    /// 0: as its growth engine, with the ranges here. 1: as its model.generate_fractal_ifs(), which takes 1 to 10^8
    /// points and 1 to 4096 maps, leaves the three numbers below at their defaults and does not look how far points
    /// reach.
    pub of_model: i32,
    /// Points of the orbit, 1000 to 100000.
    pub point_count: u64,
    /// Number of maps, 2 to 8.
    pub map_count: u64,
    /// Smallest ratio of a map, above 0.
    pub scale_min: c_double,
    /// Largest ratio of a map, below 1.
    pub scale_max: c_double,
    /// Largest shift of a map along an axis, 0 to 2.
    pub translation_range: c_double,
}

sized32! { mfn_ifs_config_v4_1 = 48; }

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

/// Marks the cells of a rows x cols grid over window that the first point_count points of mfn_ifs_points() visit, for
/// box counting and pictures, without keeping the points. cells has rows * cols numbers, row by row, with row 0 at
/// y_min: 1 for a visited cell, else 0, so that functions which take a field in volts want a threshold of 500 mV.
/// Sides are 1 to 65536 cells, at most 2^28 in all; at most 2^28 points; needs two bytes a cell beside the host's.
/// progress is told every million points and may stop the work (MFN_CANCELLED, nothing is written); it may be NULL.
/// inside, which may be NULL, becomes the number of points in the window. maps, weights and window are read during the
/// call only; cells, inside and user_data stay the host's. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ifs_raster(
    maps: *const mfn_affine_map,
    weights: *const c_double,
    count: usize,
    random_seed: u64,
    point_count: u64,
    window: *const mfn_ifs_window,
    progress: mfn_progress_fn,
    user_data: *mut c_void,
    cells: *mut c_double,
    rows: usize,
    cols: usize,
    inside: *mut u64,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let places = argument::slots("cells", cells, rows.saturating_mul(cols))?;
        let hits = Slot::optional("inside", inside)?;
        let [given] = argument::array("window", window, 1)? else { return Ok(()) };
        let window =
            Window { x_min: given.x_min, x_max: given.x_max, y_min: given.y_min, y_max: given.y_max };
        let system = system(maps, weights, count)?;
        let raster = system.rasterize(random_seed, point_count, &window, (rows, cols), &mut |now| {
            let stop = progress.is_some_and(|report| {
                // SAFETY: the host gave a function of this type, to be called with its own user_data.
                unsafe { report(user_data, now.step, now.steps_total) != 0 }
            });
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if raster.end == RunEnd::Cancelled {
            return Err(Failure::answer(MFN_CANCELLED));
        }
        places.zip(raster.mask).for_each(|(slot, visited)| slot.write(f64::from(u8::from(visited))));
        if let Some(slot) = hits {
            slot.write(raster.inside);
        }
        Ok(())
    })
}

/// Fills config with the defaults of v4.1: 10000 points of 4 maps. struct_size is sizeof(mfn_ifs_config_v4_1). config
/// belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ifs_init_v4_1(
    config: *mut mfn_ifs_config_v4_1,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = FractalConfig::default();
        SizedSlot::of_size("config", config, struct_size)?.write(&mfn_ifs_config_v4_1 {
            struct_size: 0,
            of_model: 0,
            point_count: defaults.num_points,
            map_count: defaults.num_transforms,
            scale_min: defaults.scale_min,
            scale_max: defaults.scale_max,
            translation_range: defaults.translation_range,
        });
        Ok(())
    })
}

/// Draws the maps and the orbit that MyceliumFractalNet 4.1 draws from default_rng(random_seed). maps has room for
/// map_count maps; points for 2 * point_count doubles (x, y), or is NULL with a point_count of 0: both are the
/// numbers in config. mean_log_area_change, which may be NULL, becomes what v4.1 calls the Lyapunov exponent: the
/// mean of ln |determinant|, the sum of both exponents of mfn_ifs_exponents(). distance_max, which may be NULL, becomes
/// the largest magnitude of a coordinate; the engine refuses 100 and more. config is read during the call only; what is
/// written belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_ifs_generate_v4_1(
    config: *const mfn_ifs_config_v4_1,
    random_seed: u64,
    maps: *mut mfn_affine_map,
    map_count: usize,
    points: *mut c_double,
    point_count: usize,
    mean_log_area_change: *mut c_double,
    distance_max: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let given = read_sized("config", config)?;
        let of_model = argument::flag("config.of_model", given.of_model)?;
        let map_places = outputs("maps", maps, map_count, whole(given.map_count))?;
        let point_places = if points.is_null() && point_count == 0 {
            None
        } else if point_count as u64 == given.point_count {
            Some(argument::slots("points", points, point_count.saturating_mul(2))?)
        } else {
            return Err(Failure::invalid(format!(
                "points has room for {point_count} points: give {}",
                given.point_count
            )));
        };
        let area = Slot::optional("mean_log_area_change", mean_log_area_change)?;
        let distance = Slot::optional("distance_max", distance_max)?;
        let mut generator = Generator::new(random_seed);
        let drawn = if of_model {
            generate_fractal_ifs(&mut generator, given.point_count, given.map_count)?
        } else {
            let config = FractalConfig {
                num_points: given.point_count,
                num_transforms: given.map_count,
                scale_min: given.scale_min,
                scale_max: given.scale_max,
                translation_range: given.translation_range,
                ..FractalConfig::default()
            };
            generate_ifs(&mut generator, &config)?
        };
        for (slot, &AffineMap { a, b, c, d, e, f }) in map_places.zip(&drawn.maps) {
            slot.write(mfn_affine_map { a, b, c, d, e, f });
        }
        if let Some(places) = point_places {
            write_all(places, drawn.points.as_flattened());
        }
        for (slot, value) in [(area, drawn.mean_log_area_change), (distance, drawn.distance_max)] {
            if let Some(slot) = slot {
                slot.write(value);
            }
        }
        Ok(())
    })
}
