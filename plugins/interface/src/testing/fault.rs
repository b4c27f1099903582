//! How a test of a promise says what it did: which fault it injected, how often that struck, what came of it.
//!
//! A test of a fault that never struck proves nothing, so [`FaultRow::report`] fails it. `cargo xtask faults` runs the
//! tests that belong to the table of faults in `docs/delivery.md` and makes one line of each row.

/// The environment variable that asks for the tests of faults in full size.
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
    /// Writes the row for `cargo xtask faults`.
    ///
    /// # Panics
    /// When the fault never struck, or a record was lost: then the test has failed.
    #[allow(clippy::print_stdout, reason = "the task runner reads the row from the test's output")]
    pub fn report(self) {
        let Self { number, struck, lost, duplicated } = self;
        println!("fault-row: {number} {struck} {lost} {duplicated}");
        assert!(struck > 0, "fault {number} never struck");
        assert_eq!(lost, 0, "fault {number}: records were lost");
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

    /// Guards the tests of faults: a fault that did not strike, and a lost record, fail.
    #[test]
    fn a_row_that_proves_nothing_fails() {
        let row = FaultRow { number: 3, struck: 2, lost: 0, duplicated: 7 };
        row.report();
        for bad in [FaultRow { struck: 0, ..row }, FaultRow { lost: 1, ..row }] {
            assert!(std::panic::catch_unwind(|| bad.report()).is_err(), "{bad:?}");
        }
    }
}
