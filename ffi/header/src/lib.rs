//! Writes `include/mfn.h` from the sources of mfn-ffi, one block per source file.
//!
//! cbindgen alone orders a header by kind: all constants, all types, all functions. A reader wants all
//! of one concept together, so it is run on each file by itself and the pieces are put in order here, each
//! under the introduction that the file gives itself. The header is committed; `cargo xtask check` compares.

use std::path::{Path, PathBuf};

include!("../../src/layout/table.rs");

/// The source files of the exported items, in the header's order: a block uses only blocks above it.
pub const BLOCKS: &[&str] = &[
    "library",
    "status",
    "error",
    "owned",
    "field",
    "features",
    "history",
    "descriptors",
    "graph",
    "edges",
    "robustness",
    "membrane",
    "spec",
    "operators",
    "kinetics",
    "simulation",
    "checkpoint",
    "recording",
    "simulation_input",
    "lyapunov",
    "ifs",
    "model",
    "ensemble",
    "sweep",
    "aggregation",
    "plasticity",
    "learning",
    "validation",
    "picture",
    "log",
    "runtime",
    "component",
    "record",
    "connector",
    "publisher",
    "transport",
    "config",
    "outcome",
    "pipeline",
    "health",
];

/// Why the header could not be written.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// A source file or the configuration can not be read.
    #[error("can not read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The configuration is refused.
    #[error("{path}: {message}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What cbindgen said.
        message: String,
    },
    /// A source file is refused.
    #[error("cbindgen refuses {path}: {source}")]
    Generate {
        /// The file.
        path: PathBuf,
        /// What cbindgen said.
        source: Box<cbindgen::Error>,
    },
    /// A source file does not begin with an introduction.
    #[error("{path} has no introduction: begin it with a //! comment")]
    NoIntroduction {
        /// The file.
        path: PathBuf,
    },
}

/// The header as the sources in the folder of mfn-ffi give it.
///
/// # Errors
/// [`HeaderError`] when a source can not be read or understood.
pub fn generate(ffi: &Path) -> Result<String, HeaderError> {
    let config_path = ffi.join("cbindgen.toml");
    let config = cbindgen::Config::from_file(&config_path)
        .map_err(|message| HeaderError::Config { path: config_path, message })?;
    let mut header = String::from(OPENING);
    for block in BLOCKS {
        let path = ffi.join("src").join(block).with_extension("rs");
        header.push_str(&introduction(&path)?);
        header.push_str(&declarations(&path, &config)?);
    }
    header.push_str(&layout_checks());
    header.push_str(CLOSING);
    Ok(header)
}

/// The `//!` comment of a source file as a C comment.
fn introduction(path: &Path) -> Result<String, HeaderError> {
    let source = std::fs::read_to_string(path)
        .map_err(|source| HeaderError::Read { path: path.to_owned(), source })?;
    let lines: Vec<_> = source.lines().map_while(|line| line.strip_prefix("//!")).collect();
    if lines.is_empty() {
        return Err(HeaderError::NoIntroduction { path: path.to_owned() });
    }
    let rule = "=".repeat(98);
    Ok(format!("\n/* {rule}\n *{}\n */\n\n", lines.join("\n *")))
}

/// What cbindgen makes of one source file.
fn declarations(path: &Path, config: &cbindgen::Config) -> Result<String, HeaderError> {
    let bindings = cbindgen::Builder::new()
        .with_src(path)
        .with_config(config.clone())
        .generate()
        .map_err(|source| HeaderError::Generate { path: path.to_owned(), source: Box::new(source) })?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    // cbindgen writes `struct` only before types of the same file; without it every use reads alike.
    let text = String::from_utf8_lossy(&text).replace("typedef struct mfn_", "typedef struct\0mfn_");
    Ok(format!("{}\n", text.replace("struct mfn_", "mfn_").replace('\0', " ").trim()))
}

macro_rules! layout_text {
    ($($type:ident: $size:literal { $($field:ident: $offset:literal),+ $(,)? })+) => {
        concat!($(
            "MFN_LAYOUT_CHECK(sizeof(", stringify!($type), ") == ", stringify!($size), ", ",
            stringify!($type), "_size);\n",
            $("MFN_LAYOUT_CHECK(offsetof(", stringify!($type), ", ", stringify!($field), ") == ",
            stringify!($offset), ", ", stringify!($type), "_", stringify!($field), ");\n",)+
        )+)
    };
}

/// A struct that crosses the boundary by value, on a machine with pointers of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Its name in C and in Rust.
    pub name: &'static str,
    /// Its size in bytes.
    pub size: u64,
    /// Each field with its offset in bytes, in the order of the table.
    pub offsets: &'static [(&'static str, u64)],
}

macro_rules! layout_values {
    ($($type:ident: $size:literal { $($field:ident: $offset:literal),+ $(,)? })+) => {
        &[$(Layout { name: stringify!($type), size: $size, offsets: &[$((stringify!($field), $offset)),+] }),+]
    };
}

/// The layouts that the Rust compiler is held to when libmfn is built.
pub const LAYOUTS: &[Layout] = with_layouts!(layout_values);

/// The table of layouts for the C compiler.
fn layout_checks() -> String {
    format!("{LAYOUT_OPENING}{}{LAYOUT_CLOSING}", with_layouts!(layout_text))
}

const OPENING: &str = "\
/*
 * mfn.h: the C interface of libmfn.
 *
 * libmfn embeds the MyceliumFractalNet simulation: three coupled fields on a square grid, and the 18 features
 * that describe them. At run time it loads plugins that bring requests in and carry results out.
 *
 * A first program:
 *
 *     mfn_spec spec;
 *     mfn_sim *sim = NULL;
 *     mfn_error *error = NULL;
 *     mfn_spec_init(&spec, sizeof spec, NULL);
 *     spec.grid_size = 128;
 *     if (mfn_sim_create(&spec, &sim, &error) != MFN_OK || mfn_sim_run(sim, 200, NULL, NULL, &error) != MFN_OK)
 *         fprintf(stderr, \"%s\\n\", mfn_error_message(error));
 *     mfn_error_free(error);
 *     mfn_sim_free(sim);
 *
 * Rules that hold everywhere:
 *  - Handles are opaque. What a function hands over is freed by the function that its comment names.
 *  - Outputs are written only on success. After a failure everything is as it was, unless the comment says more.
 *  - NULL, misaligned pointers, impossible sizes and values out of range give MFN_INVALID with a message.
 *  - Texts are UTF-8 and end with NUL. Lengths, counts and sizes are size_t.
 *  - A struct that begins with struct_size may grow in later versions; programs compiled earlier keep working.
 *  - [any-thread]: may be called from any thread at any time. [one-thread-per-handle]: one call at a time with
 *    this handle; a second one at the same time answers MFN_INVALID. A const handle is always [any-thread]; while
 *    another call changes it, what would read it answers MFN_INVALID.
 *  - A call computes on the thread that makes it, unless its comment or its options speak of threads.
 *  - Freeing is the end: no call with the handle may be under way or come later.
 *  - The library changes nothing that belongs to the whole process: no signal handlers, no locale, no
 *    environment, no output of its own. (A defect that is caught, MFN_FATAL, is also written to stderr.)
 *
 * This file is generated from the folder ffi by `cargo xtask header`. Do not edit it.
 */
#ifndef MFN_H
#define MFN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {
#endif
";

const CLOSING: &str = "
#ifdef __cplusplus
} /* extern \"C\" */
#endif

#endif /* MFN_H */
";

const LAYOUT_OPENING: &str = "
/* ==================================================================================================
 * Layout checks: sizes and offsets that programs are compiled with. On a machine with pointers of 64
 * bits a compiler that lays a struct out in another way stops here.
 */

#if UINTPTR_MAX == 0xffffffffffffffffu
#if defined(__cplusplus) && __cplusplus >= 201103L
#define MFN_LAYOUT_CHECK(condition, name) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MFN_LAYOUT_CHECK(condition, name) _Static_assert(condition, #name)
#else
#define MFN_LAYOUT_CHECK(condition, name) typedef char mfn_layout_##name[(condition) ? 1 : -1]
#endif
";

const LAYOUT_CLOSING: &str = "\
#undef MFN_LAYOUT_CHECK
#endif
";
