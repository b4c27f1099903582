//! The host of the interface's matrix: loads the plugin that it is given, publishes through it with the configuration
//! that it is given, and prints what came of it in one line, `works: ..` or `refused: <reason>`. `cargo xtask abi` keeps one built with each minor version of the
//! interface and gives it the plugins of the others.
#![allow(clippy::print_stdout)]

use std::{path::Path, process::ExitCode, time::Duration};

use mfn_plugin::{
    descriptor::INTERFACE_VERSION,
    value::{PublishContext, Record},
};
use mfn_runtime::{ComponentOptions, Runtime, RuntimeOptions};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, config] = arguments.as_slice() else { return ExitCode::from(2) };
    match publish(Path::new(path), config) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Loads the plugin and publishes a good and an empty record.
fn publish(path: &Path, config: &str) -> Result<String, Box<dyn std::error::Error>> {
    let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() })?;
    let plugin = match runtime.load_plugin(path) {
        Ok(plugin) => plugin,
        Err(refusal) => return Ok(format!("refused: {}", refusal.reason)),
    };
    let options = ComponentOptions {
        name: "it".to_owned(),
        config: serde_json::from_str::<serde_json::Value>(config)?.into(),
        base_dir: std::path::PathBuf::new(),
    };
    let publisher = runtime.open_publisher(&plugin.descriptor.name, options)?;
    let record = |payload: &[u8]| Record {
        id: "r".to_owned(),
        payload: payload.to_vec(),
        content_type: "application/json".to_owned(),
        ..Record::default()
    };
    let records = [record(b"{}"), record(b"")];
    let views: Vec<_> = records.iter().map(Record::view).collect();
    let answers =
        publisher.publish(&views, PublishContext { attempt: 1, timeout: Duration::from_secs(1) })?;
    let told = answers.iter().map(|answer| answer.as_ref().map_or_else(|e| e.message.as_str(), |()| "ok"));
    let told = told.collect::<Vec<_>>().join(", ");
    let health = publisher.health().detail;
    publisher.close()?;
    let built = &plugin.descriptor.interface_version;
    Ok(format!("works: host {INTERFACE_VERSION}, plugin {built}: {told}; {health}"))
}
