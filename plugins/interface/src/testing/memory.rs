//! How much memory a process had while a fault was injected, and how much it may have had.
//!
//! A promise that keeps all records but fills the machine is not kept. So the row of every fault carries the peak of the
//! resident set (RSS) and the most that was allowed, and [`FaultMemory::judge`] fails a test that went above.
//!
//! What is allowed is `(baseline + budget) x 1.1`. The **baseline** is the resident set of the same process, or of a
//! process of the same program and components, before it had anything to do. The **budget** is the sum of what the
//! configuration in the test allows to be held: byte budgets, buffers, limits of a record; plus, named apart, what the
//! test itself keeps in the process to judge by. Code and data that are touched for the first time under load are in the
//! tenth that is left.

use std::fs;

/// The tenth above baseline and budget.
const SLACK: f64 = 1.1;

/// The memory of a process, or of processes one after the other, over the test of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultMemory {
    is_here: bool,
    baseline_bytes: u64,
    budget_bytes: u64,
    peak_bytes: u64,
}

impl FaultMemory {
    /// Of this process, from now on: what it has now is the baseline, and `budget_bytes` may come to it.
    ///
    /// The peak is the kernel's own mark, so nothing between two looks is missed. It belongs to the whole process: in a test
    /// program that runs other tests at the same time it says little, and is not judged (see [`Self::judge`]).
    #[must_use]
    pub fn here(budget_bytes: u64) -> Self {
        // Sets the mark of the peak back to what is resident now. Where that is not allowed the mark stays too high,
        // which is on the safe side.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let baseline_bytes = resident("self", "VmRSS:").unwrap_or_default();
        Self { is_here: true, baseline_bytes, budget_bytes, peak_bytes: 0 }
    }

    /// Of child processes that the test starts, and has this look at with [`Self::look_at`]; `baseline_bytes` is what
    /// one of them had without any load ([`peak_of`]).
    #[must_use]
    pub const fn of_children(baseline_bytes: u64, budget_bytes: u64) -> Self {
        Self { is_here: false, baseline_bytes, budget_bytes, peak_bytes: 0 }
    }

    /// The same, with what the test itself keeps in the process that is looked at: records that are sent, ids that came.
    #[must_use]
    pub const fn kept_by_test(self, bytes: u64) -> Self {
        Self { budget_bytes: self.budget_bytes + bytes, ..self }
    }

    /// Takes the peak of a child until now; to be called before it is killed, and while it runs. One that is over says
    /// nothing.
    pub fn look_at(&mut self, process: u32) {
        self.saw(peak_of(process).unwrap_or_default());
    }

    /// Takes a peak of a child that [`peak_of`] gave before.
    pub fn saw(&mut self, peak_bytes: u64) {
        self.peak_bytes = self.peak_bytes.max(peak_bytes);
    }

    /// What was resident before the load, in bytes; a child that hands it to its parent is told by it.
    #[must_use]
    pub const fn baseline_bytes(&self) -> u64 {
        self.baseline_bytes
    }

    /// The most that was resident, in bytes.
    #[must_use]
    pub fn peak_bytes(&self) -> u64 {
        if self.is_here { resident("self", "VmHWM:").unwrap_or_default() } else { self.peak_bytes }
    }

    /// The most that may have been resident, in bytes.
    #[must_use]
    pub fn allowed_bytes(&self) -> u64 {
        ((self.baseline_bytes + self.budget_bytes) as f64 * SLACK) as u64
    }

    /// Judges the peak, given what [`Self::peak_bytes`] said, where `is_alone`: when no other test ran in the process,
    /// or the processes were the test's own children.
    ///
    /// # Panics
    /// When nothing was measured, or more than allowed was resident.
    pub(super) fn judge(&self, peak_bytes: u64, is_alone: bool) {
        assert!(peak_bytes > 0, "no memory was measured");
        let allowed = self.allowed_bytes();
        assert!(
            peak_bytes <= allowed || (self.is_here && !is_alone),
            "{peak_bytes} bytes were resident; {allowed} are allowed: {} before the load, {} of budget, a tenth of both",
            self.baseline_bytes,
            self.budget_bytes,
        );
    }
}

/// The most that was resident of a running process until now, in bytes; `None` when it is over.
#[must_use]
pub fn peak_of(process: u32) -> Option<u64> {
    resident(&process.to_string(), "VmHWM:")
}

/// A number of bytes from the status of a process.
fn resident(process: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Guards the judgement: what was resident for a moment only is seen, above the limit it fails, and a process that
    /// nobody looked at is no success.
    #[test]
    fn a_peak_that_is_over_is_seen() {
        let memory = FaultMemory::here(0);
        drop(std::hint::black_box(vec![1u8; 256 << 20]));
        let peak = memory.peak_bytes();
        assert!(peak > 256 << 20, "{peak}");
        assert!(std::panic::catch_unwind(|| memory.judge(peak, true)).is_err());
        FaultMemory { budget_bytes: 256 << 20, ..memory }.judge(peak, true);
        assert!(std::panic::catch_unwind(|| FaultMemory::of_children(1, 1).judge(0, false)).is_err());
    }

    /// Guards the look at a child: it has a peak, and one that is over keeps the peak that was seen.
    #[test]
    fn a_child_is_looked_at() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let mut memory = FaultMemory::of_children(0, 1);
        memory.look_at(child.id());
        let seen = memory.peak_bytes();
        assert!(seen > 0);
        drop(child.stdin.take());
        child.wait().unwrap();
        memory.look_at(child.id());
        assert_eq!(memory.peak_bytes(), seen);
        assert!(std::panic::catch_unwind(|| memory.judge(seen, false)).is_err(), "also among other tests");
    }
}
