//! `docs/delivery.md` against the code: what it lists must be what there is.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mfn_runtime::config::Limits;
use mfn_runtime::{PipelineConfig, PipelineState, Runtime, RuntimeOptions, codec};

use crate::scripted::*;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/delivery.md");
    std::fs::read_to_string(path).unwrap()
}

/// The words in backquotes of the first column of the table under a heading.
fn first_column(document: &str, heading: &str) -> BTreeSet<String> {
    let section = document.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split(" |").next().unwrap());
    cells
        .flat_map(|cell| cell.split(['`', ',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned))
        .collect()
}

// Guards the documented configuration: it is accepted, and its limits are the defaults it claims.
#[test]
fn the_documented_configuration_is_accepted() {
    let document = document();
    let toml = document.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    let config = PipelineConfig::from_toml(toml, Path::new(".")).unwrap();
    assert_eq!(config.limits, Limits::default());
}

// Guards the tables: content types, codes, states and metric names are those of the code.
#[test]
fn the_documented_names_exist() {
    let document = document();
    let known: BTreeSet<_> = codec::known().into_iter().map(str::to_owned).collect();
    assert_eq!(first_column(&document, "Content types"), known);
    let source = include_str!("../../src/pipeline/work.rs");
    for code in first_column(&document, "Why a record can not be done") {
        assert!(source.contains(&format!("=> \"{code}\"")), "{code}");
    }
    use PipelineState::*;
    let states = [Running, Draining, Finished, Stopped, Failed].map(|state| state.name().to_owned());
    assert_eq!(first_column(&document, "Ending"), states.into_iter().collect());

    let directory = tempfile::tempdir().unwrap();
    let route = format!(
        "durability = \"spooled\"\nspool = {{ directory = {:?} }}",
        directory.path().display().to_string()
    );
    let mut bench = Bench { route, ..Bench::default() };
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", specs(1))));
    bench.publishers = vec![Arc::new(ScriptedPublisher::willing(&bench.journal, "results"))];
    bench.transports = vec![Arc::new(ScriptedTransport::new(&bench.journal, "live"))];
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() }).unwrap();
    let pipeline = bench.start_on(&runtime);
    assert_eq!(pipeline.wait(Duration::from_secs(20)), PipelineState::Finished);
    let names: BTreeSet<_> = runtime.metrics().snapshot().into_iter().map(|family| family.name).collect();
    let documented = first_column(&document, "Metrics");
    assert!(documented.is_subset(&names), "{:?}", documented.difference(&names));
}
