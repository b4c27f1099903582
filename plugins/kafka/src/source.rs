//! How a transactional publisher reaches the connector that its records came from.
//!
//! Exactly once from Kafka to Kafka needs the consumer's offsets in the producer's transaction, together with the
//! group's metadata, which fence a member that has lost its partitions. Both instances live in one library, so a
//! connector with `offsets = "transaction"` registers itself here and marks its records with a reserved header; the
//! publisher finds it by that. A header of the same name in a topic is dropped, so nobody outside can forge one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mfn_plugin::author::Result;
use rdkafka::{
    Offset,
    consumer::{Consumer, ConsumerGroupMetadata},
};

use crate::{
    cause,
    connector::{
        context::{GroupConsumer, list_of},
        shelf::{Place, Shelf},
    },
    headers,
};

static NEXT: AtomicU64 = AtomicU64::new(1);
static SOURCES: Mutex<BTreeMap<u64, Weak<Source>>> = Mutex::new(BTreeMap::new());

/// A connector whose offsets are committed by transactions.
#[derive(Debug)]
pub(crate) struct Source {
    number: u64,
    pub(crate) shelf: Arc<Shelf>,
    consumer: Weak<GroupConsumer>,
}

/// Where a record came from, as its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) source: u64,
    pub(crate) epoch: u64,
    pub(crate) place: Place,
    pub(crate) offset: i64,
}

/// Makes a connector known until what is returned is dropped.
pub(crate) fn register(shelf: Arc<Shelf>, consumer: Weak<GroupConsumer>) -> Arc<Source> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let source = Arc::new(Source { number, shelf, consumer });
    let mut sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    sources.retain(|_, source| source.strong_count() > 0);
    sources.insert(number, Arc::downgrade(&source));
    source
}

/// The connector of a number, while it lives.
pub(crate) fn find(number: u64) -> Option<Arc<Source>> {
    SOURCES.lock().unwrap_or_else(PoisonError::into_inner).get(&number)?.upgrade()
}

impl Source {
    /// The header that leads back to a record's place.
    pub(crate) fn header(&self, place: &Place, epoch: u64, offset: i64) -> (String, Vec<u8>) {
        let value = format!("{}/{epoch}/{}/{}/{offset}", self.number, place.topic, place.partition);
        (headers::SOURCE.to_owned(), value.into_bytes())
    }

    /// The group's metadata as they are now, for a transaction; `None` when the connector is closed.
    pub(crate) fn group_metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer.upgrade()?.group_metadata()
    }
}

impl Source {
    /// What the group has committed for a partition, by a question to the broker.
    ///
    /// # Errors
    /// When the broker does not answer, or the connector is closed.
    pub(crate) fn committed(&self, place: &Place, timeout: Duration) -> Result<Option<i64>> {
        let Some(consumer) = self.consumer.upgrade() else { return Ok(None) };
        let asked = consumer.committed_offsets(list_of([place]), timeout);
        let answer = asked.map_err(|error| cause::of_error("committed offsets", &error))?;
        Ok(answer.elements().iter().find_map(|element| match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }))
    }
}

impl Origin {
    /// Reads a header's value.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(value).ok()?.split('/');
        let origin = Self {
            source: parts.next()?.parse().ok()?,
            epoch: parts.next()?.parse().ok()?,
            place: Place::new(parts.next()?, parts.next()?.parse().ok()?),
            offset: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that the publisher reads what the connector wrote, and that a closed connector is not found.
    #[test]
    fn a_header_leads_back_to_the_record() {
        let source = register(Arc::default(), Weak::new());
        let (name, value) = source.header(&Place::new("a.b-c", 7), 3, 42);
        assert!(headers::is_reserved(&name));
        let origin = Origin::parse(&value).expect("a header of this plugin");
        let expected = Origin { source: source.number, epoch: 3, place: Place::new("a.b-c", 7), offset: 42 };
        assert_eq!(origin, expected);
        assert!(find(origin.source).is_some());
        drop(source);
        assert!(find(origin.source).is_none());
        for bad in [&b""[..], b"1/2/t/0", b"1/2/t/0/5/6", b"x/2/t/0/5", b"\xff"] {
            assert_eq!(Origin::parse(bad), None);
        }
    }
}
