//! Errors of the simulation: what was refused, what was allowed, what to do.

use std::fmt;

use crate::bounds::{Bound, Upper};

/// How a value of a specification is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Outside the allowed range (MFN 4.1: `ValueOutOfRangeError`).
    OutOfRange,
    /// At or above the stability limit of the explicit scheme (MFN 4.1: `StabilityError`).
    Stability,
    /// NaN or infinite. MFN 4.1 accepted NaN for the three diffusion coefficients.
    NotFinite,
    /// Does not go together with another choice.
    Incompatible {
        /// The choice as given, if it is a name and not a number.
        given: Option<&'static str>,
        /// The other choice.
        with: &'static str,
        /// What would go with it.
        needed: &'static str,
    },
}

/// One refused value.
#[derive(Debug, Clone, PartialEq)]
pub struct SpecFault {
    /// How the value is wrong.
    pub kind: FaultKind,
    /// The value as given. Whole numbers above 2^53 are rounded.
    pub value: f64,
    /// The row of the table that it breaks.
    pub bound: &'static Bound,
}

impl SpecFault {
    /// Checks one value against its row.
    pub(crate) fn check(bound: &'static Bound, value: f64) -> Option<Self> {
        let kind = if !value.is_finite() {
            FaultKind::NotFinite
        } else if bound.contains(value) {
            return None;
        } else if bound.upper == Upper::Stability && value >= bound.max {
            FaultKind::Stability
        } else {
            FaultKind::OutOfRange
        };
        Some(Self { kind, value, bound })
    }

    /// The faults of the values of all rows for which `value_of` has one.
    pub(crate) fn faults_of(table: &'static [Bound], value_of: impl Fn(&str) -> Option<f64>) -> Vec<Self> {
        table.iter().filter_map(|bound| Self::check(bound, value_of(bound.field)?)).collect()
    }

    /// Checks the values of all rows for which `value_of` has one.
    pub(crate) fn check_table(
        table: &'static [Bound],
        value_of: impl Fn(&str) -> Option<f64>,
    ) -> Result<(), SpecError> {
        SpecError::of(Self::faults_of(table, value_of))
    }

    /// Name of the refused field.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.bound.field
    }

    /// What to do about it, as a sentence without a full stop.
    #[must_use]
    pub fn advice(&self) -> String {
        match self.kind {
            FaultKind::NotFinite => format!("give a finite number in {}", self.bound),
            FaultKind::Stability => format!(
                "reduce it below {}, the limit above which the explicit scheme diverges",
                self.bound.max
            ),
            FaultKind::OutOfRange => {
                let whole = if self.bound.integer { "a whole number" } else { "a number" };
                format!("give {whole} in {} ({})", self.bound, self.bound.meaning)
            }
            FaultKind::Incompatible { needed, .. } => needed.to_owned(),
        }
    }
}

impl SpecFault {
    /// What is wrong, without the name of the field and without advice: `0.3 is outside [0, 0.25)`.
    #[must_use]
    pub fn finding(&self) -> String {
        let Self { value, bound, kind } = self;
        match kind {
            FaultKind::Incompatible { given: Some(given), with, .. } => {
                format!("{given} does not go with {with}")
            }
            FaultKind::Incompatible { given: None, with, .. } => format!("{value} does not go with {with}"),
            _ if bound.unit == "1" => format!("{value} is outside {bound}"),
            _ => format!("{value} is outside {bound} {}", bound.unit),
        }
    }
}

impl fmt::Display for SpecFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.field(), self.finding(), self.advice())
    }
}

/// Everything that is wrong with a specification, at once.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct SpecError {
    faults: Vec<SpecFault>,
}

impl SpecError {
    /// An error if there are faults.
    pub(crate) fn of(faults: Vec<SpecFault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self { faults }) }
    }

    /// The faults in the order of the table of bounds; never empty.
    #[must_use]
    pub fn faults(&self) -> &[SpecFault] {
        &self.faults
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// Why an initial field was refused. The simulation is as it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InitialFieldError {
    /// The field does not have the shape of the grid.
    #[error(
        "initial field has shape {given_rows} x {given_columns}, the grid is {rows} x {columns}: \
         give a field of the grid's shape or change grid_size"
    )]
    Shape {
        /// Rows of the field given.
        given_rows: usize,
        /// Columns of the field given.
        given_columns: usize,
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        columns: usize,
    },
    /// A cell is NaN or infinite.
    #[error("initial field has {value} at row {row}, column {column}: give finite potentials in volts")]
    NotFinite {
        /// Row of the first such cell.
        row: usize,
        /// Column of the first such cell.
        column: usize,
        /// Its value.
        value: f64,
    },
    /// The simulation has already advanced.
    #[error("initial field given after {step_count} steps: give it before the first step")]
    Started {
        /// Steps done.
        step_count: u64,
    },
}

/// Why a map of coefficients was refused. The simulation is as it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The map does not have the shape of the grid.
    #[error(
        "map of {name} has shape {given_rows} x {given_columns}, the grid is {rows} x {columns}: \
         give a map of the grid's shape"
    )]
    Shape {
        /// The coefficient.
        name: &'static str,
        /// Rows of the map given.
        given_rows: usize,
        /// Columns of the map given.
        given_columns: usize,
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        columns: usize,
    },
    /// A cell is out of range.
    #[error("map has {value} at row {row}, column {column}: {fault}")]
    Cell {
        /// Row of the first such cell.
        row: usize,
        /// Column of the first such cell.
        column: usize,
        /// Its value.
        value: f64,
        /// What is wrong with it, for a diffusion coefficient times the time step.
        fault: SpecFault,
    },
}

/// Errors of a [`Simulation`](crate::Simulation).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The specification is refused.
    #[error("invalid specification: {0}")]
    Spec(#[from] SpecError),
    /// The initial field is refused.
    #[error(transparent)]
    InitialField(#[from] InitialFieldError),
    /// The feature configuration is refused.
    #[error(transparent)]
    Features(#[from] crate::features::FeatureError),
    /// A map is refused.
    #[error(transparent)]
    Map(#[from] MapError),
    /// How steps are to be carried out is refused.
    #[error(transparent)]
    Execution(#[from] crate::engine::ExecutionError),
    /// A state is not that of a run.
    #[error(transparent)]
    State(#[from] crate::engine::StateError),
    /// The grid does not fit into the address space.
    #[error("the run needs {bytes} bytes of memory, more than this machine can address: use a smaller grid")]
    Memory {
        /// Bytes needed.
        bytes: u64,
    },
    /// Kinetics of the host given to a run that has another one.
    #[error("the kinetics of this run is {kinetics}: give \"host\" in the specification")]
    NoHostKinetics {
        /// The kinetics of the specification.
        kinetics: &'static str,
    },
    /// The host's kinetics failed. The step was discarded.
    #[error("the host's kinetics failed at step {step}: {failure}; the step was discarded")]
    HostReaction {
        /// Index of the discarded step, counted from 0.
        step: u64,
        /// What the host said.
        failure: crate::kinetics::HostReactionError,
    },
    /// A step became numerically unstable. It was discarded: the fields, the counters and
    /// the random stream are those of the last good step.
    #[error(
        "numerical instability at step {step}: {field} has {nan_count} NaN and {inf_count} infinite cells; \
         the step was discarded, check the initial field and the parameters"
    )]
    Unstable {
        /// Index of the discarded step, counted from 0; equals the number of steps kept.
        step: u64,
        /// `field`, `activator` or `inhibitor`: the first of them that went wrong.
        field: &'static str,
        /// NaN cells in it.
        nan_count: u64,
        /// Infinite cells in it.
        inf_count: u64,
    },
}

/// The first field with values that are not finite, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} has {nan_count} NaN and {inf_count} infinite cells")]
pub struct Instability {
    /// `field`, `activator` or `inhibitor`.
    pub field: &'static str,
    /// NaN cells in it.
    pub nan_count: u64,
    /// Infinite cells in it.
    pub inf_count: u64,
}
