//! The state of a handle, `ffi/src/exclusive.rs`: one change at a time, reads that see no half of one.

use loom::sync::Arc;
use loom::thread;

#[path = "../../../ffi/src/exclusive.rs"]
mod source;

use source::{Exclusive, Refused};

/// Two threads change both halves of a value. Every change that is let in is there at the end, whole; the others are told
/// that the handle is in use. With `apart` the halves lie behind locks of their own, which is the fault: a reader sees one
/// half changed.
///
/// # Panics
/// Where an order of steps breaks the promise.
pub fn changes_do_not_meet(apart: bool) {
    let cell = Arc::new([Exclusive::new((0, 0)), Exclusive::new((0, 0))]);
    let change = move |cell: &[Exclusive<(u32, u32)>; 2]| -> u32 {
        let Ok(mut value) = cell[0].write() else { return 0 };
        value.0 += 1;
        if apart {
            drop(value);
            let Ok(mut value) = cell[1].write() else { return 0 };
            value.1 += 1;
        } else {
            value.1 += 1;
        }
        1
    };
    let other = Arc::clone(&cell);
    let worker = thread::spawn(move || change(&other));
    match cell[0].read() {
        Ok(value) => {
            let second = if apart { cell[1].read().map_or(value.0, |half| half.1) } else { value.1 };
            assert_eq!(value.0, second, "half of a change was seen");
        }
        Err(refused) => assert_eq!(refused, Refused::InUse),
    }
    let done = change(&cell) + worker.join().expect("the worker does not panic");
    assert!(done >= 1, "both changes were refused");
    if !apart {
        assert_eq!(*cell[0].read().expect("nobody has it"), (done, done));
    }
}

/// A reader and a change: the change waits for the reader and is never refused for it.
///
/// # Panics
/// Where an order of steps refuses the change.
pub fn a_reader_refuses_no_change() {
    let cell = Arc::new(Exclusive::new(0));
    let other = Arc::clone(&cell);
    let reader = thread::spawn(move || other.read().map(|value| *value).ok());
    *cell.write().expect("a change waits for those who read") += 1;
    let seen = reader.join().expect("the reader does not panic");
    assert!(matches!(seen, None | Some(0 | 1)));
}
