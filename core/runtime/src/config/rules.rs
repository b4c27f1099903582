//! What must hold of the values of a configuration: ranges, names, references.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::ConfigFault;
use super::{
    BatchConfig, ComponentConfig, DeliveryConfig, Durability, PipelineConfig, RouteConfig, SpoolConfig, Work,
};

/// The most components of all kinds together; each has a thread of its own.
const COMPONENTS_MAX: usize = 256;
/// The most routes.
const ROUTES_MAX: usize = 64;
/// The most retries that are counted; `exhausted = "keep"` tries on beyond them.
const RETRIES_MAX: u64 = 1_000_000;
/// The longest wait or time-out that can be asked for, milliseconds: an hour.
const WAIT_MS_MAX: u64 = 3_600_000;
/// The largest spool, bytes.
const SPOOL_BYTES_MAX: u64 = 1 << 40;
/// The longest name, bytes.
const NAME_BYTES_MAX: usize = 64;

/// The smallest spool, or store of dead letters, of a configuration, bytes: a record that never fits would be waited for
/// without end.
fn spool_bytes_min(config: &PipelineConfig) -> u64 {
    config.limits.record_bytes_max.saturating_mul(2).clamp(1 << 20, SPOOL_BYTES_MAX)
}

/// Everything that is wrong with the values.
pub(super) fn faults(config: &PipelineConfig) -> Vec<ConfigFault> {
    let mut rules = Rules { faults: Vec::new() };
    rules.name("name", &config.name);
    rules.limits(config);
    rules.components(config);
    rules.routes(config);
    rules.faults
}

struct Rules {
    faults: Vec<ConfigFault>,
}

impl Rules {
    fn fault(&mut self, path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) {
        self.faults.push(ConfigFault::new(path, message, fix));
    }

    fn range(&mut self, path: &str, value: u64, min: u64, max: u64) {
        if !(min..=max).contains(&value) {
            self.fault(path, format!("{value} is outside [{min}, {max}]"), "give a number in the range");
        }
    }

    /// Names become labels, headers and parts of paths.
    fn name(&mut self, path: &str, name: &str) {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(allowed) {
            let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
            self.fault(
                path,
                format!("{shown:?} is not a name"),
                format!("give 1 to {NAME_BYTES_MAX} of the characters A-Z a-z 0-9 _ - ."),
            );
        }
    }

    fn limits(&mut self, config: &PipelineConfig) {
        let limits = &config.limits;
        let (min, max) = (1 << 16, 1 << 40);
        self.range("limits.bytes_in_flight_max", limits.bytes_in_flight_max, min, max);
        let budget = limits.bytes_in_flight_max;
        let record_max = if (min..=max).contains(&budget) { budget } else { max };
        self.range("limits.record_bytes_max", limits.record_bytes_max, 1, record_max);
        self.range("limits.cell_steps_max", limits.cell_steps_max, 1, u64::MAX);
        self.range("limits.threads", limits.threads as u64, 0, 1024);
        self.range("start.probe_timeout_ms", config.start.probe_timeout_ms, 1, 600_000);
    }

    fn components(&mut self, config: &PipelineConfig) {
        let kinds = kinds(config);
        let count: usize = kinds.iter().map(|(_, components)| components.len()).sum();
        if count > COMPONENTS_MAX {
            self.fault("", format!("{count} components"), format!("use at most {COMPONENTS_MAX}"));
        }
        if config.connectors.is_empty() {
            self.fault("connectors", "there is none", "add a table [connectors.NAME] with plugin = \"...\"");
        }
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (kind, components) in kinds {
            for (name, component) in components {
                let path = format!("{kind}.{}", shortened(name));
                self.name(&path, name);
                self.name(&format!("{path}.plugin"), &component.plugin);
                self.delivery(&format!("{path}.delivery"), &component.delivery);
                if let Some(other) = seen.insert(name, kind) {
                    let name = shortened(name);
                    self.fault(
                        &path,
                        format!("the name is already that of {other}.{name}"),
                        "give every component a name of its own",
                    );
                }
            }
        }
    }

    fn delivery(&mut self, path: &str, delivery: &DeliveryConfig) {
        let DeliveryConfig { retry, breaker, batch } = delivery;
        let retries = u64::from(retry.retries_max);
        self.range(&format!("{path}.retry.retries_max"), retries, 0, RETRIES_MAX);
        self.range(&format!("{path}.retry.initial_ms"), retry.initial_ms, 1, WAIT_MS_MAX);
        let least = retry.initial_ms.clamp(1, WAIT_MS_MAX);
        self.range(&format!("{path}.retry.cap_ms"), retry.cap_ms, least, WAIT_MS_MAX);
        self.range(&format!("{path}.retry.timeout_ms"), retry.timeout_ms, 1, WAIT_MS_MAX);
        self.range(&format!("{path}.breaker.failures_max"), u64::from(breaker.failures_max), 1, 1000);
        self.range(&format!("{path}.breaker.recovery_ms"), breaker.recovery_ms, 1, WAIT_MS_MAX);
        self.range(&format!("{path}.breaker.probes_max"), u64::from(breaker.probes_max), 1, 3);
        let (records, records_max) = (batch.records_max.into(), BatchConfig::RECORDS_MAX.into());
        self.range(&format!("{path}.batch.records_max"), records, 1, records_max);
        self.range(&format!("{path}.batch.bytes_max"), batch.bytes_max, 1, BatchConfig::BYTES_MAX);
        self.range(&format!("{path}.batch.age_ms"), batch.age_ms, 0, 60_000);
    }

    fn routes(&mut self, config: &PipelineConfig) {
        if config.routes.is_empty() {
            self.fault("routes", "there is none", "add a [[routes]] with name and connectors");
        }
        if config.routes.len() > ROUTES_MAX {
            let count = config.routes.len();
            self.fault("routes", format!("{count} routes"), format!("use at most {ROUTES_MAX}"));
        }
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, route) in config.routes.iter().enumerate() {
            let path = format!("routes[{index}]");
            self.name(&format!("{path}.name"), &route.name);
            if let Some(other) = names.insert(&route.name, index) {
                self.fault(
                    format!("{path}.name"),
                    format!("routes[{other}] is also named {:?}", shortened(&route.name)),
                    "give every route a name of its own",
                );
            }
            self.route(&path, route, config);
            for (position, name) in route.connectors.iter().enumerate() {
                if let Some(other) = owners.insert(name, index).filter(|&other| other != index) {
                    self.fault(
                        format!("{path}.connectors[{position}]"),
                        format!("{:?} already feeds routes[{other}]", shortened(name)),
                        "let one route have it, or configure a second connector",
                    );
                }
            }
        }
        self.unused(config);
    }

    fn route(&mut self, path: &str, route: &RouteConfig, config: &PipelineConfig) {
        if route.connectors.is_empty() {
            self.fault(format!("{path}.connectors"), "there is none", "name at least one connector");
        }
        let targets = [&route.publishers, &route.best_effort, &route.transports];
        if targets.iter().all(|targets| targets.is_empty()) {
            self.fault(
                format!("{path}.publishers"),
                "the results go nowhere",
                "name at least one publisher or transport",
            );
        }
        self.references(path, "connectors", &route.connectors, &config.connectors);
        self.references(path, "publishers", &route.publishers, &config.publishers);
        self.references_of(path, "best_effort", &route.best_effort, "publishers", &config.publishers);
        self.references(path, "transports", &route.transports, &config.transports);
        for (index, name) in route.best_effort.iter().enumerate() {
            if route.publishers.contains(name) {
                self.fault(
                    format!("{path}.best_effort[{index}]"),
                    format!("{:?} is among the publishers that are waited for, too", shortened(name)),
                    "name it either in publishers or in best_effort",
                );
            }
        }
        self.keeping(path, route, config);
        if let Some(name) = &route.dead_letters {
            self.reference(format!("{path}.dead_letters"), name, "publishers", &config.publishers);
        }
        self.name(&format!("{path}.topic"), &route.topic);
        let records = u64::from(route.batch_records_max);
        self.range(&format!("{path}.batch_records_max"), records, 1, 10_000);
    }

    /// What a route keeps, and where.
    fn keeping(&mut self, path: &str, route: &RouteConfig, config: &PipelineConfig) {
        if route.work == Work::Forward && route.output.field {
            let message = "a route that forwards computes no field";
            self.fault(format!("{path}.output.field"), message, "remove it or set work = \"simulate\"");
        }
        let spooled = route.durability == Durability::Spooled;
        if spooled && route.publishers.is_empty() {
            let message = "there is nobody to spool for in publishers";
            let fix = "name one, or use durability = \"delivered\"";
            self.fault(format!("{path}.durability"), message, fix);
        }
        if let Some(SpoolConfig { directory, bytes_max }) = &route.spool {
            if !spooled {
                let message = format!("the durability is {:?}", route.durability.name());
                let fix = "remove it or set durability = \"spooled\"";
                self.fault(format!("{path}.spool"), message, fix);
            }
            self.directory(&format!("{path}.spool.directory"), directory);
            self.range(
                &format!("{path}.spool.bytes_max"),
                *bytes_max,
                spool_bytes_min(config),
                SPOOL_BYTES_MAX,
            );
        }
        if let Some(bytes_max) = route.dead_letters_bytes_max {
            let field = format!("{path}.dead_letters_bytes_max");
            self.range(&field, bytes_max, spool_bytes_min(config), SPOOL_BYTES_MAX);
            // A store that several routes share has one size.
            let shares = |other: &&RouteConfig| {
                route.dead_letters_store.is_some() && other.dead_letters_store == route.dead_letters_store
            };
            let other = config.routes.iter().filter(shares);
            let other =
                other.filter_map(|other| other.dead_letters_bytes_max).find(|other| *other != bytes_max);
            if route.dead_letters_store.is_none() {
                let message = "there is no dead_letters_store";
                self.fault(field, message, "remove it or name a directory as dead_letters_store");
            } else if let Some(other) = other {
                let message = format!("another route has {other} for the same dead_letters_store");
                self.fault(field, message, "give both the same number, or each a store of its own");
            }
        }
        if let Some(directory) = &route.dead_letters_store {
            self.directory(&format!("{path}.dead_letters_store"), directory);
            if route.dead_letters.is_some() {
                let message = "dead letters have a publisher already";
                let fix = "keep either dead_letters or dead_letters_store";
                self.fault(format!("{path}.dead_letters_store"), message, fix);
            }
        }
    }

    fn directory(&mut self, path: &str, directory: &Path) {
        if directory.as_os_str().is_empty() {
            self.fault(path, "is empty", "name a directory");
        }
    }

    /// Every name of a list must be that of a component, and stand there once.
    fn references(
        &mut self,
        path: &str,
        kind: &str,
        names: &[String],
        components: &BTreeMap<String, ComponentConfig>,
    ) {
        self.references_of(path, kind, names, kind, components);
    }

    /// As [`references`](Self::references), for a key that is not called as the kind is.
    fn references_of(
        &mut self,
        path: &str,
        key: &str,
        names: &[String],
        kind: &str,
        components: &BTreeMap<String, ComponentConfig>,
    ) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let place = format!("{path}.{key}[{index}]");
            if seen.insert(name) {
                self.reference(place, name, kind, components);
            } else {
                self.fault(place, format!("{:?} is named twice", shortened(name)), "keep one of them");
            }
        }
    }

    /// The name must be that of a component.
    fn reference(
        &mut self,
        place: String,
        name: &str,
        kind: &str,
        components: &BTreeMap<String, ComponentConfig>,
    ) {
        if components.contains_key(name) {
            return;
        }
        let shown = shortened(name);
        let known: Vec<_> = components.keys().take(20).map(|name| shortened(name)).collect();
        let fix = if known.is_empty() {
            format!("add a table [{kind}.{shown}]")
        } else {
            format!("use one of {} or add a table [{kind}.{shown}]", known.join(", "))
        };
        self.fault(place, format!("{shown:?} is not one of the {kind}"), fix);
    }

    /// A component that no route uses is a mistake in a name more often than a wish.
    fn unused(&mut self, config: &PipelineConfig) {
        let routes = &config.routes;
        let used: BTreeSet<&String> = routes
            .iter()
            .flat_map(|route| route.connectors.iter().chain(&route.publishers).chain(&route.transports))
            .chain(routes.iter().flat_map(|route| &route.best_effort))
            .chain(routes.iter().filter_map(|route| route.dead_letters.as_ref()))
            .collect();
        for (kind, components) in kinds(config).into_iter().filter(|&(kind, _)| kind != "exporters") {
            for name in components.keys().filter(|name| !used.contains(name)) {
                self.fault(
                    format!("{kind}.{}", shortened(name)),
                    "no route uses it",
                    "name it in a route or remove it",
                );
            }
        }
    }
}

/// The tables of components with their keys.
fn kinds(config: &PipelineConfig) -> [(&'static str, &BTreeMap<String, ComponentConfig>); 4] {
    [
        ("connectors", &config.connectors),
        ("publishers", &config.publishers),
        ("transports", &config.transports),
        ("exporters", &config.exporters),
    ]
}

/// A name as it is shown in a fault: a hostile one must not fill the report.
fn shortened(name: &str) -> String {
    name.chars().take(NAME_BYTES_MAX).collect()
}
