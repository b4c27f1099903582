//! Plans: every fault at once, and the runs that a plan gives.

mod common;

use std::collections::BTreeSet;

use common::{plan, sweep};
use mfn_dataset::{DescriptorConfig, PRESET_NAMES, SweepPlan};
use mfn_sim::dataset::{ConfigRanges, ConfigSampler, Scenario};
use mfn_sim::{BoundaryCondition, Spec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Guards that a user sees all faults of a plan at once, each with its place.
#[test]
fn every_fault_is_listed() {
    let refused = plan(&json!({
        "name": "", "seed": u64::MAX, "seeds_per_config": 0, "method": "sobol",
        "axes": [
            {"field": "alpha", "min": 0.2, "max": 0.1},
            {"field": "steps", "min": 1.5, "max": 9},
            {"field": "alpha", "values": [0.1], "points": 3},
            {"field": "compat", "values": ["v4.1"]},
            {"field": "leak_rate", "min": 0, "max": 1, "scale": "log"},
            {"field": "d_activator"},
        ],
        "base": {"random_seed": 1},
        "columns": "v4.1", "descriptors": {"threshold_mv": 1e9, "box_ratio": 1},
    }))
    .check()
    .expect_err("a plan full of faults");
    let places: BTreeSet<&str> = refused.faults.iter().map(|fault| fault.path.as_str()).collect();
    let wanted = [
        "axes[0].min",
        "axes[1].min",
        "axes[2].field",
        "axes[2].values",
        "axes[3].field",
        "axes[4].scale",
        "axes[5].values",
        "base.random_seed",
        "count",
        "descriptors",
        "descriptors.box_ratio",
        "descriptors.threshold_mv",
        "name",
        "seed",
        "seeds_per_config",
    ];
    assert_eq!(places, wanted.into_iter().collect(), "{refused}");
    assert!(refused.faults.iter().all(|fault| !fault.fix.is_empty()));
}

/// Guards the trial of the axes: a value that no run can have is found before the sweep, with its axis.
#[test]
fn values_that_no_run_can_have_are_refused() {
    for (axis, named) in [
        (json!({"field": "alpha", "min": 0.1, "max": 0.3, "points": 3}), "alpha = 0.3"),
        (json!({"field": "alpa", "min": 0.1, "max": 0.2, "points": 2}), "alpa"),
        (json!({"field": "kinetics.fed", "min": 0.1, "max": 0.2, "points": 2}), "fed"),
        (json!({"field": "kinetics", "values": ["gray-scott", "mould"]}), "mould"),
        (json!({"field": "boundary_condition", "values": ["periodic", "open"]}), "open"),
        (json!({"field": "turing_enabled", "values": [true, 3]}), "3"),
        (json!({"field": "random_seed", "values": [1, u64::MAX]}), "random_seed"),
    ] {
        let refused = plan(&json!({"axes": [axis]})).check().expect_err(named);
        assert!(refused.to_string().contains(named), "{refused}");
    }
    let refused = plan(&json!({"base": {"grid": 3}})).check().expect_err("an unknown field");
    assert!(refused.to_string().contains("grid"), "{refused}");
}

/// Guards a grid: order of nested loops, ends met exactly, replicates beside each other.
#[test]
fn a_grid_combines_every_value() {
    let sweep = sweep(&json!({
        "axes": [
            {"field": "boundary_condition", "values": ["periodic", "neumann"]},
            {"field": "alpha", "min": 0.05, "max": 0.15, "points": 3},
        ],
        "seeds_per_config": 2, "seed_rule": "common",
    }));
    assert_eq!(sweep.runs(), 12);
    let specs: Vec<Spec> = (0..12).map(|index| sweep.spec(index).expect("a run")).collect();
    let wanted = [0.05, 0.05, 0.1, 0.1, 0.15, 0.15];
    assert_eq!(specs.iter().map(|spec| spec.alpha).collect::<Vec<_>>(), [wanted, wanted].concat());
    assert!(specs[..6].iter().all(|spec| spec.boundary_condition == BoundaryCondition::Periodic));
    assert!(specs[6..].iter().all(|spec| spec.boundary_condition == BoundaryCondition::Neumann));
    assert_eq!(specs[0].random_seed, specs[10].random_seed);
    assert_ne!(specs[0].random_seed, specs[1].random_seed);
    assert!(sweep.spec(12).is_err());
}

/// Guards kinetics parameters, whole numbers and logarithms as axes of a design.
#[test]
fn designs_reach_every_kind_of_field() {
    for method in ["latin-hypercube", "sobol"] {
        let sweep = sweep(&json!({
            "method": method, "count": 64, "base": {"kinetics": "gray-scott"},
            "axes": [
                {"field": "kinetics.feed", "min": 0.03, "max": 0.05},
                {"field": "grid_size", "min": 8, "max": 11},
                {"field": "jitter_var", "min": 1e-9, "max": 1e-5, "scale": "log"},
                {"field": "precision", "values": ["f64", "f32"]},
            ],
        }));
        let specs: Vec<Spec> = (0..64).map(|index| sweep.spec(index).expect("a run")).collect();
        let sides: Vec<usize> =
            (8..12).map(|side| specs.iter().filter(|spec| spec.grid_size == side).count()).collect();
        assert_eq!(sides, [16; 4], "{method}");
        let below = specs.iter().filter(|spec| spec.jitter_var < 1e-7).count();
        assert_eq!(below, 32, "{method}: half of a logarithmic range lies below its geometric mean");
        assert!(specs.iter().all(|spec| spec.validate().is_ok()));
        let feeds: BTreeSet<String> = specs.iter().map(|spec| format!("{:?}", spec.kinetics)).collect();
        assert_eq!(feeds.len(), 64, "{method}");
    }
}

/// Guards the scenarios of MFN 4.1 against their definition in the core, run by run.
#[test]
fn presets_are_the_scenarios_of_4_1() {
    for name in PRESET_NAMES {
        let scenario = Scenario::preset(name).expect("a preset");
        let sweep = SweepPlan::preset(name).expect("a preset").check().expect("in order");
        assert_eq!(sweep.runs(), scenario.num_samples, "{name}");
        let base = Spec::v4_1();
        for (index, spec) in scenario.specs(&base).expect("runs").enumerate() {
            assert_eq!(sweep.spec(index as u64), Ok(spec), "{name} {index}");
        }
    }
}

/// Guards the sampled configurations as a method of sweeps.
#[test]
fn the_config_sampler_is_a_method() {
    let sweep = sweep(&json!({"base": {"compat": "v4.1"}, "method": "config-sampler", "count": 20}));
    let sampler = ConfigSampler::new(ConfigRanges::default(), 42).expect("defaults");
    for (index, config) in sampler.take(20).enumerate() {
        assert_eq!(sweep.spec(index as u64), Ok(config.spec(&Spec::v4_1())), "{index}");
    }
}

/// Guards the hash: plans that give other rows differ, the same plan from TOML and JSON does not.
#[test]
fn the_hash_tells_plans_apart() {
    let json = json!({"name": "a", "axes": [{"field": "alpha", "min": 0.05, "max": 0.2, "points": 4}]});
    let toml: SweepPlan =
        toml::from_str("name = 'a'\n[[axes]]\nfield = 'alpha'\nmin = 0.05\nmax = 0.2\npoints = 4\n")
            .expect("TOML");
    let hash = *sweep(&json).hash();
    assert_eq!(toml.clone().check().expect("in order").hash(), &hash);
    let described: SweepPlan = toml::from_str("name = 'a'\n[descriptors]\nbox_ratio = 3\n").expect("TOML");
    let config = DescriptorConfig { box_ratio: 3, ..DescriptorConfig::default() };
    assert_eq!((described.descriptors, toml.descriptors), (Some(config), None));
    let written = serde_json::to_value(plan(&json)).expect("JSON");
    assert!(written.get("descriptors").is_none(), "plans of before have another hash: {written}");
    assert!(toml::from_str::<SweepPlan>("[descriptors]\nwarp = true\n").is_err());
    for (field, value) in [
        ("name", json!("b")),
        ("seed", json!(7)),
        ("seeds_per_config", json!(2)),
        ("columns", json!("v4.1")),
        ("base", json!({"steps": 3})),
        ("failed_rows", json!("skip")),
        ("seed_rule", json!("common")),
        ("descriptors", json!({})),
    ] {
        let mut other = json.clone();
        other[field] = value;
        assert_ne!(sweep(&other).hash(), &hash, "{field}");
    }
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0),
        0.0..1.0_f64,
        Just(64.0),
        Just(1e300),
    ])
}

fn axis() -> impl Strategy<Value = mfn_dataset::Axis> {
    let fields =
        ["alpha", "steps", "grid_size", "kinetics.feed", "kinetics", "rows", "", "a..b", "random_seed", "x"];
    let values = prop::collection::vec(
        prop_oneof![
            Just(json!(null)),
            Just(json!("neumann")),
            any::<f64>().prop_map(Value::from),
            Just(json!({"name": 1}))
        ],
        0..3,
    );
    let scale = prop_oneof![Just(mfn_dataset::Scale::Linear), Just(mfn_dataset::Scale::Log)];
    let points = prop::option::of(prop_oneof![0_u64..5, any::<u64>()]);
    let any_axis = (prop::sample::select(fields.to_vec()), number(), number(), scale.clone(), points, values);
    // As many that are in order, so that what follows the check is reached as well.
    let fields = ["alpha", "jitter_var", "initial_noise", "steps", "grid_size", "turing_threshold"];
    let ends = (1_u64..40, 0_u64..40);
    let good_axis = (prop::sample::select(fields.to_vec()), ends, scale, 1_u64..4).prop_map(
        |(field, (low, length), scale, points)| {
            let unit = if matches!(field, "steps" | "grid_size") { 1.0 } else { 0.001 };
            let (min, max) = (low as f64 * unit, (low + length) as f64 * unit);
            (field, Some(min), Some(max), scale, Some(points.min(length + 1)), Vec::new())
        },
    );
    prop_oneof![any_axis, good_axis.clone(), good_axis].prop_map(
        |(field, min, max, scale, points, values)| mfn_dataset::Axis {
            field: field.to_owned(),
            min,
            max,
            scale,
            points,
            values,
        },
    )
}

proptest! {
    /// Guards the check over everything that a plan can hold: a sweep whose runs have indices, or faults; never a
    /// panic, a hang or a huge allocation.
    #[test]
    fn any_plan_is_taken_or_refused(
        axes in prop::collection::vec(axis(), 0..4), method in 0_usize..4, is_tame: bool, count in prop::option::of(prop_oneof![0_u64..20, any::<u64>()]),
        seed: u64, seeds_per_config in prop_oneof![0_u64..3, any::<u64>()], design_seed: Option<u64>, runs: Option<u64>,
    ) {
        use mfn_dataset::Method::{ConfigSampler, Grid, LatinHypercube, Sobol};
        // Designs that are kept in memory stay small here; their limit has a test of its own.
        let method = [Grid, LatinHypercube, Sobol, ConfigSampler][method];
        let count = count.map(|count| if count < 1 << 20 { count % 2000 } else { count });
        let (seed, seeds_per_config, runs) =
            if is_tame { (seed >> 1, 1 + seeds_per_config % 3, runs.map(|runs| runs | 1)) } else { (seed, seeds_per_config, runs) };
        let plan = SweepPlan { axes, method, count, seed, seeds_per_config, design_seed, runs, ..SweepPlan::default() };
        match plan.check() {
            Ok(sweep) => {
                prop_assert!(sweep.runs() >= 1 && sweep.runs() <= mfn_dataset::RUNS_MAX);
                for index in [0, sweep.runs() / 2, sweep.runs() - 1] {
                    prop_assert!(sweep.spec(index).is_ok(), "{index} of {}", sweep.runs());
                }
                prop_assert!(sweep.spec(sweep.runs()).is_err() && sweep.spec(u64::MAX).is_err());
            }
            Err(error) => prop_assert!(!error.faults.is_empty() && error.faults.len() <= 64),
        }
    }
}
