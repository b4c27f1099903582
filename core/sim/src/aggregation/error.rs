//! What the aggregation refuses.

use crate::error::SpecError;

/// Gradients or settings without an aggregate. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AggregationError {
    /// No client at all.
    #[error("no gradients to aggregate: give at least one client")]
    NoGradients,
    /// Gradients without a coordinate.
    #[error("gradients of {clients} clients have no coordinates: give at least one column")]
    NoCoordinates {
        /// Number of clients.
        clients: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("gradient of client {client} has {value} at coordinate {coordinate}: leave this client out")]
    NotFinite {
        /// Index of the first such client.
        client: usize,
        /// Its first such coordinate.
        coordinate: usize,
        /// The value.
        value: f64,
    },
    /// A coordinate is so large that squared distances could overflow.
    #[error(
        "gradient of client {client} has {value:e} at coordinate {coordinate}, outside [-{limit:e}, {limit:e}]: \
         leave this client out or scale all gradients down"
    )]
    TooLarge {
        /// Index of the first such client.
        client: usize,
        /// Its first such coordinate.
        coordinate: usize,
        /// The value.
        value: f64,
        /// Largest magnitude allowed.
        limit: f64,
    },
    /// Too few clients for the number of attackers.
    #[error(
        "{clients} clients are too few for {byzantine} attackers: {method} needs at least {needed} \
         ({rule}); give more clients or a smaller number of attackers"
    )]
    TooFewClients {
        /// Number of clients.
        clients: usize,
        /// Number of attackers to be survived.
        byzantine: usize,
        /// The fewest clients for that number.
        needed: usize,
        /// The method.
        method: &'static str,
        /// The rule behind it.
        rule: &'static str,
    },
    /// More clients than the table of distances may have.
    #[error(
        "{clients} clients are too many for one table of distances: give at most {limit}, or use \
         hierarchical Krum or a method by coordinate"
    )]
    TooManyClients {
        /// Number of clients.
        clients: usize,
        /// The most allowed.
        limit: usize,
    },
    /// Multi-Krum was asked to average none or more clients than are safe.
    #[error(
        "selected = {selected} is outside [1, {max}] for {clients} clients and {byzantine} attackers: \
         give a whole number in this range"
    )]
    Selected {
        /// The number given.
        selected: usize,
        /// The largest allowed.
        max: usize,
        /// Number of clients.
        clients: usize,
        /// Number of attackers to be survived.
        byzantine: usize,
    },
    /// A numeric setting is outside its range.
    #[error("invalid aggregation settings: {0}")]
    Settings(#[from] SpecError),
}
