//! The lane of a publisher: one thread that calls it, so that a slow or hung publisher holds up nobody
//! but those who wait for its answer.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use mfn_plugin::value::{ErrorClass, PublishContext, Record, RecordView};

use super::metrics::ComponentMetrics;
use super::route::Message;
use super::shared::Shared;
use super::work::catch;
use crate::component::{ComponentError, Publisher};
use crate::delivery::{Answer, BatchId, Event, Refusal, Target};

/// How long one publish or flush may take. The publisher is told; it is not interrupted.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// One call to be made, and where its answer goes.
pub(super) struct LaneJob {
    pub(super) route: Sender<Message>,
    pub(super) batch: BatchId,
    pub(super) target: Target,
    pub(super) call: LaneCall,
}

/// What is to be called.
pub(super) enum LaneCall {
    Publish(Vec<Arc<Record>>),
    Flush,
}

/// Calls one publisher.
pub(super) struct Lane {
    pub(super) publisher: Arc<dyn Publisher>,
    pub(super) metrics: ComponentMetrics,
    pub(super) shared: Arc<Shared>,
}

impl Lane {
    /// Works until nobody can send jobs any more.
    pub(super) fn run(&self, jobs: &Receiver<LaneJob>) {
        for LaneJob { route, batch, target, call } in jobs {
            let event = match call {
                LaneCall::Publish(records) => {
                    Event::Published { batch, target, answers: self.publish(&records) }
                }
                LaneCall::Flush => Event::Flushed { batch, target, answer: self.flush() },
            };
            // A route that is gone has given the batch up.
            let _ = route.send(Message::Delivery(event));
        }
    }

    /// Publishes in calls that the publisher can take, and answers for each record.
    fn publish(&self, records: &[Arc<Record>]) -> Vec<Answer> {
        let (records_max, bytes_max) = match self.call(|| self.publisher.traits()) {
            Ok(traits) => (traits.records_max.max(1) as usize, traits.bytes_max),
            Err(refusal) => return vec![Err(refusal); records.len()],
        };
        let mut answers: Vec<Answer> = Vec::with_capacity(records.len());
        let mut rest = records;
        while let Some(first) = rest.first() {
            let size = first.payload.len() as u64;
            if size > bytes_max {
                answers.push(Err(self.refuse(
                    ErrorClass::Permanent,
                    format!("result of {size} bytes, at most {bytes_max} are taken"),
                )));
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let (call, later) = rest.split_at(call_len(rest, records_max, bytes_max));
            let published = self.publish_call(call);
            // Order matters more than trying: after an error that may pass, the rest waits as well.
            let stop = published.iter().find_map(|answer| answer.as_ref().err()).cloned();
            answers.extend(published);
            rest = later;
            if let Some(refusal) = stop.filter(|refusal| refusal.class != ErrorClass::Permanent) {
                answers.extend(rest.iter().map(|_| Err(refusal.clone())));
                break;
            }
        }
        answers
    }

    /// One call. Always as many answers as records.
    fn publish_call(&self, records: &[Arc<Record>]) -> Vec<Answer> {
        let views: Vec<RecordView<'_>> = records.iter().map(|record| record.view()).collect();
        let context = PublishContext { attempt: 1, timeout: CALL_TIMEOUT };
        let results = match self.call(|| self.publisher.publish(&views, context)) {
            Ok(results) if results.len() == records.len() => results,
            Ok(results) => {
                let message = format!("{} answers for {} records", results.len(), records.len());
                return vec![Err(self.refuse(ErrorClass::Unknown, message)); records.len()];
            }
            Err(refusal) => return vec![Err(refusal); records.len()],
        };
        let answer = |(record, result): (&Arc<Record>, mfn_plugin::value::RecordResult)| match result {
            Ok(()) => {
                self.metrics.count(record.payload.len());
                Ok(())
            }
            Err(error) => {
                self.metrics.count_error(error.class);
                let refusal = Refusal::from_plugin(self.publisher.name(), &error);
                self.note(&refusal);
                Err(refusal)
            }
        };
        records.iter().zip(results).map(answer).collect()
    }

    fn flush(&self) -> Answer {
        self.call(|| self.publisher.flush(CALL_TIMEOUT))
    }

    /// Calls the publisher; a panic in it is an end of it.
    fn call<T>(&self, call: impl FnOnce() -> Result<T, ComponentError>) -> Result<T, Refusal> {
        match catch(call) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.metrics.count_error(error.class());
                let refusal = Refusal {
                    class: error.class(),
                    reason: error.to_string(),
                    retry_after: error.error.retry_after,
                };
                self.note(&refusal);
                Err(refusal)
            }
            Err(message) => Err(self.refuse(ErrorClass::Fatal, format!("panicked: {message}"))),
        }
    }

    /// An error that this side has found.
    fn refuse(&self, class: ErrorClass, message: String) -> Refusal {
        self.metrics.count_error(class);
        let reason = format!("{}: {message}", self.publisher.name());
        let refusal = Refusal { class, reason, retry_after: None };
        self.note(&refusal);
        refusal
    }

    fn note(&self, refusal: &Refusal) {
        self.shared.note_error(&format!("{} ({})", refusal.reason, refusal.class.name()));
    }
}

/// How many of the records go into one call; at least one.
fn call_len(records: &[Arc<Record>], records_max: usize, bytes_max: u64) -> usize {
    let mut bytes = 0u64;
    let fitting = records.iter().take(records_max).take_while(|record| {
        bytes = bytes.saturating_add(record.payload.len() as u64);
        bytes <= bytes_max
    });
    fitting.count().max(1)
}
