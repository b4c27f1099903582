//! Commits offsets, on a thread of its own. librdkafka tells what became of a commit only to a caller that waits: its
//! event queue, which the binding reads, has answers for automatic commits alone. The thread that polls must not wait.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use mfn_plugin::{author::Result, value::PluginError};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer},
    error::KafkaResult,
};

use super::{
    context::GroupConsumer,
    shelf::{Place, Shelf},
};
use crate::{cause, observer::Observer};

/// Offsets, each behind the last settled record of a partition.
type Offsets = Vec<(Place, i64)>;

/// The thread and the way to it. Dropped, it ends when the commit at work is answered.
pub(crate) struct Committer {
    shelf: Arc<Shelf>,
    orders: mpsc::Sender<Offsets>,
    thread: thread::JoinHandle<()>,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread.
    pub(crate) fn start(
        consumer: &Arc<GroupConsumer>,
        shelf: &Arc<Shelf>,
        observer: &Arc<Observer>,
    ) -> Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let committing = Committing {
            consumer: Arc::clone(consumer),
            shelf: Arc::clone(shelf),
            observer: Arc::clone(observer),
        };
        let host = observer.host().clone();
        let thread = thread::Builder::new()
            .name(format!("commits-{}", host.instance()))
            .spawn(move || host.scope(|| committing.run(&ordered)))
            .map_err(|error| PluginError::io("the connector's thread for commits", &error))?;
        Ok(Self { shelf: Arc::clone(shelf), orders, thread })
    }

    /// Sends the contiguous settled prefixes of partitions that are still assigned, where they are beyond what was sent.
    pub(crate) fn commit(&self, only: Option<&[Place]>) {
        let mut state = self.shelf.lock();
        let due = state.commits_due(only);
        if due.is_empty() {
            return;
        }
        for (place, offset) in &due {
            if let Some(partition) = state.partitions.get_mut(place) {
                partition.commit_is_sent(*offset, true);
            }
        }
        state.commits_out += 1;
        drop(state);
        // A thread that has panicked answers nothing, and the commit stays out.
        let _ = self.orders.send(due);
    }

    /// Whether brokers have answered for all that is settled.
    pub(crate) fn is_done(&self) -> bool {
        let state = self.shelf.lock();
        state.commits_out == 0 && state.commits_due(None).is_empty()
    }

    /// Ends the thread, where no commit is at work, and waits for that.
    pub(crate) fn end(self) {
        let is_idle = self.shelf.lock().commits_out == 0;
        drop(self.orders);
        if is_idle {
            let _ = self.thread.join();
        }
    }
}

/// What the thread has.
struct Committing {
    consumer: Arc<GroupConsumer>,
    shelf: Arc<Shelf>,
    observer: Arc<Observer>,
}

impl Committing {
    fn run(self, ordered: &mpsc::Receiver<Offsets>) {
        for offsets in ordered {
            let result = self.commit(&offsets);
            let mut state = self.shelf.lock();
            state.commits_out = state.commits_out.saturating_sub(1);
            // What failed is due again.
            if result.is_err() {
                for (place, offset) in &offsets {
                    match state.partitions.get_mut(place) {
                        Some(partition) => partition.commit_is_sent(*offset, false),
                        None => state.commits_lost += 1,
                    }
                }
            }
            drop(state);
            match result {
                Ok(()) => self.observer.well(),
                Err(error) => self.observer.trouble(cause::of_error("commit", &error)),
            }
            self.shelf.ring();
        }
    }

    fn commit(&self, offsets: &Offsets) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        for (place, offset) in offsets {
            list.add_partition_offset(&place.topic, place.partition, Offset::Offset(*offset))?;
        }
        self.consumer.commit(&list, CommitMode::Sync)
    }
}
