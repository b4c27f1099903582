//! The machine that a measurement was made on.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Where it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    memory_bytes: u64,
    system: String,
}

impl Machine {
    /// The one that this program runs on.
    pub(super) fn this() -> Result<Self> {
        let read = |path: &str| std::fs::read_to_string(path).with_context(|| format!("can not read {path}"));
        let value = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory = value(&read("/proc/meminfo")?, "MemTotal").and_then(|text| {
            let kib: u64 = text.split_whitespace().next()?.parse().ok()?;
            Some(kib * 1024)
        });
        Ok(Self {
            processor: value(&read("/proc/cpuinfo")?, "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory.unwrap_or_default(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        })
    }

    /// Its name and size, as a part of a sentence.
    pub(super) fn described(&self) -> String {
        format!(
            "{} ({} cores, {:.0} GiB, {})",
            self.processor,
            self.cores,
            self.memory_bytes as f64 / 1073741824.0,
            self.system,
        )
    }
}
