//! The network: outputs, four steps of Adam, and every parameter after them, within 1e-5.

use mfn_sim::Real;
use mfn_sim::learning::{Network, NetworkConfig};
use ndarray::Array3;

use crate::load::{Entry, assert_close, numbers, whole};

pub(crate) fn check(entry: &Entry) {
    check_precision::<f32>(entry);
    check_precision::<f64>(entry);
}

fn check_precision<T: Real>(entry: &Entry) {
    let config = NetworkConfig {
        input_dim: whole(&entry.params["input_dim"]),
        hidden_dim: whole(&entry.params["hidden_dim"]),
        use_sparse_attention: entry.params["use_sparse_attention"].as_bool().expect("a flag"),
        ..NetworkConfig::default()
    };
    let cells = |name: &str| -> Vec<T> { entry.cells(name).0.into_iter().map(T::of).collect() };
    let close = |what: &str, actual: &[T], name: &str| {
        let wanted = entry.cells(name).0;
        assert_eq!(actual.len(), wanted.len(), "{}: {what}", entry.id);
        for (actual, wanted) in actual.iter().zip(&wanted) {
            assert_close(&format!("{}: {what}", entry.id), actual.wide(), *wanted, 1e-5);
        }
    };
    let mut network = Network::<T>::new(&config, 0).expect("a network");
    let parameters: Vec<T> =
        network.blocks().iter().flat_map(|block| cells(&format!("init.{}", block.name))).collect();
    network.set_parameters(&parameters).expect("parameters");

    let input = |name: &str| {
        let shape = entry.cells(name).1;
        // Two dimensions are sequences of one token.
        let length = if shape.len() == 3 { shape[1] } else { 1 };
        Array3::from_shape_vec((shape[0], length, shape[shape.len() - 1]), cells(name)).expect("tokens")
    };
    let (x, y) = (input("x2"), cells("y"));
    close("out2", &network.forward(x.view()).expect("an output"), "out2");
    close("out3", &network.forward(input("x3").view()).expect("an output"), "out3");
    for wanted in numbers(&entry.expected["losses"]) {
        let loss = network.train_step(x.view(), &y).expect("a step");
        assert_close(&format!("{}: loss", entry.id), loss.wide(), wanted, 1e-5);
    }
    for block in network.blocks() {
        close(block.name, &network.parameters()[block.range], &format!("after4.{}", block.name));
    }
}
