//! The results of a measurement of crossings, and what is required of them.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::bench::machine::Machine;
use crate::bench::marks::{Bound, Mark};
use crate::workspace::Workspace;

/// The committed results.
pub(crate) const RESULTS: &str = "docs/data/crossing.json";

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(super) machine: Machine,
    /// Whether it was the short run.
    pub(super) quick: bool,
    pub(super) rows: Vec<Row>,
}

/// A way over a boundary, and the same work without one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) crossing: String,
    /// Best time, nanoseconds.
    pub(super) ns: f64,
    /// What stands beside it, if anything does.
    pub(super) beside: Option<String>,
    /// Its best time, nanoseconds.
    pub(super) plain_ns: Option<f64>,
}

impl Row {
    /// How much longer the crossing takes, nanoseconds.
    pub(super) fn more_ns(&self) -> Option<f64> {
        Some(self.ns - self.plain_ns?)
    }

    /// How many times as long.
    pub(super) fn times(&self) -> Option<f64> {
        Some(self.ns / self.plain_ns?)
    }
}

impl Results {
    /// Of this machine, with nothing measured yet.
    pub(super) fn of_this_machine(quick: bool) -> Result<Self> {
        Ok(Self { machine: Machine::this()?, quick, rows: Vec::new() })
    }

    /// The committed ones.
    pub(crate) fn committed(workspace: &Workspace) -> Result<Self> {
        let text = workspace.read(RESULTS)?;
        serde_json::from_str(&text).with_context(|| format!("{RESULTS} holds no results"))
    }

    /// Makes them the committed ones.
    pub(super) fn save(&self, workspace: &Workspace) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(workspace.join(RESULTS), text + "\n")
            .with_context(|| format!("can not write {RESULTS}"))?;
        println!("wrote {RESULTS}");
        Ok(())
    }

    /// The row whose name begins so.
    fn row(&self, begin: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.crossing.starts_with(begin))
    }

    /// The figures that must hold.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mark = |what: &str, measured: Option<f64>, most: f64, unit: &'static str| Mark {
            what: what.to_owned(),
            size: 0,
            measured,
            bound: Bound::AtMost(most),
            unit: unit.into(),
        };
        let more = |begin: &str| self.row(begin)?.more_ns();
        let borrowing = |begin: &str| {
            let time = |side: &str| Some(self.row(&format!("{begin} {side}"))?.ns);
            Some(time("1024 x 1024")? / time("64 x 64")?)
        };
        vec![
            mark("C call over a function pointer", more("C call: "), 10.0, "ns"),
            mark("C call with a handle over a function pointer", more("C call with a handle: "), 10.0, "ns"),
            mark(
                "C call that reads what calls change, over the same lock",
                more("C call that reads"),
                10.0,
                "ns",
            ),
            mark("plugin call over a function pointer", more("plugin call: "), 20.0, "ns"),
            mark("Go call over a plain cgo call", self.row("Go call: ").and_then(Row::times), 1.3, "x"),
            mark(
                "borrowing 1024 x 1024 cells over borrowing 64 x 64",
                borrowing("borrowing a field of"),
                1.2,
                "x",
            ),
            mark("the same in Go", borrowing("Go, borrowing a field of"), 1.2, "x"),
        ]
    }
}
