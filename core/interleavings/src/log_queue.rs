//! The queue of log records that a host polls, `ffi/src/log_queue.rs`: each record is given or counted, and who waits is
//! woken.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

#[path = "../../../ffi/src/log_queue.rs"]
mod source;

use source::LogQueue;

/// Two threads speak, and a third waits for what they say, in a queue that has room for one record. Without `told` nobody
/// is woken, so that the third waits for ever, which is the fault that loom has to report.
///
/// # Panics
/// Where an order of steps loses a record without counting it, or gives one twice.
pub fn what_is_said_is_given_or_counted(told: bool) {
    let queue = Arc::new(LogQueue::new(1));
    let speak = |word: u32| {
        let queue = Arc::clone(&queue);
        thread::spawn(move || if told { queue.push(word) } else { queue.put(word) })
    };
    let speakers = [speak(1), speak(2)];
    let first = queue.next(Duration::MAX).expect("it waits until there is one");
    for speaker in speakers {
        speaker.join().expect("a speaker does not panic");
    }
    let second = queue.next(Duration::ZERO);
    assert_ne!(Some(first), second, "a record was given twice");
    let given = 1 + u64::from(second.is_some());
    assert_eq!(given + queue.dropped(), 2, "a record was lost and not counted");
    assert_eq!(queue.next(Duration::ZERO), None);
}
