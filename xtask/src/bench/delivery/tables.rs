//! The tables of delivery in docs/performance.md.

use super::results::{Results, Row};
use crate::bench::tables::{cells, digits, or_dash, table};

/// Makes the text of a section.
pub(crate) type Section = fn(&Results) -> String;

/// The generated sections by name.
pub(crate) const SECTIONS: [(&str, Section); 5] = [
    ("delivery machine", machine),
    ("delivery marks", required),
    ("delivery routes", routes),
    ("delivery latency", latency),
    ("delivery spool", spool),
];

/// The part of the spool alone, whose table is another.
const SPOOL: &str = "spool";

fn machine(results: &Results) -> String {
    let run = if results.quick {
        "This is the short run (`--quick`), good for trying the machinery and not for judging."
    } else {
        "This is the full run."
    };
    format!(
        "Measured on {}; clients, brokers and receivers share the cores with the pipeline. {run}\n",
        results.machine.described(),
    )
}

fn required(results: &Results) -> String {
    let mut rows = vec![cells(["figure", "measured", "required", "verdict"])];
    for mark in results.marks() {
        rows.push(vec![mark.what.clone(), mark.shown(), mark.required(), mark.verdict().to_owned()]);
    }
    table(&rows)
}

/// Sizes of payloads, ascending.
fn sizes<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<u64> {
    let mut sizes: Vec<u64> = rows.map(|row| row.bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Records a second and CPU time of a record, with a program in each row.
fn routes(results: &Results) -> String {
    let of_routes = || results.report.rows.iter().filter(|row| row.part != SPOOL);
    let sizes = sizes(of_routes());
    let mut head = cells(["part", "program"]);
    for size in &sizes {
        head.extend([format!("records/s, {size} B"), String::from("CPU us each")]);
    }
    let mut programs: Vec<(&str, &str)> = Vec::new();
    for row in of_routes() {
        if !programs.contains(&(&row.part, &row.program)) {
            programs.push((&row.part, &row.program));
        }
    }
    let mut rows = vec![head];
    for (part, program) in programs {
        let mut row = vec![part.to_owned(), program.to_owned()];
        for &size in &sizes {
            let found = of_routes().find(|it| (&*it.part, &*it.program, it.bytes) == (part, program, size));
            let rate = found.map_or_else(|| String::from("-"), |it| format!("{:.0}", it.records_per_s));
            row.extend([rate, or_dash(found.and_then(|it| it.cpu_us))]);
        }
        rows.push(row);
    }
    table(&rows)
}

fn latency(results: &Results) -> String {
    let mut rows =
        vec![cells(["route", "bytes", "records/s at full load", "records/s that came", "p50 ms", "p99 ms"])];
    for it in &results.report.latencies {
        rows.push(vec![
            it.route.clone(),
            it.bytes.to_string(),
            format!("{:.0}", it.full_per_s),
            format!("{:.0}", it.offered_per_s),
            digits(it.p50_ms),
            digits(it.p99_ms),
        ]);
    }
    table(&rows)
}

fn spool(results: &Results) -> String {
    let mut rows = vec![cells(["program", "records/s", "MB/s of payload"])];
    for row in results.report.rows.iter().filter(|row| row.part == SPOOL) {
        let mb = row.records_per_s * row.bytes as f64 / 1e6;
        rows.push(vec![row.program.clone(), format!("{:.0}", row.records_per_s), digits(mb)]);
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the tables: what was not measured is a dash, a figure that misses its bound fails, and the spool is
    /// not among the routes.
    #[test]
    fn tables_show_what_was_measured() {
        let text = r#"{
            "machine": { "processor": "P", "cores": 2, "memory_bytes": 1073741824, "system": "linux" },
            "quick": false,
            "rows": [
                { "part": "file", "program": "a", "bytes": 100, "records_per_s": 1000.4, "cpu_us": 1.5 },
                { "part": "file", "program": "b", "bytes": 1024, "records_per_s": 10.0, "cpu_us": 20.0 },
                { "part": "spool", "program": "c", "bytes": 1024, "records_per_s": 5.0, "cpu_us": null }
            ],
            "latencies": [],
            "marks": [{ "figure": "f", "measured": 3.0, "at_least": null, "at_most": 2.0, "unit": "us" }]
        }"#;
        let results: Results = serde_json::from_str(text).expect("results");
        let routes = routes(&results);
        assert!(routes.contains("| file | a | 1000 | 1.50 | - | - |"), "{routes}");
        assert!(!routes.contains("| c |") && spool(&results).contains("| c | 5 |"));
        assert!(required(&results).contains("| f | 3.00 us | <= 2 us | FAIL |"), "{}", required(&results));
    }
}
