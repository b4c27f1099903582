//! The demonstration: a pipeline that a configuration file describes, shown while it works. Which plugins take part,
//! where requests come from and where results go is all in the configuration: the same program publishes elsewhere with
//! another file.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mfn_runtime::config::ConfigFault;
use mfn_runtime::picture::{PictureOptions, write_png};
use mfn_runtime::{
    LogLevel, LogRecord, Outcome, OutcomeStatus, Pipeline, PipelineConfig, PipelineState, Runtime,
    RuntimeError, RuntimeOptions,
};

const USAGE: &str = "Usage: pipeline CONFIG.toml [--serve] [--plain] [--picture PATH]

Runs the pipeline of a configuration file and shows a table of its results.
  --serve         stay up when the work is done, until Ctrl-C
  --plain         plain lines instead of a progress bar
  --picture PATH  where to write the last field (default: pipeline.png)

Example: pipeline examples/demo.toml --serve
Exit status: 0 done (dead letters are no failure), 1 failed, 2 usage or configuration.
";
const WORK_FAILED: u8 = 1;
const USAGE_AT_FAULT: u8 = 2;
const POLL: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(1);
const DRAIN: Duration = Duration::from_secs(10);
const BAR_CELLS: usize = 32;
const ROWS_MAX: usize = 1000;
const CLEAR_LINE: &str = "\r\x1b[K";

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

struct Options {
    config: PathBuf,
    picture: PathBuf,
    serve: bool,
    plain: bool,
}

impl Options {
    /// Reads the arguments; `None` when they are not understood.
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let (mut config, mut picture, mut serve, mut plain) = (None, "pipeline.png".into(), false, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--serve" => serve = true,
                "--plain" => plain = true,
                "--picture" => picture = arguments.next()?.into(),
                name if !name.starts_with('-') && config.is_none() => config = Some(name.into()),
                _ => return None,
            }
        }
        Some(Self { config: config?, picture, serve, plain })
    }
}

/// Prints an error, each fault of a configuration on a line of its own.
fn print_error(what: &dyn Display, error: &RuntimeError) {
    let faults: &[ConfigFault] = match error {
        RuntimeError::Config(refused) => &refused.faults,
        RuntimeError::Probe { faults } => faults,
        _ => &[],
    };
    if faults.is_empty() {
        eprintln!("{what}: {error}");
        return;
    }
    eprintln!("{what}:");
    for ConfigFault { path, message, fix } in faults {
        eprintln!("  {path}{}{message}; {fix}", if path.is_empty() { "" } else { ": " });
    }
}

/// The progress on stderr: a bar on a terminal, else a line now and then.
struct Screen {
    bar: bool,
    shown: bool,
    last_percent: Option<usize>,
    last_line: Option<Instant>,
}

impl Screen {
    fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("{CLEAR_LINE}");
        }
    }

    /// Shows how far the work has come; gives whether there is nothing to do for now.
    fn show(&mut self, pipeline: &Pipeline) -> bool {
        let status = pipeline.status();
        let done = status.delivered + status.dead_lettered + status.rejected;
        let total = done + status.in_flight + status.backlog.unwrap_or(0);
        // The requests being computed count by their steps.
        let part: f64 =
            status.active.iter().map(|active| active.step as f64 / active.steps_total.max(1) as f64).sum();
        let percent = if total > 0 { (100.0 * (done as f64 + part) / total as f64) as usize } else { 0 };
        if self.bar {
            let filled = (percent * BAR_CELLS / 100).min(BAR_CELLS);
            let (cells, rest) = ("#".repeat(filled), ".".repeat(BAR_CELLS - filled));
            eprint!("\r[{cells}{rest}] {percent:3} %, {done} of {total} requests\x1b[K");
            self.shown = true;
        } else if self.last_percent != Some(percent)
            && self.last_line.is_none_or(|last| last.elapsed() >= LINE)
        {
            eprintln!("{percent:3} %, {done} of {total} requests");
            (self.last_percent, self.last_line) = (Some(percent), Some(Instant::now()));
        }
        done == total
    }
}

/// Names and reasons come from outside; control characters in them must not reach a terminal.
fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_control(), "?")
}

fn print_outcome(outcome: &Outcome) {
    let status = match outcome.status {
        OutcomeStatus::Ok => "ok",
        OutcomeStatus::DeadLettered => "dead letter",
        _ => "rejected",
    };
    print!("{:<32} {status:<11} ", clean(&outcome.request));
    let Some(features) = &outcome.features else {
        println!("{}", clean(outcome.reason.as_deref().unwrap_or_default()));
        return;
    };
    print!("{:7.3} {:9.2} ", features.d_box, features.v_mean);
    match &outcome.statistics {
        Some(counted) => print!("{:7} {:11} ", counted.growth_events, counted.turing_activations),
        None => print!("{:>7} {:>11} ", "-", "-"),
    }
    println!("{:9.1}", outcome.compute_ms);
}

/// Results are held back while there is work, so that the table is not cut up by the progress.
struct Table {
    held: Vec<Outcome>,
    printed: usize,
}

impl Table {
    fn print(&mut self, screen: &mut Screen) {
        screen.clear();
        if !self.held.is_empty() && self.printed == 0 {
            println!(
                "{:<32} {:<11} {:>7} {:>9} {:>7} {:>11} {:>9}",
                "request", "status", "D_box", "V_mean mV", "growth", "activations", "ms"
            );
        }
        self.printed += self.held.len();
        self.held.drain(..).for_each(|outcome| print_outcome(&outcome));
    }

    /// Takes one outcome, if one comes in time.
    fn take(&mut self, screen: &mut Screen, pipeline: &Pipeline, wait: Duration) -> bool {
        let Some(outcome) = pipeline.next_outcome(wait) else { return false };
        self.held.push(outcome);
        if self.held.len() == ROWS_MAX {
            self.print(screen);
        }
        true
    }

    /// Takes outcomes until there are no more or a signal comes.
    fn follow(&mut self, screen: &mut Screen, pipeline: &Pipeline) {
        while !interrupted() && !pipeline.outcomes_ended() {
            let took = self.take(screen, pipeline, POLL);
            if screen.show(pipeline) && !took {
                self.print(screen);
            }
        }
        self.print(screen);
    }
}

fn print_endpoints(pipeline: &Pipeline) {
    for place in pipeline.status().endpoints {
        // A metrics page ends; a stream goes on, and curl must not hold its lines back.
        let flag = if place.endpoint.name == "metrics" { "" } else { "-N " };
        println!("{:<8} {:<8} curl {flag}{}", place.component, place.endpoint.name, place.endpoint.url);
    }
}

/// Writes the field of the last result; gives whether that succeeded or there is none.
fn write_picture(pipeline: &Pipeline, options: &Options) -> bool {
    let Some(snapshot) = pipeline.last_snapshot() else { return true };
    let request = snapshot.request();
    let picture = PictureOptions { title: Some(request.to_owned()), ..PictureOptions::default() };
    match write_png(&options.picture, snapshot.field(), &picture) {
        Ok(()) => println!("picture of {request}: {}", options.picture.display()),
        Err(error) => {
            eprintln!("picture: {error}");
            return false;
        }
    }
    true
}

/// Drains and tells what became of the records; gives whether the pipeline did its work.
fn finish(table: &mut Table, screen: &mut Screen, pipeline: &Pipeline) -> bool {
    let state = pipeline.wait(Duration::ZERO); // how it ended; draining makes it stopped
    let report = pipeline.drain(DRAIN);
    while table.take(screen, pipeline, Duration::ZERO) {}
    table.print(screen);
    let status = pipeline.status();
    println!(
        "{} received, {} delivered, {} dead letters, {} rejected, {} given back",
        status.received, status.delivered, status.dead_lettered, status.rejected, status.nacked
    );
    if !report.complete {
        let (returned, left) = (report.returned, report.left);
        eprintln!("not everything was finished: {returned} records were given back, {left} come again");
    }
    if state == PipelineState::Failed {
        eprintln!("the pipeline failed: {}", status.last_error.as_deref().unwrap_or("no reason given"));
    }
    state != PipelineState::Failed
}

fn run(options: &Options) -> Result<bool, RuntimeError> {
    let bar = !options.plain && std::io::stderr().is_terminal();
    // Called on any thread of the library.
    let log = move |record: &LogRecord<'_>| {
        let level = if record.level == LogLevel::Error { "error" } else { "warning" };
        let speaker = record.component.map(|name| format!("{name}: ")).unwrap_or_default();
        eprintln!("{}{level}: {speaker}{}", if bar { CLEAR_LINE } else { "" }, record.message);
    };
    let config = PipelineConfig::from_path(&options.config)?;
    let runtime =
        Runtime::new(RuntimeOptions { log_sink: Some(Arc::new(log)), ..RuntimeOptions::default() })?;
    let pipeline = Pipeline::start(&runtime, config)?;
    let mut screen = Screen { bar, shown: false, last_percent: None, last_line: None };
    let mut table = Table { held: Vec::new(), printed: 0 };
    print_endpoints(&pipeline);
    table.follow(&mut screen, &pipeline);
    if table.printed == 0 && !interrupted() {
        println!("no new requests");
    }
    let is_drawn = write_picture(&pipeline, options);
    if options.serve && !interrupted() {
        print_endpoints(&pipeline);
        println!("serving until Ctrl-C");
        while !interrupted() {
            std::thread::sleep(POLL);
        }
    }
    Ok(finish(&mut table, &mut screen, &pipeline) && is_drawn)
}

/// The first Ctrl-C or termination signal drains, a second one ends the process.
fn watch_signals() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(WORK_FAILED));
        }
    })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--help"] {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let Some(options) = Options::read(arguments.into_iter()) else {
        eprint!("{USAGE}");
        return ExitCode::from(USAGE_AT_FAULT);
    };
    if let Err(error) = watch_signals() {
        eprintln!("signals can not be caught: {error}");
        return ExitCode::from(WORK_FAILED);
    }
    let succeeded = run(&options);
    if std::io::stdout().flush().is_err() {
        eprintln!("standard output could not be written");
        return ExitCode::from(WORK_FAILED);
    }
    match succeeded {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(WORK_FAILED),
        Err(error) => {
            print_error(&options.config.display(), &error);
            let is_usage = matches!(error, RuntimeError::Config(_) | RuntimeError::Option { .. });
            ExitCode::from(if is_usage { USAGE_AT_FAULT } else { WORK_FAILED })
        }
    }
}
