//! The grid operators on the smallest grids and on input they refuse.

use mfn_sim::BoundaryCondition::{self, Dirichlet, Neumann, Periodic};
use mfn_sim::operators::{
    OperatorError, StepParameters, clamp_field, full_step, gradient, laplacian, statistics,
};
use mfn_sim::rng::Generator;
use mfn_sim::{FaultKind, Spec};
use ndarray::{Array2, array};

/// Guards rows and columns too short to have an inner part.
#[test]
fn laplacians_of_tiny_grids() {
    let of = |field: &Array2<f64>, boundary: BoundaryCondition| {
        laplacian(field.view(), boundary).expect("finite").into_iter().collect::<Vec<f64>>()
    };
    let one = array![[3.0]];
    assert_eq!([Periodic, Neumann, Dirichlet].map(|b| of(&one, b)), [[0.0], [0.0], [-12.0]]);
    let two = array![[1.0, 2.0]];
    assert_eq!(of(&two, Periodic), [2.0, -2.0]);
    assert_eq!(of(&two, Neumann), [1.0, -1.0]);
    assert_eq!(of(&two, Dirichlet), [-2.0, -7.0]);
    let three = array![[1.0], [2.0], [4.0]];
    assert_eq!(of(&three, Periodic), [4.0, 1.0, -5.0]);
    assert_eq!(of(&three, Neumann), [1.0, 1.0, -2.0]);
    assert_eq!(of(&three, Dirichlet), [-2.0, -3.0, -14.0]);
}

/// Guards the gradient where there is nothing to take a difference with.
#[test]
fn gradients_of_tiny_grids() {
    for boundary in [Periodic, Neumann, Dirichlet] {
        let result = gradient(array![[3.0, 5.0]].view(), boundary).expect("finite");
        let wanted = if boundary == Periodic { [0.0, 0.0] } else { [2.0, 2.0] };
        assert_eq!(result.along_columns.into_iter().collect::<Vec<f64>>(), wanted);
        assert_eq!(result.along_rows, Array2::<f64>::zeros((1, 2)));
    }
}

/// Guards the refusals, and that a refused clamp changes nothing.
#[test]
fn bad_input_is_refused() {
    let empty = Array2::<f64>::zeros((0, 3));
    assert!(matches!(laplacian(empty.view(), Periodic), Err(OperatorError::Empty { rows: 0, .. })));
    assert!(statistics(empty.view()).mean.is_nan());
    let bad = array![[1.0, f64::NAN], [f64::INFINITY, 0.0]];
    assert!(matches!(gradient(bad.view(), Neumann), Err(OperatorError::NotFinite { row: 0, column: 1, .. })));
    let found = statistics(bad.view());
    assert_eq!((found.nan_count, found.inf_count, found.finite_fraction), (1, 1, 0.5));
    let mut field = array![[1.0, 5.0, f64::NAN]];
    for (min, max) in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::NAN)] {
        assert!(matches!(clamp_field(field.view_mut(), min, max), Err(OperatorError::ClampRange { .. })));
    }
    assert_eq!(field[[0, 1]], 5.0);
    assert_eq!(clamp_field(field.view_mut(), 2.0, 4.0), Ok(2));
    assert_eq!((field[[0, 0]], field[[0, 1]], field[[0, 2]].is_nan()), (2.0, 4.0, true));
}

/// Guards the step on foreign arrays: refusals leave arrays and stream as they were, and any
/// shape works.
#[test]
fn refused_steps_change_nothing() {
    let parameters = StepParameters { spike_probability: 1.0, ..StepParameters::from(&Spec::v4_1()) };
    let rest = Array2::from_elem((1, 3), -0.07);
    let half = Array2::from_elem((1, 3), 0.5);
    let mut generator = Generator::new(7);
    let before = generator.clone();
    let mut attempt = |v: &Array2<f64>, a: &Array2<f64>, parameters: &StepParameters| {
        let (mut potential, mut activator, mut inhibitor) = (v.clone(), a.clone(), half.clone());
        let result = full_step(&mut potential, &mut activator, &mut inhibitor, parameters, &mut generator);
        if result.is_err() {
            assert_eq!((&potential, &activator, &generator), (v, a, &before));
        }
        result
    };
    let refused = StepParameters { alpha: 0.25, r_activator: f64::NAN, ..parameters };
    let Err(OperatorError::Parameters(error)) = attempt(&rest, &half, &refused) else {
        panic!("two faults");
    };
    let kinds: Vec<FaultKind> = error.faults().iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Stability, FaultKind::NotFinite]);
    let wrong = attempt(&rest, &Array2::zeros((3, 1)), &parameters);
    assert!(matches!(wrong, Err(OperatorError::Shape { name: "activator", rows: 3, .. })));
    let overflowing = attempt(&Array2::from_elem((1, 3), 1e308), &half, &parameters);
    assert!(matches!(overflowing, Err(OperatorError::Unstable(found)) if found.nan_count > 0));
    assert!(attempt(&rest, &half, &parameters).is_ok_and(|events| events.growth_event));
}

/// Guards the strictness of the threshold: an activator exactly at it is not active.
#[test]
fn the_threshold_itself_does_not_activate() {
    let parameters = StepParameters {
        alpha: 0.0,
        d_activator: 0.0,
        r_activator: 0.0,
        turing_threshold: 0.5,
        spike_probability: 0.0,
        ..StepParameters::from(&Spec::v4_1())
    };
    let mut potential = Array2::from_elem((1, 2), -0.07);
    let mut activator = array![[0.5, 0.5 + f64::EPSILON]];
    let mut inhibitor = Array2::zeros((1, 2));
    let mut generator = Generator::new(1);
    let events = full_step(&mut potential, &mut activator, &mut inhibitor, &parameters, &mut generator);
    assert_eq!(events.map(|events| events.turing_activations), Ok(1));
    assert_eq!(potential, array![[-0.07, -0.07 + 0.005]]);
}
