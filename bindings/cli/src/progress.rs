//! Progress on standard error: a bar on a terminal, a few plain lines elsewhere, or nothing.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The least time between two plain lines, so that a log of a long run stays short.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

/// Shows how far the work has come.
pub(crate) enum Progress {
    /// Nothing is shown.
    Silent,
    /// A bar that is redrawn in place.
    Bar(ProgressBar),
    /// Lines for logs and pipes.
    Lines {
        /// What is counted.
        unit: &'static str,
        /// When the last line was written.
        last: Instant,
        /// What it said was done.
        shown: Option<u64>,
        /// Whether it said that all was done: where more comes in, that can be so again and again.
        complete: bool,
    },
}

impl Progress {
    /// Begins to show progress towards `total` in `unit`s, unless `silent`.
    pub(crate) fn begin(silent: bool, total: u64, unit: &'static str) -> Self {
        if silent {
            Self::Silent
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
            if let Ok(style) =
                ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}, {elapsed} elapsed, {eta} left")
            {
                bar.set_style(style);
            }
            bar.set_message(unit);
            Self::Bar(bar)
        } else {
            Self::Lines { unit, last: Instant::now(), shown: None, complete: false }
        }
    }

    /// Shows that `done` of `total` is reached.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Self::Lines { unit, last, shown, complete } => {
                let is_first_end = done >= total && !*complete;
                if *shown == Some(done) || (!is_first_end && last.elapsed() < LINE_INTERVAL) {
                    return;
                }
                (*last, *shown, *complete) = (Instant::now(), Some(done), done >= total);
                let percent = if total == 0 { 100.0 } else { 100.0 * done as f64 / total as f64 };
                // Progress is a courtesy: a closed standard error does not stop the work.
                let _ = writeln!(std::io::stderr(), "{done}/{total} {unit} ({percent:.0} %)");
            }
        }
    }

    /// Lets others write to the terminal without drawing over the bar, from any thread.
    pub(crate) fn aside(&self) -> Aside {
        match self {
            Self::Bar(bar) => Aside(Some(bar.clone())),
            _ => Aside(None),
        }
    }

    /// Removes the bar.
    pub(crate) fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// The right to write beside a progress bar.
#[derive(Debug, Clone)]
pub(crate) struct Aside(Option<ProgressBar>);

impl Aside {
    /// Takes the bar away while something else is written.
    pub(crate) fn run<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}
