//! Core files: a crash of a pipeline must not write its secrets to a disk.
//!
//! Only the command does this, for its own process: a library has no business with the limits of its host.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lowers the limit for core files to 0 bytes, for this process and those that it starts. The hard limit
/// stays, so that a shell or a debugger may raise it again. A system that hands crashes to a program
/// (`|` in `/proc/sys/kernel/core_pattern`) passes the limit on to it; whether it is heeded is that
/// program's matter, and systemd-coredump heeds it.
pub(crate) fn forbid() -> std::io::Result<()> {
    let limit = getrlimit(Resource::Core);
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit })?)
}
