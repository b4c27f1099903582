//! Makes a loadable library of an author's types: the [`export!`](crate::export) macro and what it calls.
#![allow(unsafe_code)]

use std::sync::Arc;

use abi_stable::{
    sabi_trait::TD_Opaque,
    std_types::{RNone, ROption, RSlice, RStr, RString, RVec},
};
use serde::de::DeserializeOwned;

use crate::{
    abi::{
        SConnector, SConnector_TO, SConnectorInstance, SCursor, SDrained, SEndpoint, SError, SExporter,
        SExporter_TO, SExporterInstance, SFetch, SHealth, SHostObject, SLifecycle, SLifecycle_TO, SPublisher,
        SPublisher_TO, SPublisherInstance, SPublisherTraits, SRecordResult, SRecordView, SResult, STransport,
        STransport_TO, STransportInstance, SVerdict,
    },
    author::{Component, Connector, Exporter, Publisher, Result, Shield, Transport, contain},
    descriptor::{Descriptor, INTERFACE_VERSION, KindDescriptor},
    host::{Host, InstanceInfo},
    log_bridge,
    room::Room,
    secret::{Secrets, read_config},
    value::{BatchToken, FetchLimits, Kind, PluginError, PublishContext, RecordView, Verdict},
};

/// Exports a plugin library: its name, version, one sentence about it, and a type for each kind it
/// serves. Optional: `init: function`, run once after loading, `fn() -> Result<(), PluginError>`.
///
/// ```text
/// mfn_plugin::export! {
///     name: "file",
///     version: env!("CARGO_PKG_VERSION"),
///     about: "Reads and writes files.",
///     connector: FileConnector,
///     publisher: FilePublisher,
/// }
/// ```
///
/// Use it once, in the root of a crate of type `cdylib`.
#[macro_export]
macro_rules! export {
    (
        name: $name:expr,
        version: $version:expr,
        about: $about:expr,
        $(init: $init:expr,)?
        $(connector: $connector:ty,)?
        $(publisher: $publisher:ty,)?
        $(transport: $transport:ty,)?
        $(exporter: $exporter:ty,)?
    ) => {
        #[doc(hidden)]
        #[allow(unsafe_code, missing_docs)]
        mod mfn_plugin_export {
            use super::*;
            use $crate::abi as sabi;
            use $crate::private::abi_stable::{
                library::{CheckTypeLayout, LibHeader, RootModuleResult, __call_root_module_loader},
                prefix_type::PrefixTypeTrait,
                std_types::{RStr, RString},
            };

            extern "C" fn describe() -> sabi::SResult<RString> {
                $crate::private::describe($name, $version, $about, || vec![
                    $($crate::private::kind::<$connector>($crate::value::Kind::Connector),)?
                    $($crate::private::kind::<$publisher>($crate::value::Kind::Publisher),)?
                    $($crate::private::kind::<$transport>($crate::value::Kind::Transport),)?
                    $($crate::private::kind::<$exporter>($crate::value::Kind::Exporter),)?
                ])
            }

            extern "C" fn init(host: sabi::SHostObject, log_level: u32) -> sabi::SResult<()> {
                $crate::private::init(host, log_level, || {
                    $($init()?;)?
                    Ok(())
                })
            }

            extern "C" fn set_log_level(log_level: u32) {
                $crate::private::set_log_level(log_level);
            }

            #[allow(unreachable_code, unused_variables)]
            extern "C" fn create_connector(
                host: sabi::SHostObject, config: RStr<'_>, instance: RStr<'_>,
            ) -> sabi::SResult<sabi::SConnectorInstance> {
                $(return $crate::private::create_connector::<$connector>(host, config, instance);)?
                $crate::private::not_served($name, $crate::value::Kind::Connector)
            }

            #[allow(unreachable_code, unused_variables)]
            extern "C" fn create_publisher(
                host: sabi::SHostObject, config: RStr<'_>, instance: RStr<'_>,
            ) -> sabi::SResult<sabi::SPublisherInstance> {
                $(return $crate::private::create_publisher::<$publisher>(host, config, instance);)?
                $crate::private::not_served($name, $crate::value::Kind::Publisher)
            }

            #[allow(unreachable_code, unused_variables)]
            extern "C" fn create_transport(
                host: sabi::SHostObject, config: RStr<'_>, instance: RStr<'_>,
            ) -> sabi::SResult<sabi::STransportInstance> {
                $(return $crate::private::create_transport::<$transport>(host, config, instance);)?
                $crate::private::not_served($name, $crate::value::Kind::Transport)
            }

            #[allow(unreachable_code, unused_variables)]
            extern "C" fn create_exporter(
                host: sabi::SHostObject, config: RStr<'_>, instance: RStr<'_>,
            ) -> sabi::SResult<sabi::SExporterInstance> {
                $(return $crate::private::create_exporter::<$exporter>(host, config, instance);)?
                $crate::private::not_served($name, $crate::value::Kind::Exporter)
            }

            fn module() -> sabi::PluginModuleRef {
                sabi::PluginModule {
                    describe,
                    init,
                    set_log_level,
                    create_connector,
                    create_publisher,
                    create_transport,
                    create_exporter,
                }
                .leak_into_prefix()
            }

            extern "C" fn erased_module() -> RootModuleResult {
                __call_root_module_loader(module)
            }

            // The name that abi_stable looks up; `PLUGIN_SYMBOL` holds the same and a test compares them.
            // SAFETY (of the export): the name is this library's own; nothing else defines it.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            pub static MFN_PLUGIN: LibHeader =
                // SAFETY: `erased_module` erases exactly a `PluginModuleRef`.
                unsafe { LibHeader::from_constructor::<sabi::PluginModuleRef>(erased_module, CheckTypeLayout::Yes) };
        }
    };
}

/// The descriptor as JSON.
pub fn describe(
    name: &str,
    version: &str,
    about: &str,
    kinds: impl FnOnce() -> Vec<KindDescriptor>,
) -> SResult<RString> {
    let work = || {
        let descriptor = Descriptor {
            name: name.to_owned(),
            version: version.to_owned(),
            about: about.to_owned(),
            interface_version: INTERFACE_VERSION.to_owned(),
            kinds: kinds(),
        };
        serde_json::to_string(&descriptor)
            .map(RString::from)
            .map_err(|error| PluginError::fatal(format!("the descriptor is not JSON: {error}")))
    };
    answer(contain("describe", work))
}

/// Describes one kind by the schema of its configuration.
#[must_use]
pub fn kind<T: Component>(kind: Kind) -> KindDescriptor {
    KindDescriptor { kind, config_schema: schemars::schema_for!(T::Config).to_value() }
}

/// Connects logs, then runs the plugin's own start.
pub fn init(host: SHostObject, log_level: u32, start: impl FnOnce() -> Result<()>) -> SResult<()> {
    answer(contain("init", || {
        log_bridge::install(host, log_level);
        start()
    }))
}

/// Changes the most verbose level that the plugin forwards: 0 (off) to 5 (trace).
pub fn set_log_level(log_level: u32) {
    let _ = contain("set_log_level", || {
        log_bridge::set_level(log_level);
        Ok(())
    });
}

/// The answer for a kind that the plugin lacks.
pub fn not_served<T>(name: &str, kind: Kind) -> SResult<T> {
    answer(Err(PluginError::permanent(format!("the plugin {name:?} serves no {kind}"))))
}

/// Reads the configuration, then makes the author's object behind its wall.
fn build<T: Component>(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> Result<Shared<T>> {
    contain("create", || {
        let info: InstanceInfo = parse("instance", instance.as_str())?;
        let config: serde_json::Value = parse("config", config.as_str())?;
        let (config, secrets) = read_config::<T>(config, &info.base_dir)?;
        let host = Host::new(host, info);
        let object = host.scope(|| T::create(config, host.clone()))?;
        Ok(Shared::new(Arc::new(Shield::new(object)), Arc::new(secrets), host))
    })
}

/// Reads JSON; an error names the path of the field.
fn parse<T: DeserializeOwned>(what: &str, json: &str) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { what.to_owned() } else { format!("{what}.{path}") };
        PluginError::permanent(format!("{place}: {}", error.inner()))
    })
}

fn answer<T>(result: Result<T>) -> SResult<T> {
    result.map_err(SError::from).into()
}

/// One author's object, shared by the two objects of an instance.
struct Shared<T> {
    shield: Arc<Shield<T>>,
    secrets: Arc<Secrets>,
    host: Host,
    views: Room<RecordView<'static>>,
}

impl<T: Component> Shared<T> {
    fn new(shield: Arc<Shield<T>>, secrets: Arc<Secrets>, host: Host) -> Self {
        Self { shield, secrets, host, views: Room::default() }
    }

    fn twin(&self) -> Self {
        Self::new(Arc::clone(&self.shield), Arc::clone(&self.secrets), self.host.clone())
    }

    /// Calls the author's object, with its events going to the log under the instance's name.
    fn call<R>(&self, method: &str, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        self.host.scope(|| self.shield.call(method, work))
    }

    /// As [`call`](Self::call), when every secret of the configuration can be read: all that can not are
    /// named at once, instead of one by one as the author's object happens to need them.
    fn call_with_secrets(&self, method: &str, work: impl FnOnce(&mut T) -> Result<()>) -> Result<()> {
        self.host.scope(|| contain(method, || self.secrets.check()))?;
        self.call(method, work)
    }
}

macro_rules! create {
    ($(#[$doc:meta])* $function:ident, $author:ident, $instance:ident, $object:ident) => {
        $(#[$doc])*
        pub fn $function<T: $author>(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> SResult<$instance> {
            answer(build::<T>(host, config, instance).map(|shared| $instance {
                lifecycle: SLifecycle_TO::from_value(shared.twin(), TD_Opaque),
                object: $object::from_value(shared, TD_Opaque),
            }))
        }
    };
}

create!(
    /// Makes a connector instance.
    create_connector, Connector, SConnectorInstance, SConnector_TO
);
create!(
    /// Makes a publisher instance.
    create_publisher, Publisher, SPublisherInstance, SPublisher_TO
);
create!(
    /// Makes a transport instance.
    create_transport, Transport, STransportInstance, STransport_TO
);
create!(
    /// Makes an exporter instance.
    create_exporter, Exporter, SExporterInstance, SExporter_TO
);

fn ms(timeout_ms: u64) -> std::time::Duration {
    std::time::Duration::from_millis(timeout_ms)
}

impl<T: Component> SLifecycle for Shared<T> {
    fn open(&self) -> SResult<()> {
        answer(self.call_with_secrets("open", T::open))
    }
    fn health(&self) -> SHealth {
        self.shield.health().into()
    }
    fn check(&self) -> SResult<()> {
        answer(self.call_with_secrets("check", T::check))
    }
    fn endpoints(&self) -> SResult<RVec<SEndpoint>> {
        answer(
            self.call("endpoints", |object| {
                Ok(object.endpoints().into_iter().map(SEndpoint::from).collect())
            }),
        )
    }
    fn drain(&self, timeout_ms: u64) -> SResult<SDrained> {
        answer(self.call("drain", |object| object.drain(ms(timeout_ms)).map(SDrained::from)))
    }
    fn close(&self) -> SResult<()> {
        answer(self.host.scope(|| self.shield.close()))
    }
}

impl<T: Connector> SConnector for Shared<T> {
    fn fetch(&self, records_max: u32, bytes_max: u64, timeout_ms: u64) -> SResult<SFetch> {
        let limits = FetchLimits { records_max: records_max.max(1), bytes_max, timeout: ms(timeout_ms) };
        answer(self.call("fetch", |object| object.fetch(limits).map(SFetch::from)))
    }
    fn settle(&self, token: u64, verdicts: RSlice<'_, SVerdict>) -> SResult<()> {
        let verdicts: Vec<Verdict> = verdicts.as_slice().iter().map(Verdict::from).collect();
        answer(self.call("settle", |object| object.settle(BatchToken(token), &verdicts)))
    }
    fn position(&self, partition: RStr<'_>) -> SResult<RVec<u8>> {
        answer(self.call("position", |object| object.position(partition.as_str()).map(RVec::from)))
    }
    fn pause(&self) -> SResult<()> {
        answer(self.call("pause", T::pause))
    }
    fn resume(&self) -> SResult<()> {
        answer(self.call("resume", T::resume))
    }
    fn backlog(&self) -> SResult<ROption<u64>> {
        answer(self.call("backlog", |object| Ok(object.backlog().map_or(RNone, ROption::RSome))))
    }
}

impl<T: Publisher> SPublisher for Shared<T> {
    fn traits(&self) -> SResult<SPublisherTraits> {
        answer(self.call("traits", |object| Ok(object.traits().into())))
    }
    fn publish(
        &self,
        records: RSlice<'_, SRecordView<'_>>,
        attempt: u32,
        timeout_ms: u64,
    ) -> SResult<RVec<SRecordResult>> {
        let mut views = self.views.take::<RecordView<'_>>();
        views.extend(records.as_slice().iter().map(SRecordView::plain));
        let context = PublishContext { attempt, timeout: ms(timeout_ms) };
        let results = self.call("publish", |object| {
            Ok(object.publish(&views, context)?.into_iter().map(SRecordResult::from).collect())
        });
        self.views.put(views);
        answer(results)
    }
    fn flush(&self, timeout_ms: u64) -> SResult<()> {
        answer(self.call("flush", |object| object.flush(ms(timeout_ms))))
    }
}

impl<T: Transport> STransport for Shared<T> {
    fn publish(&self, topic: RStr<'_>, event: SRecordView<'_>) -> SResult<SCursor> {
        let view = event.plain();
        answer(self.call("publish", |object| object.publish(topic.as_str(), &view).map(SCursor::from)))
    }
}

impl<T: Exporter> SExporter for Shared<T> {
    fn flush(&self, timeout_ms: u64) -> SResult<()> {
        answer(self.call("flush", |object| object.flush(ms(timeout_ms))))
    }
}

#[cfg(test)]
mod tests {
    /// Guards the export name in the macro, which has to be a literal, against another abi_stable.
    #[test]
    fn the_exported_name_is_the_one_that_is_looked_up() {
        let declared = format!("export_name = \"{}\"", crate::abi::PLUGIN_SYMBOL);
        assert!(include_str!("export.rs").contains(&declared), "the macro has to say {declared}");
    }
}
