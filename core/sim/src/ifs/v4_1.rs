//! The generator of iterated function systems of MyceliumFractalNet 4.1.
//!
//! It draws similarities with random scales, angles and shifts and follows one orbit from the
//! origin. What it calls a Lyapunov exponent is the mean of ln |det|: the sum of both exponents,
//! and always negative. [`Generated::ifs`] hands the maps to the functions of [`Ifs`].

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{AffineMap, Ifs, IfsError};
use crate::bounds::{Bound, closed, whole};
use crate::error::SpecFault;
use crate::rng::Generator;

/// The bounds of [`FractalConfig`]. `scale_max` is below 1, and `scale_min` not above it.
pub const FRACTAL_TABLE: [Bound; 7] = [
    whole(closed("num_points", (1000.0, 100_000.0), 10_000.0, "1", "points of the orbit")),
    whole(closed("num_transforms", (2.0, 8.0), 4.0, "1", "number of maps")),
    Bound {
        max_inclusive: false,
        ..closed("scale_min", (0.0, 1.0), 0.2, "1", "smallest ratio of a map").open_below()
    },
    Bound {
        max_inclusive: false,
        ..closed("scale_max", (0.0, 1.0), 0.5, "1", "largest ratio of a map").open_below()
    },
    closed("translation_range", (0.0, 2.0), 1.0, "1", "largest shift of a map along an axis"),
    whole(closed("min_box_size", (1.0, 1e6), 2.0, "cells", "smallest box of the box counting")),
    whole(closed("num_scales", (3.0, 10.0), 5.0, "1", "number of box sizes before duplicates are dropped")),
];

/// The bounds of [`generate_fractal_ifs`], which v4.1 does not check.
pub const MODEL_IFS_TABLE: [Bound; 2] = [
    whole(closed("num_points", (1.0, 1e8), 10_000.0, "1", "points of the orbit")),
    whole(closed("num_transforms", (1.0, 4096.0), 4.0, "1", "number of maps")),
];

/// A determinant of this magnitude or less is left out of the mean of its logarithm.
const DETERMINANT_MIN: f64 = 1e-10;
/// The engine refuses orbits that reach this far along an axis.
const DISTANCE_MAX: f64 = 100.0;

/// `FractalConfig` of v4.1, under its names. Ranges: [`FRACTAL_TABLE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FractalConfig {
    /// Points of the orbit.
    pub num_points: u64,
    /// Number of maps.
    pub num_transforms: u64,
    /// Smallest ratio of a map.
    pub scale_min: f64,
    /// Largest ratio of a map.
    pub scale_max: f64,
    /// Largest shift of a map along an axis.
    pub translation_range: f64,
    /// Smallest box of the box counting, cells; not used by the generator.
    pub min_box_size: u64,
    /// Number of box sizes; not used by the generator.
    pub num_scales: u64,
}

impl Default for FractalConfig {
    fn default() -> Self {
        Self {
            num_points: 10_000,
            num_transforms: 4,
            scale_min: 0.2,
            scale_max: 0.5,
            translation_range: 1.0,
            min_box_size: 2,
            num_scales: 5,
        }
    }
}

impl FractalConfig {
    /// Checks every number and reports every fault at once.
    ///
    /// # Errors
    /// [`IfsError::ScaleStability`], [`IfsError::Parameters`] or [`IfsError::ScaleRange`].
    pub fn validate(&self) -> Result<(), IfsError> {
        if self.scale_max >= 1.0 {
            return Err(IfsError::ScaleStability { value: self.scale_max });
        }
        SpecFault::check_table(&FRACTAL_TABLE, |field| {
            Some(match field {
                "num_points" => self.num_points as f64,
                "num_transforms" => self.num_transforms as f64,
                "scale_min" => self.scale_min,
                "scale_max" => self.scale_max,
                "translation_range" => self.translation_range,
                "min_box_size" => self.min_box_size as f64,
                _ => self.num_scales as f64,
            })
        })?;
        if self.scale_min > self.scale_max {
            return Err(IfsError::ScaleRange { min: self.scale_min, max: self.scale_max });
        }
        Ok(())
    }
}

/// Maps and orbit of the generator.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The maps, all similarities.
    pub maps: Vec<AffineMap>,
    /// The orbit (x, y), without the origin where it begins.
    pub points: Vec<[f64; 2]>,
    /// Mean of ln |det| over the maps applied; v4.1's `lyapunov_exponent`. Determinants of at most
    /// 1e-10 add 0.
    pub mean_log_area_change: f64,
    /// Largest magnitude of a coordinate; v4.1's `max_point_distance`.
    pub distance_max: f64,
}

impl Generated {
    /// The maps as a system, equally probable.
    ///
    /// # Errors
    /// As [`Ifs::new`]; maps drawn with a configuration that is accepted are.
    pub fn ifs(&self) -> Result<Ifs, IfsError> {
        Ifs::new(self.maps.clone())
    }
}

/// `FractalGrowthEngine.generate_ifs` of v4.1: draws the maps, then the orbit, from `generator`.
///
/// # Errors
/// A refused configuration, before anything is drawn; [`IfsError::Unbounded`] when the orbit
/// reaches 100 along an axis.
pub fn generate_ifs(generator: &mut Generator, config: &FractalConfig) -> Result<Generated, IfsError> {
    config.validate()?;
    let generated = draw(generator, config);
    if generated.distance_max >= DISTANCE_MAX {
        return Err(IfsError::Unbounded { distance: generated.distance_max });
    }
    Ok(generated)
}

/// `model.generate_fractal_ifs` of v4.1: scales in [0.2, 0.5), shifts in [-1, 1), and no check of
/// how far the orbit reaches, which is less than 3. Memory: 16 bytes a point.
///
/// # Errors
/// [`IfsError::Parameters`] outside [`MODEL_IFS_TABLE`].
pub fn generate_fractal_ifs(
    generator: &mut Generator,
    num_points: u64,
    num_transforms: u64,
) -> Result<Generated, IfsError> {
    SpecFault::check_table(&MODEL_IFS_TABLE, |field| {
        Some(if field == "num_points" { num_points as f64 } else { num_transforms as f64 })
    })?;
    Ok(draw(generator, &FractalConfig { num_points, num_transforms, ..FractalConfig::default() }))
}

fn draw(generator: &mut Generator, config: &FractalConfig) -> Generated {
    let reach = config.translation_range;
    let maps: Vec<AffineMap> = (0..config.num_transforms)
        .map(|_| {
            let scale = generator.uniform(config.scale_min, config.scale_max);
            let angle = generator.uniform(0.0, 2.0 * PI);
            let e = generator.uniform(-reach, reach);
            let f = generator.uniform(-reach, reach);
            let (sine, cosine) = (angle.sin(), angle.cos());
            AffineMap::new([scale * cosine, -scale * sine, scale * sine, scale * cosine, e, f])
        })
        .collect();
    let mut point = [0.0; 2];
    let mut log_areas = 0.0;
    let points: Vec<[f64; 2]> = (0..config.num_points)
        .map(|_| {
            let map = &maps[generator.integer_below(config.num_transforms) as usize];
            point = map.apply(point);
            let area = map.determinant().abs();
            if area > DETERMINANT_MIN {
                log_areas += area.ln();
            }
            point
        })
        .collect();
    let distance_max = points.iter().flatten().fold(0.0, |max: f64, coordinate| max.max(coordinate.abs()));
    Generated { maps, points, mean_log_area_change: log_areas / config.num_points as f64, distance_max }
}
