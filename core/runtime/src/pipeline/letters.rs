//! A store of dead letters as a publisher, so that its lane gives it batches, retries and patience like any
//! other.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mfn_plugin::value::{
    Drained, Endpoint, ErrorClass, Health, HealthState, Idempotence, Ordering, PluginError, PublishContext,
    PublisherTraits, Record, RecordResult, RecordView,
};

use crate::component::{Component, ComponentError, Publisher, Result};
use crate::dead_letters::{DeadLetterCause, DeadLetters};
use crate::spool::SpoolError;

/// The most that a store holds, bytes, where the configuration does not say. When it is full, what can not be done waits.
pub(super) const STORE_BYTES_MAX: u64 = 1 << 30;

/// The store of one directory.
pub(super) struct LetterStore {
    name: String,
    store: DeadLetters,
    bytes_max: u64,
    /// Why it took nothing the last time; `None` when it took something.
    trouble: Mutex<Option<String>>,
}

impl LetterStore {
    /// Opens or makes the store of a directory. The name can not be that of a configured component.
    pub(super) fn open(directory: &Path, bytes_max: u64) -> std::result::Result<Self, SpoolError> {
        let (store, _) = DeadLetters::open(directory, bytes_max)?;
        let name = format!("dead-letters:{}", directory.display());
        Ok(Self { name, store, bytes_max, trouble: Mutex::new(None) })
    }

    fn error(&self, method: &'static str, error: &SpoolError) -> ComponentError {
        let class = if error.is_temporary() { ErrorClass::Retryable } else { ErrorClass::Permanent };
        let error = PluginError::new(class, error.to_string());
        ComponentError { component: self.name.clone(), plugin: "mfn".to_owned(), method, error }
    }

    /// Stores one letter: the record as it came, and what the route has added to it as the cause.
    fn append(&self, letters: &[(Record, DeadLetterCause)]) -> std::result::Result<(), SpoolError> {
        let letters: Vec<_> = letters.iter().map(|(record, cause)| (record, cause)).collect();
        let appended = self.store.append(&letters).map(drop);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) =
            appended.as_ref().err().map(ToString::to_string);
        appended
    }
}

/// Takes apart what [`work::dead_letter`](super::work::dead_letter) has put together.
fn letter(record: &RecordView<'_>, at_ms: i64) -> (Record, DeadLetterCause) {
    let mut record = record.to_record();
    let mut cause = DeadLetterCause { attempts: 1, at_ms, ..DeadLetterCause::default() };
    for wanted in ["mfn-reason", "mfn-status", "mfn-route", "mfn-request-id"] {
        let Some((_, value)) = record.headers.pop_if(|(name, _)| name == wanted) else { break };
        let value = String::from_utf8_lossy(&value).into_owned();
        match wanted {
            "mfn-reason" => cause.reason = value,
            "mfn-route" => cause.route = value,
            _ => {}
        }
    }
    (record, cause)
}

impl Component for LetterStore {
    fn name(&self) -> &str {
        &self.name
    }

    fn plugin(&self) -> &str {
        "mfn"
    }

    fn open(&self) -> Result<()> {
        Ok(())
    }

    fn health(&self) -> Health {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.as_ref().map_or_else(Health::ready, |reason| Health::new(HealthState::Down, reason))
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn endpoints(&self) -> Result<Vec<Endpoint>> {
        Ok(Vec::new())
    }

    fn drain(&self, _: Duration) -> Result<Drained> {
        Ok(Drained::default())
    }

    fn close(&self) -> Result<()> {
        Ok(())
    }
}

impl Publisher for LetterStore {
    fn traits(&self) -> Result<PublisherTraits> {
        let (ordering, idempotence) = (Ordering::None, Idempotence::Key);
        Ok(PublisherTraits { records_max: 100, bytes_max: self.bytes_max / 4, ordering, idempotence })
    }

    fn publish(&self, records: &[RecordView<'_>], _: PublishContext) -> Result<Vec<RecordResult>> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let letters: Vec<_> = records.iter().map(|record| letter(record, at_ms)).collect();
        match self.append(&letters) {
            Ok(()) => Ok(vec![Ok(()); records.len()]),
            // One that is too large must not take the others with it.
            Err(SpoolError::TooLarge { .. }) if letters.len() > 1 => {
                let one = |letter| {
                    self.append(std::slice::from_ref(letter))
                        .map_err(|error| self.error("publish", &error).error)
                };
                Ok(letters.iter().map(one).collect())
            }
            Err(error) => Err(self.error("publish", &error)),
        }
    }

    fn flush(&self, _: Duration) -> Result<()> {
        // An append is durable when it returns.
        Ok(())
    }
}
