//! What a handle holds that one thread at a time may change. Whether two calls of a host can ever meet in it is decided
//! here, so core/interleavings runs exactly this file through every order of its steps.

use std::ops::{Deref, DerefMut};

use crate::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

/// Why a value can not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another call has it.
    InUse,
    /// A call that had it panicked.
    Poisoned,
}

impl<G> From<TryLockError<G>> for Refused {
    fn from(error: TryLockError<G>) -> Self {
        match error {
            TryLockError::WouldBlock => Self::InUse,
            TryLockError::Poisoned(_) => Self::Poisoned,
        }
    }
}

/// State that one thread at a time may change. A second change at the same time is an error, not a race.
/// Reads are short and may come at any time, so a change waits for those under way; a read during a change,
/// which may take hours, is refused.
pub(crate) struct Exclusive<T> {
    changing: Mutex<()>,
    value: RwLock<T>,
}

impl<T> Exclusive<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { changing: Mutex::new(()), value: RwLock::new(value) }
    }

    /// For functions that take a handle which is not const.
    pub(crate) fn write(&self) -> Result<Change<'_, T>, Refused> {
        let changing = self.changing.try_lock()?;
        let value = self.value.write().map_err(|_| Refused::Poisoned)?;
        Ok(Change { value, _changing: changing })
    }

    /// For functions that take a const handle; any number at once.
    pub(crate) fn read(&self) -> Result<RwLockReadGuard<'_, T>, Refused> {
        Ok(self.value.try_read()?)
    }
}

/// The right to change a value, until it is dropped.
pub(crate) struct Change<'a, T> {
    // First, so that whoever changes next finds the value free.
    value: RwLockWriteGuard<'a, T>,
    _changing: MutexGuard<'a, ()>,
}

impl<T> Deref for Change<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Change<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
