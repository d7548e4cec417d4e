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
pub(crate) struct Flight<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
enum State<T> {
    /// Under way. A waiter's seat stays its own; an empty one is `None`.
    Airborne(Vec<Option<Waker>>),
    /// Over; `None` if nobody is left to bring a result.
    Landed(Option<T>),
}

impl<T: Clone> Flight<T> {
    /// A flight, and the right and duty to land it.
    pub(crate) fn start() -> (Arc<Self>, Pilot<T>) {
        let flight = Arc::new(Self {
            state: Mutex::new(State::Airborne(Vec::new())),
        });
        (Arc::clone(&flight), Pilot { flight })
    }

    /// Waits for the result: `None` when the pilot was lost before there was one.
    pub(crate) fn wait(self: &Arc<Self>) -> Passenger<T> {
        Passenger {
            flight: Arc::clone(self),
            seat: None,
        }
    }

    /// Whether there is still something to wait for.
    pub(crate) fn is_airborne(&self) -> bool {
        matches!(*self.lock(), State::Airborne(_))
    }

    fn land(&self, result: Option<T>) {
        let mut state = self.lock();
        let State::Airborne(seats) = &mut *state else {
            return;
        };
        let seats = std::mem::take(seats);
        *state = State::Landed(result);
        drop(state);
        seats.into_iter().flatten().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

/// The one who does the work. Dropped without a result, it lets the waiters know, whatever the reason was.
#[derive(Debug)]
pub(crate) struct Pilot<T: Clone> {
    flight: Arc<Flight<T>>,
}

impl<T: Clone> Pilot<T> {
    /// Gives the result to all who wait, and to all who come later.
    pub(crate) fn land(self, result: T) {
        self.flight.land(Some(result));
    }
}

impl<T: Clone> Drop for Pilot<T> {
    fn drop(&mut self) {
        self.flight.land(None);
    }
}

/// One who waits.
#[derive(Debug)]
pub(crate) struct Passenger<T> {
    flight: Arc<Flight<T>>,
    seat: Option<usize>,
}

impl<T: Clone> Future for Passenger<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // A waker is cloned and dropped outside of the lock: it belongs to an executor that may do anything then.
        let mut waker = Some(context.waker().clone());
        let mut state = lock(&this.flight.state);
        match &mut *state {
            State::Landed(result) => Poll::Ready(result.clone()),
            State::Airborne(seats) => {
                if let Some(taken) = this.seat.and_then(|seat| seats.get_mut(seat)) {
                    std::mem::swap(taken, &mut waker);
                } else {
                    this.seat = Some(seats.len());
                    seats.push(waker.take());
                }
                drop(state);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Passenger<T> {
    fn drop(&mut self) {
        let Some(seat) = self.seat else { return };
        let mut state = lock(&self.flight.state);
        let waker = match &mut *state {
            State::Airborne(seats) => seats.get_mut(seat).and_then(Option::take),
            State::Landed(_) => None,
        };
        drop(state);
        drop(waker);
    }
}
