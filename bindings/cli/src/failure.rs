//! What every verb fails with: one line that says what happened, one that says what to do.

use std::{fmt::Display, path::Path, process::ExitCode};

use mfn_sim::{SpecError, SpecFault};

/// Why the command did not do its work, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The request was in order, the work failed or was cancelled.
    Work = 1,
    /// The command line, a specification or a configuration is at fault.
    Usage = 2,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What happened, naming the file, field or value.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) fix: String,
}

/// The end of a command that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: Code,
    faults: Vec<Fault>,
}

impl Failure {
    /// The work failed.
    pub(crate) fn work(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code: Code::Work, faults: vec![Fault { what: what.into(), fix: fix.into() }] }
    }

    /// What was asked for can not be done.
    pub(crate) fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::faults(vec![Fault { what: what.into(), fix: fix.into() }])
    }

    /// What was asked for is wrong in several places.
    pub(crate) fn faults(faults: Vec<Fault>) -> Self {
        Self { code: Code::Usage, faults }
    }

    /// The work failed in several places.
    pub(crate) fn works(faults: Vec<Fault>) -> Self {
        Self { code: Code::Work, faults }
    }

    /// Settings that are refused, each under the name of the option that gives it.
    pub(crate) fn options(refused: &SpecError) -> Self {
        let fault = |fault: &SpecFault| Fault {
            what: format!("--{} is refused: {fault}", fault.field().replace('_', "-")),
            fix: fault.advice(),
        };
        Self::faults(refused.faults().iter().map(fault).collect())
    }

    /// A failed operation on a file that a result goes to.
    pub(crate) fn writing(path: &Path, error: impl Display) -> Self {
        Self::work(
            format!("{} can not be written: {error}", path.display()),
            "free space or choose a directory that you may write to",
        )
    }

    /// The user asked to stop.
    pub(crate) fn cancelled(what: impl Into<String>) -> Self {
        Self::work(what, "run the command again to start over")
    }

    /// What the process ends with.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Writes the faults to standard error. A closed standard error is passed over.
    pub(crate) fn report(&self) {
        use std::io::Write;
        let mut stderr = std::io::stderr().lock();
        for fault in &self.faults {
            let _ = writeln!(stderr, "mfn: {}\n  fix: {}", one_line(&fault.what), one_line(&fault.fix));
        }
    }
}

/// Writes one warning to standard error, in the form of a fault. The work goes on.
pub(crate) fn warn(what: &str, fix: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "mfn: warning: {}\n  fix: {}", one_line(what), one_line(fix));
}

/// Line breaks in what others wrote must not break the form "one line what, one line what to do".
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
