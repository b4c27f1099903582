//! What the verbs that use the runtime share: making it, loading plugins, its log, and telling what was
//! refused.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use mfn_runtime::{
    Runtime, RuntimeError, RuntimeOptions,
    config::{ConfigError, ConfigFault, PipelineConfig},
    log::{LogLevel, LogRecord, LogSink},
    plugin::{LoadAttempt, PluginPolicy},
};

use crate::{
    failure::{Failure, Fault},
    progress::Progress,
};

/// Directories of plugins beside those of a configuration.
#[derive(Args)]
pub(crate) struct PluginDirs {
    /// Load every plugin of this directory, beside those that the configuration names. May be repeated.
    #[arg(long = "plugin-dir", value_name = "DIR")]
    directories: Vec<PathBuf>,
}

impl PluginDirs {
    /// Loads them all. A refused library is no failure yet: a configuration may do without it.
    pub(crate) fn load(&self, runtime: &Runtime) -> Result<(), Failure> {
        self.directories.iter().try_for_each(|directory| scan(runtime, directory).map(drop))
    }
}

/// How many threads a verb without a pipeline computes with.
#[derive(Args)]
pub(crate) struct Threads {
    /// The most threads to compute with; 0 uses all cores. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

impl Threads {
    /// A runtime with that many threads, in whose pool the verb works.
    pub(crate) fn runtime(&self) -> Result<Runtime, Failure> {
        start(RuntimeOptions { threads: self.threads, ..RuntimeOptions::default() })
    }
}

/// Loads every library of a directory and tells what became of each.
pub(crate) fn scan(runtime: &Runtime, directory: &Path) -> Result<Vec<LoadAttempt>, Failure> {
    runtime
        .scan_directory(directory)
        .map_err(|error| Failure::usage(error.to_string(), "name an existing directory of plugin libraries"))
}

/// A runtime as a configuration wants it. With a level and a progress display it logs to standard error.
pub(crate) fn runtime(
    config: &PipelineConfig,
    log: Option<(LogLevel, &Progress)>,
) -> Result<Runtime, Failure> {
    let options = RuntimeOptions {
        threads: config.limits.threads,
        plugin_policy: PluginPolicy { require_manifest: config.plugins.require_manifest },
        ..RuntimeOptions::default()
    };
    match log {
        None => start(options),
        Some((log_level, progress)) => {
            start(RuntimeOptions { log_level, log_sink: Some(log_sink(progress)), ..options })
        }
    }
}

/// Starts a runtime.
pub(crate) fn start(options: RuntimeOptions) -> Result<Runtime, Failure> {
    Runtime::new(options).map_err(|error| match error {
        RuntimeError::Option { .. } => Failure::usage(error.to_string(), "correct the number of threads"),
        other => Failure::work(other.to_string(), "ask for fewer threads or end other programs"),
    })
}

/// Log records as lines on standard error, above a progress bar if there is one.
fn log_sink(progress: &Progress) -> Arc<dyn LogSink> {
    let aside = progress.aside();
    Arc::new(move |record: &LogRecord<'_>| {
        let speaker = record.component.or(record.plugin).unwrap_or("runtime");
        let fields: String = record.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        // A log line that can not be written is lost; the work matters more.
        let _ = aside
            .run(|| writeln!(std::io::stderr(), "{} {speaker}: {}{fields}", record.level, record.message));
    })
}

/// Every fault of a configuration.
pub(crate) fn refused_configuration(file: &Path, error: &ConfigError) -> Failure {
    let mut faults: Vec<Fault> = error
        .faults
        .iter()
        .map(|fault| {
            let place = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
            Fault { what: format!("{}: {place}{}", file.display(), fault.message), fix: fault.fix.clone() }
        })
        .collect();
    if error.more > 0 {
        faults.push(Fault {
            what: format!("{}: {} more faults", file.display(), error.more),
            fix: "correct those above first".to_owned(),
        });
    }
    Failure::faults(faults)
}

/// Components that failed their probe: the configuration is in order, the world is not.
pub(crate) fn failed_probe(file: &Path, faults: &[ConfigFault]) -> Failure {
    let fault = |fault: &ConfigFault| Fault {
        what: format!("{}: {}: {}", file.display(), fault.path, fault.message),
        fix: fault.fix.clone(),
    };
    Failure::works(faults.iter().map(fault).collect())
}

/// Why a pipeline could not start.
pub(crate) fn not_started(file: &Path, error: &RuntimeError) -> Failure {
    let what = format!("{}: {error}", file.display());
    match error {
        RuntimeError::Config(faults) => refused_configuration(file, faults),
        RuntimeError::Probe { faults } => failed_probe(file, faults),
        // Opening a component touches the world; everything before it is the configuration's matter.
        RuntimeError::Component(fault) if fault.method == "open" => {
            Failure::work(what, "put right what the component names, then run again")
        }
        _ => Failure::usage(what, format!("run mfn check {} to see every fault", file.display())),
    }
}
