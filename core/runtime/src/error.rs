//! What the runtime's calls can fail with.

use std::path::PathBuf;

use mfn_plugin::value::Kind;

use crate::{
    component::ComponentError,
    config::{ConfigError, ConfigFault},
    plugin::LoadRefusal,
    spool::SpoolError,
};

/// Why the runtime could not do what was asked. Nothing changed, except where the variant says so.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// An option is outside its range.
    #[error("{field}: {value} is not allowed; {allowed}")]
    Option {
        /// The option.
        field: &'static str,
        /// What was given.
        value: String,
        /// What would be allowed.
        allowed: &'static str,
    },
    /// The threads for computing could not be started.
    #[error("the thread pool could not be started: {0}; ask for fewer threads")]
    Threads(String),
    /// No plugin of this name is loaded.
    #[error("no plugin {name:?} is loaded; loaded are: {}", listed(.loaded))]
    UnknownPlugin {
        /// The name that was asked for.
        name: String,
        /// The names of those that are loaded.
        loaded: Vec<String>,
    },
    /// The plugin is of another kind.
    #[error("the plugin {plugin:?} is no {kind}; it serves: {}", listed(.served))]
    KindNotServed {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        kind: Kind,
        /// What it serves.
        served: Vec<Kind>,
    },
    /// A plugin library was refused.
    #[error(transparent)]
    Load(#[from] LoadRefusal),
    /// A directory could not be read.
    #[error("the plugin directory {} can not be read: {message}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// A pipeline's configuration has faults.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Components failed the probe before the start, and nothing was started.
    #[error("nothing was started, {} failed the probe:{}", counted(.faults), lines(.faults))]
    Probe {
        /// What failed: the path of the component, what it said and what to do.
        faults: Vec<ConfigFault>,
    },
    /// The spool of a route can not be opened.
    #[error("route {route}: {error}")]
    Spool {
        /// The route.
        route: String,
        /// What is wrong with it.
        error: SpoolError,
    },
    /// A component failed, was not made or was not opened.
    #[error(transparent)]
    Component(#[from] ComponentError),
}

/// How many components.
fn counted(faults: &[ConfigFault]) -> String {
    if faults.len() == 1 { "1 component".to_owned() } else { format!("{} components", faults.len()) }
}

/// A line for each fault.
fn lines(faults: &[ConfigFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// Words in a row, or that there are none.
fn listed<T: ToString>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
