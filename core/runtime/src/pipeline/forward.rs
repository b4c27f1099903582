//! The other half of a route that computes nothing: records go on as they are, a batch at a time.
//!
//! No record has a thread hop, a message or an outcome of its own here; what a record costs is two small
//! allocations for its header and its place in the machine.

use std::sync::Arc;

use mfn_plugin::value::Record;

use super::route::Route;
use super::work;
use crate::delivery::{BatchId, Computed, Event};

impl Route {
    /// The records as they are published: as they came, with the route's header.
    pub(super) fn forwarded(&self, records: Vec<Record>) -> Vec<Arc<Record>> {
        let route = &self.parts.config.name;
        let mark = |mut record: Record| {
            record.headers.push(work::route_header(route));
            Arc::new(record)
        };
        records.into_iter().map(mark).collect()
    }

    /// Lets the records of a batch go on that can. The others are done with here.
    pub(super) fn forward(&mut self, batch: BatchId) {
        let Some(in_flight) = self.batches.get(&batch) else { return };
        let limits = &self.parts.limits;
        let refused =
            |(index, record): (usize, &Arc<Record>)| Some((index, work::admit_unread(record, limits).err()?));
        let unfit: Vec<_> = in_flight.requests.iter().enumerate().filter_map(refused).collect();
        let requests = if self.parts.events.is_empty() { Vec::new() } else { in_flight.requests.clone() };
        let records = in_flight.requests.len();
        let mut unfit = unfit.into_iter().peekable();
        for record in 0..records {
            if let Some((_, unfit)) = unfit.next_if(|(index, _)| *index == record) {
                self.unfit(batch, record, &unfit);
                continue;
            }
            for events in &self.parts.events {
                requests.get(record).inspect(|record| events.offer(&self.topic, record));
            }
            self.advance(Event::Computed { batch, record, result: Computed::Ready });
        }
        self.show();
    }
}
