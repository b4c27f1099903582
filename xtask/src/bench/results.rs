//! The results of a measurement, as benches/peers/measure.py writes them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workspace::Workspace;

/// The committed results that the documents are made from.
pub(crate) const RESULTS: &str = "docs/data/performance.json";

/// One measurement.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    /// Package to version.
    pub(crate) versions: BTreeMap<String, String>,
    /// Whether it was the short run, with small grids and few rounds.
    pub(crate) quick: bool,
    /// Peer to what it leaves out of the step.
    pub(crate) less: BTreeMap<String, String>,
    /// What could not be measured.
    pub(crate) missing: Vec<Missing>,
    pub(crate) rows: Vec<Row>,
}

/// Where it was measured.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: u64,
    /// Levels of vector registers, the widest last.
    pub(crate) levels: Vec<String>,
    pub(crate) memory_bytes: u64,
    pub(crate) system: String,
}

/// A program that gave no times.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Missing {
    pub(crate) task: String,
    pub(crate) program: String,
    pub(crate) reason: String,
}

/// The best times of one program at one task, for one unit of work.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Row {
    pub(crate) task: String,
    /// Cells on a side, or clients.
    pub(crate) size: u64,
    pub(crate) program: String,
    /// What a unit is, in cells, bytes or runs.
    pub(crate) work: f64,
    pub(crate) cpu_s: f64,
    pub(crate) wall_s: f64,
    pub(crate) rounds: u64,
    #[serde(default)]
    pub(crate) peak_bytes: Option<u64>,
}

impl Row {
    /// Work in a second of CPU time, or of wall time where the program has several threads.
    pub(crate) fn rate(&self) -> f64 {
        self.work / self.seconds()
    }

    /// Seconds for a unit, by the same clock.
    pub(crate) fn seconds(&self) -> f64 {
        if self.program.ends_with("threads") { self.wall_s } else { self.cpu_s }
    }
}

impl Results {
    /// Those of a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("can not read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds no results", path.display()))
    }

    /// The committed ones.
    pub(crate) fn committed(workspace: &Workspace) -> Result<Self> {
        Self::read(&workspace.join(RESULTS))
    }

    /// The row of a program.
    pub(crate) fn row(&self, task: &str, size: u64, program: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.task == task && row.size == size && row.program == program)
    }

    /// The rows of a task.
    pub(crate) fn of_task<'a>(&'a self, task: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.task == task)
    }

    /// The sizes of a task, ascending.
    pub(crate) fn sizes(&self, task: &str) -> Vec<u64> {
        let mut sizes: Vec<u64> = self.of_task(task).map(|row| row.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// How many times the rate of one program is that of another.
    pub(crate) fn ratio(&self, task: &str, size: u64, program: &str, peer: &str) -> Option<f64> {
        Some(self.row(task, size, program)?.rate() / self.row(task, size, peer)?.rate())
    }

    /// Cells in a second of a kernel whose rows come from the first-level cache: what the further cells of the wider
    /// of two small grids take longer.
    pub(crate) fn ceiling(&self, way: &str) -> Option<f64> {
        let sizes = self.sizes("ceiling");
        let row = |size: Option<&u64>| self.row("ceiling", *size?, way);
        let (narrow, wide) = (row(sizes.first())?, row(sizes.last())?);
        let rate = (wide.work - narrow.work) / (wide.cpu_s - narrow.cpu_s);
        (rate.is_finite() && rate > 0.0).then_some(rate)
    }

    /// A number of a STREAM kernel, bytes in a second.
    pub(crate) fn stream(&self, kernel: &str) -> Option<f64> {
        self.of_task("stream").find(|row| row.program == kernel).map(Row::rate)
    }
}
