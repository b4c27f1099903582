//! Writing: content, resuming, refusals.

mod common;

use std::fs;
use std::ops::ControlFlow;

use common::{reader, rows, sweep, value, write};
use mfn_dataset::{DatasetError, DescriptorConfig, Existing, Sweep, SweepEnd, SweepOptions, SweepPlan};
use mfn_sim::dataset::V4_1_COLUMNS;
use mfn_sim::ensemble::{Ensemble, run_memory_bytes};
use mfn_sim::features::Connectivity;
use mfn_sim::{Simulation, descriptors};
use parquet::file::reader::FileReader;
use parquet::record::Field;
use serde_json::json;

fn small() -> Sweep {
    sweep(&json!({
        "name": "small", "base": {"steps": 12, "grid_size": 12, "kinetics": "gray-scott"}, "seeds_per_config": 3,
        "axes": [
            {"field": "alpha", "min": 0.06, "max": 0.12, "points": 3},
            {"field": "kinetics.feed", "values": [0.03, 0.05]},
        ],
    }))
}

fn with(threads: usize, existing: Existing) -> SweepOptions {
    SweepOptions { ensemble: Ensemble { threads, ..Ensemble::default() }, existing }
}

/// Guards the content: the 28 columns first, with MFN 4.1's names and types, then the others; every row the run of
/// its index.
#[test]
fn rows_are_the_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("deep/er/small.parquet");
    let sweep = small();
    let report = write(&sweep, &target, &SweepOptions::default()).expect("written");
    assert_eq!(
        (report.end, report.succeeded, report.failed, report.resumed),
        (SweepEnd::Completed, 18, 0, 0)
    );
    assert_eq!(
        fs::read_dir(target.parent().expect("a folder")).expect("a folder").count(),
        1,
        "nothing is left over"
    );

    let file = reader(&target);
    let metadata = file.metadata().file_metadata();
    let schema = metadata.schema_descr();
    for (index, column) in V4_1_COLUMNS.iter().enumerate() {
        assert_eq!(schema.column(index).name(), column.name);
    }
    assert_eq!(schema.column(schema.num_columns() - 1).name(), "kinetics.feed");
    let keys: Vec<&str> =
        metadata.key_value_metadata().into_iter().flatten().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["mfn_version", "mfn_plan", "mfn_plan_sha256"]);

    let rows = rows(&target);
    assert_eq!(rows.len(), 18);
    let mut means = Vec::new();
    Ensemble::default()
        .run(&sweep, 0..18, &mut |_, result| {
            means.push(result.expect("a stable run").run.features.v_mean);
            ControlFlow::Continue(())
        })
        .expect("it runs");
    for (index, row) in rows.iter().enumerate() {
        let spec = sweep.spec(index as u64).expect("a run");
        assert_eq!(value(row, "sim_id"), &Field::Long(index as i64));
        assert_eq!(value(row, "config_index"), &Field::Long(index as i64 / 3));
        assert_eq!(value(row, "replicate"), &Field::Long(index as i64 % 3));
        assert_eq!(value(row, "random_seed"), &Field::Long(spec.random_seed as i64));
        assert_eq!(value(row, "alpha"), &Field::Double(spec.alpha));
        assert_eq!(value(row, "rows"), &Field::Long(12));
        assert_eq!(value(row, "kinetics"), &Field::Str("gray-scott".to_owned()));
        assert_eq!(value(row, "kinetics.feed"), &Field::Double(if index / 3 % 2 == 0 { 0.03 } else { 0.05 }));
        assert_eq!(value(row, "status"), &Field::Str("ok".to_owned()));
        assert_eq!(value(row, "error"), &Field::Null);
        assert_eq!(value(row, "V_mean"), &Field::Double(means[index]));
        assert_eq!(value(row, "steps_computed"), &Field::Long(12));
        let Field::Str(text) = value(row, "spec") else { panic!("no specification") };
        let read: mfn_sim::Spec = serde_json::from_str(text).expect("a specification");
        assert_eq!(read, spec);
    }
    let (name, summary) = report.stats.columns().nth(4).expect("V_mean");
    assert_eq!((name, summary.count), ("V_mean", 18));
    assert!((summary.mean - means.iter().sum::<f64>() / 18.0).abs() < 1e-12);
}

/// Guards the promise of byte identity: threads, interruptions at every row and a damaged journal leave the same
/// file, in both formats.
#[test]
fn interrupted_sweeps_leave_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let sweep = small();
    for extension in ["parquet", "csv"] {
        let whole = folder.path().join("whole").with_extension(extension);
        write(&sweep, &whole, &with(1, Existing::Refuse)).expect("written");
        let whole = fs::read(&whole).expect("a file");

        let target = folder.path().join("pieces").with_extension(extension);
        let journal = folder.path().join(format!("pieces.{extension}.partial/journal"));
        for attempt in 0..100 {
            let mut new = 0;
            let report = sweep.write(&target, &with(1 + attempt % 4, Existing::Resume), &mut |progress| {
                new += 1;
                let is_enough = progress.done < progress.runs && new > attempt % 3;
                if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match report.expect("an attempt").end {
                SweepEnd::Completed => break,
                SweepEnd::Cancelled => assert!(!target.exists(), "a target that is not complete"),
            }
            // As a kill in the middle of a write leaves it.
            let mut bytes = fs::read(&journal).expect("a journal");
            bytes.truncate(bytes.len() - attempt % 3);
            fs::write(&journal, bytes).expect("space");
            assert!(attempt < 90, "the sweep does not end");
        }
        assert!(fs::read(&target).expect("a file") == whole, "{extension} differs");
        assert!(!journal.exists());
    }
}

/// Guards what stands there already: nothing is replaced and nothing thrown away unless asked for.
#[test]
fn existing_work_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("a.csv");
    let sweep = small();
    let stopped = sweep.write(&target, &with(1, Existing::Refuse), &mut |at| {
        if at.done == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(stopped.expect("stopped").end, SweepEnd::Cancelled);

    let refused = write(&sweep, &target, &with(1, Existing::Refuse));
    assert!(matches!(refused, Err(DatasetError::PartialExists { rows: 4, .. })), "{refused:?}");
    let other = SweepPlan { seed: 43, ..sweep.plan().clone() }.check().expect("in order");
    let refused = write(&other, &target, &with(1, Existing::Resume));
    assert!(matches!(refused, Err(DatasetError::OtherPlan { .. })), "{refused:?}");
    assert_eq!(write(&sweep, &target, &with(1, Existing::Resume)).expect("resumed").resumed, 4);

    for existing in [Existing::Refuse, Existing::Resume] {
        let refused = write(&other, &target, &with(1, existing));
        assert!(matches!(refused, Err(DatasetError::TargetExists { .. })), "{refused:?}");
    }
    let before = fs::read(&target).expect("a file");
    write(&other, &target, &with(1, Existing::Replace)).expect("replaced");
    assert_ne!(fs::read(&target).expect("a file"), before);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left over");
}

/// Guards the descriptors as columns: those of the field of each run, in both precisions, behind the columns that
/// every sweep has and before those of the axes, with every other value as it is without them.
#[test]
fn descriptors_are_columns_where_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let [plain, described] =
        ["plain", "described"].map(|name| folder.path().join(name).with_extension("parquet"));
    let mut json = json!({
        "base": {"steps": 40, "grid_size": 20}, "seeds_per_config": 2,
        "axes": [
            {"field": "precision", "values": ["f64", "f32"]},
            {"field": "kinetics.feed", "values": [0.03, 0.05]},
        ],
    });
    write(&sweep(&json), &plain, &SweepOptions::default()).expect("written");
    json["descriptors"] = json!({"threshold_mv": -70.0, "wrap": true, "connectivity": 4, "box_ratio": 3});
    let sweep = sweep(&json);
    write(&sweep, &described, &with(2, Existing::Refuse)).expect("written");

    let names: Vec<String> = reader(&described)
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let mut wanted: Vec<String> = reader(&plain)
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let behind = wanted.iter().position(|name| name == "spec").expect("the specification") + 1;
    wanted.splice(behind..behind, descriptors::NAMES.map(str::to_owned));
    assert_eq!(names, wanted);

    let config = DescriptorConfig {
        threshold_mv: -70.0,
        wrap: true,
        connectivity: Connectivity::Four,
        box_ratio: 3,
        ..DescriptorConfig::default()
    };
    for (index, (row, plain)) in rows(&described).iter().zip(rows(&plain)).enumerate() {
        for (name, field) in plain.get_column_iter() {
            assert_eq!(format!("{:?}", value(row, name)), format!("{field:?}"), "{name} of run {index}");
        }
        let mut simulation = Simulation::new(sweep.spec(index as u64).expect("a run")).expect("in order");
        simulation.run(40, &mut |_| ControlFlow::Continue(())).expect("stable");
        let found = descriptors::compute(simulation.field().view(), &config).expect("finite");
        assert!(found.area > 0.0 && found.lacunarity[3].is_finite(), "{found:?} tells nothing");
        for (name, number) in descriptors::NAMES.iter().zip(found.to_array()) {
            let Field::Double(written) = value(row, name) else {
                panic!("{name} of run {index} is no number")
            };
            assert_eq!(written.to_bits(), number.to_bits(), "{name} of run {index}");
        }
    }
}

/// Guards the memory of descriptors: it counts against the bound of the sweep, and a failed run has empty columns.
#[test]
fn descriptors_count_as_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut json = json!({"base": {"steps": 1}, "axes": [{"field": "grid_size", "values": [16, 64]}]});
    let one = |json: &serde_json::Value| run_memory_bytes(&sweep(json).spec(1).expect("a run"));
    let ensemble = Ensemble { memory_bytes_max: one(&json), ..Ensemble::default() };
    let options = SweepOptions { ensemble, ..SweepOptions::default() };
    let report = write(&sweep(&json), &folder.path().join("a.parquet"), &options).expect("written");
    assert_eq!(report.failed, 0);
    json["descriptors"] = json!({});
    let target = folder.path().join("b.parquet");
    let report = write(&sweep(&json), &target, &options).expect("written");
    assert_eq!((report.succeeded, report.failed), (1, 1));
    let rows = rows(&target);
    assert_eq!(value(&rows[1], "status"), &Field::Str("memory".to_owned()));
    assert_eq!(value(&rows[1], "entropy"), &Field::Null);
    assert!(matches!(value(&rows[0], "entropy"), Field::Double(_)));
}

/// Guards against two writers on one target: the second is refused while the first is at work.
#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("a.parquet");
    let sweep = small();
    let mut second = None;
    let first = sweep.write(&target, &with(1, Existing::Refuse), &mut |_| {
        second.get_or_insert_with(|| write(&sweep, &target, &with(1, Existing::Resume)));
        ControlFlow::Continue(())
    });
    assert_eq!(first.expect("written").end, SweepEnd::Completed);
    assert!(matches!(second, Some(Err(DatasetError::Busy { .. }))), "{second:?}");
}

/// Guards failed runs: they keep their row, or leave none, and a sweep without any result is an error.
#[test]
fn failed_runs_have_a_status() {
    let folder = tempfile::tempdir().expect("a folder");
    // Where both diffusions meet, and only there, the step would be unstable.
    let json = |failed_rows: &str| {
        json!({
            "base": {"steps": 3, "grid_size": 8, "alpha": 0.05, "d_activator": 0.05, "leak_rate": 0.0},
            "failed_rows": failed_rows,
            "axes": [
                {"field": "time_step", "values": [1.0, 2.0]},
                {"field": "d_inhibitor", "values": [0.1, 0.2]},
            ],
        })
    };
    let target = folder.path().join("kept.parquet");
    let report = write(&sweep(&json("keep")), &target, &SweepOptions::default()).expect("written");
    assert_eq!((report.succeeded, report.failed), (3, 1));
    assert_eq!(report.failures[0].0, 3);
    assert!(report.failures[0].1.contains("d_inhibitor"), "{:?}", report.failures);
    let kept = rows(&target);
    assert_eq!(kept.len(), 4);
    assert_eq!(value(&kept[3], "status"), &Field::Str("refused".to_owned()));
    assert_eq!(value(&kept[3], "V_mean"), &Field::Null);
    assert_eq!(value(&kept[3], "d_inhibitor"), &Field::Double(0.2));

    let target = folder.path().join("skipped.parquet");
    write(&sweep(&json("skip")), &target, &SweepOptions::default()).expect("written");
    let ids: Vec<Field> = rows(&target).iter().map(|row| value(row, "sim_id").clone()).collect();
    assert_eq!(ids, [Field::Long(0), Field::Long(1), Field::Long(2)]);

    let options = SweepOptions {
        ensemble: Ensemble { memory_bytes_max: 1000, ..Ensemble::default() },
        ..SweepOptions::default()
    };
    let refused = write(&sweep(&json("keep")), &folder.path().join("none.csv"), &options);
    assert!(matches!(refused, Err(DatasetError::NothingSucceeded { runs: 4, .. })), "{refused:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "nothing is left over");
}

/// Guards the targets that can not be: each is a typed error, and nothing is made.
#[test]
fn impossible_targets_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "x").expect("space");
    fs::create_dir(folder.path().join("is.csv")).expect("a folder");
    for name in ["a.txt", "a", "", "is.csv", "file/a.csv", "\0.csv"] {
        let refused = write(&small(), &folder.path().join(name), &SweepOptions::default());
        assert!(
            matches!(refused, Err(DatasetError::Extension { .. } | DatasetError::Io { .. })),
            "{name:?}: {refused:?}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

/// Guards the CSV: the header, and every number as the shortest text of the same bits.
#[test]
fn csv_has_the_values_of_the_parquet() {
    let folder = tempfile::tempdir().expect("a folder");
    let sweep = SweepPlan::preset("benchmark").expect("a preset").check().expect("in order");
    let (csv, parquet) = (folder.path().join("a.csv"), folder.path().join("a.parquet"));
    write(&sweep, &csv, &SweepOptions::default()).expect("written");
    write(&sweep, &parquet, &SweepOptions::default()).expect("written");
    let mut reader = csv::Reader::from_path(&csv).expect("a file");
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    assert_eq!(names, V4_1_COLUMNS.map(|column| column.name.to_owned()));
    let mut count = 0;
    for (record, row) in reader.records().map(|record| record.expect("a line")).zip(rows(&parquet)) {
        for (text, (name, field)) in record.iter().zip(row.get_column_iter()) {
            let same = match field {
                Field::Long(value) => text.parse() == Ok(*value),
                Field::Double(value) => {
                    text.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits())
                }
                Field::Bool(value) => text == if *value { "True" } else { "False" },
                Field::Str(value) => text == value,
                other => panic!("{name}: {other:?}"),
            };
            assert!(same, "{name}: {text} is not {field:?}");
        }
        count += 1;
    }
    assert_eq!(count, 5);
}

/// Guards several row groups: more rows than one group holds come back in order.
#[test]
fn many_rows_make_several_groups() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("many.parquet");
    let many = sweep(&json!({
        "base": {"steps": 0, "grid_size": 2}, "seeds_per_config": 8200, "columns": "v4.1",
    }));
    write(&many, &target, &SweepOptions::default()).expect("written");
    assert_eq!(reader(&target).num_row_groups(), 2);
    let ids: Vec<i64> = rows(&target)
        .iter()
        .map(|row| match value(row, "sim_id") {
            Field::Long(id) => *id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, (0..8200).collect::<Vec<_>>());
}
