//! The machines of one publisher that records come to straight from batches.

use std::collections::HashMap;
use std::time::Duration;

use super::oracle::{Message, RecordId};
use crate::delivery::outbound::{
    Action, Call, Endpoint, ItemId, Outbound, OutboundConfig, OutboundStatus, Resolution,
};
use crate::delivery::relay::RelayAction;
use crate::delivery::{Answers, BatchId};

/// Machines that share one endpoint, and take turns: one call at a time.
#[derive(Debug)]
pub(super) struct Direct {
    outbounds: Vec<Outbound>,
    /// The one whose call is out.
    pub(super) calling: Option<usize>,
    /// Whose turn it is.
    turn: usize,
    /// With the batch, and the record's place in the share.
    pub(super) items: HashMap<u64, (BatchId, usize, Message)>,
    pub(super) offered: u64,
}

impl Direct {
    pub(super) fn new(config: OutboundConfig, machines: usize, seed: u64) -> Self {
        let endpoint = Endpoint::new(config.breaker);
        let machine = |index: usize| Outbound::new(config, endpoint.share(), seed ^ (index as u64) << 32);
        let outbounds = (0..machines).map(machine).collect();
        Self { outbounds, calling: None, turn: 0, items: HashMap::new(), offered: 0 }
    }

    /// The machine of a record. One partition stays with one machine: between them there is no order.
    pub(super) fn machine(&mut self, id: RecordId) -> &mut Outbound {
        let index = usize::from(id.partition) % self.outbounds.len();
        &mut self.outbounds[index]
    }

    pub(super) fn poll(&mut self, now: Duration) -> RelayAction {
        let mut wait: Option<Duration> = None;
        for offset in 0..self.outbounds.len() {
            let index = (self.turn + offset) % self.outbounds.len();
            if self.calling.is_some() {
                return RelayAction::Wait { until: None };
            }
            match self.outbounds[index].poll(now) {
                Action::Publish(call) => {
                    (self.calling, self.turn) = (Some(index), index + 1);
                    return RelayAction::Publish(call);
                }
                Action::Wait { until } => wait = [wait, until].into_iter().flatten().min(),
            }
        }
        RelayAction::Wait { until: wait }
    }

    pub(super) fn answer(
        &mut self,
        now: Duration,
        machine: usize,
        call: &Call,
        answers: Answers,
    ) -> Vec<(ItemId, Resolution)> {
        let outbound = &mut self.outbounds[machine];
        let mut resolved = outbound.answer(now, call.id, answers);
        let failed = outbound.status().failed;
        if outbound.status().in_call == 0 {
            self.calling.take_if(|calling| *calling == machine);
        }
        if failed {
            // Nothing can go on, whoever was told.
            resolved.extend(self.halt());
        }
        resolved
    }

    pub(super) fn halt(&mut self) -> Vec<(ItemId, Resolution)> {
        self.outbounds.iter_mut().flat_map(Outbound::halt).collect()
    }

    pub(super) fn status(&self) -> OutboundStatus {
        let all = self.outbounds.iter().map(Outbound::status);
        all.reduce(OutboundStatus::and).unwrap_or_else(|| unreachable!("there is a machine"))
    }
}
