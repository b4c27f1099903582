//! Properties of the engine over the whole range of specifications.

use std::ops::ControlFlow;

use mfn_sim::bounds::V4_1_TABLE;
use mfn_sim::rng::Generator;
use mfn_sim::{BoundaryCondition, RunEnd, Simulation, Spec};
use ndarray::Array2;
use proptest::prelude::*;

const BOUNDARIES: [BoundaryCondition; 3] =
    [BoundaryCondition::Periodic, BoundaryCondition::Neumann, BoundaryCondition::Dirichlet];

fn within(field: &str) -> std::ops::Range<f64> {
    let bound = V4_1_TABLE.iter().find(|bound| bound.field == field).expect("a row");
    bound.min..bound.max
}

prop_compose! {
    /// Any accepted specification of a small grid.
    fn specs()(
        grid_size in 4usize..24,
        random_seed in any::<u64>(),
        alpha in within("alpha"),
        spike_probability in within("spike_probability"),
        (turing_enabled, quantum_jitter) in any::<(bool, bool)>(),
        turing_threshold in within("turing_threshold"),
        jitter_var in within("jitter_var"),
        d_activator in within("d_activator"),
        d_inhibitor in within("d_inhibitor"),
        r_activator in within("r_activator"),
        r_inhibitor in within("r_inhibitor"),
        boundary in 0..BOUNDARIES.len(),
    ) -> Spec {
        Spec {
            grid_size,
            steps: 40,
            random_seed,
            alpha,
            spike_probability,
            turing_enabled,
            turing_threshold,
            quantum_jitter,
            jitter_var,
            d_activator,
            d_inhibitor,
            r_activator,
            r_inhibitor,
            boundary_condition: BOUNDARIES[boundary],
            ..Spec::v4_1()
        }
    }
}

/// The engine as a page of a textbook: one cell at a time, neighbours by index arithmetic, new
/// arrays in every step. Slow, and written without a look at the row kernel.
struct Textbook {
    spec: Spec,
    v: Array2<f64>,
    a: Array2<f64>,
    i: Array2<f64>,
    generator: Generator,
}

impl Textbook {
    fn new(spec: &Spec) -> Self {
        let side = spec.grid_size;
        let mut generator = Generator::new(spec.random_seed);
        let mut grid = |draw: &mut dyn FnMut(&mut Generator) -> f64| {
            Array2::from_shape_simple_fn((side, side), || draw(&mut generator))
        };
        let v = grid(&mut |generator| generator.normal(-0.070, 0.005));
        let a = grid(&mut |generator| generator.uniform(0.0, 0.1));
        let i = grid(&mut |generator| generator.uniform(0.0, 0.1));
        Self { spec: spec.clone(), v, a, i, generator }
    }

    /// The value at a place that may be one cell outside.
    fn at(&self, grid: &Array2<f64>, row: isize, column: isize) -> f64 {
        let side = self.spec.grid_size as isize;
        let inside = (0..side).contains(&row) && (0..side).contains(&column);
        let (row, column) = match self.spec.boundary_condition {
            BoundaryCondition::Periodic => (row.rem_euclid(side), column.rem_euclid(side)),
            BoundaryCondition::Neumann => (row.clamp(0, side - 1), column.clamp(0, side - 1)),
            BoundaryCondition::Dirichlet if !inside => return 0.0,
            BoundaryCondition::Dirichlet => (row, column),
        };
        grid[[row as usize, column as usize]]
    }

    fn laplacian(&self, grid: &Array2<f64>) -> Array2<f64> {
        Array2::from_shape_fn(grid.dim(), |(row, column)| {
            let (row, column) = (row as isize, column as isize);
            let (up, down) = (self.at(grid, row - 1, column), self.at(grid, row + 1, column));
            let (left, right) = (self.at(grid, row, column - 1), self.at(grid, row, column + 1));
            let neighbours = if self.spec.boundary_condition == BoundaryCondition::Dirichlet {
                ((down + up) + right) + left
            } else {
                ((up + down) + left) + right
            };
            neighbours - 4.0 * self.at(grid, row, column)
        })
    }

    fn step(&mut self) {
        let spec = &self.spec;
        let side = spec.grid_size as u64;
        if self.generator.random() < spec.spike_probability {
            let row = self.generator.integer_below(side) as usize;
            let column = self.generator.integer_below(side) as usize;
            self.v[[row, column]] += self.generator.normal(0.02, 0.005);
        }
        let mut v = &self.v + &(spec.alpha * &self.laplacian(&self.v));
        let (mut a, mut i) = (self.a.clone(), self.i.clone());
        if spec.turing_enabled {
            let (a_lap, i_lap) = (self.laplacian(&self.a), self.laplacian(&self.i));
            for cell in ndarray::indices(v.dim()) {
                let (a_old, i_old) = (self.a[cell], self.i[cell]);
                let mut a_change = spec.d_activator * a_lap[cell];
                a_change += spec.r_activator * (a_old * (1.0 - a_old) - i_old);
                let mut i_change = spec.d_inhibitor * i_lap[cell];
                i_change += spec.r_inhibitor * (a_old - i_old);
                if a_old + a_change > spec.turing_threshold {
                    v[cell] += 0.005;
                }
                a[cell] = (a_old + a_change).clamp(0.0, 1.0);
                i[cell] = (i_old + i_change).clamp(0.0, 1.0);
            }
        }
        if spec.quantum_jitter {
            let deviation = spec.jitter_var.sqrt();
            v.mapv_inplace(|value| value + self.generator.normal(0.0, deviation));
        }
        v.mapv_inplace(|value| value.clamp(-0.095, 0.040));
        (self.v, self.a, self.i) = (v, a, i);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Guards the fused kernel against the textbook, bit for bit, for every boundary, with and
    /// without reaction and noise; and the ranges that the clamps promise.
    #[test]
    fn the_engine_equals_the_textbook(spec in specs()) {
        let mut simulation = Simulation::new(spec.clone()).expect("accepted");
        let mut textbook = Textbook::new(&spec);
        let end = simulation.run(spec.steps, &mut |_| ControlFlow::Continue(()));
        prop_assert_eq!(end, Ok(RunEnd::Completed));
        for _ in 0..spec.steps {
            textbook.step();
        }
        for (actual, expected) in [
            (simulation.field(), &textbook.v),
            (simulation.activator(), &textbook.a),
            (simulation.inhibitor(), &textbook.i),
        ] {
            let bits = |cells: Vec<f64>| cells.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
            prop_assert_eq!(
                bits(actual.iter().copied().collect()),
                bits(expected.iter().copied().collect())
            );
        }
        let statistics = simulation.statistics();
        prop_assert!(statistics.field_min_v >= -0.095 && statistics.field_max_v <= 0.040);
        prop_assert_eq!(statistics.steps_computed, spec.steps);
        prop_assert!(statistics.growth_events <= spec.steps);
    }

    /// Guards the agreement of validation and table: a value is accepted exactly when its row
    /// contains it, and a refusal names the field.
    #[test]
    fn a_value_is_accepted_when_the_table_contains_it(
        spec in specs(),
        row in 0..V4_1_TABLE.len(),
        near in prop::num::f64::ANY,
        offset in prop::sample::select(vec![-1.0, -1e-12, 0.0, 1e-12, 1.0]),
        at_max in any::<bool>(),
        use_near in any::<bool>(),
    ) {
        let bound = &V4_1_TABLE[row];
        prop_assume!(!bound.integer);
        let value = if use_near { near } else { (if at_max { bound.max } else { bound.min }) + offset };
        let mut spec = spec;
        let target = match bound.field {
            "d_activator" => &mut spec.d_activator,
            "d_inhibitor" => &mut spec.d_inhibitor,
            "alpha" => &mut spec.alpha,
            "r_activator" => &mut spec.r_activator,
            "r_inhibitor" => &mut spec.r_inhibitor,
            "turing_threshold" => &mut spec.turing_threshold,
            "spike_probability" => &mut spec.spike_probability,
            "jitter_var" => &mut spec.jitter_var,
            other => panic!("{other} is not handled"),
        };
        *target = value;
        match spec.validate() {
            Ok(()) => prop_assert!(bound.contains(value)),
            Err(error) => {
                prop_assert!(!bound.contains(value));
                prop_assert_eq!(error.faults().len(), 1);
                prop_assert_eq!(error.faults()[0].field(), bound.field);
            }
        }
    }
}
