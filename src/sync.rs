//! The library's locks, in one place. `models/` replaces this module with the model checker's locks.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard};
use std::sync::{PoisonError, TryLockError};

/// Locks, ignoring poisoning: the guarded data changes in single steps that can't panic half-way.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks unless another thread holds the lock, ignoring poisoning as [`lock`] does.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
