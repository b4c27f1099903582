//! Learning: sparse attention, and a small network trained with Adam.
//!
//! Arrays are contiguous, row by row: tokens are batch x sequence x numbers in a token. A call that is
//! refused changes nothing. Attention and networks compute in double precision. The work is done on the calling
//! thread.

use std::ffi::c_double;

use ::mfn_sim::learning::{
    AdamConfig, AttentionConfig, LearningError, Network, NetworkConfig, SparseAttention,
};
use ndarray::ArrayView3;

use crate::aggregation::{count, outputs};
use crate::argument::{self, SizedSlot, Slot, read_sized, sized32, slots};
use crate::error::{Failure, mfn_error};
use crate::guard::{self, Exclusive, Handle, opaque};
use crate::status::{MFN_INVALID, mfn_status};

/// A layer of sparse attention. Freed with mfn_attention_free().
pub struct mfn_attention(Handle<SparseAttention<f64>>);
/// A network with its training. Freed with mfn_network_free().
pub struct mfn_network(Handle<Exclusive<Network<f64>>>);

opaque! {
    mfn_attention(SparseAttention<f64>) as "attention" = 40;
    mfn_network(Exclusive<Network<f64>>) as "network" = 41;
}

/// Shape of an attention layer. Set struct_size and all other fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_attention_config {
    /// sizeof(mfn_attention_config).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Numbers in a token, 1 to 4096.
    pub embed_dim: u64,
    /// Heads, a divisor of embed_dim.
    pub num_heads: u64,
    /// Keys that a query attends to, 1 to 65536.
    pub top_k: u64,
}

/// Shape and training of a network. Fill it with mfn_network_config_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mfn_network_config {
    /// sizeof(mfn_network_config).
    pub struct_size: u32,
    /// 1 with an attention layer, 0 without.
    pub use_sparse_attention: i32,
    /// Numbers in an input token, 1 to 4096.
    pub input_dim: u64,
    /// Width of the hidden layers, 2 to 1024.
    pub hidden_dim: u64,
    /// Heads of the attention, a divisor of hidden_dim.
    pub num_heads: u64,
    /// Keys that a query attends to.
    pub top_k: u64,
    /// Step size of Adam.
    pub learning_rate: c_double,
    /// Decay of the mean of the gradients.
    pub beta1: c_double,
    /// Decay of the mean of their squares.
    pub beta2: c_double,
    /// Guard against division by zero.
    pub epsilon: c_double,
}

sized32! {
    mfn_attention_config = 32;
    mfn_network_config = 72;
}

impl From<LearningError> for Failure {
    fn from(error: LearningError) -> Self {
        match error {
            LearningError::Settings(error) => error.into(),
            other => Failure::from_error(MFN_INVALID, &other),
        }
    }
}

pub(crate) fn write_all(slots: impl Iterator<Item = Slot<c_double>>, values: &[f64]) {
    for (slot, value) in slots.zip(values) {
        slot.write(*value);
    }
}

fn tokens<'a>(
    name: &str,
    pointer: *const c_double,
    shape: (usize, usize, usize),
) -> Result<ArrayView3<'a, f64>, Failure> {
    let too_large = || Failure::invalid(format!("{name}: {shape:?} numbers are more than memory can hold"));
    let numbers = shape.0.checked_mul(shape.1).and_then(|n| n.checked_mul(shape.2)).ok_or_else(too_large)?;
    let values = argument::array(name, pointer, numbers)?;
    ArrayView3::from_shape(shape, values).map_err(|_| too_large())
}

/// Creates a layer. parameters are weight (outputs x inputs) and bias of the query, key, value and output
/// layers, in this order: parameter_count = 4 * embed_dim * (embed_dim + 1) numbers, which are copied. With
/// NULL and 0 they are drawn from seed. The host owns *attention and frees it with mfn_attention_free().
/// [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_attention_create(
    config: *const mfn_attention_config,
    parameters: *const c_double,
    parameter_count: usize,
    seed: u64,
    attention: *mut *mut mfn_attention,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("attention", attention)?;
        let given = read_sized("config", config)?;
        if given.reserved != 0 {
            return Err(Failure::invalid(format!("config.reserved = {}: give 0", given.reserved)));
        }
        let config = AttentionConfig {
            embed_dim: count(given.embed_dim),
            num_heads: count(given.num_heads),
            top_k: count(given.top_k),
        };
        let layer = if parameters.is_null() && parameter_count == 0 {
            SparseAttention::random(&config, seed)?
        } else {
            config.validate()?;
            SparseAttention::new(
                &config,
                argument::array("parameters", parameters, parameter_count)?.to_vec(),
            )?
        };
        slot.hand_over(guard::create(layer));
        Ok(())
    })
}

/// Computes the output for batch sequences of length tokens each. tokens and output have batch x length x
/// embed_dim numbers; number_count is that number. The tokens are read during the call only; output belongs
/// to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_attention_forward(
    attention: *const mfn_attention,
    tokens: *const c_double,
    batch: usize,
    length: usize,
    output: *mut c_double,
    number_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(attention, error, |layer| {
        let tokens = self::tokens("tokens", tokens, (batch, length, layer.config().embed_dim))?;
        let places = outputs("output", output, number_count, tokens.len())?;
        let result = layer.forward(tokens)?;
        for (slot, value) in places.zip(result) {
            slot.write(value);
        }
        Ok(())
    })
}

/// Frees a layer; NULL is allowed. attention must not be used afterwards. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_attention_free(attention: *mut mfn_attention) {
    guard::free(attention);
}

/// Fills a configuration with the defaults. struct_size is sizeof(mfn_network_config). config belongs to the
/// host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_config_init(
    config: *mut mfn_network_config,
    struct_size: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let defaults = NetworkConfig::default();
        SizedSlot::of_size("config", config, struct_size)?.write(&mfn_network_config {
            struct_size: 0,
            use_sparse_attention: i32::from(defaults.use_sparse_attention),
            input_dim: defaults.input_dim as u64,
            hidden_dim: defaults.hidden_dim as u64,
            num_heads: defaults.num_heads as u64,
            top_k: defaults.top_k as u64,
            learning_rate: defaults.adam.learning_rate,
            beta1: defaults.adam.beta1,
            beta2: defaults.adam.beta2,
            epsilon: defaults.adam.epsilon,
        });
        Ok(())
    })
}

/// Creates a network whose parameters are drawn from seed. config may be NULL for the defaults. The host owns
/// *network and frees it with mfn_network_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_create(
    config: *const mfn_network_config,
    seed: u64,
    network: *mut *mut mfn_network,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("network", network)?;
        let config = if config.is_null() {
            NetworkConfig::default()
        } else {
            let given = read_sized("config", config)?;
            NetworkConfig {
                input_dim: count(given.input_dim),
                hidden_dim: count(given.hidden_dim),
                use_sparse_attention: argument::flag(
                    "config.use_sparse_attention",
                    given.use_sparse_attention,
                )?,
                num_heads: count(given.num_heads),
                top_k: count(given.top_k),
                adam: AdamConfig {
                    learning_rate: given.learning_rate,
                    beta1: given.beta1,
                    beta2: given.beta2,
                    epsilon: given.epsilon,
                },
            }
        };
        slot.hand_over(guard::create(Exclusive::new(Network::new(&config, seed)?)));
        Ok(())
    })
}

/// Computes one number for each of batch sequences of length tokens. x has batch x length x input_dim numbers,
/// output batch. x is read during the call only; output belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_forward(
    network: *const mfn_network,
    x: *const c_double,
    batch: usize,
    length: usize,
    output: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(network, error, |network| {
        let network = network.read()?;
        let x = tokens("x", x, (batch, length, network.config().input_dim))?;
        let places = slots("output", output, batch)?;
        write_all(places, &network.forward(x)?);
        Ok(())
    })
}

/// Does one step of Adam on the mean squared error between the outputs for x and the batch numbers of y. loss
/// (may be NULL) becomes the error before the step. x and y are read during the call only; loss belongs to
/// the host. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_train_step(
    network: *mut mfn_network,
    x: *const c_double,
    batch: usize,
    length: usize,
    y: *const c_double,
    loss: *mut c_double,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(network.cast_const(), error, |network| {
        let mut network = network.write()?;
        let x = tokens("x", x, (batch, length, network.config().input_dim))?;
        let y = argument::array("y", y, batch)?;
        let slot = Slot::optional("loss", loss)?;
        let before = network.train_step(x, y)?;
        if let Some(slot) = slot {
            slot.write(before);
        }
        Ok(())
    })
}

/// The number of parameters; 0 for NULL. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_parameter_count(network: *const mfn_network) -> usize {
    guard::read(network, 0, |network| network.read().ok().map(|network| network.parameters().len()))
}

/// Copies the parameters: for the input layer, then with attention its query, key, value and output layers,
/// then the three last layers, the weight (outputs x inputs) and the bias. parameter_count is
/// mfn_network_parameter_count(). parameters belongs to the host. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_parameters(
    network: *const mfn_network,
    parameters: *mut c_double,
    parameter_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(network, error, |network| {
        let network = network.read()?;
        let values = network.parameters();
        write_all(outputs("parameters", parameters, parameter_count, values.len())?, values);
        Ok(())
    })
}

/// Replaces the parameters, in the order of mfn_network_parameters(), and starts Adam anew. parameters stays
/// the host's. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_set_parameters(
    network: *mut mfn_network,
    parameters: *const c_double,
    parameter_count: usize,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::on(network.cast_const(), error, |network| {
        let mut network = network.write()?;
        Ok(network.set_parameters(argument::array("parameters", parameters, parameter_count)?)?)
    })
}

/// Frees a network; NULL is allowed. network must not be used afterwards. [one-thread-per-handle]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_network_free(network: *mut mfn_network) {
    guard::free(network);
}
