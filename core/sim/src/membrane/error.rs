//! What the membrane functions refuse.

use super::ode::OdeError;
use crate::error::{SpecError, SpecFault};

/// Errors of Nernst and GHK potentials and of [`MembraneConfig`](super::MembraneConfig). Outputs
/// are left as they were.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MembraneError {
    /// A concentration, a temperature or a field of a configuration is refused.
    #[error("invalid membrane parameters: {0}")]
    Parameters(#[from] SpecError),
    /// No such ion.
    #[error("valence = {value}: give {allowed}")]
    Valence {
        /// The valence given.
        value: i32,
        /// The valences allowed, in words.
        allowed: &'static str,
    },
    /// An element of an array is refused.
    #[error("element {index}: {fault}")]
    Element {
        /// Its index.
        index: usize,
        /// What is wrong with it.
        fault: SpecFault,
    },
    /// Arrays of different lengths.
    #[error(
        "{outside} concentrations outside, {inside} inside, {potentials} potentials: give arrays of one length"
    )]
    Length {
        /// Elements of the array of concentrations outside.
        outside: usize,
        /// Elements of the array of concentrations inside.
        inside: usize,
        /// Elements of the array for the result.
        potentials: usize,
    },
    /// A result is not finite. Only v4.1's rules come here: the others refuse such input.
    #[error(
        "the potential has {nan_count} NaN and {inf_count} infinite elements: give finite concentrations and a finite temperature"
    )]
    NotFinite {
        /// Elements that are NaN.
        nan_count: u64,
        /// Elements that are infinite.
        inf_count: u64,
    },
    /// The GHK equation has no finite solution.
    #[error(
        "no permeant ion can move {direction}, so the potential is infinite: give at least one ion with a \
         permeability and a concentration above 0 on that side"
    )]
    OneSided {
        /// Which of the two charge movements is impossible.
        direction: &'static str,
    },
    /// The clamp of a configuration has no room.
    #[error(
        "potential_min_v = {min} V and potential_max_v = {max} V: give potential_min_v < potential_max_v"
    )]
    PotentialRange {
        /// Lower end, V.
        min: f64,
        /// Upper end, V.
        max: f64,
    },
    /// The integration failed.
    #[error(transparent)]
    Ode(#[from] OdeError),
}
