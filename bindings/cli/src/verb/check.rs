//! `mfn check`: finds every fault of a pipeline configuration or a specification without running it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde::Serialize;

use mfn_runtime::{
    config::{ConfigError, ConfigFault, PipelineConfig},
    pipeline::{CheckReport, Pipeline, Probe, ProbeReport},
};

use crate::{
    failure::{Failure, warn},
    host::{self, PluginDirs},
    input,
    output::Output,
    specification::{self, Warning},
    table::{self, Align},
};

/// Check a pipeline configuration or a specification and report every fault, each with its place and its remedy.
///
/// Loads the plugins that the configuration names and has each component examine its part. Nothing is
/// opened: no connection, no listener, no file of data, unless --probe asks for it. A specification that is in order but can not form
/// patterns is warned of.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn check pipeline.toml\n  mfn check pipeline.toml --probe\n  \
    mfn check --spec spec.json")]
pub(crate) struct Arguments {
    /// The configuration, as TOML (or JSON, when the name ends in .json).
    #[arg(value_name = "PIPELINE.toml", required_unless_present = "spec")]
    file: Option<PathBuf>,

    /// Check this specification (JSON; - reads standard input) instead of a configuration.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    spec: Option<PathBuf>,

    #[command(flatten)]
    plugins: PluginDirs,

    /// Also let every component try the real thing, all at once: reach its target, list its directory, read its
    /// secrets. Nothing is consumed or changed.
    #[arg(long, conflicts_with = "spec")]
    probe: bool,

    /// The most time for each component's probe, milliseconds; 1 to 600000.
    #[arg(long, value_name = "N", default_value_t = 5_000, requires = "probe",
        value_parser = clap::value_parser!(u64).range(1..=600_000))]
    probe_timeout_ms: u64,

    /// Write the result as one line of JSON: ok, faults with path, message and fix, components, routes.
    #[arg(long)]
    json: bool,
}

/// The result for scripts.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    faults: &'a [ConfigFault],
    faults_not_shown: usize,
    #[serde(flatten)]
    checked: Option<&'a CheckReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probes: Option<&'a [Probe]>,
}

/// Does the work of the verb.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut output = Output::stdout();
    if let Some(path) = &arguments.spec {
        return check_specification(path, arguments.json, &mut output);
    }
    let Some(file) = &arguments.file else {
        return Err(Failure::usage("no configuration is named", "name a configuration, or a --spec"));
    };
    let (checked, probed) = match check(arguments, file)? {
        Ok(found) => found,
        Err(error) => {
            if arguments.json {
                let (faults, faults_not_shown) = (error.faults.as_slice(), error.more);
                output.json(&Report { ok: false, faults, faults_not_shown, checked: None, probes: None })?;
            }
            return Err(host::refused_configuration(file, &error));
        }
    };
    let faults = probed.as_ref().map(ProbeReport::faults).unwrap_or_default();
    if arguments.json {
        output.json(&Report {
            ok: faults.is_empty(),
            faults: &faults,
            faults_not_shown: 0,
            checked: Some(&checked),
            probes: probed.as_ref().map(|report| report.components.as_slice()),
        })?;
    } else {
        for warning in checked.warnings.iter().filter(|_| faults.is_empty()) {
            warn(&format!("{}: {}: {}", file.display(), warning.path, warning.message), &warning.fix);
        }
        output.text(&probed.as_ref().map_or_else(|| text_of(&checked), table_of))?;
    }
    if faults.is_empty() { Ok(()) } else { Err(host::failed_probe(file, &faults)) }
}

/// The faults of the document alone when it has some: components can not be examined without it.
fn check(
    arguments: &Arguments,
    file: &Path,
) -> Result<Result<(CheckReport, Option<ProbeReport>), ConfigError>, Failure> {
    let config = match PipelineConfig::from_path(file) {
        Ok(config) => config,
        Err(error) => return Ok(Err(error)),
    };
    let runtime = host::runtime(&config, None)?;
    arguments.plugins.load(&runtime)?;
    let timeout = Duration::from_millis(arguments.probe_timeout_ms);
    Ok(Pipeline::check(&runtime, &config).and_then(|checked| {
        let probe = || Pipeline::probe_config(&runtime, &config, timeout);
        Ok((checked, arguments.probe.then(probe).transpose()?))
    }))
}

/// What each component said, as a table.
fn table_of(report: &ProbeReport) -> String {
    let rows: Vec<_> = report
        .components
        .iter()
        .map(|probe| {
            [
                probe.name.clone(),
                probe.kind.to_string(),
                probe.plugin.clone(),
                probe.outcome.name().to_owned(),
                probe.elapsed_ms.to_string(),
            ]
        })
        .collect();
    let left = |header| (header, Align::Left, 0);
    let columns = [left("component"), left("kind"), left("plugin"), left("probe"), ("ms", Align::Right, 0)];
    table::layout(columns, &rows)
}

/// The result for scripts.
#[derive(Serialize)]
struct SpecificationReport {
    ok: bool,
    warnings: Vec<Warning>,
}

fn check_specification(path: &Path, json: bool, output: &mut Output) -> Result<(), Failure> {
    let warnings = specification::warnings(&specification::read(path)?);
    if json {
        return output.json(&SpecificationReport { ok: true, warnings });
    }
    specification::report(&warnings);
    output.line(&format!("{}: in order", input::name(path)))
}

fn text_of(checked: &CheckReport) -> String {
    let components: String = checked
        .components
        .iter()
        .map(|component| format!("  {} {} (plugin {})\n", component.kind, component.name, component.plugin))
        .collect();
    format!(
        "{}: in order\n{components}  {} route{}: {}\n",
        checked.pipeline,
        checked.routes.len(),
        if checked.routes.len() == 1 { "" } else { "s" },
        checked.routes.join(", ")
    )
}
