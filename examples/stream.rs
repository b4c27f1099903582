//! A pipeline as a stream: results and log records are taken as they come, on one thread, as an event loop does it. Who
//! connects to the endpoints that are listed sees the same results live.
//! Usage: stream CONFIG.toml
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use mfn_runtime::{
    LogRecord, Outcome, Pipeline, PipelineConfig, PipelineState, Runtime, RuntimeError, RuntimeOptions,
};

const POLL: Duration = Duration::from_millis(100);
const DRAIN: Duration = Duration::from_secs(10);
const LOG_RECORDS_MAX: usize = 256;

/// Names and reasons come from outside; control characters in them must not reach a terminal.
fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_control(), "?")
}

fn print(outcome: &Outcome) {
    let request = clean(&outcome.request);
    match &outcome.features {
        Some(f) => println!("{request}: D_box {:.3}, mean {:.2} mV", f.d_box, f.v_mean),
        None => println!("{request}: refused: {}", clean(outcome.reason.as_deref().unwrap_or_default())),
    }
}

fn follow(pipeline: &Pipeline, log: &Receiver<String>) -> ExitCode {
    for place in pipeline.status().endpoints {
        eprintln!("{} {}: {}", place.component, place.endpoint.name, place.endpoint.url);
    }
    while !pipeline.outcomes_ended() {
        if let Some(outcome) = pipeline.next_outcome(POLL) {
            print(&outcome);
        }
        log.try_iter().for_each(|message| eprintln!("log: {message}"));
    }
    let state = pipeline.wait(Duration::ZERO); // how it ended; draining makes it stopped
    let _ = pipeline.drain(DRAIN);
    log.try_iter().for_each(|message| eprintln!("log: {message}"));
    let counters = pipeline.status();
    println!(
        "{} received, {} delivered, {} dead letters",
        counters.received, counters.delivered, counters.dead_lettered
    );
    if state == PipelineState::Failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(path: &Path) -> Result<ExitCode, RuntimeError> {
    // A queue that is full drops what comes: the library does not wait for its log.
    let (sender, log) = sync_channel(LOG_RECORDS_MAX);
    let sink = move |record: &LogRecord<'_>| drop(sender.try_send(record.message.to_owned()));
    let runtime =
        Runtime::new(RuntimeOptions { log_sink: Some(Arc::new(sink)), ..RuntimeOptions::default() })?;
    let pipeline = Pipeline::start(&runtime, PipelineConfig::from_path(path)?)?;
    Ok(follow(&pipeline, &log))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path] = arguments.as_slice() else {
        eprintln!("usage: stream CONFIG.toml");
        return ExitCode::from(2);
    };
    run(Path::new(path)).unwrap_or_else(|error| {
        eprintln!("{path}: {error}");
        ExitCode::FAILURE
    })
}
