//! Transactions.

use std::time::Instant;

use mfn_plugin::{
    author::Result,
    value::{PluginError, RecordResult, RecordView},
};

use super::session::Session;

/// The state of the producer's transactions.
#[derive(Debug, Default)]
pub(crate) struct Transactions {}

impl Transactions {
    pub(crate) fn forget(&mut self) {}
    pub(crate) fn publish(
        &mut self,
        _: &Session,
        _: &[RecordView<'_>],
        _: Instant,
    ) -> Result<Vec<RecordResult>> {
        Err(PluginError::permanent("not yet"))
    }
}
