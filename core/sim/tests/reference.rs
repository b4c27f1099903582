//! Checks the library against results of MyceliumFractalNet 4.1.
//!
//! `vectors/index.json` lists them, one entry per call of the reference system; arrays lie
//! beside it as little-endian f64 (`.f64`) or one byte per cell (`.u8`). Random streams and
//! fields must be equal to the last bit; sums and logarithms within the tolerance stated with
//! each check. Every entry must be claimed by a check, so that none is passed over.

#[path = "reference/attention.rs"]
mod attention;
#[path = "reference/config.rs"]
mod config;
#[path = "reference/dataset.rs"]
mod dataset;
#[path = "reference/dimension.rs"]
mod dimension;
#[path = "reference/engine.rs"]
mod engine;
#[path = "reference/features.rs"]
mod features;
#[path = "reference/ifs.rs"]
mod ifs;
#[path = "reference/krum.rs"]
mod krum;
#[path = "reference/load.rs"]
mod load;
#[path = "reference/membrane.rs"]
mod membrane;
#[path = "reference/model.rs"]
mod model;
#[path = "reference/network.rs"]
mod network;
#[path = "reference/numerics.rs"]
mod numerics;
#[path = "reference/random.rs"]
mod random;
#[path = "reference/stdp.rs"]
mod stdp;
#[path = "reference/validation.rs"]
mod validation;

use load::{Entry, index};

/// The check of a group of entries.
fn check_of(group: &str) -> Option<fn(&Entry)> {
    Some(match group {
        "rng" => random::check,
        "engine" => engine::check,
        "engine-config" => config::check_spec,
        "features-error" => config::check_features,
        "numerics" => numerics::check,
        "features" => features::check,
        "dimension" => dimension::check,
        "dimension-error" => dimension::check_error,
        "boxsizes" => dimension::check_box_sizes,
        "model-sim" => model::check,
        "nernst" => membrane::check_nernst,
        "membrane-ode" => membrane::check_ode,
        "membrane-config" => membrane::check_config,
        "ifs" => ifs::check,
        "ifs-config" => ifs::check_config,
        "stdp" => stdp::check,
        "stdp-config" => stdp::check_config,
        "attention" => attention::check,
        "network" => network::check,
        "krum" => krum::check,
        "krum-hierarchical" => krum::check_hierarchical,
        "krum-config" => krum::check_config,
        "validation" => validation::check,
        "dataset" => dataset::check,
        _ => return None,
    })
}

fn check_group(group: &str, expected_entries: usize) {
    let check = check_of(group).expect("a check for the group");
    let entries: Vec<Entry> = index().into_iter().filter(|entry| entry.group == group).collect();
    assert_eq!(entries.len(), expected_entries, "entries of group {group}");
    for entry in &entries {
        check(entry);
    }
}

/// Guards against an entry that no check looks at.
#[test]
fn every_entry_is_claimed() {
    let unclaimed: Vec<String> =
        index().into_iter().filter(|entry| check_of(&entry.group).is_none()).map(|entry| entry.id).collect();
    assert!(unclaimed.is_empty(), "no check for {unclaimed:?}");
}

/// Guards the seed sequence, PCG64 and every kind of draw, bit for bit.
#[test]
fn random_streams() {
    check_group("rng", 6);
}

/// Guards the engine: final fields bit for bit, counters exactly, means within 1e-12.
#[test]
fn engine_runs() {
    check_group("engine", 37);
}

/// Guards which specifications are accepted and the kind of each refusal.
#[test]
fn engine_specifications() {
    check_group("engine-config", 32);
}

/// Guards the grid operators and the step on foreign arrays, bit for bit.
#[test]
fn grid_operators() {
    check_group("numerics", 11);
}

/// Guards the second simulator of MFN 4.1, bit for bit.
#[test]
fn model_runs() {
    check_group("model-sim", 9);
}

/// Guards Nernst potentials, clamp counts and refusals of MFN 4.1.
#[test]
fn nernst_potentials() {
    check_group("nernst", 32);
}

/// Guards Euler and RK4 of MFN 4.1 with and without its clamp.
#[test]
fn membrane_integration() {
    check_group("membrane-ode", 40);
}

/// Guards which membrane configurations are accepted.
#[test]
fn membrane_configurations() {
    check_group("membrane-config", 11);
}

/// Guards the iterated function systems of MFN 4.1: maps, points and Lyapunov value.
#[test]
fn iterated_function_systems() {
    check_group("ifs", 7);
}

/// Guards which configurations of iterated function systems are refused.
#[test]
fn ifs_refusals() {
    check_group("ifs-config", 12);
}

/// Guards the 18 features under three configurations each.
#[test]
fn feature_vectors() {
    check_group("features", 14);
}

/// Guards which feature configurations and shapes are refused.
#[test]
fn feature_refusals() {
    check_group("features-error", 5);
}

/// Guards the box-counting dimension and its fit.
#[test]
fn box_dimensions() {
    check_group("dimension", 32);
}

/// Guards which masks and box sizes are refused.
#[test]
fn box_dimension_refusals() {
    check_group("dimension-error", 4);
}

/// Guards the box sizes of MFN 4.1, faults of the cut geometric series included.
#[test]
fn box_sizes() {
    check_group("boxsizes", 1);
}

/// Guards Krum as MFN 4.1 has it, and that the default refuses or improves on its faults.
#[test]
fn krum_selections() {
    check_group("krum", 13);
}

/// Guards the random clusters and the result of hierarchical Krum.
#[test]
fn hierarchical_krum() {
    check_group("krum-hierarchical", 7);
}

/// Guards which settings of hierarchical Krum are refused.
#[test]
fn krum_refusals() {
    check_group("krum-config", 8);
}

/// Guards the scenarios, the sampled configurations and the 28 columns of datasets.
#[test]
fn datasets() {
    check_group("dataset", 3);
}

/// Guards the plasticity rule of MFN 4.1 in single and double precision.
#[test]
fn plasticity() {
    check_group("stdp", 3);
}

/// Guards which settings of the plasticity rule are refused.
#[test]
fn plasticity_refusals() {
    check_group("stdp-config", 5);
}

/// Guards sparse attention with given weights.
#[test]
fn sparse_attention() {
    check_group("attention", 4);
}

/// Guards the network: outputs, losses and parameters after four steps of Adam.
#[test]
fn network_training() {
    check_group("network", 2);
}

/// Guards the validation cycle: its samples, and all numbers that torch's random numbers do not decide.
#[test]
fn validation_cycle() {
    check_group("validation", 1);
}
