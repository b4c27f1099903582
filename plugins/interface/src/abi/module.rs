//! The root module: the table of functions that a plugin library exports through one data symbol.
#![allow(unsafe_code, non_local_definitions, missing_docs, clippy::used_underscore_binding)]

use abi_stable::{
    StableAbi, declare_root_module_statics,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RStr, RString},
};

use super::{
    object::{SConnectorInstance, SExporterInstance, SHostObject, SPublisherInstance, STransportInstance},
    value::SResult,
};

/// The symbol to look for in a library's dynamic symbol table before loading it. abi_stable mangles it
/// from its own major version, so a plugin of another abi_stable lacks it.
pub const PLUGIN_SYMBOL: &str = abi_stable::library::ROOT_MODULE_LOADER_NAME;

/// What a plugin library exports. The host calls `init` once, before anything but `describe`.
///
/// `config` and `instance` are JSON: the component's configuration, and
/// [`InstanceInfo`](crate::host::InstanceInfo). A kind that the plugin lacks answers a permanent error.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef)))]
#[sabi(missing_field(option))]
pub struct PluginModule {
    /// The [`Descriptor`](crate::descriptor::Descriptor) as JSON.
    #[sabi(missing_field(panic))]
    pub describe: extern "C" fn() -> SResult<RString>,
    /// Hands over the host and runs the plugin's own start.
    #[sabi(missing_field(panic))]
    pub init: extern "C" fn(host: SHostObject, log_level: u32) -> SResult<()>,
    /// Levels 0 (off) to 5 (trace).
    #[sabi(missing_field(panic))]
    pub set_log_level: extern "C" fn(log_level: u32),
    #[sabi(missing_field(panic))]
    pub create_connector:
        extern "C" fn(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> SResult<SConnectorInstance>,
    #[sabi(missing_field(panic))]
    pub create_publisher:
        extern "C" fn(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> SResult<SPublisherInstance>,
    #[sabi(missing_field(panic))]
    pub create_transport:
        extern "C" fn(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> SResult<STransportInstance>,
    #[sabi(missing_field(panic), last_prefix_field)]
    pub create_exporter:
        extern "C" fn(host: SHostObject, config: RStr<'_>, instance: RStr<'_>) -> SResult<SExporterInstance>,
}

impl RootModule for PluginModuleRef {
    declare_root_module_statics! {PluginModuleRef}
    const BASE_NAME: &'static str = "mfn_plugin";
    const NAME: &'static str = "mfn_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
