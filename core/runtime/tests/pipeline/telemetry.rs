//! What a pipeline counts and logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mfn_plugin::metric::MetricValue;
use mfn_plugin::value::PluginError;
use mfn_runtime::{LogLevel, LogRecord, PipelineState, Runtime, RuntimeOptions};

use crate::scripted::*;

/// Every number of the registry by name and label values; a histogram gives its count.
fn numbers(runtime: &Runtime) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    for family in runtime.metrics().snapshot() {
        for sample in family.samples {
            let labels: Vec<_> = sample.labels.into_iter().map(|(_, value)| value).collect();
            let value = match sample.value {
                MetricValue::Number(number) => number,
                MetricValue::Histogram { count, .. } => count as f64,
            };
            numbers.insert(format!("{}({})", family.name, labels.join(",")), value);
        }
    }
    numbers
}

// Guards the dashboards: after a known run every counter has its known value.
#[test]
fn a_run_is_counted_exactly() {
    let mut bench = Bench::default();
    let mut records = specs(5);
    let payload_bytes: usize = records.iter().map(|record| record.payload.len()).sum();
    records.push(request("bad", "application/json", "{}}"));
    let strange = |request: &str, _| match request {
        "r2" => Err(PluginError::permanent("strange")),
        _ => Ok(()),
    };
    bench.connector = Some(Arc::new(ScriptedConnector::new(&bench.journal, "requests", records)));
    bench.publishers = vec![Arc::new(ScriptedPublisher::new(&bench.journal, "results", Box::new(strange)))];
    bench.dead_letters = Some(Arc::new(ScriptedPublisher::willing(&bench.journal, "rejected")));
    bench.transports = vec![Arc::new(ScriptedTransport::new(&bench.journal, "live"))];
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let lines = Arc::clone(&lines);
        move |record: &LogRecord<'_>| {
            lines.lock().unwrap().push(format!("{} {:?}", record.message, record.fields))
        }
    };
    let options = RuntimeOptions {
        threads: 2,
        log_level: LogLevel::Info,
        log_sink: Some(Arc::new(sink)),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::new(options).unwrap();
    let pipeline = bench.start_on(&runtime);
    assert_eq!(pipeline.wait(Duration::from_secs(20)), PipelineState::Finished);
    assert!(pipeline.drain(Duration::from_secs(20)).complete);
    let numbers = numbers(&runtime);
    for (name, value) in [
        ("mfn_records_received_total(requests)", 6.0),
        ("mfn_bytes_received_total(requests)", (payload_bytes + 3) as f64),
        ("mfn_records_sent_total(results)", 4.0),
        ("mfn_records_sent_total(rejected)", 2.0),
        ("mfn_records_sent_total(live)", 5.0),
        ("mfn_errors_total(permanent,results)", 1.0),
        ("mfn_errors_total(retryable,results)", 0.0),
        ("mfn_records_delivered_total(simulate)", 4.0),
        ("mfn_dead_letters_total(simulate)", 2.0),
        ("mfn_records_rejected_total(simulate)", 0.0),
        ("mfn_records_in_flight(simulate)", 0.0),
        ("mfn_simulation_duration_seconds(simulate)", 5.0),
        ("mfn_fractal_dimension(simulate)", 5.0),
        ("mfn_transport_dropped_total(live)", 0.0),
    ] {
        assert_eq!(numbers.get(name), Some(&value), "{name} in {numbers:#?}");
    }
    assert!(numbers["mfn_bytes_sent_total(live)"] > 1000.0);
    let lines = lines.lock().unwrap();
    let unfit: Vec<_> = lines.iter().filter(|line| line.contains("can not be done")).collect();
    assert!(unfit.len() == 1 && unfit[0].contains("\"bad\"") && unfit[0].contains("malformed"), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("finished")));
}
