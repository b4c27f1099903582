//! The first program: grow a pattern and measure it.
#![allow(clippy::print_stdout)]

use std::ops::ControlFlow;

use mfn_sim::{Simulation, Spec};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec = Spec { random_seed: 7, ..Spec::default() }; // the rest is the preset "mycelium"
    let mut sim = Simulation::new(spec)?;
    sim.run(1000, &mut |_| ControlFlow::Continue(()))?;
    let f = sim.features();
    println!("D_box {:.3}, active {:.1} %, mean {:.2} mV", f.d_box, 100.0 * f.f_active, f.v_mean);
    Ok(())
}
