//! The model as a page of a textbook: slow, and as short as it can be.
#![allow(clippy::needless_range_loop, reason = "the plain loop reads as the equations do")]

use mfn_sim::kinetics::Kinetics;
use mfn_sim::rng::{Generator, Philox, Stream};
use mfn_sim::{BoundaryCondition, Coefficient, Real, Simulation, Spec};

use crate::draw::Case;

/// The three fields of a run, row by row, and its counters.
pub(crate) struct Plain<T> {
    pub(crate) fields: [Vec<T>; 3],
    pub(crate) growth_events: u64,
    pub(crate) activations: u64,
    pub(crate) clamps: u64,
    step: u64,
    generator: Option<Generator>,
}

/// Rates of the host's kinetics in the test.
pub(crate) fn oscillator(u: f64, v: f64) -> (f64, f64) {
    (0.3 * v - 0.1 * u * u, 0.2 - 0.3 * u)
}

fn moved<T: Real>(value: T, low: f64, high: f64) -> T {
    if value < T::of(low) {
        T::of(low)
    } else if value > T::of(high) {
        T::of(high)
    } else {
        value
    }
}

/// The rates without factors, in the order of operations that the documents give.
fn rates<T: Real>(kinetics: Kinetics, u: T, v: T) -> (T, T) {
    let n = T::of;
    match kinetics {
        Kinetics::V4_1 => (u * (n(1.0) - u) - v, u - v),
        Kinetics::GrayScott(p) => {
            let c = (u * u) * v;
            (c - (n(p.feed) + n(p.kill)) * u, n(p.feed) * (n(1.0) - v) - c)
        }
        Kinetics::Schnakenberg(p) => {
            let c = (u * u) * v;
            ((n(p.a) - u) + c, n(p.b) - c)
        }
        Kinetics::GiererMeinhardt(p) => {
            let w = u * u;
            let production = w / (v * (n(1.0) + n(p.saturation) * w));
            ((n(p.source) - n(p.decay_activator) * u) + production, w - n(p.decay_inhibitor) * v)
        }
        Kinetics::FitzHughNagumo(p) => {
            let cube = (u * u) * u;
            let f = ((u - n(1.0 / 3.0) * cube) - v) + n(p.current);
            (f, n(p.epsilon) * ((u + n(p.a)) - n(p.b) * v))
        }
        Kinetics::Brusselator(p) => {
            let c = (u * u) * v;
            ((n(p.a) - (n(p.b) + n(1.0)) * u) + c, n(p.b) * u - c)
        }
        Kinetics::Host => {
            let (f, g) = oscillator(u.wide(), v.wide());
            (n(f), n(g))
        }
        other => panic!("{other} has no plain form here"),
    }
}

/// The index of a neighbour; `None` outside a Dirichlet grid.
fn neighbour(spec: &Spec, row: i64, column: i64) -> Option<usize> {
    let (rows, columns) = (spec.rows() as i64, spec.cols() as i64);
    let inside = (0..rows).contains(&row) && (0..columns).contains(&column);
    let (row, column) = match spec.boundary_condition {
        BoundaryCondition::Periodic => (row.rem_euclid(rows), column.rem_euclid(columns)),
        BoundaryCondition::Neumann => (row.clamp(0, rows - 1), column.clamp(0, columns - 1)),
        BoundaryCondition::Dirichlet if inside => (row, column),
        BoundaryCondition::Dirichlet => return None,
    };
    Some((row * columns + column) as usize)
}

impl<T: Real> Plain<T> {
    pub(crate) fn of(case: &Case, simulation: &Simulation) -> Self {
        let cells =
            |field: ndarray::CowArray<'_, f64, ndarray::Ix2>| field.iter().map(|&x| T::of(x)).collect();
        Self {
            fields: [cells(simulation.field()), cells(simulation.activator()), cells(simulation.inhibitor())],
            growth_events: 0,
            activations: 0,
            clamps: 0,
            step: 0,
            generator: simulation.state().pcg64.map(|at| Generator::at(case.spec.random_seed, at)),
        }
    }

    /// The diffusion term of a field in a cell.
    fn diffusion(&self, case: &Case, field: usize, cell: usize, everywhere: f64) -> T {
        let spec = &case.spec;
        let (row, column) = ((cell / spec.cols()) as i64, (cell % spec.cols()) as i64);
        let (up, down) = ((row - 1, column), (row + 1, column));
        let (left, right) = ((row, column - 1), (row, column + 1));
        let order = match spec.boundary_condition {
            BoundaryCondition::Dirichlet => [up, down, right, left],
            _ => [up, down, left, right],
        };
        let here = self.fields[field][cell];
        let around = order.map(|(row, column)| neighbour(spec, row, column));
        let value = |at: Option<usize>| at.map_or(T::ZERO, |at| self.fields[field][at]);
        let name = [Coefficient::Alpha, Coefficient::DActivator, Coefficient::DInhibitor][field];
        match case.maps.iter().find(|(other, _)| *other == name) {
            None => {
                let [a, b, c, d] = around.map(value);
                T::of(everywhere) * ((((a + b) + c) + d) - T::of(4.0) * here)
            }
            Some((_, map)) => {
                let map: Vec<f64> = map.iter().copied().collect();
                let d_here = T::of(map[cell]);
                let [a, b, c, d] = around.map(|at| {
                    let d_there = at.map_or(d_here, |at| T::of(map[at]));
                    (T::of(0.5) * (d_here + d_there)) * (value(at) - here)
                });
                ((a + b) + c) + d
            }
        }
    }

    fn factor(case: &Case, name: Coefficient, cell: usize, everywhere: f64) -> T {
        let map = case.maps.iter().find(|(other, _)| *other == name);
        T::of(map.map_or(everywhere, |(_, map)| map[[cell / case.spec.cols(), cell % case.spec.cols()]]))
    }

    /// One step; `false` when it gave values that are not finite and was forgotten, as the specification wants.
    pub(crate) fn step(&mut self, case: &Case) -> bool {
        let spec = &case.spec;
        let cells = spec.rows() * spec.cols();
        let before = (self.fields[0].clone(), self.generator.clone());
        let probability = spec.time_step * spec.spike_probability;
        let spike = match &mut self.generator {
            Some(generator) => (generator.random() < probability).then(|| {
                let row = generator.integer_below(spec.rows() as u64) as usize;
                let column = generator.integer_below(spec.cols() as u64) as usize;
                (row * spec.cols() + column, generator.normal(0.02, 0.005))
            }),
            None => {
                let philox = Philox::new(spec.random_seed, Stream::Events, self.step);
                (philox.uniforms(0)[0] < probability).then(|| {
                    let cell = (u128::from(philox.words(0)[1]) * cells as u128) >> 64;
                    (cell as usize, 0.02 + 0.005 * philox.normals(1)[0])
                })
            }
        };
        if let Some((cell, volts)) = spike {
            self.fields[0][cell] += T::of(volts);
        }
        let dt = T::of(spec.time_step);
        let mut next = self.fields.clone();
        let (mut activations, mut clamps) = (0, 0);
        for cell in 0..cells {
            let v_old = self.fields[0][cell];
            let mut change = self.diffusion(case, 0, cell, spec.alpha);
            if spec.leak_rate != 0.0 {
                change += T::of(spec.leak_rate) * (T::of(-0.070) - v_old);
            }
            next[0][cell] = v_old + dt * change;
            if spec.turing_enabled {
                let (a, i) = (self.fields[1][cell], self.fields[2][cell]);
                let (f, g) = rates(spec.kinetics, a, i);
                let r_a = Self::factor(case, Coefficient::RActivator, cell, spec.r_activator);
                let r_i = Self::factor(case, Coefficient::RInhibitor, cell, spec.r_inhibitor);
                let a_change = self.diffusion(case, 1, cell, spec.d_activator) + r_a * f;
                let i_change = self.diffusion(case, 2, cell, spec.d_inhibitor) + r_i * g;
                (next[1][cell], next[2][cell]) = (a + dt * a_change, i + dt * i_change);
                if next[1][cell] > T::of(spec.turing_threshold) {
                    next[0][cell] += T::of(spec.time_step * 0.005);
                    activations += 1;
                }
                if spec.kinetics == Kinetics::V4_1 {
                    next[1][cell] = moved(next[1][cell], 0.0, 1.0);
                    next[2][cell] = moved(next[2][cell], 0.0, 1.0);
                }
            }
        }
        let deviation = (spec.time_step * spec.jitter_var).sqrt();
        let noise = Philox::new(spec.random_seed, Stream::Noise, self.step);
        for cell in 0..cells {
            if spec.quantum_jitter {
                next[0][cell] += match &mut self.generator {
                    Some(generator) => T::of(generator.normal(0.0, deviation)),
                    None => T::of(deviation * noise.normals(cell as u64 / 2)[cell % 2]),
                };
            }
            let kept = moved(next[0][cell], -0.095, 0.040);
            clamps += u64::from(kept != next[0][cell]);
            next[0][cell] = kept;
        }
        if spec.check_stability && next.iter().flatten().any(|value| !value.is_finite()) {
            (self.fields[0], self.generator) = before;
            return false;
        }
        self.fields = next;
        self.growth_events += u64::from(spike.is_some());
        self.activations += activations;
        self.clamps += clamps;
        self.step += 1;
        true
    }
}
