//! A record that several hold at once: a route, lanes, queues of events.
//!
//! Records that are forwarded stay together as they were fetched, and the header that says which route they took is added
//! when they are lent: what one of them costs here is a count, and no memory of its own.

use std::ops::Deref;
use std::sync::Arc;

use mfn_plugin::value::{Record, RecordView};

use super::work::ROUTE_HEADER;

/// A record, shared.
#[derive(Debug, Clone)]
pub(super) enum RecordRef {
    /// As it is.
    Alone(Arc<Record>),
    /// One of a batch that is forwarded.
    Forwarded { batch: Arc<ForwardedBatch>, index: u32 },
}

/// Records that go on as they came, with the route's header.
#[derive(Debug)]
pub(super) struct ForwardedBatch {
    records: Vec<Record>,
    route: Arc<str>,
}

impl RecordRef {
    /// Shares a record.
    pub(super) fn new(record: Record) -> Self {
        Self::Alone(Arc::new(record))
    }

    /// Shares the records of a batch, none of which is changed, for a route.
    pub(super) fn forwarded(records: Vec<Record>, route: &Arc<str>) -> Vec<Self> {
        let indices = 0..u32::try_from(records.len()).unwrap_or(u32::MAX);
        let batch = Arc::new(ForwardedBatch { records, route: Arc::clone(route) });
        indices.map(|index| Self::Forwarded { batch: Arc::clone(&batch), index }).collect()
    }

    /// Lends the record as it is published. What it [derefs](Deref) to lacks the route's header.
    pub(super) fn view(&self) -> RecordView<'_> {
        let mut view = Record::view(self);
        if let Self::Forwarded { batch, .. } = self {
            view.headers = view.headers.and(ROUTE_HEADER, batch.route.as_bytes());
        }
        view
    }
}

impl Deref for RecordRef {
    type Target = Record;

    fn deref(&self) -> &Record {
        match self {
            Self::Alone(record) => record,
            // An index is made from the batch's length.
            Self::Forwarded { batch, index } => &batch.records[*index as usize],
        }
    }
}
