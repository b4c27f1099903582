//! How a test of a promise says what it did: which fault it injected, how often that struck, what came of it, and what it
//! took.
//!
//! A test of a fault that never struck proves nothing, so [`FaultRow::report`] fails it. `cargo xtask faults` runs the
//! tests that belong to the table of faults in `docs/delivery.md` and makes one line of each row.

use super::FaultMemory;

/// The environment variable that says that one test of a fault runs alone, and in which size: `full`, or any other.
const FAULTS_VARIABLE: &str = "MFN_FAULTS";

/// What came of one injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultRow {
    /// The number of the fault in the table of `docs/delivery.md`.
    pub number: u8,
    /// How often the fault struck.
    pub struck: u64,
    /// Records that should have arrived and did not.
    pub lost: u64,
    /// Records that arrived more than once, under the same id and with the same bytes.
    pub duplicated: u64,
}

impl FaultRow {
    /// Writes the row for `cargo xtask faults`, with the memory that it took.
    ///
    /// Memory of this process is judged when the test runs alone, as it does there; of children it always is.
    ///
    /// # Panics
    /// When the fault never struck, a record was lost, or too much memory was taken: then the test has failed.
    #[allow(clippy::print_stdout, reason = "the task runner reads the row from the test's output")]
    pub fn report(self, memory: FaultMemory) {
        let Self { number, struck, lost, duplicated } = self;
        let (peak, allowed) = (memory.peak_bytes(), memory.allowed_bytes());
        println!("fault-row: {number} {struck} {lost} {duplicated} {peak} {allowed}");
        assert!(struck > 0, "fault {number} never struck");
        assert_eq!(lost, 0, "fault {number}: records were lost");
        memory.judge(peak, std::env::var_os(FAULTS_VARIABLE).is_some());
    }
}

/// `full` where the whole size of a fault was asked for (`cargo xtask soak`), else `ci`.
#[must_use]
pub fn fault_size<T>(ci: T, full: T) -> T {
    if std::env::var_os(FAULTS_VARIABLE).is_some_and(|value| value == "full") { full } else { ci }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the tests of faults: a fault that did not strike, a lost record, and memory that nobody measured, fail.
    #[test]
    fn a_row_that_proves_nothing_fails() {
        let row = FaultRow { number: 3, struck: 2, lost: 0, duplicated: 7 };
        let memory = FaultMemory::here(0);
        row.report(memory);
        for bad in [FaultRow { struck: 0, ..row }, FaultRow { lost: 1, ..row }] {
            assert!(std::panic::catch_unwind(|| bad.report(memory)).is_err(), "{bad:?}");
        }
        let unseen = FaultMemory::of_children(1, 1);
        assert!(std::panic::catch_unwind(|| row.report(unseen)).is_err());
    }
}
