//! The calls of one publisher: every one comes back as answers, whatever the publisher does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mfn_plugin::room::Room;
use mfn_plugin::value::{ErrorClass, PluginError, PublishContext, PublisherTraits, RecordView};

use super::super::metrics::ComponentMetrics;
use super::super::record_ref::RecordRef;
use super::super::shared::Shared;
use super::super::work::{catch, one_line};
use crate::component::{ComponentError, Publisher};
use crate::delivery::{Answer, Answers, Refusal};

/// Calls one publisher and counts what comes of it.
pub(in crate::pipeline) struct Caller {
    publisher: Arc<dyn Publisher>,
    metrics: ComponentMetrics,
    shared: Arc<Shared>,
    retries_counted: AtomicU64,
    views: Room<RecordView<'static>>,
}

impl Caller {
    pub(in crate::pipeline) fn new(
        publisher: Arc<dyn Publisher>,
        metrics: ComponentMetrics,
        shared: Arc<Shared>,
    ) -> Self {
        Self { publisher, metrics, shared, retries_counted: AtomicU64::new(0), views: Room::default() }
    }

    pub(super) fn name(&self) -> &str {
        self.publisher.name()
    }

    pub(super) fn traits(&self) -> Result<PublisherTraits, Refusal> {
        self.call("traits", || self.publisher.traits())
    }

    /// One call. A wrong number of answers is handed on as it is: what it means is decided elsewhere.
    pub(super) fn publish(&self, records: &[RecordRef], attempt: u32, timeout: Duration) -> Answers {
        let mut views = self.views.take::<RecordView<'_>>();
        views.extend(records.iter().map(|record| record.view()));
        let context = PublishContext { attempt, timeout };
        let results = self.call("publish", || self.publisher.publish(&views, context));
        self.views.put(views);
        let results = match results {
            Ok(results) => results,
            Err(refusal) => return Answers::Whole(refusal),
        };
        if results.len() != records.len() {
            let message = format!("{} answers for {} records", results.len(), records.len());
            self.refuse(ErrorClass::Unknown, &message);
        }
        let mut noted = false;
        let answer = |result: mfn_plugin::value::RecordResult| {
            result.map_err(|error| {
                self.metrics.count_error(error.class);
                let refusal = Refusal::from_plugin(self.publisher.name(), &error);
                // One line for a call, or a target that refuses everything floods the log.
                if !std::mem::replace(&mut noted, true) {
                    self.note(&refusal);
                }
                refusal
            })
        };
        Answers::Each(results.into_iter().map(answer).collect())
    }

    pub(super) fn flush(&self, timeout: Duration) -> Answer {
        self.call("flush", || self.publisher.flush(timeout))
    }

    /// Counts what is durable.
    pub(super) fn count(&self, records: &[RecordRef], answers: &Answers) {
        let Answers::Each(answers) = answers else { return };
        if records.len() != answers.len() {
            return;
        }
        let taken = records.iter().zip(answers).filter(|(_, answer)| answer.is_ok());
        let (count, bytes) = taken.fold((0u64, 0u64), |(count, bytes), (record, _)| {
            (count + 1, bytes.saturating_add(record.payload.len() as u64))
        });
        self.metrics.count_many(count, bytes);
    }

    /// Counts the retries up to so many in all.
    pub(super) fn count_retries(&self, retries: u64) {
        let counted = self.retries_counted.swap(retries, Ordering::Relaxed);
        self.metrics.count_retries(retries.saturating_sub(counted));
    }

    /// The refusal of a record that no call could hold.
    pub(super) fn too_large(&self, bytes: u64, bytes_max: u64) -> Refusal {
        self.refuse(ErrorClass::Permanent, &format!("record of {bytes} bytes, at most {bytes_max} are taken"))
    }

    /// The refusal of what is in a call that has not come back in its time.
    pub(super) fn overdue(&self, method: &'static str, elapsed: Duration, timeout: Duration) -> Refusal {
        let message = format!(
            "has not returned for {} ms, and may take {} ms; it is not called again before it returns",
            elapsed.as_millis(),
            timeout.as_millis()
        );
        self.refused(method, PluginError::new(ErrorClass::Unknown, message))
    }

    /// Calls the publisher; a panic in it is an end of it.
    fn call<T>(
        &self,
        method: &'static str,
        call: impl FnOnce() -> Result<T, ComponentError>,
    ) -> Result<T, Refusal> {
        match catch(call) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.note_error(&error)),
            Err(message) => {
                let panicked = format!("panicked: {}", one_line(&message));
                Err(self.refused(method, PluginError::fatal(panicked)))
            }
        }
    }

    /// An error of a method that the publisher has not said itself.
    fn refused(&self, method: &'static str, error: PluginError) -> Refusal {
        let (component, plugin) = (self.publisher.name().to_owned(), self.publisher.plugin().to_owned());
        self.note_error(&ComponentError { component, plugin, method, error })
    }

    fn note_error(&self, error: &ComponentError) -> Refusal {
        self.metrics.count_error(error.class());
        let refusal =
            Refusal { class: error.class(), reason: error.to_string(), retry_after: error.error.retry_after };
        self.note(&refusal);
        refusal
    }

    /// An error that this side has found.
    fn refuse(&self, class: ErrorClass, message: &str) -> Refusal {
        self.metrics.count_error(class);
        let reason = format!("{}: {message}", self.publisher.name());
        let refusal = Refusal { class, reason, retry_after: None };
        self.note(&refusal);
        refusal
    }

    /// Says that the pipeline can not go on without this publisher.
    pub(super) fn fail(&self, refusal: &Refusal) {
        self.shared.fail(&refusal.reason);
    }

    fn note(&self, refusal: &Refusal) {
        self.shared.note_error(&format!("{} ({})", refusal.reason, refusal.class.name()));
    }
}
