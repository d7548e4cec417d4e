//! The same items as the library's `src/sync.rs`, with loom's locks.

use std::sync::PoisonError;

pub(crate) use loom::sync::{Mutex, MutexGuard};
/// Not loom's: the counter is not what is checked, and loom's can't be the receiver of a method.
pub(crate) use std::sync::Arc;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
