//! The tables of crossings in docs/performance.md.

use super::results::Results;
use crate::bench::tables::{cells, digits, or_dash, table};

/// Makes the text of a section.
pub(crate) type Section = fn(&Results) -> String;

/// The generated sections by name.
pub(crate) const SECTIONS: [(&str, Section); 3] =
    [("crossing machine", machine), ("crossing marks", required), ("crossings", crossings)];

fn machine(results: &Results) -> String {
    let run = if results.quick {
        "This is the short run (`--quick`), good for trying the machinery and not for judging."
    } else {
        "This is the full run."
    };
    format!("Measured on {}. {run}\n", results.machine.described())
}

fn required(results: &Results) -> String {
    let mut rows = vec![cells(["figure", "measured", "required", "verdict"])];
    for mark in results.marks() {
        rows.push(vec![mark.what.clone(), mark.shown(), mark.required(), mark.verdict().to_owned()]);
    }
    table(&rows)
}

/// Every crossing with what stands beside it.
pub(super) fn crossings(results: &Results) -> String {
    let mut rows = vec![cells(["crossing", "ns", "beside it", "ns", "difference, ns", "times"])];
    for row in &results.rows {
        rows.push(vec![
            row.crossing.clone(),
            digits(row.ns),
            row.beside.clone().unwrap_or_else(|| String::from("-")),
            or_dash(row.plain_ns),
            row.more_ns().map_or_else(|| String::from("-"), |ns| format!("{ns:+.1}")),
            or_dash(row.times()),
        ]);
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the tables and the marks: a difference that is too large fails, and what was not measured is no pass.
    #[test]
    fn differences_are_shown_and_judged() {
        let text = r#"{
            "machine": { "processor": "P", "cores": 2, "memory_bytes": 1073741824, "system": "linux" },
            "quick": false,
            "rows": [
                { "crossing": "C call: f", "ns": 12.5, "beside": "function pointer", "plain_ns": 1.5 },
                { "crossing": "plugin call: g", "ns": 12.5, "beside": "function pointer", "plain_ns": 1.5 },
                { "crossing": "Go callback", "ns": 60.0, "beside": null, "plain_ns": null }
            ]
        }"#;
        let results: Results = serde_json::from_str(text).expect("results");
        let table = crossings(&results);
        assert!(table.contains("| C call: f | 12.5 | function pointer | 1.50 | +11.0 | 8.33 |"), "{table}");
        assert!(table.contains("| Go callback | 60.0 | - | - | - | - |"), "{table}");
        let marks = required(&results);
        assert!(marks.contains("| C call over a function pointer | 11.00 ns | <= 10 ns | FAIL |"), "{marks}");
        assert!(
            marks.contains("| plugin call over a function pointer | 11.00 ns | <= 20 ns | pass |"),
            "{marks}"
        );
        assert!(
            marks.contains("| Go call over a plain cgo call | - | <= 1.30 x | not measured |"),
            "{marks}"
        );
    }
}
