//! Pipeline configurations, as TOML and as JSON.

use std::path::Path;

use mfn_runtime::config::{ConfigError, FAULTS_MAX, PipelineConfig};

/// Bytes that may be a configuration.
///
/// Holds for every input, in both languages: it is refused with a bounded number of faults, each with
/// what is wrong and how to put it right on lines of bounded length, or it is accepted and then valid.
pub fn pipeline_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let base_dir = Path::new("/nowhere");
    for read in [PipelineConfig::from_toml, PipelineConfig::from_json] {
        match read(text, base_dir) {
            Ok(config) => {
                assert_eq!(config.validate(), Ok(()), "accepted and not valid");
                assert!(!config.name.is_empty() && !config.routes.is_empty());
            }
            Err(error) => is_helpful(&error),
        }
    }
}

fn is_helpful(error: &ConfigError) {
    assert!((1..=FAULTS_MAX).contains(&error.faults.len()), "{} faults", error.faults.len());
    for fault in &error.faults {
        assert!(!fault.message.is_empty() && !fault.fix.is_empty(), "{fault:?}");
    }
    assert!(!error.to_string().is_empty());
}
