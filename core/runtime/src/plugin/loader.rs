//! The loader: takes a named library through every step, keeps what was loaded and what was tried.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mfn_plugin::{
    abi::{PluginModuleRef, SResult},
    descriptor::Descriptor,
    value::PluginError,
};

use super::{
    Instances, LoadAttempt, LoadOutcome, LoadRefusal, LoadReport, PluginInfo, PluginPolicy, RefusalReason,
    host::{HostContext, Services},
    image, library,
    refusal::Fault,
    source::Source,
};
use crate::{
    error::RuntimeError,
    log::{self, Log, LogLevel},
    metrics::MetricsRegistry,
    pipeline::health::HealthBoard,
};

const TARGET: &str = "mfn_runtime::plugin";

/// A library that passed every check and described itself, but was not started.
pub(super) struct Candidate {
    pub(super) source: Source,
    pub(super) descriptor: Descriptor,
    module: PluginModuleRef,
}

/// Takes a library through every step up to its description.
pub(super) fn examine(path: &Path, policy: PluginPolicy) -> Result<Candidate, LoadRefusal> {
    Source::read(path).and_then(|source| examine_source(source, policy)).map_err(|fault| fault.at(path))
}

fn examine_source(source: Source, policy: PluginPolicy) -> Result<Candidate, Fault> {
    match &source.manifest {
        Some(manifest) => manifest.check_before_loading(&source.sha256)?,
        None if policy.require_manifest => {
            let path = super::manifest_path(&source.path);
            let message = format!("there is no manifest {}, and this host asks for one", path.display());
            return Err(Fault::new(RefusalReason::ManifestMissing, message));
        }
        None => {}
    }
    image::look(&source.bytes, library::ENTRY)?;
    let module = library::load(&source.bytes)?;
    let descriptor = describe(module)?;
    if let Some(manifest) = &source.manifest {
        manifest.check_descriptor(&descriptor)?;
    }
    Ok(Candidate { source, descriptor, module })
}

/// Lets the plugin describe itself and checks what it says.
fn describe(module: PluginModuleRef) -> Result<Descriptor, Fault> {
    let failed = |why: String| Fault::new(RefusalReason::InitFailed, format!("describe: {why}"));
    let json = plain(module.describe()()).map_err(|error| failed(error.message))?;
    let descriptor: Descriptor = serde_json::from_str(&json).map_err(|error| failed(error.to_string()))?;
    let name = &descriptor.name;
    let named = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !named {
        let shown: String = name.chars().take(64).collect();
        return Err(failed(format!("name: {shown:?}; use 1 to 64 lower-case letters, digits and -")));
    }
    if descriptor.kinds.is_empty() {
        return Err(failed("kinds: none; a plugin serves at least one".to_owned()));
    }
    Ok(descriptor)
}

fn plain<T>(result: SResult<T>) -> Result<T, PluginError> {
    result.into_result().map_err(PluginError::from)
}

/// A started plugin.
pub(super) struct Loaded {
    pub(super) info: PluginInfo,
    pub(super) module: PluginModuleRef,
}

/// The plugins of one runtime.
pub(crate) struct Loader {
    policy: PluginPolicy,
    services: Arc<Services>,
    /// Held through a whole load, so that two threads do not start one plugin twice.
    loading: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    plugins: BTreeMap<String, Arc<Loaded>>,
    report: LoadReport,
}

impl Loader {
    pub(crate) fn new(policy: PluginPolicy, log: Log, metrics: Arc<MetricsRegistry>) -> Self {
        Self {
            policy,
            services: Arc::new(Services { log, metrics, health: HealthBoard::default() }),
            loading: Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// The pipelines that run, for whoever asks about their health.
    pub(crate) fn health(&self) -> &HealthBoard {
        &self.services.health
    }

    /// Loads one library; see [`Runtime::load_plugin`](crate::Runtime::load_plugin).
    pub(crate) fn load(&self, path: &Path) -> Result<PluginInfo, LoadRefusal> {
        let (_, outcome) = self.attempt(path);
        outcome
    }

    /// Loads what lies in a directory; see [`Runtime::scan_directory`](crate::Runtime::scan_directory).
    pub(crate) fn scan(&self, directory: &Path) -> Result<Vec<LoadAttempt>, RuntimeError> {
        let unreadable = |error: std::io::Error| RuntimeError::Directory {
            path: directory.to_owned(),
            message: error.to_string(),
        };
        let mut libraries: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION) {
                libraries.push(path);
            }
        }
        libraries.sort_unstable();
        Ok(libraries.iter().map(|path| self.attempt(path).0).collect())
    }

    /// The loaded plugins, sorted by name.
    pub(crate) fn plugins(&self) -> Vec<PluginInfo> {
        self.state().plugins.values().map(|loaded| loaded.info.clone()).collect()
    }

    pub(crate) fn report(&self) -> LoadReport {
        self.state().report.clone()
    }

    /// What makes components of a plugin, where one of this name is loaded.
    pub(crate) fn instances(&self, plugin: &str) -> Option<Instances> {
        let loaded = Arc::clone(self.state().plugins.get(plugin)?);
        Some(Instances::new(loaded, Arc::clone(&self.services)))
    }

    /// Tells every plugin how much to log.
    pub(crate) fn spread_log_level(&self) {
        let modules: Vec<_> = self.state().plugins.values().map(|loaded| loaded.module).collect();
        let level = self.services.log.forwarded_level().code();
        for module in modules {
            module.set_log_level()(level.into());
        }
    }

    /// One attempt, kept in the report and logged.
    fn attempt(&self, path: &Path) -> (LoadAttempt, Result<PluginInfo, LoadRefusal>) {
        let result = self.load_once(path);
        let outcome = match &result {
            Ok((info, new)) => {
                let (plugin, version) = (info.descriptor.name.clone(), info.descriptor.version.clone());
                if *new {
                    LoadOutcome::Loaded { plugin, version }
                } else {
                    LoadOutcome::AlreadyLoaded { plugin, version }
                }
            }
            Err(fault) => LoadOutcome::Refused { reason: fault.reason, message: fault.message.clone() },
        };
        let attempt = LoadAttempt { path: path.to_owned(), outcome };
        self.state().report.push(attempt.clone());
        let level = if result.is_ok() { LogLevel::Info } else { LogLevel::Warn };
        self.services.log.write(level, TARGET, &attempt.to_string());
        (attempt, result.map(|(info, _)| info).map_err(|fault| fault.at(path)))
    }

    /// Gives the plugin and whether it is new.
    fn load_once(&self, path: &Path) -> Result<(PluginInfo, bool), Fault> {
        if log::inside_sink() {
            return Err(Fault::new(RefusalReason::Reentrant, "a log sink must not load plugins"));
        }
        let _one_at_a_time = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let source = Source::read(path)?;
        if let Some(known) = self.find(|info| info.sha256 == source.sha256) {
            return Ok((known, false));
        }
        let Candidate { source, descriptor, module } = examine_source(source, self.policy)?;
        if let Some(known) = self.find(|info| info.descriptor.name == descriptor.name) {
            return Err(Fault::new(
                RefusalReason::DuplicateName,
                format!(
                    "the plugin {:?} is loaded already, version {} from {}; name only one of them",
                    known.descriptor.name,
                    known.descriptor.version,
                    known.path.display()
                ),
            ));
        }
        let host = HostContext::of_plugin(&descriptor.name, &self.services);
        plain(module.init()(host.object(), self.services.log.forwarded_level().code().into()))
            .map_err(|error| Fault::new(RefusalReason::InitFailed, format!("init: {}", error.message)))?;
        let name = descriptor.name.clone();
        let Source { path, sha256, manifest, .. } = source;
        let info = PluginInfo { descriptor, path, sha256, manifest };
        self.state().plugins.insert(name, Arc::new(Loaded { info: info.clone(), module }));
        // The level may have changed while the plugin started, before it could be told.
        module.set_log_level()(self.services.log.forwarded_level().code().into());
        Ok((info, true))
    }

    fn find(&self, matches: impl Fn(&PluginInfo) -> bool) -> Option<PluginInfo> {
        self.state().plugins.values().map(|loaded| &loaded.info).find(|info| matches(info)).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No foreign code runs while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
