//! A library with the table of another interface under the name that plugins export, for the tests of
//! the loader. Its version is the text `4242.0.0`; the tests change it in a copy of the library, and
//! with the version of this interface the layout is what differs.
#![allow(unsafe_code, missing_docs, non_local_definitions, clippy::used_underscore_binding)]

use abi_stable::{
    StableAbi, declare_root_module_statics,
    library::{__call_root_module_loader, CheckTypeLayout, LibHeader, RootModule, RootModuleResult},
    prefix_type::PrefixTypeTrait,
    sabi_types::VersionStrings,
};

/// Another table: one function, of another type.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef)))]
#[sabi(missing_field(panic))]
pub struct PluginModule {
    #[sabi(last_prefix_field)]
    pub describe: extern "C" fn(u64) -> u64,
}

impl RootModule for PluginModuleRef {
    declare_root_module_statics! {PluginModuleRef}
    const BASE_NAME: &'static str = "mfn_plugin";
    const NAME: &'static str = "mfn_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("4242.0.0");
}

extern "C" fn describe(number: u64) -> u64 {
    number
}

fn module() -> PluginModuleRef {
    PluginModule { describe }.leak_into_prefix()
}

extern "C" fn erased_module() -> RootModuleResult {
    __call_root_module_loader(module)
}

// SAFETY (of the export): the name is this library's own; nothing else defines it.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
pub static FOREIGN: LibHeader =
    // SAFETY: `erased_module` erases exactly a `PluginModuleRef`, the one of this file.
    unsafe { LibHeader::from_constructor::<PluginModuleRef>(erased_module, CheckTypeLayout::Yes) };
