//! The other half of a route that computes nothing: records go on as they are, a batch at a time.
//!
//! No record has a thread hop, a message, an outcome or memory of its own here; what a record costs is its place in the
//! machine.

use super::record_ref::RecordRef;
use super::route::Route;
use super::work;
use crate::delivery::{BatchId, Event};

impl Route {
    /// Lets the records of a batch go on that can. The others are done with here.
    pub(super) fn forward(&mut self, batch: BatchId) {
        let Some(in_flight) = self.batches.get(&batch) else { return };
        let limits = &self.parts.limits;
        let refused =
            |(index, record): (usize, &RecordRef)| Some((index, work::admit_unread(record, limits).err()?));
        let unfit: Vec<_> = in_flight.requests.iter().enumerate().filter_map(refused).collect();
        for events in &self.parts.events {
            let is_unfit = |index| unfit.binary_search_by_key(&index, |(index, _)| *index).is_ok();
            let fit = in_flight.requests.iter().enumerate().filter(|(index, _)| !is_unfit(*index));
            fit.for_each(|(_, record)| events.offer(&self.topic, record));
        }
        for (record, unfit) in unfit {
            self.unfit(batch, record, &unfit);
        }
        self.handle(Event::Ready { batch });
    }
}
