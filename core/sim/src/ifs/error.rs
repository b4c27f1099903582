//! What iterated function systems refuse.

use super::{CELLS_MAX, COEFFICIENT_MAX, MAPS_MAX, POINTS_MAX, SIDE_MAX_CELLS};
use crate::error::SpecError;

/// Errors of iterated function systems.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IfsError {
    /// No map, or too many.
    #[error("{count} maps: give 1 to {MAPS_MAX}")]
    MapCount {
        /// Maps given.
        count: usize,
    },
    /// A coefficient is NaN, infinite or huge.
    #[error("map {map}: {name} = {value}: give a number in [-{COEFFICIENT_MAX}, {COEFFICIENT_MAX}]")]
    Coefficient {
        /// Index of the map.
        map: usize,
        /// Its coefficient.
        name: char,
        /// The value.
        value: f64,
    },
    /// A map does not bring points nearer to each other, so there is no attractor.
    #[error(
        "map {map} stretches lengths by up to {factor}: give maps whose largest singular value is below 1"
    )]
    NotContractive {
        /// Index of the map.
        map: usize,
        /// Its largest singular value.
        factor: f64,
    },
    /// Another number of weights than of maps.
    #[error("{weights} weights for {maps} maps: give one for each map")]
    WeightCount {
        /// Weights given.
        weights: usize,
        /// Maps given.
        maps: usize,
    },
    /// A weight is refused.
    #[error("weight {index} = {value}: give a number in [0, 1e12]")]
    Weight {
        /// Its index.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// All weights are 0.
    #[error("all weights are 0: give at least one weight above 0")]
    NoWeight,
    /// Moran's equation holds for similarities only.
    #[error(
        "map {map} is no similarity: it changes lengths by factors from {smallest} to {largest}; \
         use the box-counting dimension of its points"
    )]
    NotSimilar {
        /// Index of the map.
        map: usize,
        /// Its largest singular value.
        largest: f64,
        /// Its smallest singular value.
        smallest: f64,
    },
    /// Too many points at once.
    #[error("{points} points: give at most {POINTS_MAX}")]
    Points {
        /// Points asked for.
        points: u64,
    },
    /// A number of a configuration is refused.
    #[error("invalid configuration: {0}")]
    Parameters(#[from] SpecError),
    /// v4.1: the upper end of the scales allows maps that do not contract.
    #[error(
        "scale_max = {value}: give a number below 1, since a map with a scale of 1 or more does not contract"
    )]
    ScaleStability {
        /// The value given.
        value: f64,
    },
    /// v4.1: the range of scales is empty.
    #[error("scale_min = {min} is above scale_max = {max}: give scale_min <= scale_max")]
    ScaleRange {
        /// Lower end.
        min: f64,
        /// Upper end.
        max: f64,
    },
    /// v4.1: a point left the square of half-width 100.
    #[error(
        "the points reach {distance} from the origin, v4.1 allows less than 100: give smaller scales or translations"
    )]
    Unbounded {
        /// Largest magnitude of a coordinate.
        distance: f64,
    },
    /// The window of a raster is empty or not finite.
    #[error("window x {x_min}..{x_max}, y {y_min}..{y_max}: give finite ends with min < max")]
    Window {
        /// Left end.
        x_min: f64,
        /// Right end.
        x_max: f64,
        /// Lower end.
        y_min: f64,
        /// Upper end.
        y_max: f64,
    },
    /// The shape of a raster.
    #[error("raster of {rows} x {cols}: give sides of 1 to {SIDE_MAX_CELLS} and at most {CELLS_MAX} cells")]
    RasterShape {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
}
