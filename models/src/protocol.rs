//! The lifecycle's protocol (`src/lifecycle/mod.rs`) at a small scale: decide and board under the lock, refresh in a
//! task of its own, apply under the lock, land after it; beside it a 401, a runtime that takes its tasks with it,
//! and a refresh that another one replaced.

use loom::future::block_on;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

use crate::check;
use crate::single_flight::{Leader, SingleFlight, Waiter};
use crate::sync::{Arc, Mutex, lock};

/// A token is its generation.
type Token = u32;

#[derive(Default)]
struct Session {
    state: Mutex<State>,
    logins: AtomicU32,
    at_once: AtomicU32,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    generation: Token,
    running: Option<Arc<SingleFlight<Token>>>,
}

enum Step {
    Serve(Token),
    Wait(Waiter<Token>),
    /// A refresh that this caller began, whose work is done where the test says.
    Begin(Refresh, Waiter<Token>),
}

struct Refresh {
    flight: Arc<SingleFlight<Token>>,
    leader: Leader<Token>,
}

impl Session {
    fn decide(&self, is_overdue: bool) -> Step {
        let mut state = lock(&self.state);
        if let Some(token) = state.token {
            return Step::Serve(token);
        }
        if let Some(flight) = &state.running
            && flight.is_pending()
            && !is_overdue
        {
            return Step::Wait(flight.wait());
        }
        let (flight, leader) = SingleFlight::start();
        let waiter = flight.wait();
        state.running = Some(Arc::clone(&flight));
        Step::Begin(Refresh { flight, leader }, waiter)
    }

    fn refresh(&self, refresh: Refresh) {
        let Refresh { flight, leader } = refresh;
        self.logins.fetch_add(1, Ordering::Relaxed);
        let others = self.at_once.fetch_add(1, Ordering::Relaxed);
        assert_eq!(others, 0, "at most one refresh at a time");
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        if let Some(token) = self.apply(&flight) {
            leader.complete(token);
        }
    }

    fn apply(&self, flight: &Arc<SingleFlight<Token>>) -> Option<Token> {
        let mut state = lock(&self.state);
        if !state
            .running
            .as_ref()
            .is_some_and(|running| Arc::ptr_eq(running, flight))
        {
            return None;
        }
        state.running = None;
        state.generation += 1;
        state.token = Some(state.generation);
        state.token
    }

    /// As a caller does, with the refresh done in a thread of its own.
    fn token(self: &Arc<Self>) -> Token {
        loop {
            let waiter = match self.decide(false) {
                Step::Serve(token) => return token,
                Step::Wait(waiter) => waiter,
                Step::Begin(refresh, waiter) => {
                    let session = Arc::clone(self);
                    thread::spawn(move || session.refresh(refresh));
                    waiter
                }
            };
            if let Some(token) = block_on(waiter) {
                return token;
            }
        }
    }

    fn reject(&self, token: Token) {
        let mut state = lock(&self.state);
        if state.token == Some(token) {
            state.token = None;
        }
    }

    fn logins(&self) -> u32 {
        self.logins.load(Ordering::Relaxed)
    }
}

#[test]
fn callers_of_a_cold_session_share_one_login() {
    check(|| {
        let session = Arc::new(Session::default());
        let other = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token())
        };
        assert_eq!(session.token(), 1);
        assert_eq!(other.join().unwrap(), 1);
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn one_401_to_two_callers_costs_one_login_and_drops_no_newer_token() {
    check(|| {
        let session = Arc::new(Session::default());
        {
            let mut state = lock(&session.state);
            (state.token, state.generation) = (Some(1), 1);
        }
        let refused = |session: &Arc<Session>| {
            session.reject(1);
            session.token()
        };
        let other = {
            let session = Arc::clone(&session);
            thread::spawn(move || refused(&session))
        };
        assert_eq!(refused(&session), 2);
        assert_eq!(other.join().unwrap(), 2);
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn a_renewal_that_its_runtime_drops_is_taken_over_by_who_waited_for_it() {
    check(|| {
        let session = Arc::new(Session::default());
        let Step::Begin(lost, waiter) = session.decide(false) else {
            unreachable!("a cold session begins a refresh");
        };
        drop(waiter);
        let waiter = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token())
        };
        drop(lost);
        assert_eq!(waiter.join().unwrap(), 1);
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn a_renewal_that_was_replaced_changes_nothing_when_it_comes_after_all() {
    check(|| {
        let session = Arc::new(Session::default());
        let Step::Begin(slow, first) = session.decide(false) else {
            unreachable!("a cold session begins a refresh");
        };
        let Step::Begin(next, second) = session.decide(true) else {
            unreachable!("an overdue refresh is replaced");
        };
        let late = {
            let session = Arc::clone(&session);
            thread::spawn(move || {
                if let Some(token) = session.apply(&slow.flight) {
                    slow.leader.complete(token);
                }
            })
        };
        session.refresh(next);
        assert_eq!(block_on(second), Some(1));
        assert_eq!(block_on(first), None, "who waited for the lost one looks again");
        late.join().unwrap();
        assert_eq!(lock(&session.state).generation, 1);
    });
}
