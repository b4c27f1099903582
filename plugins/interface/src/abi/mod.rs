//! What crosses the library boundary: `#[repr(C)]` values, trait objects, the root module.
//!
//! Only the two adapters use this module: the one in this crate that wraps an author's object, and the
//! one in the runtime that makes runtime components of a loaded module. Rules: only the module and the
//! vtables grow, at the end and with a default; the value structs are frozen for the life of a major
//! version, so what may still grow crosses as JSON; enums cross as numbers.

mod module;
mod object;
mod value;

pub use module::{PLUGIN_SYMBOL, PluginModule, PluginModuleRef};
pub use object::*;
pub use value::*;
