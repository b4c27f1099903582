//! Adapters: a loaded plugin's objects as components of the runtime.
//!
//! The runtime trusts no plugin to keep the contract, so the promises that can be checked from outside
//! are checked here: one answer for each record, no more than was asked for, each token settled once,
//! nothing after `close` or after a fatal error. A breach is an error that names component, plugin and
//! method, and is counted in `mfn_plugin_breaches_total`.

mod connector;
mod outbound;
mod settlement;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use abi_stable::std_types::{RBox, RStr};
use mfn_plugin::{
    abi::{SHostObject, SLifecycle_TO, SResult, duration_ms},
    host::InstanceInfo,
    value::{Drained, Endpoint, ErrorClass, Health, HealthState, PluginError},
};
use zeroize::Zeroizing;

use super::{
    PluginInfo,
    host::{HostContext, Services},
    loader::Loaded,
};
use crate::{
    component::{self, ComponentError, Connector, Exporter, Publisher, Transport},
    error::RuntimeError,
    log::{LogLevel, LogRecord},
    metrics::Counter,
};
use settlement::Settlement;

/// Makes instances of one plugin.
pub(crate) struct Instances {
    loaded: Arc<Loaded>,
    services: Arc<Services>,
}

/// How a root module makes an instance of one kind.
type Create<S> = extern "C" fn(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> SResult<S>;

macro_rules! create {
    ($($method:ident -> $kind:ident: $adapter:ident;)*) => {$(
        pub(crate) fn $method(
            &self,
            info: InstanceInfo,
            config: &serde_json::Value,
        ) -> Result<Arc<dyn $kind>, RuntimeError> {
            let identity = self.identity(&info.name);
            let parts = self.make(self.loaded.module.$method(), &identity, &info, config)?;
            Ok(Arc::new($adapter::new(Instance::new(identity, parts.lifecycle), parts.object)))
        }
    )*};
}

impl Instances {
    pub(super) fn new(loaded: Arc<Loaded>, services: Arc<Services>) -> Self {
        Self { loaded, services }
    }

    pub(crate) fn info(&self) -> &PluginInfo {
        &self.loaded.info
    }

    create! {
        create_connector -> Connector: ConnectorAdapter;
        create_publisher -> Publisher: PublisherAdapter;
        create_transport -> Transport: TransportAdapter;
        create_exporter -> Exporter: ExporterAdapter;
    }

    fn identity(&self, component: &str) -> Identity {
        let plugin = self.loaded.info.descriptor.name.clone();
        let breaches = self.services.metrics.counter(
            "mfn_plugin_breaches_total",
            "Calls in which a plugin broke its contract.",
            &[("component", component), ("plugin", &plugin)],
        );
        Identity { component: component.to_owned(), plugin, breaches, services: Arc::clone(&self.services) }
    }

    fn make<S>(
        &self,
        create: Create<S>,
        identity: &Identity,
        info: &InstanceInfo,
        config: &serde_json::Value,
    ) -> Result<S, ComponentError> {
        const METHOD: &str = "create";
        let json = |error: serde_json::Error| {
            identity.error(METHOD, PluginError::permanent(format!("options: {error}")))
        };
        let config = Zeroizing::new(serde_json::to_string(config).map_err(json)?);
        let instance = serde_json::to_string(info).map_err(json)?;
        let host = HostContext::of_plugin(&identity.plugin, &self.services).of_component(&identity.component);
        create(host.object(), config.as_str().into(), instance.as_str().into())
            .into_result()
            .map_err(|error| identity.error(METHOD, error.into()))
    }
}

use connector::ConnectorAdapter;
use outbound::{ExporterAdapter, PublisherAdapter, TransportAdapter};

/// Who an instance is, for errors, logs and metrics.
struct Identity {
    component: String,
    plugin: String,
    breaches: Counter,
    /// Kept for the plugin as well, which reaches them only weakly.
    services: Arc<Services>,
}

impl Identity {
    fn error(&self, method: &'static str, error: PluginError) -> ComponentError {
        ComponentError { component: self.component.clone(), plugin: self.plugin.clone(), method, error }
    }
}

/// The part that all kinds have: the life of an instance and its fence.
struct Instance {
    identity: Identity,
    lifecycle: SLifecycle_TO<'static, RBox<()>>,
    /// The first fatal error: after it only `close` is called.
    fence: OnceLock<String>,
    closed: AtomicBool,
}

impl Instance {
    fn new(identity: Identity, lifecycle: SLifecycle_TO<'static, RBox<()>>) -> Self {
        Self { identity, lifecycle, fence: OnceLock::new(), closed: AtomicBool::new(false) }
    }

    /// Calls the plugin, unless the instance is closed or fenced. A fatal answer fences it.
    fn call<R>(&self, method: &'static str, work: impl FnOnce() -> SResult<R>) -> component::Result<R> {
        if self.closed.load(Ordering::Acquire) {
            return Err(self.identity.error(method, PluginError::fatal("the component is closed")));
        }
        if let Some(first) = self.fence.get() {
            let error = PluginError::fatal(format!("the component is fenced since {first}"));
            return Err(self.identity.error(method, error));
        }
        work().into_result().map_err(|error| self.failed(method, error.into()))
    }

    /// Gives an error its origin, and fences the instance when it is fatal.
    fn failed(&self, method: &'static str, error: PluginError) -> ComponentError {
        if error.class == ErrorClass::Fatal {
            let _ = self.fence.set(format!("{method}: {}", error.message));
        }
        self.identity.error(method, error)
    }

    /// The plugin broke the contract: counts and logs it, and makes an error of it.
    fn breach(&self, method: &'static str, class: ErrorClass, message: String) -> ComponentError {
        self.identity.breaches.increment();
        self.identity.services.log.emit(&LogRecord {
            level: LogLevel::Error,
            target: "mfn_runtime::plugin",
            message: &format!("{method}: breach of contract: {message}"),
            fields: &[],
            component: Some(&self.identity.component),
            plugin: Some(&self.identity.plugin),
        });
        self.failed(method, PluginError::new(class, format!("breach of contract: {message}")))
    }

    fn health(&self) -> Health {
        if self.closed.load(Ordering::Acquire) {
            Health::new(HealthState::Down, "closed")
        } else if let Some(first) = self.fence.get() {
            Health::new(HealthState::Down, first.clone())
        } else {
            self.lifecycle.health().into()
        }
    }

    fn close(&self) -> component::Result<()> {
        self.closed.store(true, Ordering::Release);
        self.lifecycle.close().into_result().map_err(|error| self.identity.error("close", error.into()))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if !*self.closed.get_mut()
            && let Err(error) = self.close()
        {
            self.identity.services.log.write(LogLevel::Warn, "mfn_runtime::plugin", &error.to_string());
        }
    }
}

/// Gives every adapter the life of its instance.
macro_rules! delegate_component {
    ($adapter:ident) => {
        impl $crate::component::Component for $adapter {
            fn name(&self) -> &str {
                &self.instance.identity.component
            }
            fn plugin(&self) -> &str {
                &self.instance.identity.plugin
            }
            fn open(&self) -> $crate::component::Result<()> {
                self.instance.open()
            }
            fn health(&self) -> mfn_plugin::value::Health {
                self.instance.health()
            }
            fn check(&self) -> $crate::component::Result<()> {
                self.instance.check()
            }
            fn endpoints(&self) -> $crate::component::Result<Vec<mfn_plugin::value::Endpoint>> {
                self.instance.endpoints()
            }
            fn drain(
                &self,
                timeout: std::time::Duration,
            ) -> $crate::component::Result<mfn_plugin::value::Drained> {
                self.instance.drain(timeout)
            }
            fn close(&self) -> $crate::component::Result<()> {
                self.instance.close()
            }
        }
    };
}
use delegate_component;

impl Instance {
    fn open(&self) -> component::Result<()> {
        self.call("open", || self.lifecycle.open())
    }

    fn check(&self) -> component::Result<()> {
        self.call("check", || self.lifecycle.check())
    }

    fn endpoints(&self) -> component::Result<Vec<Endpoint>> {
        let endpoints = self.call("endpoints", || self.lifecycle.endpoints())?;
        Ok(endpoints.into_iter().map(Endpoint::from).collect())
    }

    fn drain(&self, timeout: Duration) -> component::Result<Drained> {
        self.call("drain", || self.lifecycle.drain(duration_ms(timeout))).map(Drained::from)
    }
}
