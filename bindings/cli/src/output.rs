//! Standard output that outlives its reader: `mfn ... | head` ends quietly.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Standard output. When its reader goes away the rest is dropped and the work goes on.
#[derive(Debug)]
pub(crate) struct Output {
    has_reader: bool,
}

impl Output {
    /// Standard output of this process.
    pub(crate) fn stdout() -> Self {
        Self { has_reader: true }
    }

    /// Writes text as it is, at once.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        if !self.has_reader {
            return Ok(());
        }
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.has_reader = false;
                Ok(())
            }
            Err(error) => Err(Failure::work(
                format!("standard output can not be written: {error}"),
                "free space or redirect it elsewhere",
            )),
        }
    }

    /// Writes text and a line break.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.text(&format!("{text}\n"))
    }

    /// Writes one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|error| {
            Failure::work(format!("the result is not JSON: {error}"), "report this fault")
        })?;
        self.line(&text)
    }
}
