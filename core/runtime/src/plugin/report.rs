//! The load report: every path that was tried and what became of it, as data and as text.

use std::{collections::VecDeque, fmt, path::PathBuf};

use serde::Serialize;

use super::{LoadRefusal, RefusalReason};

/// How many attempts are kept; of more, the oldest go and are counted.
const ATTEMPTS_MAX: usize = 4096;

/// One try to load a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadAttempt {
    /// The path as it was named.
    pub path: PathBuf,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: LoadOutcome,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum LoadOutcome {
    /// The plugin can be used.
    Loaded {
        /// Its name.
        plugin: String,
        /// Its version.
        version: String,
    },
    /// A library with the same content had been loaded before; that one serves.
    AlreadyLoaded {
        /// Its name.
        plugin: String,
        /// Its version.
        version: String,
    },
    /// Nothing was loaded.
    Refused {
        /// The stable reason.
        reason: RefusalReason,
        /// What was found and what to do about it.
        message: String,
    },
}

impl LoadAttempt {
    /// The refusal, where it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<LoadRefusal> {
        match &self.outcome {
            LoadOutcome::Refused { reason, message } => {
                Some(LoadRefusal { path: self.path.clone(), reason: *reason, message: message.clone() })
            }
            LoadOutcome::Loaded { .. } | LoadOutcome::AlreadyLoaded { .. } => None,
        }
    }
}

impl fmt::Display for LoadAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.outcome {
            LoadOutcome::Loaded { plugin, version } => write!(f, "{path}: loaded {plugin} {version}"),
            LoadOutcome::AlreadyLoaded { plugin, version } => {
                write!(f, "{path}: {plugin} {version} was loaded already")
            }
            LoadOutcome::Refused { reason, message } => write!(f, "{path}: refused, {reason}: {message}"),
        }
    }
}

/// All attempts of a runtime, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// The attempts, at most 4096.
    pub attempts: VecDeque<LoadAttempt>,
    /// How many older attempts are no longer kept.
    pub attempts_dropped: u64,
}

impl LoadReport {
    pub(crate) fn push(&mut self, attempt: LoadAttempt) {
        if self.attempts.len() >= ATTEMPTS_MAX {
            self.attempts.pop_front();
            self.attempts_dropped += 1;
        }
        self.attempts.push_back(attempt);
    }
}

/// One line for each attempt.
impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts.is_empty() {
            return f.write_str("no plugin library was named\n");
        }
        if self.attempts_dropped > 0 {
            writeln!(f, "({} older attempts are not kept)", self.attempts_dropped)?;
        }
        self.attempts.iter().try_for_each(|attempt| writeln!(f, "{attempt}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the bound on memory and the exact count of what it costs.
    #[test]
    fn old_attempts_go_and_are_counted() {
        let mut report = LoadReport::default();
        for n in 0..ATTEMPTS_MAX + 3 {
            let outcome = LoadOutcome::Loaded { plugin: n.to_string(), version: String::new() };
            report.push(LoadAttempt { path: PathBuf::new(), outcome });
        }
        assert_eq!(report.attempts.len(), ATTEMPTS_MAX);
        assert_eq!(report.attempts_dropped, 3);
    }

    /// Guards the JSON form, which scripts read.
    #[test]
    fn the_report_is_data() {
        let outcome = LoadOutcome::Refused { reason: RefusalReason::Truncated, message: "cut".to_owned() };
        let attempt = LoadAttempt { path: PathBuf::from("/x.so"), outcome };
        let expected = serde_json::json!({
            "path": "/x.so", "outcome": "refused", "reason": "truncated", "message": "cut",
        });
        assert_eq!(serde_json::to_value(&attempt).unwrap(), expected);
        assert_eq!(attempt.to_string(), "/x.so: refused, truncated: cut");
        assert_eq!(attempt.refusal().unwrap().to_string(), "/x.so: truncated: cut");
    }
}
