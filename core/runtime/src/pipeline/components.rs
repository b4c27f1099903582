//! The components of a pipeline: made from a configuration, opened together, closed together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use mfn_plugin::value::{Drained, Kind};

use super::work::catch;
use super::{CheckedComponent, ComponentEndpoint, ComponentStatus};
use crate::component::{Component, ComponentError, Connector, Exporter, Publisher, Transport};
use crate::config::{ComponentConfig, ConfigError, ConfigFault, PipelineConfig};
use crate::error::RuntimeError;
use crate::plugin::manifest_path;
use crate::runtime::{ComponentOptions, Runtime};

/// How long closing may take where nothing is to be drained.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The components of a pipeline by the names that its configuration uses, created and not opened.
#[derive(Clone, Default)]
pub struct Components {
    /// Those that read in.
    pub connectors: BTreeMap<String, Arc<dyn Connector>>,
    /// Those that deliver durably.
    pub publishers: BTreeMap<String, Arc<dyn Publisher>>,
    /// Those that hand events to listeners.
    pub transports: BTreeMap<String, Arc<dyn Transport>>,
    /// Those that show metrics.
    pub exporters: BTreeMap<String, Arc<dyn Exporter>>,
}

impl std::fmt::Debug for Components {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all().iter().map(|(kind, component)| (kind, component.name()))).finish()
    }
}

impl Components {
    /// Loads the plugins of a configuration and creates its components, without I/O beyond loading.
    /// Every fault is reported: a library that is refused, an unknown plugin, a component's
    /// configuration that its plugin refuses.
    pub(super) fn create(runtime: &Runtime, config: &PipelineConfig) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let refused = load_plugins(runtime, config, &mut faults);
        let create = Creation { runtime, config, refused };
        let components = Self {
            connectors: create.all("connectors", &config.connectors, Runtime::create_connector, &mut faults),
            publishers: create.all("publishers", &config.publishers, Runtime::create_publisher, &mut faults),
            transports: create.all("transports", &config.transports, Runtime::create_transport, &mut faults),
            exporters: create.all("exporters", &config.exporters, Runtime::create_exporter, &mut faults),
        };
        if let Err(error) = ConfigError::from_faults(faults) {
            components.close();
            return Err(error);
        }
        Ok(components)
    }

    /// Whether every component of the configuration is there.
    pub(super) fn check_complete(&self, config: &PipelineConfig) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        let mut check = |kind: &str, wanted: &BTreeMap<String, ComponentConfig>, given: Vec<&String>| {
            for name in wanted.keys().filter(|name| !given.contains(name)) {
                let path = format!("{kind}.{name}");
                faults.push(ConfigFault::new(path, "no component was given for it", "give one of this name"));
            }
        };
        check("connectors", &config.connectors, self.connectors.keys().collect());
        check("publishers", &config.publishers, self.publishers.keys().collect());
        check("transports", &config.transports, self.transports.keys().collect());
        check("exporters", &config.exporters, self.exporters.keys().collect());
        ConfigError::from_faults(faults)
    }

    /// All components with their kinds; those that take records come before those that bring them.
    pub(super) fn all(&self) -> Vec<(Kind, Arc<dyn Component>)> {
        let mut all: Vec<(Kind, Arc<dyn Component>)> = Vec::new();
        all.extend(self.exporters.values().map(|c| (Kind::Exporter, Arc::clone(c) as Arc<dyn Component>)));
        all.extend(self.transports.values().map(|c| (Kind::Transport, Arc::clone(c) as Arc<dyn Component>)));
        all.extend(self.publishers.values().map(|c| (Kind::Publisher, Arc::clone(c) as Arc<dyn Component>)));
        all.extend(self.connectors.values().map(|c| (Kind::Connector, Arc::clone(c) as Arc<dyn Component>)));
        all
    }

    /// Opens all; when one can not be opened, all are closed again.
    pub(super) fn open(&self) -> Result<(), ComponentError> {
        for (_, component) in self.all() {
            if let Err(error) = component.open() {
                self.close();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Closes all, without a drain: for components that have not worked.
    pub(super) fn close(&self) {
        self.end(Instant::now() + CLOSE_TIMEOUT, |component, _| close(component));
    }

    /// Drains and closes all. Gives the names of those that were not done by the deadline, and what
    /// went wrong.
    pub(super) fn drain(&self, deadline: Instant) -> (Vec<String>, Vec<String>) {
        self.end(deadline, |component, time| {
            let mut errors = drain(component, time);
            errors.extend(close(component));
            errors
        })
    }

    /// Ends all at the same time, each on a thread of its own so that a hung one holds up nobody.
    fn end(
        &self,
        deadline: Instant,
        end: fn(&dyn Component, Duration) -> Vec<String>,
    ) -> (Vec<String>, Vec<String>) {
        let (sender, receiver) = mpsc::channel();
        let mut left: Vec<String> = Vec::new();
        let mut threads = Vec::new();
        for (_, component) in self.all() {
            let name = component.name().to_owned();
            let sender = sender.clone();
            let closing = std::thread::Builder::new().name("mfn-close".into()).spawn(move || {
                let errors = end(component.as_ref(), deadline.saturating_duration_since(Instant::now()));
                let _ = sender.send((component.name().to_owned(), errors));
            });
            left.push(name);
            threads.extend(closing);
        }
        drop(sender);
        let mut errors = Vec::new();
        while !left.is_empty() {
            let wait = deadline.saturating_duration_since(Instant::now());
            let Ok((name, reported)) = receiver.recv_timeout(wait) else { break };
            left.retain(|other| *other != name);
            errors.extend(reported);
        }
        for thread in threads.into_iter().filter(std::thread::JoinHandle::is_finished) {
            let _ = thread.join();
        }
        (left, errors)
    }

    pub(super) fn endpoints(&self) -> Vec<ComponentEndpoint> {
        let of = |component: &Arc<dyn Component>| {
            let name = component.name().to_owned();
            let endpoints = component.endpoints().unwrap_or_default();
            endpoints.into_iter().map(move |endpoint| ComponentEndpoint { component: name.clone(), endpoint })
        };
        self.all().iter().flat_map(|(_, component)| of(component)).collect()
    }

    pub(super) fn statuses(&self) -> Vec<ComponentStatus> {
        let of = |(kind, component): (Kind, Arc<dyn Component>)| ComponentStatus {
            name: component.name().to_owned(),
            plugin: component.plugin().to_owned(),
            kind,
            health: component.health(),
            delivery: None,
        };
        self.all().into_iter().map(of).collect()
    }

    pub(super) fn checked(&self) -> Vec<CheckedComponent> {
        let of = |(kind, component): (Kind, Arc<dyn Component>)| CheckedComponent {
            name: component.name().to_owned(),
            kind,
            plugin: component.plugin().to_owned(),
        };
        self.all().into_iter().map(of).collect()
    }
}

/// Drains a component and says what went wrong.
fn drain(component: &dyn Component, time: Duration) -> Vec<String> {
    let left = |drained: Drained| match drained.records_left {
        0 => None,
        left => Some(format!("{}: {left} records left", component.name())),
    };
    ended(component, catch(|| component.drain(time)), left)
}

/// Closes a component and says what went wrong.
fn close(component: &dyn Component) -> Vec<String> {
    ended(component, catch(|| component.close()), |()| None)
}

fn ended<T>(
    component: &dyn Component,
    result: Result<Result<T, ComponentError>, String>,
    complaint: impl FnOnce(T) -> Option<String>,
) -> Vec<String> {
    let complaint = match result {
        Ok(Ok(value)) => complaint(value),
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => Some(format!("{}: panicked: {panic}", component.name())),
    };
    complaint.into_iter().collect()
}

/// Loads what the configuration names. Gives the libraries of its directories that were refused: one
/// that is no plugin does not spoil a directory, but it may be the one that is missed.
fn load_plugins(runtime: &Runtime, config: &PipelineConfig, faults: &mut Vec<ConfigFault>) -> Vec<String> {
    let mut refused = Vec::new();
    for (index, file) in config.plugins.files.iter().enumerate() {
        let path = config.resolve(file);
        let place = format!("plugins.files[{index}]");
        if config.plugins.require_manifest && !manifest_path(&path).is_file() {
            faults.push(without_manifest(&place, &path));
        } else if let Err(refusal) = runtime.load_plugin(&path) {
            faults.push(ConfigFault::new(place, refusal.to_string(), "name a plugin that can be loaded"));
        }
    }
    for (index, directory) in config.plugins.directories.iter().enumerate() {
        let path = config.resolve(directory);
        let place = format!("plugins.directories[{index}]");
        let bare =
            if config.plugins.require_manifest { libraries_without_manifest(&path) } else { Vec::new() };
        if !bare.is_empty() {
            faults.extend(bare.iter().map(|library| without_manifest(&place, library)));
            continue;
        }
        match runtime.scan_directory(&path) {
            Ok(attempts) => {
                let refusals = attempts.iter().filter(|attempt| attempt.refusal().is_some());
                refused.extend(refusals.map(ToString::to_string));
            }
            Err(error) => {
                faults.push(ConfigFault::new(place, error.to_string(), "name a directory that can be read"));
            }
        }
    }
    refused
}

fn without_manifest(place: &str, library: &Path) -> ConfigFault {
    let message = format!("{} has no manifest beside it", library.display());
    ConfigFault::new(place, message, "add the manifest or set plugins.require_manifest = false")
}

/// Looked for before anything of the directory is loaded.
fn libraries_without_manifest(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_library =
        |path: &PathBuf| path.extension().is_some_and(|it| it == std::env::consts::DLL_EXTENSION);
    let mut libraries: Vec<_> = entries.map(|entry| entry.path()).filter(is_library).collect();
    libraries.retain(|library| !manifest_path(library).is_file());
    libraries.sort_unstable();
    libraries
}

/// Makes a component of one kind.
type Create<C> = fn(&Runtime, &str, ComponentOptions) -> Result<Arc<C>, RuntimeError>;

struct Creation<'a> {
    runtime: &'a Runtime,
    config: &'a PipelineConfig,
    refused: Vec<String>,
}

impl Creation<'_> {
    fn all<C: ?Sized>(
        &self,
        kind: &str,
        wanted: &BTreeMap<String, ComponentConfig>,
        create: Create<C>,
        faults: &mut Vec<ConfigFault>,
    ) -> BTreeMap<String, Arc<C>> {
        let mut created = BTreeMap::new();
        for (name, component) in wanted {
            let options = ComponentOptions {
                name: name.clone(),
                config: component.config.clone(),
                base_dir: self.config.base_dir.clone(),
            };
            match create(self.runtime, &component.plugin, options) {
                Ok(component) => {
                    created.insert(name.clone(), component);
                }
                Err(error) => faults.push(self.fault(kind, name, &error)),
            }
        }
        created
    }

    fn fault(&self, kind: &str, name: &str, error: &RuntimeError) -> ConfigFault {
        match error {
            RuntimeError::UnknownPlugin { .. } | RuntimeError::KindNotServed { .. } => {
                let refused: String = self.refused.iter().flat_map(|refused| ["; ", refused]).collect();
                ConfigFault::new(
                    format!("{kind}.{name}.plugin"),
                    format!("{error}{refused}"),
                    "name a loaded plugin of this kind, or add its library to plugins.files or its \
                     directory to plugins.directories",
                )
            }
            RuntimeError::Component(error) => ConfigFault::new(
                format!("{kind}.{name}.config"),
                error.error.message.clone(),
                format!("`mfn plugin inspect` shows what the plugin {} takes", error.plugin),
            ),
            _ => ConfigFault::new(format!("{kind}.{name}"), error.to_string(), "correct it"),
        }
    }
}
