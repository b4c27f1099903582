//! From the tree of values to a [`PipelineConfig`]: types and unknown keys, every fault at once.
//!
//! A part that is missing or of the wrong type is reported and replaced by its default, so that the
//! rest is still looked at. The result is only used when no fault was found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::document::join;
use super::error::ConfigFault;
use super::{
    BatchConfig, BreakerConfig, ComponentConfig, DeliveryConfig, Durability, Exhausted, Limits, OutputConfig,
    PipelineConfig, PluginsConfig, RetryConfig, RetryStrategy, RouteConfig, SpoolConfig, StartConfig,
    StartProbe, Work,
};

/// What is expected where a number stands.
const WHOLE: &str = "a whole number, 0 or above";

/// Reads the whole document.
pub(super) fn pipeline(root: Value, base_dir: &Path, faults: &mut Vec<ConfigFault>) -> PipelineConfig {
    let mut table = Table::new(root, String::new(), faults);
    let name = table.string("name", None);
    let plugins = table.part("plugins", plugins);
    let limits = table.part("limits", limits);
    let start = table.part("start", start);
    let connectors = table.components("connectors", |table| DeliveryConfig {
        retry: table.part("retry", retry),
        ..DeliveryConfig::default()
    });
    let publishers = table.components("publishers", |table| DeliveryConfig {
        retry: table.part("retry", retry),
        breaker: table.part("breaker", breaker),
        batch: table.part("batch", batch),
    });
    let nothing = |_: &mut Table<'_>| DeliveryConfig::default();
    let transports = table.components("transports", nothing);
    let exporters = table.components("exporters", nothing);
    let routes = table.array("routes").unwrap_or_default();
    let (path, faults) = table.finish();
    let routes = routes
        .into_iter()
        .enumerate()
        .map(|(index, value)| route(Table::new(value, format!("{}[{index}]", join(&path, "routes")), faults)))
        .collect();
    let base_dir = std::path::absolute(base_dir).unwrap_or_else(|_| base_dir.to_owned());
    PipelineConfig {
        name,
        base_dir,
        plugins,
        limits,
        connectors,
        publishers,
        transports,
        exporters,
        start,
        routes,
    }
}

fn plugins(mut table: Table<'_>) -> PluginsConfig {
    let config = PluginsConfig {
        files: table.paths("files"),
        directories: table.paths("directories"),
        require_manifest: table.boolean("require_manifest"),
    };
    table.finish();
    config
}

fn start(mut table: Table<'_>) -> StartConfig {
    let default = StartConfig::default();
    let start = StartConfig {
        probe: table.word("probe", StartProbe::WORDS, StartProbe::from_word).unwrap_or(default.probe),
        probe_timeout_ms: table.whole("probe_timeout_ms", default.probe_timeout_ms),
    };
    table.finish();
    start
}

fn limits(mut table: Table<'_>) -> Limits {
    let default = Limits::default();
    let limits = Limits {
        bytes_in_flight_max: table.whole("bytes_in_flight_max", default.bytes_in_flight_max),
        record_bytes_max: table.whole("record_bytes_max", default.record_bytes_max),
        cell_steps_max: table.whole("cell_steps_max", default.cell_steps_max),
        threads: usize::try_from(table.whole("threads", default.threads as u64)).unwrap_or(usize::MAX),
    };
    table.finish();
    limits
}

fn component(mut table: Table<'_>, delivery: fn(&mut Table<'_>) -> DeliveryConfig) -> ComponentConfig {
    let plugin = table.string("plugin", None);
    let config = table.part_value("config").into();
    let delivery = table.part("delivery", |mut table| {
        let config = delivery(&mut table);
        table.finish();
        config
    });
    table.finish();
    ComponentConfig { plugin, config, delivery }
}

fn retry(mut table: Table<'_>) -> RetryConfig {
    let default = RetryConfig::default();
    let strategy = table.word("strategy", RetryStrategy::WORDS, RetryStrategy::from_word);
    let strategy = strategy.unwrap_or(default.strategy);
    // Without retries a record would be exhausted at once and kept for ever.
    let exhausted = if strategy == RetryStrategy::None { Exhausted::Return } else { default.exhausted };
    let retry = RetryConfig {
        strategy,
        retries_max: table.whole32("retries_max", default.retries_max),
        initial_ms: table.whole("initial_ms", default.initial_ms),
        cap_ms: table.whole("cap_ms", default.cap_ms),
        jitter: table.typed("jitter", "true or false", Value::as_bool).unwrap_or(default.jitter),
        timeout_ms: table.whole("timeout_ms", default.timeout_ms),
        exhausted: table.word("exhausted", Exhausted::WORDS, Exhausted::from_word).unwrap_or(exhausted),
    };
    table.finish();
    retry
}

fn breaker(mut table: Table<'_>) -> BreakerConfig {
    let default = BreakerConfig::default();
    let breaker = BreakerConfig {
        failures_max: table.whole32("failures_max", default.failures_max),
        recovery_ms: table.whole("recovery_ms", default.recovery_ms),
        probes_max: table.whole32("probes_max", default.probes_max),
    };
    table.finish();
    breaker
}

fn batch(mut table: Table<'_>) -> BatchConfig {
    let default = BatchConfig::default();
    let batch = BatchConfig {
        records_max: table.whole32("records_max", default.records_max),
        bytes_max: table.whole("bytes_max", default.bytes_max),
        age_ms: table.whole("age_ms", default.age_ms),
    };
    table.finish();
    batch
}

fn spool(mut table: Table<'_>) -> SpoolConfig {
    let default = SpoolConfig::default();
    let spool = SpoolConfig {
        directory: table.optional_string("directory").map_or(default.directory, PathBuf::from),
        bytes_max: table.whole("bytes_max", default.bytes_max),
    };
    table.finish();
    spool
}

fn route(mut table: Table<'_>) -> RouteConfig {
    let route = RouteConfig {
        name: table.string("name", None),
        connectors: table.strings("connectors"),
        work: table.word("work", Work::WORDS, Work::from_word).unwrap_or(Work::Simulate),
        publishers: table.strings("publishers"),
        best_effort: table.strings("best_effort"),
        durability: table
            .word("durability", Durability::WORDS, Durability::from_word)
            .unwrap_or(Durability::Delivered),
        spool: table.optional_part("spool", spool),
        transports: table.strings("transports"),
        dead_letters: table.optional_string("dead_letters"),
        dead_letters_store: table.optional_string("dead_letters_store").map(PathBuf::from),
        dead_letters_bytes_max: table.typed("dead_letters_bytes_max", WHOLE, Value::as_u64),
        topic: table.string("topic", Some("snapshots")),
        batch_records_max: table
            .typed("batch_records_max", "a whole number in [1, 10000]", |value| {
                value.as_u64().and_then(|records| u32::try_from(records).ok())
            })
            .unwrap_or(16),
        output: table.part("output", |mut table| {
            let field = table.boolean("field");
            table.finish();
            OutputConfig { field }
        }),
    };
    table.finish();
    route
}

/// A table being read: keys are taken out one by one, and what is left at the end is unknown.
struct Table<'a> {
    entries: Map<String, Value>,
    path: String,
    known: Vec<&'static str>,
    faults: &'a mut Vec<ConfigFault>,
}

impl<'a> Table<'a> {
    fn new(value: Value, path: String, faults: &'a mut Vec<ConfigFault>) -> Self {
        let entries = match value {
            Value::Object(entries) => entries,
            other => {
                faults.push(mismatch(&path, "a table", &other));
                Map::new()
            }
        };
        Self { entries, path, known: Vec::new(), faults }
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.entries.remove(key)
    }

    fn fault(&mut self, key: &str, message: impl Into<String>, fix: impl Into<String>) {
        let path = join(&self.path, key);
        self.faults.push(ConfigFault::new(path, message, fix));
    }

    /// Takes a key and reports it when `read` does not accept its value.
    fn typed<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let read = read(&value);
        if read.is_none() {
            self.faults.push(mismatch(&join(&self.path, key), wanted, &value));
        }
        read
    }

    fn optional_string(&mut self, key: &'static str) -> Option<String> {
        self.typed(key, "a string", |value| value.as_str().map(str::to_owned))
    }

    /// A string; required when there is no default.
    fn string(&mut self, key: &'static str, default: Option<&str>) -> String {
        if default.is_none() && !self.entries.contains_key(key) {
            self.fault(key, "is missing", format!("add {key} = \"...\""));
        }
        self.optional_string(key).or_else(|| default.map(str::to_owned)).unwrap_or_default()
    }

    fn boolean(&mut self, key: &'static str) -> bool {
        self.typed(key, "true or false", Value::as_bool).unwrap_or_default()
    }

    fn whole(&mut self, key: &'static str, default: u64) -> u64 {
        self.typed(key, WHOLE, Value::as_u64).unwrap_or(default)
    }

    fn whole32(&mut self, key: &'static str, default: u32) -> u32 {
        let read = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
        self.typed(key, "a whole number, 0 to 4294967295", read).unwrap_or(default)
    }

    /// One of a few words.
    fn word<T>(&mut self, key: &'static str, wanted: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        self.typed(key, wanted, |value| read(value.as_str()?))
    }

    fn array(&mut self, key: &'static str) -> Option<Vec<Value>> {
        self.typed(key, "an array", |value| value.as_array().cloned())
    }

    fn strings(&mut self, key: &'static str) -> Vec<String> {
        let items = self.array(key).unwrap_or_default();
        let path = join(&self.path, key);
        let mut strings = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) => strings.push(text),
                other => self.faults.push(mismatch(&format!("{path}[{index}]"), "a string", &other)),
            }
        }
        strings
    }

    fn paths(&mut self, key: &'static str) -> Vec<PathBuf> {
        self.strings(key).into_iter().map(PathBuf::from).collect()
    }

    /// A table handed on as it is; empty when absent.
    fn part_value(&mut self, key: &'static str) -> Value {
        // Not copied: it may hold a secret.
        match self.take(key) {
            None => Value::Object(Map::new()),
            Some(value @ Value::Object(_)) => value,
            Some(other) => {
                self.faults.push(mismatch(&join(&self.path, key), "a table", &other));
                Value::Object(Map::new())
            }
        }
    }

    /// A table with its own reader; an absent one reads like an empty one.
    fn part<T>(&mut self, key: &'static str, read: impl FnOnce(Table<'_>) -> T) -> T {
        let value = self.take(key).unwrap_or_else(|| Value::Object(Map::new()));
        read(Table::new(value, join(&self.path, key), self.faults))
    }

    /// A table with its own reader, where its absence means something.
    fn optional_part<T>(&mut self, key: &'static str, read: impl FnOnce(Table<'_>) -> T) -> Option<T> {
        let there = self.entries.contains_key(key);
        there.then(|| self.part(key, read))
    }

    fn components(
        &mut self,
        key: &'static str,
        delivery: fn(&mut Table<'_>) -> DeliveryConfig,
    ) -> BTreeMap<String, ComponentConfig> {
        let Value::Object(entries) = self.part_value(key) else { return BTreeMap::new() };
        let path = join(&self.path, key);
        entries
            .into_iter()
            .map(|(name, value)| {
                let config = component(Table::new(value, join(&path, &name), self.faults), delivery);
                (name, config)
            })
            .collect()
    }

    /// Reports every key that nobody took.
    fn finish(self) -> (String, &'a mut Vec<ConfigFault>) {
        for key in self.entries.keys() {
            self.faults.push(ConfigFault::new(
                join(&self.path, key),
                "the key is unknown",
                format!("remove it or use one of {}", self.known.join(", ")),
            ));
        }
        (self.path, self.faults)
    }
}

fn mismatch(path: &str, wanted: &str, found: &Value) -> ConfigFault {
    let mut shown: String = found.to_string().chars().take(60).collect();
    if shown.len() < found.to_string().len() {
        shown.push_str("...");
    }
    ConfigFault::new(path, format!("found {shown}, wanted {wanted}"), format!("give {wanted}"))
}
