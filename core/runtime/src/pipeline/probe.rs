//! Probes: every component tries the real thing, all at the same time, within a deadline.
//!
//! A probe calls `check` of each component on a thread of its own. A check that does not answer holds up
//! nobody: its thread is left behind, and the component counts as not answering. Nothing is consumed and
//! nothing is delivered.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mfn_plugin::value::{ErrorClass, Kind, PluginError};
use serde::Serialize;

use super::work::catch;
use crate::component::{Component, ComponentError};
use crate::config::ConfigFault;

/// What a probe found, a line for each component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// Whether every component passed.
    pub passed: bool,
    /// The components; those that take records come before those that bring them.
    pub components: Vec<Probe>,
}

/// What one component's check said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    /// Its name in the configuration.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The plugin it is an instance of.
    pub plugin: String,
    /// What became of the check.
    pub outcome: ProbeOutcome,
    /// The class of the failure; `None` where it passed or did not answer.
    pub class: Option<ErrorClass>,
    /// What is wrong; empty where it passed.
    pub message: String,
    /// How long the check took, milliseconds.
    pub elapsed_ms: u64,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// The component can do its work.
    Passed,
    /// It can not, and said why.
    Failed,
    /// It did not answer in time.
    TimedOut,
}

impl ProbeOutcome {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
        }
    }
}

impl Probe {
    /// Whether the failure may pass without anybody doing something about the configuration: an endpoint
    /// that is down, a credential that is not there yet.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self.outcome {
            ProbeOutcome::Passed | ProbeOutcome::TimedOut => true,
            ProbeOutcome::Failed => {
                !matches!(self.class, None | Some(ErrorClass::Permanent | ErrorClass::Fatal))
            }
        }
    }

    /// The failure as a fault of the configuration; `None` where it passed.
    #[must_use]
    pub fn fault(&self) -> Option<ConfigFault> {
        let fix = match (self.outcome, self.class) {
            (ProbeOutcome::Passed, _) => return None,
            (ProbeOutcome::TimedOut, _) => "see whether the other side answers, or allow more time",
            (_, Some(ErrorClass::Blocked)) => {
                "put right the credential, the permission or the place it names"
            }
            (_, Some(ErrorClass::Permanent | ErrorClass::Fatal)) => "correct the configuration",
            _ => "see whether the other side is up and can be reached from here",
        };
        let path = format!("{}s.{}", self.kind.name(), self.name);
        Some(ConfigFault::new(path, self.message.clone(), fix))
    }
}

impl ProbeReport {
    /// The failures as faults of the configuration.
    #[must_use]
    pub fn faults(&self) -> Vec<ConfigFault> {
        self.components.iter().filter_map(Probe::fault).collect()
    }
}

/// Lets one component try the real thing, at most for `timeout`. A check that does not answer by then goes on
/// in the background.
///
/// # Errors
/// What the component says is wrong; of class [`ErrorClass::Unknown`] when it does not answer in time.
pub fn probe_component(component: &Arc<dyn Component>, timeout: Duration) -> Result<(), ComponentError> {
    // Its kind does not matter here.
    let report = probe(&[(Kind::Publisher, Arc::clone(component))], timeout);
    match report.components.into_iter().next() {
        Some(Probe { outcome: ProbeOutcome::Passed, .. }) | None => Ok(()),
        Some(probe) => Err(ComponentError {
            component: probe.name,
            plugin: probe.plugin,
            method: "check",
            error: PluginError::new(probe.class.unwrap_or(ErrorClass::Unknown), probe.message),
        }),
    }
}

/// Probes components, each at most for `timeout`; returns soon after it at the latest.
pub(super) fn probe(components: &[(Kind, Arc<dyn Component>)], timeout: Duration) -> ProbeReport {
    let begun = Instant::now();
    let (sender, answers) = mpsc::channel();
    let mut probes: Vec<Probe> = Vec::new();
    for (index, (kind, component)) in components.iter().enumerate() {
        let (sender, checked) = (sender.clone(), Arc::clone(component));
        let started = std::thread::Builder::new().name("mfn-probe".into()).spawn(move || {
            let outcome = match catch(|| checked.check()) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err((error.class(), error.error.message)),
                Err(panic) => Err((ErrorClass::Fatal, format!("panicked: {panic}"))),
            };
            // Nobody listens any more when the time is over.
            let _ = sender.send((index, outcome, begun.elapsed()));
        });
        let (outcome, class, message) = match started {
            Ok(_) => {
                let message = format!("check did not answer within {} ms", timeout.as_millis());
                (ProbeOutcome::TimedOut, None, message)
            }
            Err(error) => (
                ProbeOutcome::Failed,
                Some(ErrorClass::Retryable),
                format!("no thread for the check: {error}"),
            ),
        };
        probes.push(Probe {
            name: component.name().to_owned(),
            kind: *kind,
            plugin: component.plugin().to_owned(),
            outcome,
            class,
            message,
            elapsed_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
        });
    }
    drop(sender);
    let deadline = super::deadline_after(timeout);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Ends when all have answered and when the time is over.
        let Ok((index, outcome, elapsed)) = answers.recv_timeout(left) else { break };
        let Some(probe) = probes.get_mut(index) else { continue };
        probe.elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        (probe.outcome, probe.class, probe.message) = match outcome {
            Ok(()) => (ProbeOutcome::Passed, None, String::new()),
            Err((class, message)) => (ProbeOutcome::Failed, Some(class), message),
        };
    }
    ProbeReport {
        passed: probes.iter().all(|probe| probe.outcome == ProbeOutcome::Passed),
        components: probes,
    }
}
