//! The random streams.

use mfn_sim::rng::{Generator, SeedSequence};
use rand_pcg::Pcg64;
use serde_json::Value;

use crate::load::{Entry, assert_same_bits, checksum, number, numbers, whole, wholes};

/// PCG64's multiplier (O'Neill, 2014).
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

pub(crate) fn check(entry: &Entry) {
    let seed = seed_sequence(&entry.params["seed"]);
    let expected = &entry.expected;
    let id = &entry.id;

    assert_eq!(seed.pool().to_vec(), wholes::<u32>(&expected["seedsequence_pool_u32"]), "{id}: pool");
    let mut words = [0; 8];
    seed.generate_u32(&mut words);
    assert_eq!(words.to_vec(), wholes::<u32>(&expected["generate_state_u32x8"]), "{id}: 32-bit state");
    assert_eq!(
        seed.generate_u64x4().to_vec(),
        wholes::<u64>(&expected["generate_state_u64x4"]),
        "{id}: 64-bit"
    );

    let fresh = || Generator::from_seed_sequence(&seed);
    let increment: u128 = whole(&expected["pcg64_inc"]);
    assert_eq!(*fresh().pcg(), pcg_with(whole(&expected["pcg64_state"]), increment), "{id}: PCG64 state");

    let mut raw = fresh();
    for (index, word) in wholes::<u64>(&expected["raw_u64"]).into_iter().enumerate() {
        assert_eq!(raw.next_u64(), word, "{id}: raw output {index}");
    }
    type Draw = fn(&mut Generator) -> f64;
    let draws: [(&str, Draw); 6] = [
        ("random", Generator::random),
        ("normal_standard", Generator::standard_normal),
        ("normal_002_0005", |generator| generator.normal(0.02, 0.005)),
        ("normal_m007_0005", |generator| generator.normal(-0.07, 0.005)),
        ("uniform_0_01", |generator| generator.uniform(0.0, 0.1)),
        ("uniform_02_05", |generator| generator.uniform(0.2, 0.5)),
    ];
    for (name, draw) in draws {
        let mut generator = fresh();
        let wanted = numbers(&expected[name]);
        let drawn: Vec<f64> = wanted.iter().map(|_| draw(&mut generator)).collect();
        assert_same_bits(&format!("{id}: {name}"), &drawn, &wanted);
    }
    check_interleaved(entry, fresh(), increment);
    check_integer_arrays(entry, fresh());
    check_choices(entry, fresh());
    check_long_normal_stream(entry, fresh());
}

/// A whole number below 2^64, or a list of numbers below 2^32.
fn seed_sequence(seed: &Value) -> SeedSequence {
    match seed {
        Value::Array(_) => SeedSequence::from_words(&wholes::<u32>(seed)),
        _ => SeedSequence::new(whole(seed)),
    }
}

/// A PCG64 with the given internal state, made by undoing what its constructor does.
fn pcg_with(state: u128, increment: u128) -> Pcg64 {
    // Newton's iteration for the inverse modulo 2^128: each round doubles the right bits.
    let mut inverse = MULTIPLIER;
    for _ in 0..7 {
        inverse = inverse.wrapping_mul(2u128.wrapping_sub(MULTIPLIER.wrapping_mul(inverse)));
    }
    let before_step = state.wrapping_sub(increment).wrapping_mul(inverse);
    Pcg64::new(before_step.wrapping_sub(increment), increment >> 1)
}

fn check_interleaved(entry: &Entry, mut generator: Generator, increment: u128) {
    for (index, operation) in entry.expected["interleaved_ops"].as_array().expect("list").iter().enumerate() {
        let what = format!("{}: operation {index}", entry.id);
        let wanted = &operation[2];
        match operation[0].as_str().expect("name") {
            "integers" => {
                assert_eq!(generator.integer_below(whole(&operation[1])), whole::<u64>(wanted), "{what}")
            }
            "random" => assert_same_bits(&what, &[generator.random()], &[number(wanted)]),
            "normal(0.02,0.005)" => {
                assert_same_bits(&what, &[generator.normal(0.02, 0.005)], &[number(wanted)])
            }
            other => panic!("{what}: {other} has no check"),
        }
    }
    let after = &entry.expected["after_interleaved"];
    assert_eq!(*generator.pcg(), pcg_with(whole(&after["state"]), increment), "{}: state after", entry.id);
    let kept = (whole::<u8>(&after["has_uint32"]) == 1).then(|| whole::<u32>(&after["uinteger"]));
    assert_eq!(generator.kept_half(), kept, "{}: kept half word", entry.id);
}

fn check_integer_arrays(entry: &Entry, mut generator: Generator) {
    for pair in entry.expected["integers_arrays_one_stream"].as_array().expect("list") {
        let bound = whole(&pair[0]);
        for wanted in wholes::<u64>(&pair[1]) {
            assert_eq!(generator.integer_below(bound), wanted, "{}: integers below {bound}", entry.id);
        }
    }
    check_randoms(entry, "random_after_integers_arrays", &mut generator);
}

fn check_choices(entry: &Entry, mut generator: Generator) {
    for triple in entry.expected["choice_no_replace_one_stream"].as_array().expect("list") {
        let (population, sample) = (whole(&triple[0]), whole(&triple[1]));
        let chosen = generator.choice_without_replacement(population, sample).expect("population >= sample");
        assert_eq!(chosen, wholes::<u64>(&triple[2]), "{}: choice {sample} of {population}", entry.id);
    }
    check_randoms(entry, "random_after_choice", &mut generator);
}

fn check_randoms(entry: &Entry, name: &str, generator: &mut Generator) {
    let wanted = numbers(&entry.expected[name]);
    let drawn: Vec<f64> = wanted.iter().map(|_| generator.random()).collect();
    assert_same_bits(&format!("{}: {name}", entry.id), &drawn, &wanted);
}

fn check_long_normal_stream(entry: &Entry, mut generator: Generator) {
    let wanted = &entry.expected["normal_100000"];
    let mut drawn = vec![0.0; 100_000];
    generator.fill_normal(0.0, 1.0, &mut drawn);
    assert_eq!(checksum(&drawn), wanted["sha256_f64"].as_str().expect("checksum"), "{}: normals", entry.id);
    let beyond = drawn.iter().filter(|x| x.abs() > 3.654_152_885_361_009).count();
    assert_eq!(beyond, whole::<usize>(&wanted["count_abs_gt_3.6541528853610088"]), "{}: tail", entry.id);
}
