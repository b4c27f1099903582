//! `mfn plugin`: looks at plugin libraries without running a pipeline.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use mfn_runtime::{
    RuntimeOptions,
    plugin::{self, Inspection, LoadOutcome, LoadRefusal, Manifest, RefusalReason},
};

use crate::{
    failure::Failure,
    host,
    output::Output,
    staging,
    table::{self, Align},
};

/// Look at plugin libraries.
#[derive(Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Example:\n  mfn plugin list --plugin-dir plugins\n  \
        mfn plugin inspect plugins/libmfn_plugin_file.so"
)]
pub(crate) enum Verb {
    Inspect(Inspect),
    List(List),
    Manifest(ManifestOf),
}

/// Show what a plugin says of itself: name, version, kinds and how each is configured.
///
/// All checks of loading are made, so a library that loading would refuse is refused here with the same
/// reason. The plugin is not started.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn plugin inspect plugins/libmfn_plugin_file.so\n  \
    mfn plugin inspect plugins/libmfn_plugin_file.so --schema")]
pub(crate) struct Inspect {
    /// The plugin library.
    #[arg(value_name = "PATH")]
    path: PathBuf,

    /// Write everything as one line of JSON.
    #[arg(long)]
    json: bool,

    /// Show the JSON Schema of each kind's configuration.
    #[arg(long, conflicts_with = "json")]
    schema: bool,
}

/// List the plugins of directories, and what was refused there and why.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn plugin list --plugin-dir plugins\n  \
    mfn plugin list --plugin-dir plugins --plugin-dir more --json")]
pub(crate) struct List {
    /// A directory of plugin libraries; sub-directories are not entered. May be repeated. Nothing is
    /// searched that is not named here.
    #[arg(long = "plugin-dir", value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,

    /// Write the report as one line of JSON: the plugins, and every path tried with its outcome.
    #[arg(long)]
    json: bool,
}

/// Write the manifest to ship beside a plugin library: what it is, and the digest of its file.
///
/// A host refuses a library that is something else than its manifest says. The manifest of an earlier
/// build is replaced.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn plugin manifest plugins/libmfn_plugin_file.so")]
pub(crate) struct ManifestOf {
    /// The plugin library.
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// Does the work of the verb.
pub(crate) fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Inspect(arguments) => inspect(&arguments),
        Verb::List(arguments) => list(&arguments),
        Verb::Manifest(arguments) => manifest(&arguments),
    }
}

fn inspect(arguments: &Inspect) -> Result<(), Failure> {
    let inspection =
        plugin::inspect(&arguments.path).map_err(|refusal| refused(&arguments.path, &refusal))?;
    let mut output = Output::stdout();
    if arguments.json {
        output.json(&inspection)
    } else {
        output.text(&text_of(&inspection, arguments.schema))
    }
}

/// Writes the manifest, replacing the one of an earlier build.
fn manifest(arguments: &ManifestOf) -> Result<(), Failure> {
    let path = &arguments.path;
    let failed = |error: String| {
        Failure::work(
            format!("no manifest of {} can be made: {error}", path.display()),
            "build the plugin anew",
        )
    };
    // A copy is looked at, because the library would be refused for an older manifest beside it.
    let alone = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let copy = alone.path().join("plugin.so");
    if path.is_file() {
        fs::copy(path, &copy).map_err(|error| failed(error.to_string()))?;
    }
    let inspection = plugin::inspect(&copy).map_err(|refusal| refused(path, &refusal))?;
    let manifest = Manifest::describing(&inspection.descriptor, &inspection.sha256)
        .map_err(|error| failed(error.to_string()))?;
    let text = toml::to_string(&manifest).map_err(|error| failed(error.to_string()))?;
    let place = plugin::manifest_path(path);
    staging::write_whole(&place, text.as_bytes())?;
    Output::stdout().line(&format!("wrote {}", place.display()))
}

fn refused(path: &Path, refusal: &LoadRefusal) -> Failure {
    let what = format!("{} is refused ({}): {}", path.display(), refusal.reason, refusal.message);
    match refusal.reason {
        RefusalReason::NotFound => Failure::usage(what, "check the path; relative paths start here"),
        _ => Failure::work(what, "name a plugin library built for this libmfn and this machine"),
    }
}

fn text_of(inspection: &Inspection, schema: bool) -> String {
    let descriptor = &inspection.descriptor;
    let kinds: Vec<&str> = descriptor.kinds.iter().map(|served| served.kind.name()).collect();
    let manifest = inspection.manifest.as_ref().map_or("none", |_| "present, and the library agrees with it");
    let rows = [
        ("plugin", format!("{} {}", descriptor.name, descriptor.version)),
        ("about", descriptor.about.clone()),
        ("kinds", kinds.join(", ")),
        ("interface", descriptor.interface_version.clone()),
        ("path", inspection.path.display().to_string()),
        ("bytes", inspection.bytes.to_string()),
        ("sha256", inspection.sha256.clone()),
        ("manifest", manifest.to_owned()),
    ];
    let mut text: String = rows.iter().map(|(name, value)| format!("{name:<10} {value}\n")).collect();
    for served in &descriptor.kinds {
        if schema {
            text.push_str(&format!("\n{} configuration:\n{:#}\n", served.kind, served.config_schema));
        } else {
            text.push_str(&format!("\n{} configuration:\n{}", served.kind, settings(&served.config_schema)));
        }
    }
    text
}

/// The top level of a JSON Schema as one line per setting.
fn settings(schema: &serde_json::Value) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    let Some(properties) = schema["properties"].as_object() else {
        return "  see --schema\n".to_owned();
    };
    if properties.is_empty() {
        return "  nothing to set\n".to_owned();
    }
    properties
        .iter()
        .map(|(name, property)| {
            let need = match &property["default"] {
                _ if required.contains(&name.as_str()) => "required".to_owned(),
                serde_json::Value::Null => "optional".to_owned(),
                default => format!("default {default}"),
            };
            let about = property["description"].as_str().unwrap_or_default();
            let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("  {name} ({need}): {about}\n")
        })
        .collect()
}

fn list(arguments: &List) -> Result<(), Failure> {
    let runtime = host::start(RuntimeOptions { threads: 1, ..RuntimeOptions::default() })?;
    for directory in &arguments.directories {
        host::scan(&runtime, directory)?;
    }
    let (plugins, report) = (runtime.plugins(), runtime.load_report());
    let mut output = Output::stdout();
    if arguments.json {
        return output.json(&serde_json::json!({ "plugins": plugins, "report": report }));
    }
    let rows: Vec<_> = plugins
        .iter()
        .map(|info| {
            let kinds: Vec<&str> = info.descriptor.kinds.iter().map(|served| served.kind.name()).collect();
            [
                info.descriptor.name.clone(),
                info.descriptor.version.clone(),
                kinds.join(", "),
                info.descriptor.about.clone(),
            ]
        })
        .collect();
    let columns = ["plugin", "version", "kinds", "about"].map(|header| (header, Align::Left, 0));
    let refused: String = report
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.outcome, LoadOutcome::Refused { .. }))
        .map(|attempt| format!("{attempt}\n"))
        .collect();
    let refused = if refused.is_empty() { refused } else { format!("\n{refused}") };
    output.text(&format!("{}{refused}", table::layout(columns, &rows)))
}
