//! The results of a measurement of delivery: what the benches wrote, and on which machine.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::bench::machine::Machine;
use crate::bench::marks::{Bound, Mark};
use crate::workspace::Workspace;

/// The committed results.
pub(crate) const RESULTS: &str = "docs/data/delivery.json";

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(super) machine: Machine,
    /// Whether it was the short run.
    pub(super) quick: bool,
    #[serde(flatten)]
    pub(super) report: Report,
}

/// What a bench writes: `benches/src/report.rs`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) rows: Vec<Row>,
    pub(super) latencies: Vec<Latency>,
    marks: Vec<Required>,
}

/// What a program took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) part: String,
    pub(super) program: String,
    pub(super) bytes: u64,
    pub(super) records_per_s: f64,
    pub(super) cpu_us: Option<f64>,
}

/// How long records took at half of what a route can do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Latency {
    pub(super) route: String,
    pub(super) bytes: u64,
    pub(super) full_per_s: f64,
    pub(super) offered_per_s: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// A figure that must hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Required {
    figure: String,
    measured: f64,
    at_least: Option<f64>,
    at_most: Option<f64>,
    unit: String,
}

impl Results {
    /// Of this machine, with nothing measured yet.
    pub(super) fn of_this_machine(quick: bool) -> Result<Self> {
        Ok(Self { machine: Machine::this()?, quick, report: Report::default() })
    }

    /// The committed ones.
    pub(crate) fn committed(workspace: &Workspace) -> Result<Self> {
        let text = workspace.read(RESULTS)?;
        serde_json::from_str(&text).with_context(|| format!("{RESULTS} holds no results"))
    }

    /// Adds what a bench wrote.
    pub(super) fn add(&mut self, path: &Path) -> Result<()> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("can not read {}", path.display()))?;
        let more: Report = serde_json::from_str(&text)
            .with_context(|| format!("{} holds no report of a bench", path.display()))?;
        self.report.rows.extend(more.rows);
        self.report.latencies.extend(more.latencies);
        self.report.marks.extend(more.marks);
        Ok(())
    }

    /// The figures that must hold.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let bound = |mark: &Required| match (mark.at_least, mark.at_most) {
            (Some(least), _) => Bound::AtLeast(least),
            (None, most) => Bound::AtMost(most.unwrap_or(f64::NAN)),
        };
        let mark = |mark: &Required| Mark {
            what: mark.figure.clone(),
            size: 0,
            measured: Some(mark.measured),
            bound: bound(mark),
            unit: mark.unit.clone().into(),
        };
        self.report.marks.iter().map(mark).collect()
    }
}
