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
    shelf::{Place, Prefix, Shelf, State},
};
use crate::{cause, observer::Observer};

/// The thread and the way to it. Dropped, it ends after the commit at work.
pub(crate) struct Committer {
    shelf: Arc<Shelf>,
    orders: mpsc::Sender<Vec<Prefix>>,
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
        mark(&mut state, &due, true);
        state.commits_out += 1;
        drop(state);
        if let Err(mpsc::SendError(due)) = self.orders.send(due) {
            let mut state = self.shelf.lock();
            mark(&mut state, &due, false);
            state.commits_out -= 1;
            state.error = Some(PluginError::fatal("the connector's thread for commits has ended"));
            drop(state);
            self.shelf.ring();
        }
    }

    /// Whether brokers have answered for all that is settled.
    pub(crate) fn is_done(&self, only: Option<&[Place]>) -> bool {
        let state = self.shelf.lock();
        state.commits_out == 0 && state.commits_due(only).is_empty()
    }

    /// Whether a commit is at work.
    pub(crate) fn is_at_work(&self) -> bool {
        self.shelf.lock().commits_out > 0 && !self.thread.is_finished()
    }

    /// Ends the thread after the commit at work.
    pub(crate) fn end(self) {
        drop(self.orders);
        let _ = self.thread.join();
    }
}

/// Notes what was sent to be committed, or that it is due again. Says how many of it are of assignments that last.
fn mark(state: &mut State, prefixes: &[Prefix], is_sent: bool) -> usize {
    let mut lasting = 0;
    for Prefix { place, epoch, offset } in prefixes {
        if let Some(partition) = state.current(place, *epoch) {
            partition.commit_is_sent(*offset, is_sent);
            lasting += 1;
        }
    }
    lasting
}

/// What the thread has.
struct Committing {
    consumer: Arc<GroupConsumer>,
    shelf: Arc<Shelf>,
    observer: Arc<Observer>,
}

impl Committing {
    fn run(self, ordered: &mpsc::Receiver<Vec<Prefix>>) {
        for mut prefixes in ordered {
            let mut state = self.shelf.lock();
            // What was taken away since it was ordered stays as it is: another member may be further by now.
            let ordered = prefixes.len();
            prefixes.retain(|prefix| state.current(&prefix.place, prefix.epoch).is_some());
            state.commits_lost += (ordered - prefixes.len()) as u64;
            drop(state);
            let result = (!prefixes.is_empty()).then(|| self.commit(&prefixes));
            let mut state = self.shelf.lock();
            state.commits_out = state.commits_out.saturating_sub(1);
            if let Some(result) = result {
                // What failed is due again. A success counts also where an earlier commit failed meanwhile.
                let lasting = mark(&mut state, &prefixes, result.is_ok());
                let lost = if result.is_err() { prefixes.len() - lasting } else { 0 };
                state.commits_lost += lost as u64;
                drop(state);
                match result {
                    Ok(()) => self.observer.well(),
                    Err(error) if lasting > 0 => self.observer.trouble(cause::of_error("commit", &error)),
                    // Nobody will try it again and find that all is well.
                    Err(error) => tracing::warn!("offsets of partitions that were taken away: {error}"),
                }
            }
            self.shelf.ring();
        }
    }

    fn commit(&self, prefixes: &[Prefix]) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        for Prefix { place, offset, .. } in prefixes {
            list.add_partition_offset(&place.topic, place.partition, Offset::Offset(*offset))?;
        }
        self.consumer.commit(&list, CommitMode::Sync)
    }
}
