//! The work on one record: decode, simulate or analyse, freeze, encode. A record that can not be done
//! costs itself and nobody else.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mfn_plugin::value::Record;
use mfn_sim::{FeatureConfig, FeatureError, Progress, RunEnd, SimError, Simulation, Spec};
use ndarray::Array2;

use crate::codec::{self, DecodeError, Observation};
use crate::config::Limits;
use crate::snapshot::{Identity, Snapshot};
use crate::text;

/// Grids of 8-byte numbers that a simulation and its snapshot hold: two sets of three fields, two for
/// the temporal features, three in the snapshot, and those of the cluster search.
const GRIDS_PER_SIMULATION: u64 = 14;
/// Grids for the features of one field.
const GRIDS_PER_FIELD: u64 = 5;
/// What a result takes beside its grids.
const OVERHEAD_BYTES: u64 = 16 << 10;
/// The longest reason that is handed on, in characters: it may quote the record.
const REASON_CHARS_MAX: usize = 1000;

/// Why a record can not be done, now or ever.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The payload is larger than the pipeline takes.
    #[error("record of {bytes} bytes, at most {limit} are taken: send less or raise limits.record_bytes_max")]
    TooLarge {
        /// Size of the payload.
        bytes: u64,
        /// What is taken.
        limit: u64,
    },
    /// The connector could not read the record whole ([`Record::FAULT_HEADER`]).
    #[error("{0}")]
    Unreadable(String),
    /// The payload means nothing.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The simulation asked for costs more than the pipeline allows.
    #[error(
        "{cell_steps} cell-steps asked for (rows x columns x steps), at most {limit} are allowed: \
         ask for less or raise limits.cell_steps_max"
    )]
    TooExpensive {
        /// What was asked for.
        cell_steps: u128,
        /// What is allowed.
        limit: u64,
    },
    /// The simulation refused its specification or became unstable.
    #[error(transparent)]
    Simulation(#[from] SimError),
    /// The field has no features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The result can not be written.
    #[error("the result can not be encoded: {0}")]
    Encode(#[from] serde_json::Error),
    /// A defect of this library.
    #[error("the computation panicked: {message}; please report this request")]
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl Unfit {
    /// A short, stable name for metrics and scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Unreadable(_) => "unreadable",
            Self::Decode(DecodeError::ContentType { .. }) => "content_type",
            Self::Decode(DecodeError::Spec(_)) => "invalid_spec",
            Self::Decode(_) => "malformed",
            Self::TooExpensive { .. } => "too_expensive",
            Self::Simulation(SimError::Unstable { .. }) => "unstable",
            Self::Simulation(_) => "invalid_spec",
            Self::Features(_) => "bad_field",
            Self::Encode(_) => "encode",
            Self::Panicked { .. } => "panic",
        }
    }

    /// The reason as it is handed on: one line of bounded length.
    #[must_use]
    pub fn reason(&self) -> String {
        one_line(&self.to_string())
    }
}

/// A text as it is handed on: one line of bounded length.
pub(super) fn one_line(text: &str) -> String {
    text::one_line(text, REASON_CHARS_MAX)
}

/// What a computation brought.
#[derive(Debug)]
pub(super) struct Evaluated {
    pub(super) snapshot: Arc<Snapshot>,
    /// The result as it is published.
    pub(super) record: Record,
    pub(super) duration: Duration,
}

/// How a computation ended.
#[derive(Debug)]
pub(super) enum WorkEnd {
    Done(Evaluated),
    Unfit(Unfit),
    Cancelled,
}

/// What a computation needs to know of its pipeline.
pub(super) struct WorkContext<'a> {
    pub(super) route: &'a str,
    pub(super) include_field: bool,
    /// Hears of progress and says whether to go on.
    pub(super) control: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

/// Decodes a record and checks what it will cost.
pub(super) fn admit(request: &Record, limits: &Limits) -> Result<Observation, Unfit> {
    contained(|| {
        admit_unread(request, limits)?;
        let observation = codec::decode(&request.content_type, &request.payload)?;
        if let Observation::Simulation(spec) = &observation {
            let (cell_steps, limit) = (spec.cell_steps(), limits.cell_steps_max);
            if cell_steps > u128::from(limit) {
                return Err(Unfit::TooExpensive { cell_steps, limit });
            }
        }
        Ok(observation)
    })
}

/// Checks what can be checked of a record without reading its payload.
pub(super) fn admit_unread(record: &Record, limits: &Limits) -> Result<(), Unfit> {
    let bytes = record.payload.len() as u64;
    if bytes > limits.record_bytes_max {
        return Err(Unfit::TooLarge { bytes, limit: limits.record_bytes_max });
    }
    match record.headers.iter().find(|(name, _)| name == Record::FAULT_HEADER) {
        Some((_, reason)) => Err(Unfit::Unreadable(String::from_utf8_lossy(reason).into_owned())),
        None => Ok(()),
    }
}

/// The memory that an observation and its result will take, bytes.
pub(super) fn working_bytes(observation: &Observation) -> u64 {
    let (cells, grids) = match observation {
        Observation::Simulation(spec) => {
            ((spec.rows() as u64).saturating_mul(spec.cols() as u64), GRIDS_PER_SIMULATION)
        }
        Observation::Field(field) => (field.len() as u64, GRIDS_PER_FIELD),
    };
    cells.saturating_mul(grids * 8).saturating_add(OVERHEAD_BYTES)
}

/// Does the work. A panic in it becomes [`Unfit::Panicked`].
pub(super) fn evaluate(request: &Record, observation: Observation, context: WorkContext<'_>) -> WorkEnd {
    match contained(|| compute(request, observation, context)) {
        Ok(Some(evaluated)) => WorkEnd::Done(evaluated),
        Ok(None) => WorkEnd::Cancelled,
        Err(unfit) => WorkEnd::Unfit(unfit),
    }
}

fn compute(
    request: &Record,
    observation: Observation,
    context: WorkContext<'_>,
) -> Result<Option<Evaluated>, Unfit> {
    let start = Instant::now();
    let identity = Identity { request: request.id.clone(), route: context.route.to_owned() };
    let snapshot = match observation {
        Observation::Simulation(spec) => simulate(identity, *spec, context.control)?,
        Observation::Field(field) => Some(analyse(identity, &request.payload, field)?),
    };
    let Some(snapshot) = snapshot else { return Ok(None) };
    let duration = start.elapsed();
    let payload = snapshot.to_json(context.include_field)?;
    let record = Record {
        id: snapshot.id().to_owned(),
        key: request.key.clone(),
        payload,
        content_type: codec::JSON.to_owned(),
        headers: vec![
            header("mfn-request-id", &request.id),
            route_header(context.route),
            header("mfn-status", "ok"),
            // A measurement: beside the payload, so that the payload of a rerun has the same bytes.
            header("mfn-compute-ms", &format!("{:.3}", duration.as_secs_f64() * 1e3)),
        ],
        timestamp_ms: request.timestamp_ms,
        trace_parent: request.trace_parent.clone(),
    };
    Ok(Some(Evaluated { snapshot, record, duration }))
}

fn simulate(
    identity: Identity,
    spec: Spec,
    control: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Option<Arc<Snapshot>>, Unfit> {
    let steps = spec.steps;
    let mut simulation = Simulation::new(spec)?;
    simulation.enable_temporal_features(&FeatureConfig::of_mode(simulation.spec().compat))?;
    match simulation.run(steps, control)? {
        RunEnd::Completed => Ok(Some(Snapshot::of_simulation(identity, &simulation)?)),
        RunEnd::Cancelled => Ok(None),
    }
}

fn analyse(identity: Identity, payload: &[u8], field: Array2<f64>) -> Result<Arc<Snapshot>, Unfit> {
    Ok(Snapshot::of_field(identity, payload, field)?)
}

/// The dead letter of a request: its own bytes, and why it could not be done.
pub(super) fn dead_letter(request: &Record, route: &str, reason: &str) -> Record {
    let mut letter = request.clone();
    // A record that was forwarded and spooled has this header already.
    letter.headers.pop_if(|last| *last == route_header(route));
    letter.headers.extend([
        header("mfn-request-id", &request.id),
        route_header(route),
        header("mfn-status", "dead_lettered"),
        header("mfn-reason", &one_line(reason)),
    ]);
    letter
}

/// The name of the header that says which route a record took.
pub(super) const ROUTE_HEADER: &str = "mfn-route";

fn route_header(route: &str) -> (String, Vec<u8>) {
    header(ROUTE_HEADER, route)
}

fn header(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

fn contained<T>(work: impl FnOnce() -> Result<T, Unfit>) -> Result<T, Unfit> {
    catch(work).unwrap_or_else(|message| Err(Unfit::Panicked { message }))
}

/// Runs code that is not to be trusted with the thread it runs on; the error is the panic's message.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What the closure touched is dropped or handed back as an error, never used half-changed.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_message(panic.as_ref()))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &str, payload: &[u8]) -> Record {
        Record {
            id: "r".into(),
            payload: payload.to_vec(),
            content_type: content_type.into(),
            ..Record::default()
        }
    }

    fn go_on(_: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    // Guards the limits: what is too large or too expensive is refused before it costs anything.
    #[test]
    fn large_and_expensive_requests_are_refused() {
        let limits = Limits { record_bytes_max: 100, cell_steps_max: 1000, ..Limits::default() };
        let refused = |payload: &[u8]| admit(&request(codec::JSON, payload), &limits).unwrap_err().code();
        assert_eq!(refused(&[b' '; 101]), "too_large");
        assert_eq!(refused(br#"{"grid_size":10,"steps":11}"#), "too_expensive");
        assert_eq!(refused(br#"{"grid_size":10,"steps":-1}"#), "malformed");
        assert_eq!(refused(br#"{"alpha":9}"#), "invalid_spec");
        assert!(admit(&request(codec::JSON, br#"{"grid_size":10,"steps":10}"#), &limits).is_ok());
    }

    // Guards that what a connector could not read whole is refused for the connector's reason, and that
    // the part it has is not taken for the request.
    #[test]
    fn a_connector_s_fault_is_the_reason() {
        let mut request = request(codec::JSON, br#"{"grid_size":10,"steps":10}"#);
        request.headers.push(header(Record::FAULT_HEADER, "line 2 is too long"));
        let error = admit(&request, &Limits::default()).unwrap_err();
        assert_eq!((error.code(), error.reason().as_str()), ("unreadable", "line 2 is too long"));
    }

    // Guards that a result holds the temporal features, which need every step of the run.
    #[test]
    fn results_have_the_features_of_the_run() {
        let request = request(codec::JSON, br#"{"grid_size":16,"steps":20}"#);
        let observation = admit(&request, &Limits::default()).unwrap();
        let context = WorkContext { route: "r", include_field: false, control: &mut go_on };
        let WorkEnd::Done(done) = evaluate(&request, observation, context) else { panic!("not done") };
        assert!(done.snapshot.features().dv_mean > 0.0);
        assert_eq!(done.record.id, done.snapshot.id());
        assert!(working_bytes(&Observation::Field(Array2::zeros((10, 10)))) > 800);
    }

    // Guards the neighbours of a request that meets a defect of ours.
    #[test]
    fn a_panic_becomes_a_reason() {
        let error = contained::<()>(|| panic!("lost {}", 3)).unwrap_err();
        assert_eq!(error.code(), "panic");
        assert!(error.reason().contains("lost 3"));
    }

    // Guards logs, headers and the memory against a record that puts itself into its error.
    #[test]
    fn reasons_are_one_bounded_line() {
        let record = request(codec::JSON, format!("{{\"{}\\n\":1}}", "x".repeat(1 << 20)).as_bytes());
        let reason = admit(&record, &Limits::default()).unwrap_err().reason();
        assert!(reason.len() < REASON_CHARS_MAX + 10);
        assert_eq!(one_line("a\nb\u{7}"), "a b ");
    }
}
