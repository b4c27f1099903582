//! `mfn run`: runs a pipeline until its sources end or a signal comes, then drains it.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use mfn_runtime::{
    config::PipelineConfig,
    log::LogLevel,
    pipeline::{DrainReport, Outcome, Pipeline, PipelineState, PipelineStatus},
};
use serde::Serialize;

use crate::{
    core_file,
    failure::Failure,
    host::{self, PluginDirs},
    interrupt::Interrupt,
    output::Output,
    progress::Progress,
    table::{self, Align},
};

/// How long one look at the pipeline waits for the next outcome.
const LOOK: Duration = Duration::from_millis(100);

/// How long there must be nothing to do before --exit-when-done takes the work as done: sources that are
/// looked at from time to time get the chance to show more.
const DONE_AFTER: Duration = Duration::from_secs(2);

/// Run a pipeline: requests come in through connectors, results leave through publishers and transports.
///
/// Ends when every source has ended, or on Ctrl-C or a termination signal; either way what is in flight
/// is finished, delivered and settled first. A second signal ends the process at once; what was not
/// settled then comes again in the next run.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn run pipeline.toml --plugin-dir plugins\n  \
    mfn run pipeline.toml --json --exit-when-done")]
pub(crate) struct Arguments {
    /// The configuration, as TOML (or JSON, when the name ends in .json).
    #[arg(value_name = "PIPELINE.toml")]
    file: PathBuf,

    #[command(flatten)]
    plugins: PluginDirs,

    /// Write one line of JSON per event (started, outcome, summary), and no progress.
    #[arg(long)]
    json: bool,

    /// The most time to finish what is in flight, milliseconds.
    #[arg(long, value_name = "N", default_value_t = 30_000)]
    drain_timeout_ms: u64,

    /// Also end when the sources have nothing waiting, though they could bring more later.
    #[arg(long)]
    exit_when_done: bool,

    /// Let a crash write a core file, as far as the system's limits allow it. It holds the secrets of the
    /// configuration, so by default there is none.
    #[arg(long)]
    core_files: bool,

    /// How much of the log goes to standard error: off, error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log_level: LogLevel,
}

/// A line for scripts.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Started { pipeline: &'a str, status: &'a PipelineStatus },
    Outcome(&'a Outcome),
    Summary { interrupted: bool, drain: &'a DrainReport, status: &'a PipelineStatus },
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.core_files {
        core_file::forbid().map_err(|error| {
            Failure::work(format!("core files can not be switched off: {error}"), "give --core-files")
        })?;
    }
    let interrupt = Interrupt::catch()?;
    let config = PipelineConfig::from_path(&arguments.file)
        .map_err(|error| host::refused_configuration(&arguments.file, &error))?;
    let mut view = View {
        json: arguments.json,
        output: Output::stdout(),
        progress: Progress::begin(arguments.json, 0, "requests"),
    };
    let runtime = host::runtime(&config, Some((arguments.log_level, &view.progress)))?;
    arguments.plugins.load(&runtime)?;
    let name = config.name.clone();
    let pipeline =
        Pipeline::start(&runtime, config).map_err(|error| host::not_started(&arguments.file, &error))?;
    view.started(&name, &pipeline.status())?;
    let ended = watch(&pipeline, arguments.exit_when_done, &interrupt, &mut view);

    // Whatever ended the watch, what is in flight is brought to its end.
    let drain = pipeline.drain(Duration::from_millis(arguments.drain_timeout_ms));
    while let Some(outcome) = pipeline.next_outcome(Duration::ZERO) {
        view.outcome(&outcome)?;
    }
    let status = pipeline.status();
    view.summary(interrupt.is_raised(), &drain, &status)?;
    match ended? {
        PipelineState::Failed => Err(Failure::work(
            format!("the pipeline failed: {}", status.last_error.as_deref().unwrap_or("no reason given")),
            "put right what the component names, then run again: unsettled requests come again",
        )),
        _ if !drain.complete => Err(Failure::work(
            format!("the drain was not complete: {}", left(&drain)),
            "raise --drain-timeout-ms, or run again: unsettled requests come again",
        )),
        _ => Ok(()),
    }
}

/// Shows what happens until there is a reason to end; gives the state in which that was.
fn watch(
    pipeline: &Pipeline,
    exit_when_done: bool,
    interrupt: &Interrupt,
    view: &mut View,
) -> Result<PipelineState, Failure> {
    let mut busy_at = Instant::now();
    loop {
        // At most a ring of outcomes at a time, so that signals and progress get their turn.
        let look_until = Instant::now() + LOOK;
        while let Some(outcome) = pipeline.next_outcome(look_until.saturating_duration_since(Instant::now()))
        {
            view.outcome(&outcome)?;
            if Instant::now() >= look_until || interrupt.is_raised() {
                break;
            }
        }
        let status = pipeline.status();
        view.status(&status);
        if status.in_flight > 0 || status.backlog != Some(0) {
            busy_at = Instant::now();
        }
        let done = exit_when_done && busy_at.elapsed() >= DONE_AFTER;
        if done || interrupt.is_raised() || status.state.is_terminal() {
            return Ok(status.state);
        }
    }
}

fn left(drain: &DrainReport) -> String {
    let mut parts = Vec::new();
    if drain.returned + drain.left > 0 {
        parts.push(format!("{} requests not finished", drain.returned + drain.left));
    }
    if !drain.components_left.is_empty() {
        parts.push(format!("not closed: {}", drain.components_left.join(", ")));
    }
    parts.extend(drain.errors.iter().cloned());
    parts.join("; ")
}

/// Columns of the table of outcomes.
const COLUMNS: [(&str, Align, usize); 7] = [
    ("request", Align::Left, 32),
    ("status", Align::Left, 13),
    ("D_box", Align::Right, 8),
    ("V_mean mV", Align::Right, 10),
    ("growth", Align::Right, 8),
    ("activations", Align::Right, 11),
    ("ms", Align::Right, 9),
];

/// Where the pipeline is shown.
struct View {
    json: bool,
    output: Output,
    progress: Progress,
}

impl View {
    fn event(&mut self, event: &Event<'_>) -> Result<(), Failure> {
        self.output.json(event)
    }

    fn text(&mut self, text: &str) -> Result<(), Failure> {
        let Self { output, progress, .. } = self;
        progress.aside().run(|| output.text(text))
    }

    fn started(&mut self, pipeline: &str, status: &PipelineStatus) -> Result<(), Failure> {
        if self.json {
            return self.event(&Event::Started { pipeline, status });
        }
        let endpoints: String = status
            .endpoints
            .iter()
            .map(|at| format!("{} {}: {}\n", at.component, at.endpoint.name, at.endpoint.url))
            .collect();
        self.text(&format!(
            "{pipeline} runs; Ctrl-C drains and ends it\n{endpoints}{}",
            table::layout(COLUMNS, &[])
        ))
    }

    fn outcome(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        if self.json {
            return self.event(&Event::Outcome(outcome));
        }
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), table::number);
        let mut text = table::row(
            COLUMNS,
            &[
                outcome.request.clone(),
                outcome.status.name().to_owned(),
                number(outcome.features.map(|features| features.d_box)),
                number(outcome.features.map(|features| features.v_mean)),
                number(outcome.statistics.map(|statistics| statistics.growth_events as f64)),
                number(outcome.statistics.map(|statistics| statistics.turing_activations as f64)),
                format!("{:.1}", outcome.compute_ms),
            ],
        );
        if let Some(reason) = &outcome.reason {
            text.push_str(&format!("  {reason}\n"));
        }
        self.text(&text)
    }

    fn status(&mut self, status: &PipelineStatus) {
        let done = status.delivered + status.rejected + status.dead_lettered;
        self.progress.show(done, done + status.in_flight + status.backlog.unwrap_or(0));
    }

    fn summary(
        &mut self,
        interrupted: bool,
        drain: &DrainReport,
        status: &PipelineStatus,
    ) -> Result<(), Failure> {
        if self.json {
            return self.event(&Event::Summary { interrupted, drain, status });
        }
        let dropped = match status.outcomes_dropped {
            0 => String::new(),
            dropped => format!(", {dropped} outcomes not shown"),
        };
        let spooled = match status.spooled {
            0 => String::new(),
            spooled => format!(", {spooled} settled and not delivered yet"),
        };
        self.text(&format!(
            "{} received: {} delivered, {} dead-lettered, {} rejected, {} given back{spooled}{dropped}\n",
            status.received, status.delivered, status.dead_lettered, status.rejected, status.nacked,
        ))
    }
}
