//! A plugin that carries no description of its types, for the tests of the loader.
#![allow(unsafe_code)]

use abi_stable::library::{__call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult};
use mfn_plugin::abi::PluginModuleRef;

fn module() -> PluginModuleRef {
    unreachable!("the layout is checked before")
}

extern "C" fn erased_module() -> RootModuleResult {
    __call_root_module_loader(module)
}

/// The table that the loader looks for.
// SAFETY (of the export): the name is this library's own; nothing else defines it.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
pub static PLUGIN: LibHeader =
    // SAFETY: `erased_module` erases exactly a `PluginModuleRef`.
    unsafe { LibHeader::from_constructor::<PluginModuleRef>(erased_module, CheckTypeLayout::No) };
