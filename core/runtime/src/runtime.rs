//! The runtime: what one host owns of libmfn. It holds the threads for computing, the log, the metrics
//! and the loaded plugins, and makes components of them.
//!
//! Nothing here is global: two runtimes in one process share nothing, not even a plugin's image.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use mfn_plugin::{host::InstanceInfo, value::Kind};

use crate::{
    component::{Connector, Exporter, Publisher, Transport},
    config::Settings,
    error::RuntimeError,
    log::{Log, LogLevel, LogSink},
    metrics::MetricsRegistry,
    pipeline::health::HealthBoard,
    plugin::{Instances, LoadAttempt, LoadRefusal, LoadReport, Loader, PluginInfo, PluginPolicy},
};

/// The most threads one runtime may be asked for.
pub const THREADS_MAX: usize = 1024;

/// How a runtime is set up.
#[derive(Clone, Default)]
pub struct RuntimeOptions {
    /// Threads for computing, 0 to [`THREADS_MAX`]; 0 takes one for each processor core. Results do not
    /// depend on it.
    pub threads: usize,
    /// How much is logged.
    pub log_level: LogLevel,
    /// Where log records go; without a sink nothing is logged.
    pub log_sink: Option<Arc<dyn LogSink>>,
    /// Which libraries are let in.
    pub plugin_policy: PluginPolicy,
}

impl std::fmt::Debug for RuntimeOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuntimeOptions")
            .field("threads", &self.threads)
            .field("log_level", &self.log_level)
            .field("log_sink", &self.log_sink.is_some())
            .field("plugin_policy", &self.plugin_policy)
            .finish()
    }
}

/// How one component is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ComponentOptions {
    /// Its name, 1 to 64 letters, digits, `_`, `-` and `.`: it stands in logs, metrics and errors.
    pub name: String,
    /// Its configuration, as the plugin's schema says.
    pub config: Settings,
    /// Relative paths of the configuration start here; empty stands for the working directory.
    pub base_dir: PathBuf,
}

/// One host's runtime. Cheap to clone (clones share everything); any thread may use it.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

struct Shared {
    pool: Arc<rayon::ThreadPool>,
    log: Log,
    metrics: Arc<MetricsRegistry>,
    loader: Loader,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("threads", &self.shared.pool.current_num_threads())
            .field("log", &self.shared.log)
            .finish_non_exhaustive()
    }
}

macro_rules! component_calls {
    ($($create:ident, $open:ident, $kind:ident, $article:literal;)*) => {$(
        #[doc = concat!("Makes ", $article, " of a loaded plugin and checks its configuration, without I/O.")]
        ///
        /// # Errors
        /// [`RuntimeError::UnknownPlugin`], [`RuntimeError::KindNotServed`], [`RuntimeError::Option`] for a
        /// bad name, and [`RuntimeError::Component`] when the plugin refuses the configuration.
        pub fn $create(&self, plugin: &str, options: ComponentOptions) -> Result<Arc<dyn $kind>, RuntimeError> {
            self.instances(plugin, Kind::$kind)?.$create(instance_info(&options)?, &options.config)
        }

        #[doc = concat!("Makes ", $article, " and takes up its work.")]
        ///
        /// # Errors
        #[doc = concat!("As [`", stringify!($create), "`](Self::", stringify!($create), "), and when it can not be opened; it is closed then.")]
        pub fn $open(&self, plugin: &str, options: ComponentOptions) -> Result<Arc<dyn $kind>, RuntimeError> {
            let component = self.$create(plugin, options)?;
            component.open()?;
            Ok(component)
        }
    )*};
}

impl Runtime {
    /// Starts a runtime.
    ///
    /// # Errors
    /// [`RuntimeError::Option`] for too many threads, [`RuntimeError::Threads`] when they can not be started.
    pub fn new(options: RuntimeOptions) -> Result<Self, RuntimeError> {
        if options.threads > THREADS_MAX {
            return Err(RuntimeError::Option {
                field: "threads",
                value: options.threads.to_string(),
                allowed: "use 0 to 1024, 0 for one thread on each core",
            });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .thread_name(|index| format!("mfn-compute-{index}"))
            .build()
            .map_err(|error| RuntimeError::Threads(error.to_string()))?;
        let log = Log::new(options.log_level, options.log_sink);
        let metrics = Arc::new(MetricsRegistry::new());
        let loader = Loader::new(options.plugin_policy, log.clone(), Arc::clone(&metrics));
        Ok(Self { shared: Arc::new(Shared { pool: Arc::new(pool), log, metrics, loader }) })
    }

    /// Loads one plugin library. A library with the same content that is loaded already is not loaded
    /// again; its information is given. A library is never unloaded.
    ///
    /// # Errors
    /// A [`LoadRefusal`] with a stable reason; it also stands in the [`load_report`](Self::load_report).
    pub fn load_plugin(&self, path: &Path) -> Result<PluginInfo, LoadRefusal> {
        self.shared.loader.load(path)
    }

    /// Loads every shared library that lies in a directory, sorted by name, and tells what became of
    /// each. Sub-directories are not entered.
    ///
    /// # Errors
    /// [`RuntimeError::Directory`] when the directory can not be read. Refused libraries are no error.
    pub fn scan_directory(&self, directory: &Path) -> Result<Vec<LoadAttempt>, RuntimeError> {
        self.shared.loader.scan(directory)
    }

    /// The loaded plugins, sorted by name.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginInfo> {
        self.shared.loader.plugins()
    }

    /// Every path that was tried and what became of it.
    #[must_use]
    pub fn load_report(&self) -> LoadReport {
        self.shared.loader.report()
    }

    component_calls! {
        create_connector, open_connector, Connector, "a connector";
        create_publisher, open_publisher, Publisher, "a publisher";
        create_transport, open_transport, Transport, "a transport";
        create_exporter, open_exporter, Exporter, "a metrics exporter";
    }

    /// The log that the runtime and its plugins write to.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// Changes how much is logged, in the runtime and in every loaded plugin.
    pub fn set_log_level(&self, level: LogLevel) {
        self.shared.log.set_level(level);
        self.shared.loader.spread_log_level();
    }

    /// The metrics of the runtime and its plugins.
    #[must_use]
    pub fn metrics(&self) -> &Arc<MetricsRegistry> {
        &self.shared.metrics
    }

    /// The pipelines that run, for their health.
    pub(crate) fn health(&self) -> &HealthBoard {
        self.shared.loader.health()
    }

    /// The threads for computing.
    #[must_use]
    pub fn pool(&self) -> &Arc<rayon::ThreadPool> {
        &self.shared.pool
    }

    /// Runs work on the runtime's threads for computing and waits for it.
    ///
    /// # Panics
    /// When `work` panics, with the same panic.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.shared.pool.install(work)
    }

    fn instances(&self, plugin: &str, kind: Kind) -> Result<Instances, RuntimeError> {
        let Some(instances) = self.shared.loader.instances(plugin) else {
            let loaded = self.plugins().into_iter().map(|info| info.descriptor.name).collect();
            return Err(RuntimeError::UnknownPlugin { name: plugin.to_owned(), loaded });
        };
        let served: Vec<_> = instances.info().descriptor.kinds.iter().map(|served| served.kind).collect();
        if served.contains(&kind) {
            Ok(instances)
        } else {
            Err(RuntimeError::KindNotServed { plugin: plugin.to_owned(), kind, served })
        }
    }
}

/// Checks a component's name and fills in what its plugin is told.
fn instance_info(options: &ComponentOptions) -> Result<InstanceInfo, RuntimeError> {
    let fault = |field, value, allowed| RuntimeError::Option { field, value, allowed };
    let name = &options.name;
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !fits {
        let shown: String = name.chars().take(64).collect();
        return Err(fault("name", format!("{shown:?}"), "use 1 to 64 letters, digits, _, - and ."));
    }
    let given = if options.base_dir.as_os_str().is_empty() { Path::new(".") } else { &options.base_dir };
    let base_dir = std::path::absolute(given).map_err(|error| {
        fault("base_dir", format!("{:?} ({error})", options.base_dir), "name an existing directory")
    })?;
    if base_dir.to_str().is_none() {
        return Err(fault("base_dir", format!("{base_dir:?}"), "use a path that is UTF-8"));
    }
    Ok(InstanceInfo { name: name.clone(), base_dir })
}
