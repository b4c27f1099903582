//! What the calls of a component tell of its health: failures in a row, and calls that do not come back.
//!
//! A plugin's own word is not enough. One that hangs says nothing, and one that fails may say that it is
//! ready. So each component is wrapped, its calls are noted, and the worse of both verdicts counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mfn_plugin::value::{
    BatchToken, Cursor, Drained, Endpoint, ErrorClass, Fetch, FetchLimits, Health, HealthState,
    PublishContext, PublisherTraits, RecordResult, RecordView, Verdict,
};

use super::Components;
use crate::component::{Component, ComponentError, Connector, Exporter, Publisher, Result, Transport};

/// Failures in a row after which a component counts as down.
const FAILURES_MAX: u32 = 3;
/// What a call may take beyond its time-out.
const GRACE: Duration = Duration::from_secs(5);
/// What a call without a time-out of its own may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What was noted of one component.
#[derive(Debug, Default)]
struct Vitals {
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    /// The failures of each purpose since its last success.
    failures: BTreeMap<&'static str, Failures>,
    /// Calls under way: the method, when it began and how long it may take.
    calls: Vec<(u64, &'static str, Instant, Duration)>,
    calls_begun: u64,
}

#[derive(Debug)]
struct Failures {
    count: u32,
    class: ErrorClass,
    message: String,
}

impl Vitals {
    /// Notes that a call runs for as long as `work` does.
    fn during<T>(&self, method: &'static str, timeout: Duration, work: impl FnOnce() -> T) -> T {
        struct End<'a>(&'a Vitals, u64);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                let Self(vitals, number) = *self;
                vitals.lock().calls.retain(|(other, ..)| *other != number);
            }
        }
        let mut noted = self.lock();
        noted.calls_begun += 1;
        let number = noted.calls_begun;
        noted.calls.push((number, method, Instant::now(), timeout.saturating_add(GRACE)));
        drop(noted);
        let _end = End(self, number);
        work()
    }

    fn succeeded(&self, purpose: &'static str) {
        self.lock().failures.remove(purpose);
    }

    fn failed(&self, purpose: &'static str, class: ErrorClass, message: &str) {
        // A fault of one record, or of whoever asked to stop, says nothing of the component.
        if matches!(class, ErrorClass::Permanent | ErrorClass::Cancelled) {
            return;
        }
        let mut noted = self.lock();
        let failures =
            noted.failures.entry(purpose).or_insert(Failures { count: 0, class, message: String::new() });
        failures.count = failures.count.saturating_add(1);
        failures.class = class;
        message.clone_into(&mut failures.message);
    }

    /// Runs a call whose outcome tells all.
    fn call<T>(
        &self,
        method: &'static str,
        timeout: Duration,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let outcome = self.during(method, timeout, work);
        match &outcome {
            Ok(_) => self.succeeded(method),
            Err(error) => self.note(method, error),
        }
        outcome
    }

    fn note(&self, purpose: &'static str, error: &ComponentError) {
        self.failed(purpose, error.class(), &format!("{}: {}", error.method, error.error.message));
    }

    /// The worse of what the component says and what was noted.
    fn health(&self, own: Health) -> Health {
        let noted = self.lock();
        let now = Instant::now();
        let hanging = noted.calls.iter().find_map(|(_, method, since, allowed)| {
            let elapsed = now.duration_since(*since);
            (elapsed > *allowed).then(|| {
                let text = format!("{method} has not come back for {} s", elapsed.as_secs());
                Health::new(HealthState::Down, text)
            })
        });
        let failing = noted.failures.values().map(|failures| {
            let grave = matches!(failures.class, ErrorClass::Blocked | ErrorClass::Fatal);
            let down = grave || failures.count >= FAILURES_MAX;
            let times =
                if failures.count == 1 { String::new() } else { format!(", {} times", failures.count) };
            Health::new(
                if down { HealthState::Down } else { HealthState::Degraded },
                format!("{} ({}{times})", failures.message, failures.class.name()),
            )
        });
        // The first of the worst: what hangs explains what fails, and both explain what the plugin says.
        let mut worst = own;
        for health in failing.collect::<Vec<_>>().into_iter().chain(hanging) {
            if rank(health.state) >= rank(worst.state) {
                worst = health;
            }
        }
        worst
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How bad a state is.
fn rank(state: HealthState) -> u8 {
    match state {
        HealthState::Ready => 0,
        HealthState::Starting => 1,
        HealthState::Degraded => 2,
        HealthState::Down => 3,
    }
}

/// A component whose calls are noted.
struct Watched<C: ?Sized> {
    inner: Arc<C>,
    vitals: Vitals,
}

impl<C: ?Sized> Watched<C> {
    fn new(inner: Arc<C>) -> Self {
        Self { inner, vitals: Vitals::default() }
    }
}

impl Components {
    /// The same components, whose calls tell of their health from now on.
    pub(super) fn watched(self) -> Self {
        macro_rules! all {
            ($field:ident) => {
                self.$field
                    .into_iter()
                    .map(|(name, inner)| (name, Arc::new(Watched::new(inner)) as _))
                    .collect()
            };
        }
        Self {
            connectors: all!(connectors),
            publishers: all!(publishers),
            transports: all!(transports),
            exporters: all!(exporters),
        }
    }
}

impl<C: Component + ?Sized> Component for Watched<C> {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn plugin(&self) -> &str {
        self.inner.plugin()
    }
    fn open(&self) -> Result<()> {
        self.inner.open()
    }
    fn health(&self) -> Health {
        self.vitals.health(self.inner.health())
    }
    fn check(&self) -> Result<()> {
        self.inner.check()
    }
    fn endpoints(&self) -> Result<Vec<Endpoint>> {
        self.inner.endpoints()
    }
    fn drain(&self, timeout: Duration) -> Result<Drained> {
        self.inner.drain(timeout)
    }
    fn close(&self) -> Result<()> {
        self.inner.close()
    }
}

impl Connector for Watched<dyn Connector> {
    fn fetch(&self, limits: FetchLimits) -> Result<Fetch> {
        self.vitals.call("fetch", limits.timeout, || self.inner.fetch(limits))
    }
    fn settle(&self, token: BatchToken, verdicts: &[Verdict]) -> Result<()> {
        self.vitals.call("settle", CALL_TIMEOUT, || self.inner.settle(token, verdicts))
    }
    fn position(&self, partition: &str) -> Result<Vec<u8>> {
        self.inner.position(partition)
    }
    fn pause(&self) -> Result<()> {
        self.inner.pause()
    }
    fn resume(&self) -> Result<()> {
        self.inner.resume()
    }
    fn backlog(&self) -> Result<Option<u64>> {
        self.inner.backlog()
    }
}

impl Publisher for Watched<dyn Publisher> {
    fn traits(&self) -> Result<PublisherTraits> {
        self.inner.traits()
    }
    fn publish(&self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>> {
        const METHOD: &str = "publish";
        let outcome = self.vitals.during(METHOD, context.timeout, || self.inner.publish(records, context));
        match &outcome {
            Err(error) => self.vitals.note(METHOD, error),
            Ok(answers) => {
                let telling = |class| !matches!(class, ErrorClass::Permanent | ErrorClass::Cancelled);
                let failure = answers.iter().filter_map(|it| it.as_ref().err()).find(|it| telling(it.class));
                match failure {
                    Some(error) => {
                        self.vitals.failed(METHOD, error.class, &format!("{METHOD}: {}", error.message));
                    }
                    None => self.vitals.succeeded(METHOD),
                }
            }
        }
        outcome
    }
    fn flush(&self, timeout: Duration) -> Result<()> {
        self.vitals.call("flush", timeout, || self.inner.flush(timeout))
    }
}

impl Transport for Watched<dyn Transport> {
    fn publish(&self, topic: &str, event: &RecordView<'_>) -> Result<Cursor> {
        self.vitals.call("publish", CALL_TIMEOUT, || self.inner.publish(topic, event))
    }
}

impl Exporter for Watched<dyn Exporter> {
    fn flush(&self, timeout: Duration) -> Result<()> {
        self.vitals.call("flush", timeout, || self.inner.flush(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the verdict: one failure degrades, three in a row or a missing credential are down, a fault of
    /// a record is none, one success clears it, and a call that does not come back is down.
    #[test]
    fn calls_tell_of_health() {
        let vitals = Vitals::default();
        let state = |vitals: &Vitals| vitals.health(Health::ready()).state;
        vitals.failed("publish", ErrorClass::Permanent, "a bad record");
        assert_eq!(state(&vitals), HealthState::Ready);
        for wanted in [HealthState::Degraded, HealthState::Degraded, HealthState::Down] {
            vitals.failed("publish", ErrorClass::Retryable, "publish: no route");
            assert_eq!(state(&vitals), wanted);
        }
        assert_eq!(vitals.health(Health::ready()).detail, "publish: no route (retryable, 3 times)");
        vitals.succeeded("publish");
        assert_eq!(state(&vitals), HealthState::Ready);
        vitals.failed("flush", ErrorClass::Blocked, "flush: no credential");
        assert_eq!(state(&vitals), HealthState::Down);
        vitals.succeeded("flush");
        // As if the call had begun an hour ago.
        let hour = Duration::from_secs(3600);
        vitals.lock().calls.push((7, "fetch", Instant::now().checked_sub(hour).unwrap(), GRACE));
        assert_eq!(vitals.health(Health::ready()).detail, "fetch has not come back for 3600 s");
        let own = Health::new(HealthState::Starting, "");
        assert_eq!(Vitals::default().health(own.clone()), own);
    }
}
