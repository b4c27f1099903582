//! Runs a route to its end in the real pipeline, with components of the real plugin libraries, and times it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mfn_benches::clock::cpu_time;
use mfn_runtime::config::ComponentConfig;
use mfn_runtime::pipeline::Components;
use mfn_runtime::{ComponentOptions, Pipeline, PipelineConfig, PipelineState, Runtime, RuntimeOptions};

use super::memory::{Sink, Source};

/// The longest that one route may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) records: f64,
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Spent {
    /// Times a loop over so many records.
    pub(crate) fn of(records: u64, work: impl FnOnce()) -> Self {
        let (wall, cpu) = (Instant::now(), cpu_time());
        work();
        Self { records: records as f64, wall: wall.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
    }

    /// Records per second.
    pub(crate) fn rate(&self) -> f64 {
        self.records / self.wall.as_secs_f64()
    }

    /// CPU time of a record, microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.records
    }
}

/// A runtime, and where it finds the plugins' libraries.
pub(crate) struct Bed {
    runtime: Runtime,
    plugins: PathBuf,
}

impl Bed {
    pub(crate) fn new(plugins: &Path) -> Self {
        let runtime = Runtime::new(RuntimeOptions { threads: 1, ..RuntimeOptions::default() }).unwrap();
        Self { runtime, plugins: plugins.to_owned() }
    }

    /// Loads a plugin; a second time changes nothing.
    fn load(&self, plugin: &str) {
        let path = self.plugins.join(format!("libmfn_plugin_{plugin}.so"));
        if let Err(refusal) = self.runtime.load_plugin(&path) {
            panic!("{}: {refusal}; `cargo xtask bench --delivery` builds the plugins", path.display());
        }
    }

    /// Runs a route to the end of its `records` records. The source is `source`, or what `document` says of `in`; the
    /// publisher is what it says of `out`. Timed from the first records that are delivered to the last.
    pub(crate) fn run(
        &self,
        document: &str,
        base_dir: &Path,
        records: u64,
        source: Option<&Arc<Source>>,
    ) -> Spent {
        let config = PipelineConfig::from_toml(document, base_dir).unwrap();
        let components = self.components(&config, source);
        let pipeline = Pipeline::start_with(&self.runtime, config, components).unwrap();
        let spent = until_delivered(&pipeline, records);
        let status = pipeline.status();
        assert_eq!((status.rejected, status.dead_lettered), (0, 0), "{status:#?}");
        assert_eq!(source.map_or(0, |source| source.refused()), 0, "{status:#?}");
        pipeline.drain(Duration::from_secs(5));
        spent
    }

    fn components(&self, config: &PipelineConfig, source: Option<&Arc<Source>>) -> Components {
        let options = |component: &ComponentConfig, name: &str| ComponentOptions {
            name: name.to_owned(),
            config: component.config.clone(),
            base_dir: config.base_dir.clone(),
        };
        let (from, to) = (&config.connectors["in"], &config.publishers["out"]);
        let mut components = Components::default();
        let connector = match source {
            Some(source) => Arc::clone(source) as _,
            None => {
                self.load(&from.plugin);
                self.runtime.create_connector(&from.plugin, options(from, "in")).unwrap()
            }
        };
        components.connectors.insert("in".to_owned(), connector);
        let publisher = match &*to.plugin {
            "memory" => Arc::new(Sink) as _,
            plugin => {
                self.load(plugin);
                self.runtime.create_publisher(plugin, options(to, "out")).unwrap()
            }
        };
        components.publishers.insert("out".to_owned(), publisher);
        components
    }
}

/// Waits for the first records to be delivered, then for the last. What a publisher does once, such as connecting, is
/// no part of it, and neither are the records that it did it for.
fn until_delivered(pipeline: &Pipeline, records: u64) -> Spent {
    let begun = Instant::now();
    let wait = |pause: Duration, what: &dyn Fn() -> bool| {
        while !what() {
            let state = pipeline.wait(Duration::ZERO);
            assert!(state != PipelineState::Failed, "{:?}", pipeline.status().last_error);
            assert!(begun.elapsed() < PATIENCE, "{:#?}", pipeline.status());
            std::thread::sleep(pause);
        }
    };
    wait(Duration::from_micros(200), &|| pipeline.status().delivered > 0);
    let (wall, cpu, before) = (Instant::now(), cpu_time(), pipeline.status().delivered);
    wait(Duration::from_millis(2), &|| pipeline.status().delivered >= records);
    Spent { records: (records - before) as f64, wall: wall.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
}

/// Where the plugins lie when cargo built them: two directories up, beside `deps`.
pub(crate) fn built_plugins() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().and_then(Path::parent).unwrap().to_owned()
}
