//! `cargo xtask bench --crossing`: what it costs to cross a boundary, each next to the same work without one.
//!
//! The criterion bench of `ffi/crossing` calls the staged libmfn.so and a plugin that does nothing; the benchmarks of the
//! Go binding and `bindings/cpp/bench/crossing.cpp` use the same library. What all of them measured is one file of
//! results, which the tables of docs/performance.md are made from.

pub(super) mod results;
pub(super) mod tables;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cli::BenchOptions;
use crate::workspace::Workspace;
use crate::{command, golang, stage, tools};
use results::{Results, Row};

/// A benchmark of the Go binding.
struct GoBenchmark {
    crossing: &'static str,
    name: &'static str,
    /// What stands beside it: in words, and the benchmark.
    beside: Option<(&'static str, &'static str)>,
}

const GO: [GoBenchmark; 7] = [
    GoBenchmark {
        crossing: "Go call: Sim.StepCount",
        name: "Call/go",
        beside: Some(("plain cgo call", "Call/plain")),
    },
    GoBenchmark {
        crossing: "Go call that fills a struct: Sim.Spec",
        name: "CallWithError/go",
        beside: Some(("plain cgo call", "CallWithError/plain")),
    },
    GoBenchmark { crossing: "Go callback: a derivative of IntegrateODE", name: "Callback", beside: None },
    GoBenchmark {
        crossing: "Go, borrowing a field of 64 x 64: Sim.WithField",
        name: "Field/lent/64",
        beside: Some(("copying it: Sim.Field", "Field/copied/64")),
    },
    GoBenchmark {
        crossing: "Go, borrowing a field of 1024 x 1024: Sim.WithField",
        name: "Field/lent/1024",
        beside: Some(("copying it: Sim.Field", "Field/copied/1024")),
    },
    GoBenchmark { crossing: "Go, a record to the stream plugin", name: "Record", beside: None },
    GoBenchmark { crossing: "Go, 256 records of 4096 bytes to the file plugin", name: "Batch", beside: None },
];

/// Measures, prints, and keeps where that is asked for.
pub(super) fn run(workspace: &Workspace, options: &BenchOptions) -> Result<()> {
    tools::require(&[tools::CC, tools::CXX, tools::GO, tools::PKG_CONFIG])?;
    ensure!(options.arguments.is_empty(), "--crossing has no parts: leave out {:?}", options.arguments);
    let stage = stage::run(workspace)?;
    let mut results = Results::of_this_machine(options.quick)?;
    results.rows.extend(from_c(workspace, &stage.library(), options.quick)?);
    results.rows.extend(from_cpp(workspace, &stage.root)?);
    results.rows.extend(from_go(workspace, &stage.root, options.quick)?);
    println!("\n{}", tables::crossings(&results));
    for mark in results.marks() {
        let (shown, required) = (mark.shown(), mark.required());
        println!("{:<13} {}: measured {shown}, required {required}", mark.verdict(), mark.what);
    }
    if options.save { results.save(workspace) } else { Ok(()) }
}

/// The criterion bench, over the library as it is shipped.
fn from_c(workspace: &Workspace, library: &Path, quick: bool) -> Result<Vec<Row>> {
    let mut build = workspace.cargo();
    command::run(build.args(["build", "--release", "--package", "mfn-plugin", "--example", "null_plugin"]))?;
    let target = workspace.target_dir()?;
    let out = target.join("bench-crossing.json");
    let mut cargo = workspace.cargo();
    cargo.args(["bench", "--package", "mfn-crossing", "--bench", "crossing", "--"]);
    if quick {
        cargo.arg("--quick");
    }
    cargo.env("MFN_LIBRARY", library);
    cargo.env("MFN_PLUGIN", target.join("release/examples/libnull_plugin.so"));
    command::run(cargo.env("MFN_RESULTS", &out))?;
    let text = std::fs::read_to_string(&out).with_context(|| format!("can not read {}", out.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no results", out.display()))
}

/// The program that compares the C++ interface with the C one.
fn from_cpp(workspace: &Workspace, root: &Path) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let (program, libraries) = (folder.path().join("crossing"), root.join("lib"));
    let mut compile = Command::new("g++");
    compile.args(["-std=c++17", "-O2", "-I"]).arg(root.join("include"));
    compile.arg(workspace.join("bindings/cpp/bench/crossing.cpp")).arg("-o").arg(&program);
    compile.arg(libraries.join("libmfn.so")).arg(format!("-Wl,-rpath,{}", libraries.display()));
    command::run(&mut compile)?;
    cpp_rows(&command::capture(&mut Command::new(&program))?)
}

/// Reads lines such as `count (no result)  C  16.10 ns  C++  16.12 ns  difference  +0.02 ns`.
fn cpp_rows(printed: &str) -> Result<Vec<Row>> {
    let row = |line: &str| {
        let (name, rest) = line.split_once(" C ")?;
        let (c, rest) = rest.split_once(" ns ")?;
        let (cpp, _) = rest.trim_start().strip_prefix("C++ ")?.split_once(" ns ")?;
        Some(Row {
            crossing: format!("C++, {}", name.trim()),
            ns: cpp.trim().parse().ok()?,
            beside: Some(String::from("the same in C")),
            plain_ns: Some(c.trim().parse().ok()?),
        })
    };
    let rows: Vec<Row> = printed.lines().filter_map(row).collect();
    ensure!(!rows.is_empty(), "bindings/cpp/bench/crossing.cpp printed no times:\n{printed}");
    Ok(rows)
}

/// The benchmarks of the Go binding, the best of several runs.
fn from_go(workspace: &Workspace, root: &Path, quick: bool) -> Result<Vec<Row>> {
    let best = go_times(&golang::bench(workspace, root, if quick { 3 } else { 20 })?);
    let time =
        |name: &str| best.get(name).copied().with_context(|| format!("no benchmark {name} in bindings/go"));
    let row = |of: GoBenchmark| {
        Ok(Row {
            crossing: of.crossing.to_owned(),
            ns: time(of.name)?,
            beside: of.beside.map(|(what, _)| what.to_owned()),
            plain_ns: of.beside.map(|(_, name)| time(name)).transpose()?,
        })
    };
    GO.into_iter().map(row).collect()
}

/// Reads lines such as `BenchmarkCall/plain-2   500163   48.10 ns/op`; the least time of each benchmark, by its name
/// without the number of processors.
fn go_times(printed: &str) -> BTreeMap<String, f64> {
    let mut best = BTreeMap::new();
    for line in printed.lines() {
        let mut words = line.split_whitespace();
        let name = words.next().and_then(|word| word.strip_prefix("Benchmark"));
        let time = words.zip(line.split_whitespace().skip(2)).find(|(_, unit)| *unit == "ns/op");
        let (Some(name), Some((time, _))) = (name, time) else { continue };
        let Ok(time) = time.parse::<f64>() else { continue };
        let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
        let least: &mut f64 = best.entry(name.to_owned()).or_insert(f64::INFINITY);
        *least = least.min(time);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the figures of Go: the least of several runs counts, under a name without the number of processors.
    #[test]
    fn times_of_go_are_the_best_of_several() {
        let printed = "BenchmarkCall/plain-2 \t 440140\t 52.70 ns/op\nBenchmarkCall/plain-2 9 48.10 ns/op 12 B/op\nPASS\n";
        assert_eq!(go_times(printed), BTreeMap::from([("Call/plain".to_owned(), 48.10)]));
    }

    /// Guards the figures of C++: both times of a line are read.
    #[test]
    fn times_of_cpp_are_read() {
        let line = "count (no result)            C    16.10 ns  C++    16.12 ns  difference  +0.02 ns";
        let rows = cpp_rows(line).expect("a line");
        assert_eq!((rows[0].ns, rows[0].plain_ns), (16.12, Some(16.10)));
        assert_eq!(rows[0].crossing, "C++, count (no result)");
        assert!(cpp_rows("nothing").is_err());
    }
}
