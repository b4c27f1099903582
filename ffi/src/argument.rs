//! Checked arguments: pointers from C become references, texts and places to write to.
//!
//! What can be known of a pointer is checked (NULL, alignment, sizes, UTF-8); that it points to memory of
//! the stated type is the caller's part of the contract.

use std::ffi::{CStr, c_char};
use std::slice;
use std::time::Duration;

use crate::error::Failure;

/// Refuses NULL and misaligned pointers.
pub(crate) fn check<T>(name: &str, pointer: *const T) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::invalid(format!("{name} is NULL")));
    }
    if !pointer.is_aligned() {
        return Err(Failure::invalid(format!(
            "{name} is misaligned: its address must be a multiple of {}",
            align_of::<T>()
        )));
    }
    Ok(())
}

/// A NUL-terminated UTF-8 text.
pub(crate) fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Failure> {
    check(name, pointer)?;
    // SAFETY: not NULL; the caller promises a NUL-terminated text that lives during the call.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    bytes.to_str().map_err(|error| {
        Failure::invalid(format!("{name} is not UTF-8: byte {} is wrong", error.valid_up_to()))
    })
}

/// A text that may be NULL.
pub(crate) fn optional_text<'a>(name: &str, pointer: *const c_char) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() { Ok(None) } else { text(name, pointer).map(Some) }
}

/// An array; NULL is allowed when it is empty.
pub(crate) fn array<'a, T>(name: &str, pointer: *const T, count: usize) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    check_array(name, pointer, count)?;
    // SAFETY: not NULL, aligned, of a possible size; the caller promises `count` elements that live and
    // stay unchanged during the call.
    Ok(unsafe { slice::from_raw_parts(pointer, count) })
}

fn check_array<T>(name: &str, pointer: *const T, count: usize) -> Result<(), Failure> {
    check(name, pointer)?;
    if count.checked_mul(size_of::<T>()).is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(Failure::invalid(format!("{name} has {count} elements: more than memory can hold")));
    }
    Ok(())
}

/// A flag.
pub(crate) fn flag(name: &str, value: i32) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Failure::invalid(format!("{name} = {other}: give 0 or 1"))),
    }
}

/// A time to wait. Everything beyond a year is a year, so that no clock overflows.
pub(crate) fn milliseconds(value: u64) -> Duration {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Duration::from_millis(value).min(YEAR)
}

/// A count for C, where -1 says that it is not known.
pub(crate) fn count_or_unknown(count: Option<u64>) -> i64 {
    count.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX))
}

/// Places of the caller's in a row, each written once, on success.
pub(crate) fn slots<T>(
    name: &str,
    pointer: *mut T,
    count: usize,
) -> Result<impl Iterator<Item = Slot<T>>, Failure> {
    check_array(name, pointer.cast_const(), count)?;
    // Inside the array of `count` elements, as the caller promises.
    Ok((0..count).map(move |index| Slot(pointer.wrapping_add(index))))
}

/// A place of the caller's that is written once, on success.
pub(crate) struct Slot<T>(*mut T);

impl<T> Slot<T> {
    /// A place that must be given.
    pub(crate) fn required(name: &str, pointer: *mut T) -> Result<Self, Failure> {
        check(name, pointer)?;
        Ok(Self(pointer))
    }

    /// A place that may be NULL.
    pub(crate) fn optional(name: &str, pointer: *mut T) -> Result<Option<Self>, Failure> {
        if pointer.is_null() { Ok(None) } else { Self::required(name, pointer).map(Some) }
    }

    /// Writes the output.
    pub(crate) fn write(self, value: T) {
        // SAFETY: not NULL and aligned; the caller promises room for a `T`. What was there is plain data.
        unsafe { self.0.write(value) };
    }
}

impl<T> Slot<*mut T> {
    /// Gives an object to the caller.
    pub(crate) fn hand_over(self, object: Box<T>) {
        self.write(Box::into_raw(object));
    }
}

/// A struct that begins with `uint32_t struct_size` and may grow at its end.
///
/// # Safety
/// Only for `repr(C)` structs of integers, floats and pointers that begin with a `u32`, without
/// padding, for which all bits zero is a value.
pub(crate) unsafe trait Sized32: Copy {
    /// The C name, for messages.
    const NAME: &'static str;
    /// The size in the first version that had the struct; a smaller one is not ours.
    const SIZE_MIN: usize;
}

macro_rules! sized32 {
    ($($type:ident = $size_min:literal;)+) => {$(
        // SAFETY: the layout table shows a repr(C) struct of plain fields, `struct_size` first.
        unsafe impl $crate::argument::Sized32 for $type {
            const NAME: &'static str = stringify!($type);
            const SIZE_MIN: usize = $size_min;
        }
    )+};
}
pub(crate) use sized32;

fn struct_size<T: Sized32>(name: &str, pointer: *const T) -> Result<usize, Failure> {
    check(name, pointer)?;
    // SAFETY: not NULL and aligned; every version of the struct begins with its size.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    if size < T::SIZE_MIN || size > 1 << 16 {
        return Err(Failure::invalid(format!(
            "{name}: struct_size = {size}: set it to sizeof({}), at least {}",
            T::NAME,
            T::SIZE_MIN
        )));
    }
    Ok(size)
}

/// Reads a struct of any version: fields that the caller's version lacks are zero.
pub(crate) fn read_sized<T: Sized32>(name: &str, pointer: *const T) -> Result<T, Failure> {
    let size = struct_size(name, pointer)?;
    let known = size.min(size_of::<T>());
    // SAFETY: the caller says that the struct has `size` bytes.
    let given = unsafe { slice::from_raw_parts(pointer.cast::<u8>(), size) };
    if let Some(position) = given[known..].iter().position(|&byte| byte != 0) {
        return Err(Failure::invalid(format!(
            "{name}: byte {} of {} is set, which this version of libmfn does not know: use a newer libmfn",
            known + position,
            T::NAME
        )));
    }
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable and fit into `value`; the two do not overlap. All bits zero is a
    // value of `T`, and so is what the caller filled in, by the contract of `Sized32`.
    unsafe {
        std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), value.as_mut_ptr().cast::<u8>(), known);
        Ok(value.assume_init())
    }
}

/// A struct of any version to be written on success.
pub(crate) struct SizedSlot<T: Sized32> {
    pointer: *mut T,
    size: usize,
}

impl<T: Sized32> SizedSlot<T> {
    /// A struct whose `struct_size` the caller has set.
    pub(crate) fn new(name: &str, pointer: *mut T) -> Result<Self, Failure> {
        Ok(Self { pointer, size: struct_size(name, pointer.cast_const())? })
    }

    /// A struct that is not filled yet, of `size` bytes.
    pub(crate) fn of_size(name: &str, pointer: *mut T, size: usize) -> Result<Self, Failure> {
        check(name, pointer.cast_const())?;
        if size < T::SIZE_MIN || size > 1 << 16 {
            return Err(Failure::invalid(format!(
                "struct_size = {size}: give sizeof({}), at least {}",
                T::NAME,
                T::SIZE_MIN
            )));
        }
        Ok(Self { pointer, size })
    }

    /// Writes what the caller's version has of `value`, zeroes what only the caller's version has, and
    /// leaves `struct_size` as the caller's.
    pub(crate) fn write(self, value: &T) {
        let known = self.size.min(size_of::<T>());
        let target = self.pointer.cast::<u8>();
        // SAFETY: the caller says that the struct has `size` bytes; `known` is at most that and at most
        // the size of `T`. `value` is ours, so the two do not overlap.
        unsafe {
            target.write_bytes(0, self.size);
            std::ptr::copy_nonoverlapping(std::ptr::from_ref(value).cast::<u8>(), target, known);
            // At most 65536.
            self.pointer.cast::<u32>().write(self.size as u32);
        }
    }
}
