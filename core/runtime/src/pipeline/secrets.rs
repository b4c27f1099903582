//! What is unwise about the secrets of a configuration, by the schemas of the plugins that take them.

use mfn_plugin::secret::{self, SecretForm};
use mfn_plugin::value::Kind;

use crate::config::{ConfigFault, PipelineConfig};
use crate::runtime::Runtime;

/// Warnings, each with the path of the field; no text holds a value. References are followed on this
/// machine, which need not be the one that the pipeline will run on: hence warnings, not faults.
pub(super) fn warnings(runtime: &Runtime, config: &PipelineConfig) -> Vec<ConfigFault> {
    let plugins = runtime.plugins();
    let schema = |plugin: &str, kind: Kind| {
        let info = plugins.iter().find(|info| info.descriptor.name == plugin)?;
        info.descriptor.kinds.iter().find(|served| served.kind == kind).map(|served| &served.config_schema)
    };
    let mut warnings = Vec::new();
    for (table, kind, components) in [
        ("connectors", Kind::Connector, &config.connectors),
        ("publishers", Kind::Publisher, &config.publishers),
        ("transports", Kind::Transport, &config.transports),
        ("exporters", Kind::Exporter, &config.exporters),
    ] {
        for (name, component) in components {
            let Some(schema) = schema(&component.plugin, kind) else { continue };
            for field in secret::fields(schema, &component.config, &config.base_dir) {
                let path = format!("{table}.{name}.config.{}", field.path);
                let (message, fix) = match field.form {
                    SecretForm::Found => continue,
                    SecretForm::Literal => (
                        "the secret itself stands in the configuration".to_owned(),
                        "put it into a file and write file:PATH, or write env:NAME",
                    ),
                    SecretForm::FoundOpen => {
                        ("every user of this machine can read the file".to_owned(), "chmod 600 it, or 640")
                    }
                    SecretForm::Missing(why) => {
                        (why, "needed where the pipeline runs; mfn check --probe makes it a fault")
                    }
                };
                warnings.push(ConfigFault::new(path, message, fix));
            }
        }
    }
    warnings
}
