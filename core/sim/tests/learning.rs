//! Plasticity, attention and the network: laws that hold for every input, and refusals.

use mfn_sim::learning::{
    AdamConfig, AttentionConfig, LearningError, Network, NetworkConfig, SparseAttention, SpikeTraces, Stdp,
    WeightBounds,
};
use mfn_sim::rng::Generator;
use ndarray::{Array2, Array3, arr2};
use proptest::prelude::*;

fn tokens(seed: u64, shape: (usize, usize, usize)) -> Array3<f64> {
    let mut random = Generator::new(seed);
    Array3::from_shape_fn(shape, |_| random.standard_normal())
}

/// Guards the weights in a loop: thousands of changes never leave the range, causal pairs grow to
/// the upper end and anti-causal ones shrink to the lower one; soft bounds are never reached.
#[test]
fn plasticity_keeps_weights_in_their_range() {
    for bounds in [WeightBounds::Hard, WeightBounds::Soft] {
        let rule = Stdp { weight_min: -0.5, weight_max: 2.0, bounds, ..Stdp::default() };
        let mut weights = arr2(&[[0.5, 0.5], [0.5, 0.5_f64]]);
        // Input 0 fires 10 ms before both outputs, input 1 fires 10 ms after them.
        let (pre, post) = (arr2(&[[0.0, 0.02]]), arr2(&[[0.01, 0.01]]));
        for _ in 0..2_000 {
            rule.update(pre.view(), post.view(), weights.view_mut()).expect("a change");
            assert!(weights.iter().all(|weight| (-0.5..=2.0).contains(weight)));
        }
        let [grown, shrunk] = [weights[[0, 0]], weights[[1, 1]]];
        match bounds {
            WeightBounds::Hard => assert!(grown == 2.0 && shrunk == -0.5, "{grown} {shrunk}"),
            WeightBounds::Soft => {
                assert!(grown > 1.99 && grown < 2.0 && shrunk < -0.49 && shrunk > -0.5, "{grown} {shrunk}");
            }
        }
    }
}

/// Guards that the weights take part, which they do not in MFN 4.1: with soft bounds a change is
/// the part of what is left, with hard bounds the part of the range.
#[test]
fn a_change_depends_on_the_weight() {
    let (pre, post) = (arr2(&[[0.0]]), arr2(&[[0.02]]));
    let part = 0.01 * (-1.0_f64).exp();
    for (bounds, old, new) in [
        (WeightBounds::Hard, 0.2, 0.2 + part),
        (WeightBounds::Hard, 1.0, 1.0),
        (WeightBounds::Soft, 0.2, 0.2 + 0.8 * part),
        (WeightBounds::Soft, 1.0, 1.0),
    ] {
        let mut weight = arr2(&[[old]]);
        let rule = Stdp { bounds, ..Stdp::default() };
        rule.update(pre.view(), post.view(), weight.view_mut()).expect("a change");
        assert!((weight[[0, 0]] - new).abs() < 1e-15, "{bounds:?} {old}: {}", weight[[0, 0]]);
    }
    // A silent neuron (NaN) changes nothing.
    let mut weight = arr2(&[[0.2]]);
    Stdp::default().update(arr2(&[[f64::NAN]]).view(), post.view(), weight.view_mut()).expect("no change");
    assert_eq!(weight[[0, 0]], 0.2);
}

/// Guards the traces: while no bound is reached they give the sum over all pairs of spikes.
#[test]
fn traces_count_every_pair() {
    let rule = Stdp { weight_min: -1e3, weight_max: 1e3, tau_minus_s: 0.034, ..Stdp::default() };
    let mut random = Generator::new(6);
    let time_step_s = 0.001;
    let trains: Vec<[bool; 2]> = (0..400).map(|_| [random.random() < 0.05, random.random() < 0.05]).collect();
    let mut weight = arr2(&[[0.0]]);
    let mut traces = SpikeTraces::new(rule, 1, 1).expect("traces");
    for [pre, post] in &trains {
        traces.advance(time_step_s, &[*pre], &[*post], weight.view_mut()).expect("a step");
    }
    let moments = |train: usize| -> Vec<f64> {
        trains.iter().enumerate().filter(|(_, now)| now[train]).map(|(i, _)| i as f64 * time_step_s).collect()
    };
    let mut sum = 0.0;
    for pre in moments(0) {
        for post in moments(1) {
            let change = rule.weight_change_v4_1(arr2(&[[pre]]).view(), arr2(&[[post]]).view());
            sum += change.expect("a change")[[0, 0]];
        }
    }
    assert!(sum.abs() > 1e-3, "{sum}");
    assert!((weight[[0, 0]] - 2e3 * sum).abs() < 1e-9 * 2e3, "{} and {}", weight[[0, 0]], 2e3 * sum);
}

/// Guards the memory of traces: a number of neurons that no machine holds is refused by its name.
#[test]
fn traces_of_too_many_neurons_are_refused() {
    for (inputs, outputs, name) in [(usize::MAX, 1, "inputs"), (1, (1 << 24) + 1, "outputs")] {
        let refused = SpikeTraces::new(Stdp::default(), inputs, outputs).expect_err("too many");
        assert!(
            matches!(refused, LearningError::Settings(_)) && refused.to_string().contains(name),
            "{refused}"
        );
    }
}

/// Attention written down plainly, with all scores in memory.
fn plain_attention(config: &AttentionConfig, parameters: &[f64], x: &Array3<f64>) -> Array3<f64> {
    let width = config.embed_dim;
    let head_width = width / config.num_heads;
    let linear = |layer: usize, row: &dyn Fn(usize) -> f64, output: usize| -> f64 {
        let start = layer * width * (width + 1);
        let weights = &parameters[start + output * width..];
        (0..width).map(|input| row(input) * weights[input]).sum::<f64>()
            + parameters[start + width * width + output]
    };
    let (batch, length, _) = x.dim();
    let mut y = Array3::zeros(x.dim());
    for b in 0..batch {
        let project = |layer| {
            Array2::from_shape_fn((length, width), |(token, output)| {
                linear(layer, &|input| x[[b, token, input]], output)
            })
        };
        let [q, k, v] = [project(0), project(1), project(2)];
        for query in 0..length {
            let mut mixture = vec![0.0; width];
            for head in 0..config.num_heads {
                let part = head * head_width..(head + 1) * head_width;
                let score = |key: usize| {
                    part.clone().map(|i| q[[query, i]] * k[[key, i]]).sum::<f64>()
                        / (head_width as f64).sqrt()
                };
                let mut keys: Vec<usize> = (0..length).collect();
                keys.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
                keys.truncate(config.top_k);
                let total: f64 = keys.iter().map(|&key| score(key).exp()).sum();
                for &key in &keys {
                    for i in part.clone() {
                        mixture[i] += score(key).exp() / total * v[[key, i]];
                    }
                }
            }
            for output in 0..width {
                y[[b, query, output]] = linear(3, &|input| mixture[input], output);
            }
        }
    }
    y
}

/// Guards several heads, blocks of keys and queries, and the choice of the k best, against a plain
/// loop with the whole matrix of scores.
#[test]
fn sparse_attention_is_the_plain_one() {
    for (embed_dim, num_heads, top_k, shape) in
        [(6, 3, 2, (2, 9, 6)), (8, 2, 5, (1, 150, 8)), (4, 4, 400, (3, 70, 4)), (5, 1, 1, (1, 33, 5))]
    {
        let config = AttentionConfig { embed_dim, num_heads, top_k };
        let layer = SparseAttention::<f64>::random(&config, 9).expect("a layer");
        let x = tokens(3, shape);
        let plain = plain_attention(&config, layer.parameters(), &x);
        let ours = layer.forward(x.view()).expect("an output");
        for (ours, plain) in ours.iter().zip(&plain) {
            assert!((ours - plain).abs() < 1e-12, "{config:?}: {ours} and {plain}");
        }
    }
}

fn small_network(seed: u64) -> Network<f64> {
    let config = NetworkConfig { hidden_dim: 8, num_heads: 2, top_k: 3, ..NetworkConfig::default() };
    Network::new(&config, seed).expect("a network")
}

/// Guards every derivative, those through the choice of the k best included: the gradient equals
/// central differences of the loss.
#[test]
fn gradients_are_those_of_finite_differences() {
    for seed in 0..3 {
        let mut network = small_network(seed);
        let x = tokens(seed + 10, (4, 7, 4));
        let y = [0.3, -1.0, 2.0, 0.1];
        let (_, gradient) = network.loss_and_gradient(x.view(), &y).expect("a gradient");
        let start = network.parameters().to_vec();
        let mut attended = 0.0;
        let scores = |name: &str| name.contains("q_proj") || name.contains("k_proj.weight");
        for block in network.blocks() {
            for index in block.range.clone() {
                let mut loss = |change: f64| {
                    let mut parameters = start.clone();
                    parameters[index] += change;
                    network.set_parameters(&parameters).expect("parameters");
                    network.loss_and_gradient(x.view(), &y).expect("a loss").0
                };
                let step = 1e-6;
                let difference = (loss(step) - loss(-step)) / (2.0 * step);
                let error = (difference - gradient[index]).abs();
                assert!(error < 1e-7, "{} {index}: {difference} and {}", block.name, gradient[index]);
                if scores(block.name) {
                    attended += gradient[index].abs();
                }
            }
        }
        // With one token, as in MFN 4.1, these are all zero.
        assert!(attended > 1e-4, "the attention does not learn: {attended}");
    }
}

/// Guards against the decorative attention of MFN 4.1: with several tokens the output depends on
/// query and key, with one token it does not.
#[test]
fn attention_attends_with_more_than_one_token() {
    let mut network = small_network(1);
    let blocks = network.blocks();
    let query = blocks.iter().find(|block| block.name == "attention.q_proj.weight").expect("a query layer");
    for (length, matters) in [(1, false), (6, true)] {
        let x = tokens(2, (3, length, 4));
        let before = network.forward(x.view()).expect("an output");
        let mut changed = network.parameters().to_vec();
        changed[query.range.clone()].iter_mut().for_each(|weight| *weight *= -3.0);
        let start = network.parameters().to_vec();
        network.set_parameters(&changed).expect("parameters");
        assert_eq!(network.forward(x.view()).expect("an output") != before, matters, "{length} tokens");
        network.set_parameters(&start).expect("parameters");
    }
}

/// Guards training: a network learns the largest number of a sequence far better than a constant.
#[test]
fn a_network_learns() {
    let config = NetworkConfig {
        input_dim: 2,
        hidden_dim: 16,
        num_heads: 2,
        adam: AdamConfig { learning_rate: 5e-3, ..AdamConfig::default() },
        ..NetworkConfig::default()
    };
    let mut network = Network::<f64>::new(&config, 3).expect("a network");
    let x = tokens(4, (64, 5, 2));
    let y: Vec<f64> = x.outer_iter().map(|sequence| sequence.fold(f64::MIN, |a, b| a.max(*b))).collect();
    let first = network.train_step(x.view(), &y).expect("a step");
    let mut last = first;
    for _ in 0..400 {
        last = network.train_step(x.view(), &y).expect("a step");
    }
    let mean = y.iter().sum::<f64>() / 64.0;
    let constant = y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / 64.0;
    assert!(
        last < 0.2 * constant && network.steps() == 401,
        "{first} to {last}, a constant gives {constant}"
    );
}

/// Guards the promise of the same bits for every number of threads.
#[test]
fn threads_change_no_bit() {
    let x = tokens(5, (3, 90, 4));
    let [one, three] = [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let mut network = small_network(7);
            for _ in 0..3 {
                network.train_step(x.view(), &[1.0, 2.0, 3.0]).expect("a step");
            }
            network
        })
    });
    assert_eq!(one, three);
}

/// Guards the state of a network when input is refused: nothing moves.
#[test]
fn refused_input_changes_nothing() {
    let mut network = small_network(2);
    let before = network.clone();
    let good = tokens(1, (2, 3, 4));
    let mut bad = good.clone();
    bad[[1, 2, 0]] = f64::NAN;
    let huge = good.mapv(|value| value * 1e300);
    let y = [1.0, 2.0];
    let refusals = [
        network.train_step(bad.view(), &y),
        network.train_step(good.view(), &[1.0]),
        network.train_step(good.view(), &[1.0, f64::INFINITY]),
        network.train_step(huge.view(), &y),
        network.train_step(tokens(1, (2, 3, 5)).view(), &y),
        network.train_step(tokens(1, (0, 3, 4)).view(), &[]),
        network.train_step(tokens(1, (2, 0, 4)).view(), &y),
    ];
    for refusal in refusals {
        assert!(!refusal.expect_err("refused").to_string().is_empty());
    }
    assert!(network.set_parameters(&[f64::NAN]).is_err());
    let nan = vec![f64::NAN; network.parameters().len()];
    assert!(matches!(network.set_parameters(&nan), Err(LearningError::NotFinite { index: 0, .. })));
    assert_eq!(network, before);
}

/// Guards the declared memory: long sequences are refused before anything is computed.
#[test]
fn too_many_activations_are_refused() {
    let wide = NetworkConfig { input_dim: 1, hidden_dim: 1024, num_heads: 1, ..NetworkConfig::default() };
    let network = Network::<f32>::new(&wide, 1).expect("a network");
    let long = Array3::<f32>::zeros((1, 1 << 16, 1));
    assert!(matches!(network.forward(long.view()), Err(LearningError::TooLarge { .. })));
    let narrow = NetworkConfig { hidden_dim: 2, top_k: 65_536, ..wide };
    let mut network = Network::<f32>::new(&narrow, 1).expect("a network");
    let refused = network.train_step(long.view(), &[0.0]);
    assert!(matches!(refused, Err(LearningError::TooLarge { what: "the choices of the attention", .. })));
}

/// Numbers a host may send, the strange ones often.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        5 => -2.0..2.0,
        1 => prop::sample::select(vec![
            0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300, 5e-324, f64::MAX,
        ]),
    ]
}

fn grid() -> impl Strategy<Value = Array2<f64>> {
    (0_usize..4, 0_usize..4).prop_flat_map(|(rows, columns)| {
        prop::collection::vec(number(), rows * columns)
            .prop_map(move |cells| Array2::from_shape_vec((rows, columns), cells).expect("a grid"))
    })
}

/// A setting inside, at the edge of, or outside its range.
fn setting(low: f64, high: f64) -> impl Strategy<Value = f64> {
    prop_oneof![6 => low..=high, 1 => Just(low), 1 => Just(high), 1 => number()]
}

fn count(most: usize) -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1..=most, 1 => Just(0_usize), 1 => Just(usize::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Guards plasticity over its whole range: weights stay in theirs, or a typed error and no change.
    #[test]
    fn any_plasticity_gives_weights_or_an_error(
        (pre, post, mut weights) in (grid(), grid(), grid()),
        (tau_plus_s, tau_minus_s) in (setting(0.005, 0.1), setting(0.005, 0.1)),
        (a_plus, a_minus) in (setting(0.001, 0.1), setting(0.001, 0.1)),
        (weight_min, weight_max) in (setting(-3.0, -2.0), setting(2.0, 3.0)),
        soft in any::<bool>(),
        time_step_s in number(),
    ) {
        let bounds = if soft { WeightBounds::Soft } else { WeightBounds::Hard };
        let rule = Stdp { tau_plus_s, tau_minus_s, a_plus, a_minus, weight_min, weight_max, bounds };
        let before = weights.clone();
        let in_range = |weights: &Array2<f64>| weights.iter().all(|w| (weight_min..=weight_max).contains(w));
        match rule.update(pre.view(), post.view(), weights.view_mut()) {
            Ok(()) => prop_assert!(in_range(&weights)),
            Err(_) => prop_assert!(weights.iter().zip(&before).all(|(a, b)| a.to_bits() == b.to_bits())),
        }
        if let Ok(change) = rule.weight_change_v4_1(pre.view(), post.view()) {
            prop_assert!(change.iter().all(|change| change.abs() <= a_plus.max(a_minus)));
        }
        if let Ok(mut traces) = SpikeTraces::new(rule, weights.nrows(), weights.ncols()) {
            let spikes = [true, false, true, true];
            for _ in 0..3 {
                let (pre, post) = (&spikes[..weights.nrows()], &spikes[..weights.ncols()]);
                if traces.advance(time_step_s, pre, post, weights.view_mut()).is_ok() {
                    prop_assert!(in_range(&weights));
                }
            }
        }
    }

    /// Guards attention and network over their whole range: finite numbers or a typed error.
    #[test]
    fn any_network_gives_numbers_or_an_error(
        x in (0_usize..3, 0_usize..4, 0_usize..5).prop_flat_map(|shape| {
            prop::collection::vec(number(), shape.0 * shape.1 * shape.2)
                .prop_map(move |cells| Array3::from_shape_vec(shape, cells).expect("tokens"))
        }),
        y in prop::collection::vec(number(), 0..3),
        (input_dim, hidden_dim, num_heads, top_k) in (count(4), count(8), count(3), count(5)),
        use_sparse_attention in any::<bool>(),
        (learning_rate, beta1, beta2, epsilon) in
            (setting(1e-12, 1.0), setting(0.0, 0.999), setting(0.0, 0.999), setting(1e-30, 1.0)),
    ) {
        let adam = AdamConfig { learning_rate, beta1, beta2, epsilon };
        let config = NetworkConfig { input_dim, hidden_dim, use_sparse_attention, num_heads, top_k, adam };
        if let Ok(mut network) = Network::<f64>::new(&config, 1) {
            if let Ok(output) = network.forward(x.view()) {
                prop_assert!(output.len() == x.dim().0 && output.iter().all(|value| value.is_finite()));
            }
            for _ in 0..2 {
                if let Ok(loss) = network.train_step(x.view(), &y) {
                    prop_assert!(loss.is_finite() && network.parameters().iter().all(|p| p.is_finite()));
                }
            }
        }
        let single = x.mapv(|value| value as f32);
        let config = AttentionConfig { embed_dim: input_dim, num_heads, top_k };
        if let Ok(layer) = SparseAttention::<f32>::random(&config, 1)
            && let Ok(output) = layer.forward(single.view()) {
                prop_assert!(output.dim() == x.dim() && output.iter().all(|value| value.is_finite()));
            }
    }
}
