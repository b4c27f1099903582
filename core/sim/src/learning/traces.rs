//! Plasticity during a simulation: every pair of spikes counts, at a constant cost per step.
//!
//! Each neuron keeps a trace that jumps by 1 with a spike and decays with the time constant of the
//! rule. A trace is the sum of exp(-d / tau) over all earlier spikes, so one product of trace and spike
//! stands for all pairs (Morrison, Diesmann and Gerstner, 2008).

use ndarray::ArrayViewMut2;

use super::error::check_length;
use super::{LearningError, Stdp};
use crate::Real;
use crate::bounds::{Bound, closed, whole};
use crate::error::SpecFault;

/// The bounds of the numbers of neurons of [`SpikeTraces`].
pub const TRACES_TABLE: [Bound; 2] = [
    whole(closed("inputs", (0.0, 16_777_216.0), 1.0, "neurons", "neurons before the synapses")),
    whole(closed("outputs", (0.0, 16_777_216.0), 1.0, "neurons", "neurons after the synapses")),
];

/// Traces of the inputs and outputs of a weight matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeTraces {
    rule: Stdp,
    /// Decays with `tau_plus_s`.
    pre: Vec<f64>,
    /// Decays with `tau_minus_s`.
    post: Vec<f64>,
}

impl SpikeTraces {
    /// Traces without an earlier spike.
    ///
    /// # Errors
    /// [`LearningError`] for settings outside their range, or more neurons than [`TRACES_TABLE`] allows.
    pub fn new(rule: Stdp, inputs: usize, outputs: usize) -> Result<Self, LearningError> {
        rule.validate()?;
        SpecFault::check_table(&TRACES_TABLE, |field| {
            Some(if field == "inputs" { inputs as f64 } else { outputs as f64 })
        })?;
        Ok(Self { rule, pre: vec![0.0; inputs], post: vec![0.0; outputs] })
    }

    /// Lets `time_step_s` pass, then takes the spikes of this moment.
    ///
    /// `weights` is inputs x outputs, inside the range of the rule before and after. Spikes of
    /// one moment do not pair with each other. Work: the weights of the neurons that fire.
    ///
    /// # Errors
    /// [`LearningError`] for a time that is negative or not finite, other lengths, or weights outside
    /// their range; traces and weights are unchanged then.
    pub fn advance<T: Real>(
        &mut self,
        time_step_s: f64,
        pre_spikes: &[bool],
        post_spikes: &[bool],
        mut weights: ArrayViewMut2<'_, T>,
    ) -> Result<(), LearningError> {
        if !time_step_s.is_finite() || time_step_s < 0.0 {
            return Err(LearningError::TimeStep { value: time_step_s });
        }
        check_length("pre_spikes", "neurons", pre_spikes.len(), self.pre.len())?;
        check_length("post_spikes", "neurons", post_spikes.len(), self.post.len())?;
        check_length("weights", "rows", weights.nrows(), self.pre.len())?;
        check_length("weights", "columns", weights.ncols(), self.post.len())?;
        self.rule.check_weights(weights.view())?;
        for (traces, tau_s) in
            [(&mut self.pre, self.rule.tau_plus_s), (&mut self.post, self.rule.tau_minus_s)]
        {
            let decay = (-time_step_s / tau_s).exp();
            for trace in traces {
                *trace *= decay;
            }
        }
        for ((input, output), weight) in weights.indexed_iter_mut() {
            if pre_spikes[input] || post_spikes[output] {
                let growth = if post_spikes[output] { self.rule.a_plus * self.pre[input] } else { 0.0 };
                let loss = if pre_spikes[input] { self.rule.a_minus * self.post[output] } else { 0.0 };
                *weight = self.rule.changed(*weight, growth, loss);
            }
        }
        for (traces, spikes) in [(&mut self.pre, pre_spikes), (&mut self.post, post_spikes)] {
            for (trace, _) in traces.iter_mut().zip(spikes).filter(|(_, spike)| **spike) {
                *trace += 1.0;
            }
        }
        Ok(())
    }
}
