//! The Dormand-Prince 5(4) pair (Dormand and Prince, 1980), with the continuous extension of
//! order 4 (Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 1993, II.6).

/// Nodes of stages 2 to 7, in steps.
pub(super) const NODES: [f64; 6] = [1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0];

/// Weights of the slopes before each of the stages 2 to 7. The last row is the solution of order
/// 5, so that the last slope is the first one of the next step.
pub(super) const STAGES: [&[f64]; 6] = [
    &[1.0 / 5.0],
    &[3.0 / 40.0, 9.0 / 40.0],
    &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
    &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
    &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
];

/// Solution of order 5 minus solution of order 4.
pub(super) const ERROR: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];

/// Weights of the last term of the continuous extension.
pub(super) const DENSE: [f64; 7] = [
    -12715105075.0 / 11282082432.0,
    0.0,
    87487479700.0 / 32700410799.0,
    -10690763975.0 / 1880347072.0,
    701980252875.0 / 199316789632.0,
    -1453857185.0 / 822651844.0,
    69997945.0 / 29380423.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the coefficients: a wrong digit breaks a sum that must be exact.
    #[test]
    fn sums_are_those_of_a_consistent_pair() {
        for (node, weights) in NODES.iter().zip(STAGES) {
            assert!((weights.iter().sum::<f64>() - node).abs() < 1e-14, "node {node}");
        }
        assert!(ERROR.iter().sum::<f64>().abs() < 1e-15);
        assert!(DENSE.iter().sum::<f64>().abs() < 1e-13);
    }
}
