//! One piece of work at a time, whose result everybody gets who waits for it.
//!
//! It knows nothing of tokens or of a runtime, and takes its lock from `super::sync`, so that a model checker can put
//! its own there and try every order of events (`models/`).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{Arc, Mutex, MutexGuard, lock};

/// The place of one flight and of those who wait for it.
#[derive(Debug)]
pub(crate) struct SingleFlight<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    /// Under way. A waiter's slot stays its own; an empty one is `None`.
    Pending(Vec<Option<Waker>>),
    /// Over; `None` if nobody is left to bring a result.
    Done(Option<T>),
}

impl<T: Clone> SingleFlight<T> {
    /// A flight, and the right and duty to land it.
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

    /// Whether there is still something to wait for.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(*self.lock(), State::Pending(_))
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

/// The one who does the work. Dropped without a result, it lets the waiters know, whatever the reason was.
#[derive(Debug)]
pub(crate) struct Leader<T: Clone> {
    flight: Arc<SingleFlight<T>>,
}

impl<T: Clone> Leader<T> {
    /// Gives the result to all who wait, and to all who come later.
    pub(crate) fn complete(self, result: T) {
        self.flight.complete(Some(result));
    }
}

impl<T: Clone> Drop for Leader<T> {
    fn drop(&mut self) {
        self.flight.complete(None);
    }
}

/// One who waits.
#[derive(Debug)]
pub(crate) struct Waiter<T> {
    flight: Arc<SingleFlight<T>>,
    slot: Option<usize>,
}

impl<T: Clone> Future for Waiter<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // A waker is cloned and dropped outside of the lock: it belongs to an executor that may do anything then.
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
