//! One piece of work at a time. A leader does it, and all waiters get its result.
//!
//! It knows no tokens and no runtimes. Its locks come from `super::sync`, which `models/` replaces with the locks of a
//! model checker that tries every order of events.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::sync::{Arc, Mutex, MutexGuard, lock};

/// The work and its waiters.
#[derive(Debug)]
pub(crate) struct SingleFlight<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    /// In progress. A waiter keeps its slot. An empty slot is `None`.
    Pending(Vec<Option<Waker>>),
    /// Done. `None` when the leader was lost before there was a result.
    Done(Option<T>),
}

impl<T: Clone> SingleFlight<T> {
    /// New work, and its leader.
    pub(crate) fn start() -> (Arc<Self>, Leader<T>) {
        let flight = Arc::new(Self {
            state: Mutex::new(State::Pending(Vec::new())),
        });
        (Arc::clone(&flight), Leader { flight })
    }

    /// Waits for the result: `None` when the leader was lost before there was one.
    pub(crate) fn wait(self: &Arc<Self>) -> Waiter<T> {
        Waiter {
            flight: Arc::clone(self),
            slot: None,
        }
    }

    /// Whether the work is still in progress.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(*self.lock(), State::Pending(_))
    }

    /// Gives a result to all waiters in the leader's place. What the leader brings later does not count.
    pub(crate) fn preempt(&self, result: T) {
        self.complete(Some(result));
    }

    fn complete(&self, result: Option<T>) {
        let mut state = self.lock();
        let State::Pending(slots) = &mut *state else {
            return;
        };
        let slots = std::mem::take(slots);
        *state = State::Done(result);
        drop(state);
        slots.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

/// Does the work. If it is dropped without a result, for whatever reason, the waiters are told.
#[derive(Debug)]
pub(crate) struct Leader<T: Clone> {
    flight: Arc<SingleFlight<T>>,
}

impl<T: Clone> Leader<T> {
    /// Gives the result to all waiters, including later ones.
    pub(crate) fn complete(self, result: T) {
        self.flight.complete(Some(result));
    }
}

impl<T: Clone> Drop for Leader<T> {
    fn drop(&mut self) {
        self.flight.complete(None);
    }
}

/// Waits for the result.
#[derive(Debug)]
pub(crate) struct Waiter<T> {
    flight: Arc<SingleFlight<T>>,
    slot: Option<usize>,
}

impl<T: Clone> Future for Waiter<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // A waker is cloned and dropped outside the lock: it belongs to an executor, which may then run any code.
        let mut waker = Some(context.waker().clone());
        let mut state = lock(&this.flight.state);
        match &mut *state {
            State::Done(result) => Poll::Ready(result.clone()),
            State::Pending(slots) => {
                if let Some(taken) = this.slot.and_then(|slot| slots.get_mut(slot)) {
                    std::mem::swap(taken, &mut waker);
                } else {
                    this.slot = Some(slots.len());
                    slots.push(waker.take());
                }
                drop(state);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Waiter<T> {
    fn drop(&mut self) {
        let Some(slot) = self.slot else { return };
        let mut state = lock(&self.flight.state);
        let waker = match &mut *state {
            State::Pending(slots) => slots.get_mut(slot).and_then(Option::take),
            State::Done(_) => None,
        };
        drop(state);
        drop(waker);
    }
}
