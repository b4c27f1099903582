//! What a bench of delivery measured: printed as it comes, and kept as JSON, from which `cargo xtask bench` makes
//! the tables of docs/performance.md.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use serde::Serialize;

use crate::marks::Required;

/// Everything of one run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    rows: Vec<Row>,
    latencies: Vec<Latency>,
    marks: Vec<Mark>,
}

/// What a program took at its best.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The part of the bench.
    pub part: String,
    /// What ran.
    pub program: String,
    /// Payload bytes of a record.
    pub bytes: usize,
    /// Records per second.
    pub records_per_s: f64,
    /// CPU time of a record, microseconds, where it was measured.
    pub cpu_us: Option<f64>,
}

/// How long records took at half of what the route can do.
#[derive(Debug, Clone, Serialize)]
pub struct Latency {
    /// From where to where.
    pub route: String,
    /// Payload bytes of a record.
    pub bytes: usize,
    /// Records per second when as many come as it can take.
    pub full_per_s: f64,
    /// Records per second that came.
    pub offered_per_s: f64,
    /// Half of the records took at most so long, milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 records took at most so long, milliseconds.
    pub p99_ms: f64,
}

/// A figure that must hold.
#[derive(Debug, Clone, Serialize)]
struct Mark {
    figure: String,
    measured: f64,
    at_least: Option<f64>,
    at_most: Option<f64>,
    unit: String,
}

impl Report {
    /// Keeps what a program took.
    pub fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Keeps how long records took.
    pub fn latency(&mut self, latency: Latency) {
        self.latencies.push(latency);
    }

    /// Prints a figure that must hold with its verdict, and keeps it.
    #[allow(clippy::print_stdout, reason = "benches print what they measure")]
    pub fn must_hold(&mut self, required: Required, figure: &str, measured: f64, unit: &str) {
        println!("{}", required.line(figure, measured, unit));
        let (at_least, at_most) = match required {
            Required::AtLeast(bound) => (Some(bound), None),
            Required::AtMost(bound) => (None, Some(bound)),
        };
        let (figure, unit) = (figure.to_owned(), unit.to_owned());
        self.marks.push(Mark { figure, measured, at_least, at_most, unit });
    }

    /// Writes everything to a file.
    ///
    /// # Errors
    /// Where the file can not be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        serde_json::to_writer(BufWriter::new(File::create(path)?), self).map_err(std::io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the form that the documents are made from: a bound is on the side that it bounds.
    #[test]
    fn a_mark_keeps_its_bound() {
        let mut report = Report::default();
        report.must_hold(Required::AtMost(2.0), "cost", 2.5, "us");
        let value = serde_json::to_value(&report).expect("JSON");
        let mark = serde_json::json!(
            { "figure": "cost", "measured": 2.5, "at_least": null, "at_most": 2.0, "unit": "us" }
        );
        assert_eq!(value["marks"], serde_json::json!([mark]));
    }
}
