//! The library's locks, in one place. `models/` replaces this module with the model checker's locks.

use std::sync::PoisonError;
pub(crate) use std::sync::{Arc, Mutex, MutexGuard};

/// Locks, ignoring poisoning: the guarded data changes in single steps that can't panic half-way.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
