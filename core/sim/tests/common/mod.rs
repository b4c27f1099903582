//! What the tests of memory share: the memory of their own process, as Linux counts it.
#![cfg(target_os = "linux")]
#![allow(dead_code, reason = "each test program uses its part")]

/// Peak resident memory of this process, bytes.
pub(crate) fn peak_resident_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Resident memory of this process, bytes.
pub(crate) fn resident_bytes() -> u64 {
    status_bytes("VmRSS:")
}

/// Sets the peak of this process back to what is resident now.
pub(crate) fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak of this process");
}

/// A line of the status of this process, in whole pages.
fn status_bytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with(name)).expect("a line of this name");
    1024 * line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number of kB")
}
