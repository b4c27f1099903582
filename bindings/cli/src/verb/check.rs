//! `mfn check`: finds every fault of a pipeline configuration or a specification without running it.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use mfn_runtime::{
    config::{ConfigError, ConfigFault, PipelineConfig},
    pipeline::{CheckReport, Pipeline},
};

use crate::{
    failure::{Failure, warn},
    host::{self, PluginDirs},
    input,
    output::Output,
    specification::{self, Warning},
};

/// Check a pipeline configuration or a specification and report every fault, each with its place and its remedy.
///
/// Loads the plugins that the configuration names and has each component examine its part. Nothing is
/// opened: no connection, no listener, no file of data. A specification that is in order but can not form
/// patterns is warned of.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn check pipeline.toml\n  mfn check pipeline.toml --json\n  \
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
    match check(arguments, file)? {
        Ok(checked) if arguments.json => {
            output.json(&Report { ok: true, faults: &[], faults_not_shown: 0, checked: Some(&checked) })
        }
        Ok(checked) => {
            for warning in &checked.warnings {
                warn(&format!("{}: {}: {}", file.display(), warning.path, warning.message), &warning.fix);
            }
            output.text(&text_of(&checked))
        }
        Err(error) => {
            if arguments.json {
                let (faults, faults_not_shown) = (error.faults.as_slice(), error.more);
                output.json(&Report { ok: false, faults, faults_not_shown, checked: None })?;
            }
            Err(host::refused_configuration(file, &error))
        }
    }
}

/// The faults of the document alone when it has some: components can not be examined without it.
fn check(arguments: &Arguments, file: &Path) -> Result<Result<CheckReport, ConfigError>, Failure> {
    let config = match PipelineConfig::from_path(file) {
        Ok(config) => config,
        Err(error) => return Ok(Err(error)),
    };
    let runtime = host::runtime(&config, None)?;
    arguments.plugins.load(&runtime)?;
    Ok(Pipeline::check(&runtime, &config))
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
