//! Runs the models: as libmfn does it loom finds nothing, and with a planted fault it finds that fault.

use std::process::Command;
use std::sync::atomic::Ordering;

use mfn_interleavings::commit::{Fault, who_returns_is_durable};
use mfn_interleavings::relay::planes_are_left_as_the_last_good_block_left_them;
use mfn_interleavings::{exclusive, lanes, log_queue, relay, ring};

/// Names the planted fault to the program that runs it.
const PLANTED: &str = "MFN_PLANTED";

/// Expects that loom finds a planted fault. In a program of its own, because loom may end one in which it found something.
fn finds(fault: &str, expected: &str) {
    let mut program = Command::new(std::env::current_exe().expect("a test has a path"));
    program.args(["--exact", "planted", "--ignored", "--nocapture"]).env(PLANTED, fault);
    let output = program.env("RUST_BACKTRACE", "0").output().expect("a test can be started");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains(expected), "{fault}: {text}");
}

/// Runs a model with the fault that the environment names.
#[test]
#[ignore = "started by the other tests"]
fn planted() {
    match std::env::var(PLANTED).expect("a fault is named").as_str() {
        "halves" => loom::model(|| exclusive::changes_do_not_meet(true)),
        "no end" => loom::model(|| ring::what_is_told_is_taken(false)),
        "nobody woken" => loom::model(|| log_queue::what_is_said_is_given_or_counted(false)),
        "relaxed" => loom::model(|| lanes::results_are_there_when_the_count_is_zero(Ordering::Relaxed)),
        "nobody waits" => relay_with(relay::Fault::NobodyWaits),
        "one place" => relay_with(relay::Fault::OnePlace),
        "nobody told" => loom::model(|| who_returns_is_durable(false, Fault::NobodyIsTold)),
        "end read late" => loom::model(|| who_returns_is_durable(false, Fault::EndReadLate)),
        "file used on" => loom::model(|| who_returns_is_durable(true, Fault::FailedFileUsedOn)),
        other => panic!("there is no fault {other:?}"),
    }
}

// Guards the thread tags of the C header: two calls that change a handle do not meet, and none is seen half done.
#[test]
fn a_handle_is_changed_by_one_call_at_a_time() {
    loom::model(|| exclusive::changes_do_not_meet(false));
    loom::model(exclusive::a_reader_refuses_no_change);
    finds("halves", "half of a change was seen");
}

// Guards hosts that poll: no outcome is lost, none comes twice, and the end wakes who waits.
#[test]
fn polled_outcomes_arrive_and_end() {
    loom::model(|| ring::what_is_told_is_taken(true));
    finds("no end", "deadlock");
}

// Guards hosts that poll the log: each record comes once or is counted as dropped, and who waits is woken.
#[test]
fn polled_log_records_arrive_or_are_counted() {
    loom::model(|| log_queue::what_is_said_is_given_or_counted(true));
    finds("nobody woken", "deadlock");
}

// Guards the bits of a step that several threads compute: the caller reads results only after they were written.
#[test]
fn lanes_are_read_after_they_were_written() {
    loom::model(|| lanes::results_are_there_when_the_count_is_zero(Ordering::Release));
    finds("relaxed", "Causality violation");
}

/// Blocks of the relay in which a value is not finite: the first, a later one, none.
fn relay_with(fault: relay::Fault) {
    for bad_block in [0, 1, usize::MAX] {
        loom::model(move || planes_are_left_as_the_last_good_block_left_them(bad_block, fault));
    }
}

// Guards runs on several threads whose lanes do not wait for each other between blocks: each reads the rows of its block, and
// a block that fails can be done again.
#[test]
fn lanes_of_a_relay_do_not_write_over_what_is_needed() {
    relay_with(relay::Fault::None);
    finds("nobody waits", "what a good block left is gone");
    finds("one place", "Causality violation");
}

// Guards "nothing is lost" where two routes share an fsync, also when that fails.
#[test]
fn a_shared_fsync_covers_who_waited_for_it() {
    for first_sync_fails in [false, true] {
        loom::model(move || who_returns_is_durable(first_sync_fails, Fault::None));
    }
    finds("nobody told", "deadlock");
    finds("end read late", "called durable that is not on the disk");
    finds("file used on", "synchronised again after it had failed");
}
