//! Which of the three fields of a run are recorded.

use ndarray::{ArrayView2, CowArray, Ix2};

use super::error::RecordError;
use crate::engine::Simulation;

/// One of the three fields of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Plane {
    /// The membrane potential, V.
    Potential,
    /// The activator.
    Activator,
    /// The inhibitor.
    Inhibitor,
}

impl Plane {
    /// All planes, in the order in which a simulation keeps them.
    pub const ALL: [Self; 3] = [Self::Potential, Self::Activator, Self::Inhibitor];

    /// The name in files, command lines and errors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Potential => "field",
            Self::Activator => "activator",
            Self::Inhibitor => "inhibitor",
        }
    }

    /// The plane of a name; `None` for another text.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plane| plane.name() == name)
    }

    /// This plane of a run: borrowed, or widened from single precision.
    #[must_use]
    pub fn of(self, simulation: &Simulation) -> CowArray<'_, f64, Ix2> {
        match self {
            Self::Potential => simulation.field(),
            Self::Activator => simulation.activator(),
            Self::Inhibitor => simulation.inhibitor(),
        }
    }

    /// This plane of a run in single precision; `None` for a run in double precision.
    #[must_use]
    pub fn of_f32(self, simulation: &Simulation) -> Option<ArrayView2<'_, f32>> {
        match self {
            Self::Potential => simulation.field_f32(),
            Self::Activator => simulation.activator_f32(),
            Self::Inhibitor => simulation.inhibitor_f32(),
        }
    }
}

/// A set of planes, not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneSet([bool; 3]);

impl PlaneSet {
    /// All three.
    pub const ALL: Self = Self([true; 3]);

    /// The set of some planes; naming one twice is naming it once.
    ///
    /// # Errors
    /// [`RecordError::NoPlanes`] for none.
    pub fn new(planes: &[Plane]) -> Result<Self, RecordError> {
        if planes.is_empty() {
            return Err(RecordError::NoPlanes);
        }
        Ok(Self(Plane::ALL.map(|plane| planes.contains(&plane))))
    }

    /// How many there are, 1 to 3.
    #[must_use]
    pub fn count(self) -> usize {
        self.iter().count()
    }

    /// The planes in the order of [`Plane::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Plane> {
        Plane::ALL.into_iter().zip(self.0).filter_map(|(plane, is_in)| is_in.then_some(plane))
    }

    /// The place of a plane among those of the set; `None` for one that is not in it.
    #[must_use]
    pub fn position(self, plane: Plane) -> Option<usize> {
        self.iter().position(|other| other == plane)
    }
}

impl From<Plane> for PlaneSet {
    fn from(plane: Plane) -> Self {
        Self(Plane::ALL.map(|other| other == plane))
    }
}
