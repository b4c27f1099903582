//! The wall around an author's object: one call at a time, and no panic gets out.
//!
//! abi_stable ends the process when a panic reaches its boundary, so every call is caught here, inside
//! the plugin, before it gets that far.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{Component, Result};
use crate::value::{Health, HealthState, PluginError};

/// Runs `work` and turns a panic into a fatal error that names `method`.
pub(crate) fn contain<R>(method: &str, work: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        Err(PluginError::fatal(format!("panicked in {method}: {}", panic_text(&*payload))))
    })
}

/// The text of a panic, where it has one.
fn panic_text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is not text")
}

/// An author's object behind its wall.
pub(crate) struct Shield<T> {
    guarded: Mutex<Guarded<T>>,
    /// As after the last finished call, for whoever asks while another is running.
    health: Mutex<Health>,
    fence: OnceLock<PluginError>,
}

/// What one call at a time has.
struct Guarded<T> {
    /// Empty after a panic: a half-changed object is dropped, never used again.
    object: Option<T>,
    /// What `health` of the shield holds; its lock is taken only where that has to change.
    told: Health,
}

impl<T: Component> Shield<T> {
    pub(crate) fn new(object: T) -> Self {
        let starting = Health::new(HealthState::Starting, "");
        Self {
            guarded: Mutex::new(Guarded { object: Some(object), told: starting.clone() }),
            health: Mutex::new(starting),
            fence: OnceLock::new(),
        }
    }

    /// Calls a method. After a panic the instance is fenced and every call answers the first panic.
    pub(crate) fn call<R>(&self, method: &str, work: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let mut guarded = lock(&self.guarded);
        let Some(object) = guarded.object.as_mut() else {
            return Err(self.fenced());
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let answer = work(object);
            (answer, object.health())
        }));
        match outcome {
            Ok((answer, health)) => {
                if health != guarded.told {
                    lock(&self.health).clone_from(&health);
                    guarded.told = health;
                }
                answer
            }
            Err(payload) => {
                let error = PluginError::fatal(format!("panicked in {method}: {}", panic_text(&*payload)));
                *lock(&self.health) = Health::new(HealthState::Down, error.message.clone());
                let broken = guarded.object.take();
                drop(guarded);
                // Its destructor may panic as well.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
                Err(self.fence.get_or_init(|| error).clone())
            }
        }
    }

    /// Like [`call`](Self::call), for a fenced instance a success: there is nothing left to release.
    pub(crate) fn close(&self) -> Result<()> {
        if self.fence.get().is_some() { Ok(()) } else { self.call("close", T::close) }
    }

    /// The health after the last finished call; never waits for a running one.
    pub(crate) fn health(&self) -> Health {
        if let Ok(guarded) = self.guarded.try_lock()
            && let Some(object) = guarded.object.as_ref()
            && let Ok(health) = catch_unwind(AssertUnwindSafe(|| object.health()))
        {
            return health;
        }
        lock(&self.health).clone()
    }

    fn fenced(&self) -> PluginError {
        self.fence.get().map_or_else(
            || PluginError::fatal("the instance is fenced"),
            |first| PluginError::fatal(format!("the instance is fenced since it {}", first.message)),
        )
    }
}

impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        let object = lock(&self.guarded).object.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(object)));
    }
}

/// Locks; a poisoned lock is impossible here, as no panic passes while one is held.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;
    use crate::{host::Host, value::ErrorClass};

    struct Fragile {
        fail_in_drop: bool,
    }

    impl Component for Fragile {
        type Config = ();
        fn create((): (), _: Host) -> Result<Self> {
            Ok(Self { fail_in_drop: true })
        }
        fn open(&mut self) -> Result<()> {
            Ok(())
        }
        fn check(&mut self) -> Result<()> {
            panic!("the disk is on fire")
        }
        fn close(&mut self) -> Result<()> {
            Ok(())
        }
    }

    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(!self.fail_in_drop, "dropped badly");
        }
    }

    /// Guards the fence: the panic and the panic of the destructor stay inside, and the next call
    /// answers which method broke the instance.
    #[test]
    fn a_panic_fences_the_instance() {
        let shield = Shield::new(Fragile { fail_in_drop: true });
        shield.call("open", Fragile::open).unwrap();
        let first = shield.call("check", Fragile::check).unwrap_err();
        assert_eq!(first.class, ErrorClass::Fatal);
        assert_eq!(first.message, "panicked in check: the disk is on fire");
        let next = shield.call("open", Fragile::open).unwrap_err();
        assert_eq!(next.message, "the instance is fenced since it panicked in check: the disk is on fire");
        assert_eq!(shield.health().state, HealthState::Down);
        shield.close().unwrap();
    }

    /// Guards that health never waits: it answers while another thread is inside a call.
    #[test]
    fn health_does_not_wait_for_a_running_call() {
        let shield = Arc::new(Shield::new(Fragile { fail_in_drop: false }));
        let (entered_tx, entered) = mpsc::channel();
        let (leave, leave_rx) = mpsc::channel::<()>();
        let worker = {
            let shield = Arc::clone(&shield);
            std::thread::spawn(move || {
                shield.call("open", |_| {
                    entered_tx.send(()).unwrap();
                    leave_rx.recv().unwrap();
                    Ok(())
                })
            })
        };
        entered.recv().unwrap();
        assert_eq!(shield.health().state, HealthState::Starting);
        leave.send(()).unwrap();
        worker.join().unwrap().unwrap();
        assert_eq!(shield.health().state, HealthState::Ready);
    }
}
