//! Room for lists that are made anew for each call and hold what is lent for its length.
//!
//! A call with thousands of records takes lists of a megabyte on both sides of the library boundary. Allocators give so
//! much back to the system each time, and page by page it costs more than all that is written into it.

use std::sync::{Mutex, PoisonError};

/// The longest list whose room is kept. A longer one is rare, and its memory better used elsewhere.
const KEPT_MAX: usize = 16_384;

/// The memory of one list of `T`, empty between calls. Callers at the same time are safe: all but one make their own.
#[derive(Debug)]
pub struct Room<T>(Mutex<Vec<T>>);

impl<T> Default for Room<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T> Room<T> {
    /// An empty list for `U`: the same type as `T` with another lifetime, in the same memory.
    pub fn take<U>(&self) -> Vec<U> {
        emptied(std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Keeps the list's memory for the next call.
    pub fn put<U>(&self, list: Vec<U>) {
        if list.capacity() <= KEPT_MAX {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = emptied(list);
        }
    }
}

/// The list without what is in it. Collecting in place keeps the memory where both types have the same layout; where
/// they have not, the list is a new one.
fn emptied<T, U>(mut list: Vec<T>) -> Vec<U> {
    list.clear();
    list.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lend<'a>(room: &Room<&'static str>, text: &'a str, count: usize) -> Vec<&'a str> {
        let mut list = room.take();
        list.extend(std::iter::repeat_n(text, count));
        list
    }

    /// Guards what the room is for: the next call finds the memory of the last, and a list that is too long leaves none.
    #[test]
    fn memory_is_used_again() {
        let room = Room::default();
        let (one, two) = (String::from("one"), String::from("two"));
        let list = lend(&room, &one, 1000);
        let (place, capacity) = (list.as_ptr().addr(), list.capacity());
        room.put(list);
        let again = lend(&room, &two, 10);
        assert_eq!((again.as_ptr().addr(), again.capacity()), (place, capacity));
        assert_eq!(again, ["two"; 10]);
        room.put(again);
        let _out = room.take::<&str>();
        assert_eq!(lend(&room, "three", 1).capacity(), 4, "while one is out there is none to be had");
        room.put(lend(&room, "four", KEPT_MAX + 1));
        assert!(room.take::<&str>().capacity() <= KEPT_MAX);
    }
}
