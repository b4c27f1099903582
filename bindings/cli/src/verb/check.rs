//! `mfn check`: finds every fault of a pipeline configuration without running it.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use mfn_runtime::{
    config::{ConfigError, ConfigFault, PipelineConfig},
    pipeline::{CheckReport, Pipeline},
};

use crate::{
    failure::Failure,
    host::{self, PluginDirs},
    output::Output,
};

/// Check a pipeline configuration and report every fault, each with its place and its remedy.
///
/// Loads the plugins that the configuration names and has each component examine its part. Nothing is
/// opened: no connection, no listener, no file of data.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn check pipeline.toml\n  mfn check pipeline.toml --json")]
pub(crate) struct Arguments {
    /// The configuration, as TOML (or JSON, when the name ends in .json).
    #[arg(value_name = "PIPELINE.toml")]
    file: PathBuf,

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
    match check(arguments)? {
        Ok(checked) if arguments.json => {
            output.json(&Report { ok: true, faults: &[], faults_not_shown: 0, checked: Some(&checked) })
        }
        Ok(checked) => output.text(&text_of(&checked)),
        Err(error) => {
            if arguments.json {
                let (faults, faults_not_shown) = (error.faults.as_slice(), error.more);
                output.json(&Report { ok: false, faults, faults_not_shown, checked: None })?;
            }
            Err(host::refused_configuration(&arguments.file, &error))
        }
    }
}

/// The faults of the document alone when it has some: components can not be examined without it.
fn check(arguments: &Arguments) -> Result<Result<CheckReport, ConfigError>, Failure> {
    let config = match PipelineConfig::from_path(&arguments.file) {
        Ok(config) => config,
        Err(error) => return Ok(Err(error)),
    };
    let runtime = host::runtime(&config, None)?;
    arguments.plugins.load(&runtime)?;
    Ok(Pipeline::check(&runtime, &config))
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
