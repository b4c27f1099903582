//! Whether a pipeline lives and can do its work, with the reasons: what a supervisor asks for.
//!
//! Reading it does no I/O and waits for nothing: it is the cached health of the components, and what their
//! calls have told ([`vitals`](super::vitals)), weighed by what the routes need.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mfn_plugin::value::{HealthState, Kind};
use serde::Serialize;

use super::letters::LetterStore;
use super::shared::Shared;
use super::{Components, PipelineState};
use crate::component::Component;
use crate::config::PipelineConfig;

/// Whether work can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// A component that is needed is not open yet.
    Starting,
    /// Everything works.
    Ready,
    /// Everything that is needed works, something else does not, or not well.
    Degraded,
    /// Something that is needed does not work, or nothing is taken any more; it may come back.
    NotReady,
    /// The pipeline has failed or was stopped: it does not come back.
    Dead,
}

impl Readiness {
    /// Whether restarting would not help more than waiting.
    #[must_use]
    pub fn is_live(self) -> bool {
        self != Self::Dead
    }

    /// Whether work should be sent.
    #[must_use]
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Ready | Self::Degraded)
    }

    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::NotReady => "not ready",
            Self::Dead => "dead",
        }
    }
}

/// The health of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PipelineHealth {
    /// The pipeline's name.
    pub pipeline: String,
    /// The verdict.
    pub state: Readiness,
    /// Why it is not [`Readiness::Ready`]; empty when it is.
    pub reasons: Vec<HealthReason>,
}

/// Why a pipeline is not ready, or not quite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthReason {
    /// The component; `None` for the pipeline as a whole.
    pub component: Option<String>,
    /// The component's kind.
    pub kind: Option<Kind>,
    /// What it makes of the pipeline.
    pub state: Readiness,
    /// What is the matter.
    pub reason: String,
}

/// What the health of a pipeline is read from.
pub(crate) struct HealthSource {
    shared: Arc<Shared>,
    components: Components,
    /// Publishers that somebody waits for.
    needed: BTreeSet<String>,
    /// Stores of dead letters: while one takes nothing, its routes stand still.
    letters: Vec<Arc<LetterStore>>,
}

impl HealthSource {
    pub(super) fn new(
        shared: &Arc<Shared>,
        components: &Components,
        letters: Vec<Arc<LetterStore>>,
        config: &PipelineConfig,
    ) -> Self {
        let needed = config
            .routes
            .iter()
            .flat_map(|route| route.publishers.iter().chain(&route.dead_letters))
            .cloned()
            .collect();
        Self { shared: Arc::clone(shared), components: components.clone(), needed, letters }
    }

    pub(super) fn read(&self) -> PipelineHealth {
        let mut reasons = self.pipeline_reasons();
        let connectors: Vec<_> =
            self.components.connectors.values().map(|connector| connector.health().state).collect();
        let all_down = connectors.iter().all(|state| *state == HealthState::Down);
        for component in self.components.statuses() {
            let needed = match component.kind {
                // One source that is down leaves the others; none left leaves nothing to do.
                Kind::Connector => all_down,
                Kind::Publisher => self.needed.contains(&component.name),
                Kind::Transport | Kind::Exporter => false,
            };
            let state = match component.health.state {
                HealthState::Ready => continue,
                HealthState::Starting => Readiness::Starting,
                HealthState::Down if needed => Readiness::NotReady,
                HealthState::Down | HealthState::Degraded => Readiness::Degraded,
            };
            reasons.push(HealthReason {
                component: Some(component.name),
                kind: Some(component.kind),
                state,
                reason: component.health.detail,
            });
        }
        for store in &self.letters {
            let health = store.health();
            if health.state != HealthState::Ready {
                reasons.push(HealthReason {
                    component: Some(store.name().to_owned()),
                    kind: Some(Kind::Publisher),
                    state: Readiness::NotReady,
                    reason: health.detail,
                });
            }
        }
        let state = reasons.iter().map(|reason| reason.state).max_by_key(|state| rank(*state));
        PipelineHealth {
            pipeline: self.shared.pipeline.clone(),
            state: state.unwrap_or(Readiness::Ready),
            reasons,
        }
    }

    fn pipeline_reasons(&self) -> Vec<HealthReason> {
        let reading = self.shared.read();
        let (state, reason) = match reading.state {
            PipelineState::Running => return Vec::new(),
            PipelineState::Draining => {
                (Readiness::NotReady, "draining: nothing is fetched any more".to_owned())
            }
            PipelineState::Finished => {
                (Readiness::NotReady, "finished: every connector is at its end".to_owned())
            }
            PipelineState::Stopped => (Readiness::Dead, "stopped".to_owned()),
            PipelineState::Failed => {
                (Readiness::Dead, reading.last_error.unwrap_or_else(|| "failed".to_owned()))
            }
        };
        vec![HealthReason { component: None, kind: None, state, reason }]
    }
}

/// How bad a verdict is.
fn rank(state: Readiness) -> u8 {
    match state {
        Readiness::Ready => 0,
        Readiness::Degraded => 1,
        Readiness::Starting => 2,
        Readiness::NotReady => 3,
        Readiness::Dead => 4,
    }
}

/// The pipelines of a runtime, for whoever asks about all of them: an exporter that answers a supervisor.
/// It keeps none alive.
#[derive(Default)]
pub(crate) struct HealthBoard {
    sources: Mutex<Vec<Weak<HealthSource>>>,
}

/// The health of a runtime: that of its pipelines together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct BoardHealth {
    live: bool,
    ready: bool,
    pipelines: Vec<PipelineHealth>,
}

impl HealthBoard {
    pub(super) fn add(&self, source: &Arc<HealthSource>) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.retain(|source| source.strong_count() > 0);
        sources.push(Arc::downgrade(source));
    }

    /// Live as long as no pipeline is dead; ready when there is one and all are.
    pub(crate) fn read(&self) -> BoardHealth {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let pipelines: Vec<_> =
            sources.iter().filter_map(Weak::upgrade).map(|source| source.read()).collect();
        BoardHealth {
            live: pipelines.iter().all(|health| health.state.is_live()),
            ready: !pipelines.is_empty() && pipelines.iter().all(|health| health.state.is_ready()),
            pipelines,
        }
    }
}
