//! Parquet files as others read them: with pyarrow, in an environment of its own that the test makes once.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::write;
use mfn_dataset::{SweepOptions, SweepPlan};
use mfn_sim::dataset::{ColumnKind, V4_1_COLUMNS};

/// The release that the test is written for.
const PYARROW: &str = "pyarrow==26.0.1";

/// Prints name, type, and for each row the values; then the metadata.
const SCRIPT: &str = r#"
import sys, pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
for field in table.schema:
    print(field.name, field.type)
print("rows", table.num_rows, "nulls", sum(column.null_count for column in table.columns))
print("D_box", table.column("D_box").to_pylist(), "growth", table.column("growth_events").to_pylist())
print("version", table.schema.metadata[b"mfn_version"].decode())
"#;

fn run(command: &mut Command, what: &str) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{what}: {command:?} can not be run: {error}; install python3 and python3-venv")
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{what}: {command:?} failed; it needs python3, python3-venv and a package index\n{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// The interpreter of an environment with pyarrow, made where it is missing.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(PYARROW.replace("==", "-"));
    let python = folder.join("bin/python");
    let is_complete = folder.join("complete");
    if !is_complete.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "the environment");
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYARROW];
        run(Command::new(&python).args(pip), "pyarrow");
        std::fs::write(is_complete, "").expect("space");
    }
    python
}

/// Guards what a data scientist sees: pyarrow reads the file, and the 28 columns have the names and types that MFN
/// 4.1 gives them.
#[test]
fn pyarrow_reads_the_columns_of_4_1() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("benchmark.parquet");
    let sweep = SweepPlan::preset("benchmark").expect("a preset").check().expect("in order");
    write(&sweep, &target, &SweepOptions::default()).expect("written");

    let text = run(Command::new(python()).args(["-c", SCRIPT]).arg(&target), "reading with pyarrow");
    let mut wanted: Vec<String> = V4_1_COLUMNS
        .iter()
        .map(|column| {
            let kind = match column.kind {
                ColumnKind::Integer => "int64",
                ColumnKind::Number => "double",
                ColumnKind::Flag => "bool",
                ColumnKind::Text => "string",
            };
            format!("{} {kind}", column.name)
        })
        .collect();
    wanted.push("rows 5 nulls 0".to_owned());
    // As MFN 4.1 gives them for this scenario.
    wanted.push("D_box [0.0, 0.0, 0.0, 0.0, 0.0] growth [11, 8, 10, 9, 9]".to_owned());
    wanted.push(format!("version {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(text.lines().collect::<Vec<_>>(), wanted);
}
