//! Ctrl-C and termination signals. Catching them is the right of a program, never of a library, so it
//! happens here and nowhere below.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::failure::Failure;

/// Whether the user or the system asked the process to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Catches SIGINT, SIGTERM and SIGHUP. The first one asks the work to end in order; a second one ends
    /// the process at once, for a user who does not want to wait.
    pub(crate) fn catch() -> Result<Self, Failure> {
        Self::catch_and(|| ())
    }

    /// As [`catch`](Self::catch), and calls `first` on a thread of its own when the first signal comes.
    pub(crate) fn catch_and(first: impl Fn() + Send + 'static) -> Result<Self, Failure> {
        let raised = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&raised);
        ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                // The handler runs on a thread of its own, so it may write.
                let failure = Failure::cancelled("ended at once by a second signal, with work unfinished");
                failure.report();
                std::process::exit(failure.code() as i32);
            }
            first();
        })
        .map_err(|error| {
            Failure::work(
                format!("signals can not be caught: {error}"),
                "run the command in an ordinary shell",
            )
        })?;
        Ok(Self(raised))
    }

    /// Whether a signal has come.
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
