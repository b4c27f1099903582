//! The step of MyceliumFractalNet 4.1 as one plain loop over cells: no intrinsics, no tiles, no threads. It is what
//! the kernels of libmfn are measured against, and must give their bits.

use mfn_sim::Spec;
use mfn_sim::rng::Generator;

/// A run of the plain loop on a square periodic grid.
#[derive(Debug, Clone)]
pub struct PlainLoop {
    spec: Spec,
    generator: Generator,
    current: [Vec<f64>; 3],
    next: [Vec<f64>; 3],
    /// Cells whose activator rose above the threshold.
    pub activations: u64,
    /// Cells whose potential was clamped.
    pub clamps: u64,
}

impl PlainLoop {
    /// Draws the initial fields of a specification with the periodic boundary and v4.1's kinetics.
    #[must_use]
    pub fn new(spec: &Spec) -> Self {
        let mut generator = Generator::new(spec.random_seed);
        let mut current = [0, 1, 2].map(|_| vec![0.0; spec.rows() * spec.cols()]);
        generator.fill_normal(-0.070, 0.005, &mut current[0]);
        generator.fill_uniform(0.0, 0.1, &mut current[1]);
        generator.fill_uniform(0.0, 0.1, &mut current[2]);
        Self { spec: spec.clone(), generator, next: current.clone(), current, activations: 0, clamps: 0 }
    }

    /// Potential, activator and inhibitor, row by row.
    #[must_use]
    pub fn fields(&self) -> &[Vec<f64>; 3] {
        &self.current
    }

    /// One step: three fields in one pass.
    ///
    /// # Panics
    /// When a cell is not finite any more.
    pub fn step(&mut self) {
        let p = &self.spec;
        let n = p.grid_size;
        if self.generator.random() < p.spike_probability {
            let row = self.generator.integer_below(n as u64) as usize;
            let column = self.generator.integer_below(n as u64) as usize;
            self.current[0][row * n + column] += self.generator.normal(0.02, 0.005);
        }
        let [v, a, i] = &self.current;
        let [v_next, a_next, i_next] = &mut self.next;
        let mut finite = true;
        for row in 0..n {
            let (above, here, below) = ((row + n - 1) % n * n, row * n, (row + 1) % n * n);
            for column in 0..n {
                let left = here + if column == 0 { n - 1 } else { column - 1 };
                let right = here + if column + 1 == n { 0 } else { column + 1 };
                let (up, down, cell) = (above + column, below + column, here + column);
                let laplacian =
                    |grid: &[f64]| ((grid[up] + grid[down]) + grid[left]) + grid[right] - 4.0 * grid[cell];
                let mut potential = v[cell] + p.alpha * laplacian(v);
                let mut a_change = p.d_activator * laplacian(a);
                a_change += p.r_activator * (a[cell] * (1.0 - a[cell]) - i[cell]);
                let mut i_change = p.d_inhibitor * laplacian(i);
                i_change += p.r_inhibitor * (a[cell] - i[cell]);
                if a[cell] + a_change > p.turing_threshold {
                    potential += 0.005;
                    self.activations += 1;
                }
                a_next[cell] = (a[cell] + a_change).clamp(0.0, 1.0);
                i_next[cell] = (i[cell] + i_change).clamp(0.0, 1.0);
                v_next[cell] = potential.clamp(-0.095, 0.040);
                self.clamps += u64::from(v_next[cell] != potential);
                finite &= v_next[cell].is_finite() & a_next[cell].is_finite() & i_next[cell].is_finite();
            }
        }
        assert!(finite, "the step became unstable");
        std::mem::swap(&mut self.current, &mut self.next);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use mfn_sim::Simulation;

    use super::*;

    /// Guards the comparison: the loop does the work of libmfn and gives its bits.
    #[test]
    fn the_plain_loop_gives_the_bits_of_libmfn() {
        for side in [4, 5, 64, 257] {
            let spec = Spec { grid_size: side, spike_probability: 0.9, ..Spec::v4_1() };
            let mut plain = PlainLoop::new(&spec);
            let mut simulation = Simulation::new(spec).unwrap();
            (0..40).for_each(|_| plain.step());
            simulation.run(40, &mut |_| ControlFlow::Continue(())).unwrap();
            let fields = [simulation.field(), simulation.activator(), simulation.inhibitor()];
            for (field, plain) in fields.iter().zip(plain.fields()) {
                assert!(field.iter().zip(plain).all(|(a, b)| a.to_bits() == b.to_bits()), "side {side}");
            }
            let counters = simulation.counters();
            assert_eq!((counters.activations, counters.clamps), (plain.activations, plain.clamps));
        }
    }
}
