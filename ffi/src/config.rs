//! Configuration of a pipeline: one document, in TOML or JSON, that names plugins, components and routes.
//!
//! The error of a refused document lists every fault with its place and its remedy: see
//! mfn_error_fault_count().

use std::ffi::c_char;
use std::path::Path;

use ::mfn_runtime::{ConfigError, PipelineConfig};

use crate::argument::{self, Slot};
use crate::error::{Failure, mfn_error};
use crate::guard::{self, Handle, opaque};
use crate::status::mfn_status;

/// A configuration that was read and holds together. Freed with mfn_config_free().
pub struct mfn_config(Handle<PipelineConfig>);

opaque! { mfn_config(PipelineConfig) as "config" = 14; }

/// Reads a file: JSON when its name ends in .json, TOML otherwise. Relative paths in it start at the
/// file's directory. The host owns *config and frees it with mfn_config_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_config_from_file(
    path: *const c_char,
    config: *mut *mut mfn_config,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || {
        let slot = Slot::required("config", config)?;
        slot.hand_over(guard::create(PipelineConfig::from_path(Path::new(argument::text("path", path)?))?));
        Ok(())
    })
}

/// Reads a TOML text. Relative paths in it start at base_dir; NULL: at the working directory. The host
/// owns *config and frees it with mfn_config_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_config_from_toml(
    text: *const c_char,
    base_dir: *const c_char,
    config: *mut *mut mfn_config,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || from_text(text, base_dir, config, PipelineConfig::from_toml))
}

/// As mfn_config_from_toml(), from the same document as JSON. The host owns *config and frees it with
/// mfn_config_free(). [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_config_from_json(
    text: *const c_char,
    base_dir: *const c_char,
    config: *mut *mut mfn_config,
    error: *mut *mut mfn_error,
) -> mfn_status {
    guard::free_standing(error, || from_text(text, base_dir, config, PipelineConfig::from_json))
}

fn from_text(
    text: *const c_char,
    base_dir: *const c_char,
    config: *mut *mut mfn_config,
    read: impl FnOnce(&str, &Path) -> Result<PipelineConfig, ConfigError>,
) -> Result<(), Failure> {
    let slot = Slot::required("config", config)?;
    let base_dir = argument::optional_text("base_dir", base_dir)?.unwrap_or(".");
    slot.hand_over(guard::create(read(argument::text("text", text)?, Path::new(base_dir))?));
    Ok(())
}

/// Frees a configuration. NULL is allowed. [any-thread]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mfn_config_free(config: *mut mfn_config) {
    guard::free(config);
}
