//! What librdkafka calls back while the worker polls: rebalances, log, statistics.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    ClientContext, Offset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};

use super::{
    config::{Settings, Start},
    shelf::{Place, Revocation, Shelf, deadline_in},
};
use crate::{cause, observer::Observer};

/// How long a question to the broker may take while partitions are assigned.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// The consumer with its callbacks.
pub(crate) type GroupConsumer = BaseConsumer<Context>;

/// The callbacks of one consumer.
pub(crate) struct Context {
    pub(crate) settings: Arc<Settings>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) observer: Arc<Observer>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.observer.log(level, facility, line);
    }

    fn stats(&self, statistics: Statistics) {
        self.observer.statistics(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &GroupConsumer, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let done = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.assign(consumer, list)
        } else {
            self.revoke(consumer, list)
        };
        if let Err(error) = done {
            self.observer.trouble(cause::of_error("rebalance", &error));
        }
        self.shelf.ring();
    }
}

impl Context {
    fn assign(&self, consumer: &GroupConsumer, list: &mut TopicPartitionList) -> KafkaResult<()> {
        if let Start::TimestampMs(time) = self.settings.start {
            self.start_at(consumer, list, time);
        }
        self.shelf.lock().assign(places_of(list));
        self.count_rebalance("assign", list.count());
        if is_incremental(consumer) { consumer.incremental_assign(list) } else { consumer.assign(list) }
    }

    /// Sets where to begin in partitions without a committed offset.
    fn start_at(&self, consumer: &GroupConsumer, list: &mut TopicPartitionList, time: i64) {
        let looked_up = consumer.committed_offsets(list.clone(), LOOKUP_TIMEOUT).and_then(|committed| {
            let mut wanted = TopicPartitionList::new();
            for element in committed.elements() {
                if !matches!(element.offset(), Offset::Offset(_)) {
                    let (topic, partition) = (element.topic(), element.partition());
                    wanted.add_partition_offset(topic, partition, Offset::Offset(time))?;
                }
            }
            if wanted.count() > 0 { consumer.offsets_for_times(wanted, LOOKUP_TIMEOUT) } else { Ok(wanted) }
        });
        let set = looked_up.and_then(|found| {
            found.elements().iter().try_for_each(|element| {
                list.set_partition_offset(element.topic(), element.partition(), element.offset())
            })
        });
        // Without an answer the partition begins at its end, and says so.
        if let Err(error) = set {
            let what = "start.timestamp_ms could not be looked up, so new partitions begin at their end";
            self.observer.trouble(cause::of_error(what, &error));
        }
    }

    /// Notes what the group wants back. The worker gives it away when its records are settled or the time
    /// for that is over; until then it goes on polling, and librdkafka waits.
    fn revoke(&self, consumer: &GroupConsumer, list: &TopicPartitionList) -> KafkaResult<()> {
        let places: Vec<_> = places_of(list).collect();
        let is_incremental = is_incremental(consumer);
        let is_lost = consumer.assignment_lost();
        self.count_rebalance(if is_lost { "lose" } else { "revoke" }, places.len());
        let mut state = self.shelf.lock();
        if is_lost || state.is_over || places.is_empty() {
            // Somebody else may have them already: fence first.
            state.fence(&places);
            drop(state);
            return unassign(consumer, &places, is_incremental);
        }
        state.revoke(Revocation {
            places,
            deadline: deadline_in(self.settings.revoke_timeout),
            is_incremental,
            committing_until: None,
        });
        Ok(())
    }

    fn count_rebalance(&self, kind: &str, partitions: usize) {
        let host = self.observer.host();
        let help = "Rebalances of the consumer group that changed this member's partitions.";
        host.counter("mfn_kafka_rebalances_total", help, &[("kind", kind)]).increment();
        host.scope(|| tracing::info!(kind, partitions, "rebalance"));
    }
}

/// Tells librdkafka that partitions are given up.
pub(crate) fn unassign(consumer: &GroupConsumer, places: &[Place], is_incremental: bool) -> KafkaResult<()> {
    if is_incremental { consumer.incremental_unassign(&list_of(places)) } else { consumer.unassign() }
}

fn is_incremental(consumer: &GroupConsumer) -> bool {
    matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
}

fn places_of(list: &TopicPartitionList) -> impl Iterator<Item = Place> {
    list.elements()
        .into_iter()
        .map(|element| Place::new(element.topic(), element.partition()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// A list as librdkafka takes it.
pub(crate) fn list_of<'a>(places: impl IntoIterator<Item = &'a Place>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for place in places {
        list.add_partition(&place.topic, place.partition);
    }
    list
}
