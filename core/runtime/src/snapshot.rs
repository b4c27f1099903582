//! The immutable result of one request: features, statistics and the final fields.
//!
//! A snapshot is shared by reference counting and never changes, so that publishers, transports and
//! the host can read it at the same time. Its JSON is the same bytes whenever the same request is
//! computed again: it holds no time and no other measurement.

use std::sync::Arc;

use mfn_sim::features::{self, FeatureConfig, FeatureError, Features};
use mfn_sim::{Simulation, Spec, Statistics};
use ndarray::{Array2, ArrayView2};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use sha2::{Digest, Sha256};

/// Where a snapshot belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The id of the request, as its connector gave it.
    pub request: String,
    /// The route that computed it.
    pub route: String,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotKind {
    /// A specification was simulated.
    Simulation,
    /// Features of a field of the host's own.
    Field,
}

/// What a result says of itself, without its fields: for a program that writes these from where they lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    id: String,
    identity: Identity,
    features: Features,
    /// What only a simulation has.
    run: Option<(Spec, Statistics)>,
}

impl Summary {
    /// Sums up the present state of a simulation. Copies no grid.
    ///
    /// # Errors
    /// Never for a specification that JSON can carry, which all valid ones are.
    pub fn of_simulation(identity: Identity, simulation: &Simulation) -> Result<Self, serde_json::Error> {
        let spec = simulation.spec().clone();
        let id = result_id(&serde_json::to_vec(&spec)?, &identity, spec.random_seed, simulation.step_count());
        let run = Some((spec, simulation.statistics()));
        Ok(Self { id, identity, features: simulation.features(), run })
    }

    /// The 18 features.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// One line of JSON without a line feed, as [`Snapshot::to_json`] without its field.
    ///
    /// # Errors
    /// Never in practice: all parts are plain numbers and text.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.document(None))
    }

    fn document<'a>(&'a self, field: Option<Rows<'a>>) -> Document<'a> {
        Document {
            id: &self.id,
            request: &self.identity.request,
            route: &self.identity.route,
            kind: self.kind(),
            status: "ok",
            spec: self.spec(),
            steps: self.steps(),
            features: &self.features,
            statistics: self.statistics(),
            mfn_version: crate::version(),
            field,
        }
    }

    fn kind(&self) -> SnapshotKind {
        if self.run.is_some() { SnapshotKind::Simulation } else { SnapshotKind::Field }
    }

    fn spec(&self) -> Option<&Spec> {
        self.run.as_ref().map(|(spec, _)| spec)
    }

    fn statistics(&self) -> Option<&Statistics> {
        self.run.as_ref().map(|(_, statistics)| statistics)
    }

    fn steps(&self) -> u64 {
        self.statistics().map_or(0, |statistics| statistics.steps_computed)
    }
}

/// The immutable result of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    summary: Summary,
    field: Array2<f64>,
    /// Activator and inhibitor of a simulation.
    others: Option<[Array2<f64>; 2]>,
}

impl Snapshot {
    /// Freezes the present state of a simulation. Copies three grids.
    ///
    /// # Errors
    /// Never for a specification that JSON can carry, which all valid ones are.
    pub fn of_simulation(
        identity: Identity,
        simulation: &Simulation,
    ) -> Result<Arc<Self>, serde_json::Error> {
        Ok(Arc::new(Self {
            summary: Summary::of_simulation(identity, simulation)?,
            field: simulation.field().to_owned(),
            others: Some([simulation.activator().to_owned(), simulation.inhibitor().to_owned()]),
        }))
    }

    /// The features of a field in volts that was not simulated here. `payload` is the form in which
    /// the field came; the id is derived from it.
    ///
    /// # Errors
    /// [`FeatureError`] when the field is empty, not square, or too large.
    pub fn of_field(
        identity: Identity,
        payload: &[u8],
        field: Array2<f64>,
    ) -> Result<Arc<Self>, FeatureError> {
        let features = features::compute(field.view(), &FeatureConfig::default())?;
        let summary = Summary { id: result_id(payload, &identity, 0, 0), identity, features, run: None };
        Ok(Arc::new(Self { summary, field, others: None }))
    }

    /// The id of the result: 32 hexadecimal digits, the same for the same request.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.summary.id
    }

    /// The id of the request.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.summary.identity.request
    }

    /// The route that computed it.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.summary.identity.route
    }

    /// What was asked for.
    #[must_use]
    pub fn kind(&self) -> SnapshotKind {
        self.summary.kind()
    }

    /// The specification; `None` for a field that was not simulated here.
    #[must_use]
    pub fn spec(&self) -> Option<&Spec> {
        self.summary.spec()
    }

    /// Steps computed; 0 for a field that was not simulated here.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.summary.steps()
    }

    /// The 18 features.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.summary.features
    }

    /// The counters of the run; `None` for a field that was not simulated here.
    #[must_use]
    pub fn statistics(&self) -> Option<&Statistics> {
        self.summary.statistics()
    }

    /// The final potential, volts, row-major.
    #[must_use]
    pub fn field(&self) -> ArrayView2<'_, f64> {
        self.field.view()
    }

    /// The final activator; `None` for a field that was not simulated here.
    #[must_use]
    pub fn activator(&self) -> Option<ArrayView2<'_, f64>> {
        self.others.as_ref().map(|[activator, _]| activator.view())
    }

    /// The final inhibitor; `None` for a field that was not simulated here.
    #[must_use]
    pub fn inhibitor(&self) -> Option<ArrayView2<'_, f64>> {
        self.others.as_ref().map(|[_, inhibitor]| inhibitor.view())
    }

    /// The snapshot as one line of JSON without a line feed; numbers that are not finite become null.
    /// `include_field` adds `field`: rows of potentials in volts.
    ///
    /// # Errors
    /// Never in practice: all parts are plain numbers and text.
    pub fn to_json(&self, include_field: bool) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.summary.document(include_field.then_some(Rows(self.field.view()))))
    }
}

/// The JSON form. Its keys are an interface: renaming one breaks every reader.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    request: &'a str,
    route: &'a str,
    kind: SnapshotKind,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<&'a Spec>,
    steps: u64,
    features: &'a Features,
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<&'a Statistics>,
    mfn_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Rows<'a>>,
}

/// A grid as an array of rows.
struct Rows<'a>(ArrayView2<'a, f64>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.nrows()))?;
        for row in self.0.rows() {
            rows.serialize_element(&Row(row))?;
        }
        rows.end()
    }
}

struct Row<'a>(ndarray::ArrayView1<'a, f64>);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

/// Derives the id of a result: the first 16 bytes, in hexadecimal, of SHA-256 over what decides the
/// result. Each part is preceded by its length, so that no two lists of parts read alike.
fn result_id(request_form: &[u8], identity: &Identity, seed: u64, steps: u64) -> String {
    let mut hash = Sha256::new();
    let parts: [&[u8]; 5] = [
        request_form,
        identity.request.as_bytes(),
        &seed.to_le_bytes(),
        &steps.to_le_bytes(),
        identity.route.as_bytes(),
    ];
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(request: &str) -> Identity {
        Identity { request: request.into(), route: "simulate".into() }
    }

    fn run(seed: u64, request: &str) -> Arc<Snapshot> {
        let mut simulation =
            Simulation::new(Spec { grid_size: 8, steps: 3, random_seed: seed, ..Spec::default() }).unwrap();
        simulation.run(3, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
        Snapshot::of_simulation(identity(request), &simulation).unwrap()
    }

    // Guards rule 15 of delivery: a rerun makes the same id and the same bytes, anything else another id.
    #[test]
    fn a_rerun_has_the_same_id_and_bytes() {
        let first = run(7, "a");
        assert_eq!(first.to_json(true).unwrap(), run(7, "a").to_json(true).unwrap());
        assert_eq!(first.id().len(), 32);
        assert_ne!(first.id(), run(8, "a").id());
        assert_ne!(first.id(), run(7, "b").id());
    }

    // Guards the keys that readers of the results rely on, and that NaN never reaches the JSON.
    #[test]
    fn the_json_has_the_documented_keys_and_no_nan() {
        let hole = Array2::from_elem((4, 4), f64::NAN);
        assert!(Snapshot::of_field(identity("f"), b"bytes", hole).is_err());
        let field = Array2::from_elem((4, 4), -0.07);
        let snapshot = Snapshot::of_field(identity("f"), b"bytes", field).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&snapshot.to_json(true).unwrap()).unwrap();
        assert_eq!(json["kind"], "field");
        assert!(json["features"]["T_stable"].is_null());
        assert_eq!(json["features"].as_object().unwrap().len(), 18);
        let json: serde_json::Value = serde_json::from_slice(&run(1, "s").to_json(false).unwrap()).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = vec![
            "id",
            "request",
            "route",
            "kind",
            "status",
            "spec",
            "steps",
            "features",
            "statistics",
            "mfn_version",
        ];
        expected.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected);
    }
}
