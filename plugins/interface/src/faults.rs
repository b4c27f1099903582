//! Collects the faults of a configuration, so that an operator sees all of them at once.

use std::{fmt::Debug, path::Path};

use crate::{author::Result, value::PluginError};

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Notes that `field` holds `value`, which is not `allowed`, and what to do, unless `ok`.
    pub fn check(&mut self, ok: bool, field: &str, value: impl Debug, allowed: &str, fix: &str) {
        if !ok {
            self.0.push(format!("{field}: {value:?} is not allowed, it must be {allowed}; {fix}"));
        }
    }

    /// As [`check`](Self::check) for a value that must not be shown.
    pub fn check_secret(&mut self, ok: bool, field: &str, allowed: &str, fix: &str) {
        if !ok {
            self.0.push(format!(
                "{field}: what is set (not shown) is not allowed, it must be {allowed}; {fix}"
            ));
        }
    }

    /// Checks that a path can be one: not empty, and without the character that ends it for the system.
    pub fn path(&mut self, field: &str, value: &Path) {
        let bytes = value.as_os_str().as_encoded_bytes();
        let ok = !bytes.is_empty() && !bytes.contains(&0);
        self.check(ok, field, value, "a path without NUL", "name a directory or a file");
    }

    /// Checks that a number lies in a closed range.
    pub fn range(&mut self, field: &str, value: u64, min: u64, max: u64) {
        let fix = "choose a number in this range or leave the field out";
        self.check((min..=max).contains(&value), field, value, &format!("{min} to {max}"), fix);
    }

    /// One error with every fault, or nothing.
    ///
    /// # Errors
    /// Permanent, where there is a fault.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(PluginError::permanent(self.0.join("\n"))) }
    }
}
