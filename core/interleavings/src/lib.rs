//! The places where threads of libmfn meet, run by loom through every order of their steps.
//!
//! Three are the very files of the library, compiled here against loom's locks in the place of std's: the state of a handle
//! ([`exclusive`]) and the queues of outcomes ([`ring`]) and of log records ([`log_queue`]) that a host polls. Three can not be run by loom as they are, since
//! two need rayon's pool and one a disk; of those the order of their steps is written down once more: the lanes of
//! a simulation step ([`lanes`]), the blocks that they go through without a word of the calling thread ([`relay`]) and the group
//! commit of the spool ([`commit`]). Each model takes a fault to plant, so that
//! a test can show that loom finds it.

pub mod commit;
pub mod exclusive;
pub mod lanes;
pub mod log_queue;
pub mod relay;
pub mod ring;

/// What the included files take for std's.
mod sync {
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub(crate) use std::sync::TryLockError;
}

#[allow(dead_code, reason = "a model uses a part of the file")]
#[path = "../../runtime/src/pipeline/outcome.rs"]
pub mod outcome;
