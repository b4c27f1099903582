//! Handles and the boundary that every exported function passes.
//!
//! A panic that crossed into C would be undefined behaviour, and a pointer from C may be NULL, misaligned,
//! freed or of another type. Both stop here: [`on`] checks the handle, runs the body, keeps the text of a
//! panic, poisons the handle and turns every failure into a status and an error object.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::argument::Slot;
use crate::error::{Details, Failure, mfn_error};
pub(crate) use crate::exclusive::Exclusive;
use crate::exclusive::Refused;
use crate::library::LiveMark;
use crate::status::{MFN_FATAL, MFN_OK, is_answer, mfn_status};

/// What stands at the address of a handle that was freed, until the allocator reuses the memory.
const FREED: u64 = 0x6d66_6e5f_6672_6565;

/// An exported handle type: a struct whose only field is a [`Handle`].
pub(crate) trait Opaque: Sized {
    /// What the host holds.
    type State;
    /// The name of the argument in error messages.
    const NAME: &'static str;
    /// Tells the types apart at run time; no two are alike.
    const TAG: u64;
    /// The only field.
    fn handle(&self) -> &Handle<Self::State>;
    /// Wraps the only field.
    fn from_handle(handle: Handle<Self::State>) -> Self;
}

/// The common part of every handle. The tag comes first, so that it can be read before the type is known.
#[repr(C)]
pub(crate) struct Handle<T> {
    tag: AtomicU64,
    fatal: OnceLock<String>,
    last_failure: Mutex<Option<Arc<Details>>>,
    _live: LiveMark,
    state: T,
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        self.tag.store(FREED, Ordering::Relaxed);
    }
}

/// Declares opaque handle types: `opaque! { /// Doc. pub struct mfn_x(State) as "x" = 1; }`.
macro_rules! opaque {
    ($($type:ident($state:ty) as $name:literal = $tag:literal;)+) => {$(
        impl $crate::guard::Opaque for $type {
            type State = $state;
            const NAME: &'static str = $name;
            const TAG: u64 = 0x6d66_6e00_0000_0000 | $tag;
            fn handle(&self) -> &$crate::guard::Handle<$state> { &self.0 }
            fn from_handle(handle: $crate::guard::Handle<$state>) -> Self { Self(handle) }
        }
        // The tag is read through a pointer whose type is not known yet.
        const _: () = assert!(std::mem::offset_of!($type, 0) == 0);
    )+};
}
pub(crate) use opaque;

/// Makes a handle; the caller hands the box over with [`Slot::hand_over`].
pub(crate) fn create<H: Opaque>(state: H::State) -> Box<H> {
    Box::new(H::from_handle(Handle {
        tag: AtomicU64::new(H::TAG),
        fatal: OnceLock::new(),
        last_failure: Mutex::new(None),
        _live: LiveMark::new(),
        state,
    }))
}

/// Checks a handle from C.
fn borrow<'a, H: Opaque>(pointer: *const H) -> Result<&'a H, Failure> {
    if pointer.is_null() {
        return Err(Failure::invalid(format!("{} is NULL: give a handle of type mfn_{0}", H::NAME)));
    }
    if !pointer.is_aligned() {
        return Err(Failure::invalid(format!(
            "{} is misaligned: it is not a handle of this library",
            H::NAME
        )));
    }
    // SAFETY: by the contract of every function a non-NULL handle is one that this library made, of
    // whatever type; all of them begin with the tag.
    let tag = unsafe { &*pointer.cast::<AtomicU64>() }.load(Ordering::Relaxed);
    if tag == FREED {
        return Err(Failure::invalid(format!("{} was freed before: use a live handle", H::NAME)));
    }
    if tag != H::TAG {
        return Err(Failure::invalid(format!(
            "{} is no mfn_{0}: a handle of another type was given",
            H::NAME
        )));
    }
    // SAFETY: the tag says that the object is an `H`; the host frees it only when no call uses it.
    Ok(unsafe { &*pointer })
}

/// Runs the body of an exported function on a handle.
pub(crate) fn on<H: Opaque>(
    pointer: *const H,
    error: *mut *mut mfn_error,
    body: impl FnOnce(&H::State) -> Result<(), Failure>,
) -> mfn_status {
    let handle = match borrow(pointer) {
        Ok(object) => object.handle(),
        Err(failure) => return report(failure, None, error),
    };
    if let Some(text) = handle.fatal.get() {
        let failure = Failure::new(MFN_FATAL, format!("{} is poisoned, only free it: {text}", H::NAME));
        return report(failure, Some(&handle.last_failure), error);
    }
    let result = contained(|| body(&handle.state)).unwrap_or_else(|text| {
        let text = handle.fatal.get_or_init(|| text);
        Err(Failure::new(MFN_FATAL, format!("a defect in libmfn was caught, only free the handle: {text}")))
    });
    match result {
        Ok(()) => MFN_OK,
        Err(failure) => report(failure, Some(&handle.last_failure), error),
    }
}

/// A further handle that a function takes, such as the batch that a connector settles.
pub(crate) fn state<'a, H: Opaque + 'a>(pointer: *const H) -> Result<&'a H::State, Failure> {
    let handle = borrow(pointer)?.handle();
    match handle.fatal.get() {
        Some(text) => Err(Failure::new(MFN_FATAL, format!("{} is poisoned, only free it: {text}", H::NAME))),
        None => Ok(&handle.state),
    }
}

/// Runs the body of an exported function that has no handle yet.
pub(crate) fn free_standing(
    error: *mut *mut mfn_error,
    body: impl FnOnce() -> Result<(), Failure>,
) -> mfn_status {
    let result = contained(body).unwrap_or_else(|text| {
        Err(Failure::new(MFN_FATAL, format!("a defect in libmfn was caught: {text}")))
    });
    match result {
        Ok(()) => MFN_OK,
        Err(failure) => report(failure, None, error),
    }
}

/// Runs the body of an exported function that answers with a value; `fallback` when it can not.
pub(crate) fn value<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    contained(body).unwrap_or(fallback)
}

/// Reads something from a handle; `fallback` for a handle that is NULL or wrong.
pub(crate) fn read<H: Opaque, T>(
    pointer: *const H,
    fallback: T,
    body: impl FnOnce(&H::State) -> Option<T>,
) -> T {
    let Ok(object) = borrow(pointer) else { return fallback };
    let handle = object.handle();
    match contained(|| body(&handle.state)) {
        Ok(value) => value.unwrap_or(fallback),
        Err(text) => {
            // An earlier text, if there is one, says where it began.
            let _ = handle.fatal.set(text);
            fallback
        }
    }
}

/// The last failure that a call on this handle reported.
pub(crate) fn last_failure<H: Opaque>(pointer: *const H) -> Option<Arc<Details>> {
    let object = borrow(pointer).ok()?;
    object.handle().last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Ends a handle. NULL and what is no live handle of this type are left alone.
pub(crate) fn free<H: Opaque>(pointer: *mut H) {
    if borrow(pointer.cast_const()).is_ok() {
        // A panic while dropping leaks the rest of the object; the tag already says that it is gone.
        // SAFETY: the handle is live, came from `Box` in `create`, and the host gives it up.
        let _ = contained(|| drop(unsafe { Box::from_raw(pointer) }));
    }
}

/// The panic boundary: `Err` carries the text of the panic.
fn contained<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let text = panic_text(payload.as_ref());
        // Dropping a payload may panic again; forgetting it costs a few bytes once.
        std::mem::forget(payload);
        text
    })
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a text".to_owned())
}

fn report(
    failure: Failure,
    last_failure: Option<&Mutex<Option<Arc<Details>>>>,
    error: *mut *mut mfn_error,
) -> mfn_status {
    let status = failure.status();
    if is_answer(status) {
        return status;
    }
    // Making the error object allocates and formats; should even that fail, the status still tells.
    let _ = contained(|| {
        let details = Arc::new(failure.into_details());
        if let Some(last_failure) = last_failure {
            *last_failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&details));
        }
        if let Ok(Some(slot)) = Slot::optional("error", error) {
            slot.hand_over(create::<mfn_error>(details));
        }
    });
    status
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::InUse => Self::invalid(
                "the handle is in use by another call (of another thread, or the one that is calling back): \
                 wait for its return",
            ),
            Refused::Poisoned => Self::new(MFN_FATAL, "the handle is poisoned, only free it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::error::{mfn_error_free, mfn_error_message};

    pub(crate) struct mfn_probe(Handle<Exclusive<u32>>);
    pub(crate) struct mfn_other(Handle<u8>);
    opaque! {
        mfn_probe(Exclusive<u32>) as "probe" = 1000;
        mfn_other(u8) as "other" = 1001;
    }

    /// Calls with the probe and returns status and message.
    fn call(
        probe: *const mfn_probe,
        body: impl FnOnce(&Exclusive<u32>) -> Result<(), Failure>,
    ) -> (mfn_status, String) {
        let mut error = ptr::null_mut();
        let status = on(probe, &raw mut error, body);
        if error.is_null() {
            return (status, String::new());
        }
        // SAFETY: the message of a live error is a C string.
        let message = unsafe { std::ffi::CStr::from_ptr(mfn_error_message(error)) };
        let message = message.to_string_lossy().into_owned();
        // SAFETY: the error was handed over above and is not used again.
        unsafe { mfn_error_free(error) };
        (status, message)
    }

    // Guards the promise that a defect ends in MFN_FATAL with its text, and that only free works then.
    #[test]
    fn a_panic_poisons_the_handle_and_keeps_its_text() {
        let probe = Box::into_raw(create::<mfn_probe>(Exclusive::new(7)));
        let (status, message) = call(probe, |_| panic!("cell {} out of range", 9));
        assert_eq!(status, MFN_FATAL);
        assert!(message.contains("cell 9 out of range"), "{message}");
        let (status, message) = call(probe, |_| Ok(()));
        assert_eq!(status, MFN_FATAL);
        assert!(message.contains("only free it") && message.contains("cell 9 out of range"), "{message}");
        assert!(last_failure(probe).is_some());
        free(probe);
    }

    // Guards the functions that answer with a value and not with a status: they poison as well.
    #[test]
    fn a_panic_while_reading_gives_the_fallback_and_poisons() {
        let probe = Box::into_raw(create::<mfn_probe>(Exclusive::new(7)));
        assert_eq!(read(probe, 5, |_| -> Option<i32> { panic!("lost") }), 5);
        let (status, message) = call(probe, |_| Ok(()));
        assert_eq!(status, MFN_FATAL);
        assert!(message.contains("lost"), "{message}");
        free(probe);
    }

    // Guards against a data race when a host breaks the one-thread rule or calls back into a busy handle.
    #[test]
    fn a_busy_handle_refuses_a_second_call() {
        let probe = Box::into_raw(create::<mfn_probe>(Exclusive::new(7)));
        let (status, _) = call(probe, |state| {
            let _held = state.write()?;
            let (status, message) = call(probe, |state| state.write().map(drop).map_err(Failure::from));
            assert_eq!(status, crate::status::MFN_INVALID);
            assert!(message.contains("in use by another call"), "{message}");
            Ok(())
        });
        assert_eq!(status, MFN_OK);
        free(probe);
    }

    // Guards against a handle of one type being read as another, the commonest mistake behind void *.
    #[test]
    fn wrong_null_misaligned_and_foreign_handles_are_told_apart() {
        let other = Box::into_raw(create::<mfn_other>(1));
        for (pointer, expected) in [
            (ptr::null(), "probe is NULL"),
            (other.cast::<mfn_probe>().cast_const(), "another type"),
            (ptr::without_provenance(1), "misaligned"),
        ] {
            let (status, message) = call(pointer, |_| Ok(()));
            assert_eq!(status, crate::status::MFN_INVALID);
            assert!(message.contains(expected), "{message}");
        }
        free(other);
    }
}
