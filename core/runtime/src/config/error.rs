//! What is wrong with a configuration: every fault at once, each with its place and its remedy.

use std::fmt;

/// The most faults that one error carries; a hostile document could otherwise fill the memory with them.
pub const FAULTS_MAX: usize = 100;

/// One thing to put right.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ConfigFault {
    /// Where: a path such as `routes[0].publishers[1]`, or `line 3, column 7` for a document that is
    /// not well-formed, or empty for the document as a whole.
    pub path: String,
    /// What is wrong, with the value found.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl ConfigFault {
    /// A fault at a place.
    pub fn new(path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), fix: fix.into() }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.message, self.fix)
    }
}

/// A refused configuration. Nothing was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// What is wrong, in document order as far as it has one; never empty, at most [`FAULTS_MAX`].
    pub faults: Vec<ConfigFault>,
    /// How many faults there were beyond those.
    pub more: usize,
}

impl ConfigError {
    /// An error with one fault.
    pub fn single(path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { faults: vec![ConfigFault::new(path, message, fix)], more: 0 }
    }

    /// `Ok` when there is nothing to report.
    ///
    /// # Errors
    /// The faults, if there are any.
    pub fn from_faults(mut faults: Vec<ConfigFault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        let more = faults.len().saturating_sub(FAULTS_MAX);
        faults.truncate(FAULTS_MAX);
        Err(Self { faults, more })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len() + self.more;
        write!(f, "configuration refused, {count} fault{}:", if count == 1 { "" } else { "s" })?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        if self.more > 0 {
            write!(f, "\n  and {} more", self.more)?;
        }
        Ok(())
    }
}
