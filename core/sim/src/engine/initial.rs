//! What the fields are before the first step.
//!
//! The potential is drawn first, then the activator, then the inhibitor, each for the whole
//! grid row by row, also when the reaction is off.

use super::constants::{INITIAL_MORPHOGEN_MAX, REST_DEVIATION_V, REST_MEAN_V};
use super::grid::Fields;
use super::random::Randomness;
use crate::real::Real;
use crate::rng::Stream;
use crate::simd::Aligned;
use crate::spec::{InitialCondition, Spec};

/// Longest side of an initial patch, cells.
const PATCH_SIDE_CELLS: usize = 10;
/// One patch for each this many cells, at least one.
const CELLS_PER_PATCH: usize = 1024;
/// Autocatalyst and substrate in a patch (Pearson, 1993).
const PATCH_STATE: (f64, f64) = (0.25, 0.5);

/// The initial fields of a validated specification.
pub(crate) fn fields<T: Real>(spec: &Spec, random: &mut Randomness) -> Fields<T> {
    let cells = spec.rows() * spec.cols();
    let potential = random.normals(Stream::Potential, cells, REST_MEAN_V, REST_DEVIATION_V);
    let states = spec.kinetics.steady_states();
    // Validation refuses a condition that needs a state which the kinetics does not have.
    let (state, patched) = match spec.initial_condition {
        InitialCondition::Random => {
            let activator = random.uniforms(Stream::Activator, cells, INITIAL_MORPHOGEN_MAX);
            let inhibitor = random.uniforms(Stream::Inhibitor, cells, INITIAL_MORPHOGEN_MAX);
            return Fields { potential, activator, inhibitor };
        }
        InitialCondition::Steady => (states.first().copied().unwrap_or_default(), false),
        InitialCondition::Seeded => (states.last().copied().unwrap_or_default(), true),
    };
    let mut activator: Aligned<T> = random.normals(Stream::Activator, cells, state.0, spec.initial_noise);
    let mut inhibitor: Aligned<T> = random.normals(Stream::Inhibitor, cells, state.1, spec.initial_noise);
    if patched {
        let shift = (T::of(PATCH_STATE.0 - state.0), T::of(PATCH_STATE.1 - state.1));
        for_each_patched_cell(spec.rows(), spec.cols(), random, |cell| {
            activator[cell] += shift.0;
            inhibitor[cell] += shift.1;
        });
    }
    Fields { potential, activator, inhibitor }
}

/// Visits every cell of the patches once.
fn for_each_patched_cell(rows: usize, columns: usize, random: &mut Randomness, mut visit: impl FnMut(usize)) {
    let mut patched = vec![false; rows * columns];
    let (height, width) = (rows.min(PATCH_SIDE_CELLS), columns.min(PATCH_SIDE_CELLS));
    let patches = (rows * columns).div_ceil(CELLS_PER_PATCH);
    for patch in 0..patches as u64 {
        let top = random.patch_place(2 * patch, rows - height + 1);
        let left = random.patch_place(2 * patch + 1, columns - width + 1);
        for row in top..top + height {
            patched[row * columns + left..row * columns + left + width].fill(true);
        }
    }
    for (cell, _) in patched.iter().enumerate().filter(|(_, patched)| **patched) {
        visit(cell);
    }
}
