//! The library's refresh protocol, with threads instead of tasks: callers decide, join or start a refresh, and apply its
//! result, while a server answers 401, a runtime drops its tasks, or a refresh is replaced by a later one.

use loom::future::block_on;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

use crate::check;
use crate::refresh_state::{Decision, Outcome, Refresh, RefreshState, StateMachine, Step};
use crate::single_flight::Waiter;
use crate::sync::{Arc, Mutex, lock};

/// A token is its generation.
type Token = u32;

/// Why a refresh failed.
#[derive(Debug, Clone, PartialEq)]
struct Refused;

/// The simplest state machine: a token is served until it is refused, and a failure is final.
#[derive(Default)]
struct Tokens {
    current: Option<Token>,
    generation: Token,
    stale: bool,
    error: Option<Refused>,
    ended: bool,
}

impl StateMachine for Tokens {
    type Token = Token;
    type Error = Refused;
    type Query = ();

    fn decide(&self, (): &()) -> Decision<Token, Refused> {
        match (self.current, &self.error) {
            (Some(token), _) if self.stale => Decision::ServeAndRefresh(token),
            (Some(token), _) => Decision::Serve(token),
            (None, Some(error)) => Decision::Refuse(error.clone()),
            (None, None) => Decision::Refresh,
        }
    }
}

struct Session {
    state: Mutex<RefreshState<Tokens, ()>>,
    logins: AtomicU32,
    at_once: AtomicU32,
    refuses: bool,
}

impl Session {
    fn new(tokens: Tokens) -> Arc<Self> {
        Self::with(tokens, false)
    }

    fn with(tokens: Tokens, refuses: bool) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(RefreshState::new(tokens)),
            logins: AtomicU32::new(0),
            at_once: AtomicU32::new(0),
            refuses,
        })
    }

    /// A caller's decision, and the refresh that it has to run if it started one.
    fn step(&self, is_lost: bool) -> (Step<Tokens, ()>, Option<Refresh<Tokens>>) {
        let mut started = None;
        let step = lock(&self.state).step(
            &(),
            |()| is_lost,
            |_, refresh| {
                started = Some(refresh);
                Ok(())
            },
        );
        (step, started)
    }

    /// The decision of a caller that has to start a refresh.
    fn start(&self, is_lost: bool) -> (Waiter<Outcome<Tokens>>, Refresh<Tokens>) {
        match self.step(is_lost) {
            (Step::Started(waiter), Some(refresh)) => (waiter, refresh),
            _ => unreachable!("there is nothing to serve or to join"),
        }
    }

    fn run(&self, refresh: Refresh<Tokens>) {
        self.logins.fetch_add(1, Ordering::Relaxed);
        let others = self.at_once.fetch_add(1, Ordering::Relaxed);
        assert_eq!(others, 0, "at most one refresh at a time");
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        self.complete(refresh);
    }

    fn complete(&self, refresh: Refresh<Tokens>) {
        let outcome = lock(&self.state).apply(&refresh.flight, |tokens| {
            if self.refuses {
                tokens.error = Some(Refused);
                return Err(Refused);
            }
            assert!(!tokens.ended, "a late result revives no session");
            tokens.generation += 1;
            tokens.current = Some(tokens.generation);
            tokens.stale = false;
            Ok(tokens.generation)
        });
        if let Some(outcome) = outcome {
            refresh.leader.complete(outcome);
        }
    }

    /// What a caller does, with the refresh in a thread of its own.
    fn token(self: &Arc<Self>) -> Outcome<Tokens> {
        loop {
            let (step, started) = self.step(false);
            if let Some(refresh) = started {
                let session = Arc::clone(self);
                thread::spawn(move || session.run(refresh));
            }
            let waiter = match step {
                Step::Serve(token) => return Ok(token),
                Step::Refuse(error) => return Err(error),
                Step::Join(waiter, ()) | Step::Started(waiter) => waiter,
            };
            if let Some(outcome) = block_on(waiter) {
                return outcome;
            }
        }
    }

    fn reject(&self, token: Token) {
        let mut state = lock(&self.state);
        if state.token.current == Some(token) {
            state.token.current = None;
        }
    }

    /// The session's owner ends it.
    fn end(&self) {
        let refresh = {
            let mut state = lock(&self.state);
            state.token = Tokens {
                error: Some(Refused),
                ended: true,
                ..Tokens::default()
            };
            state.give_up()
        };
        if let Some((flight, ())) = refresh {
            flight.preempt(Err(Refused));
        }
    }

    fn logins(&self) -> u32 {
        self.logins.load(Ordering::Relaxed)
    }
}

fn with_token(stale: bool) -> Tokens {
    Tokens {
        current: Some(1),
        generation: 1,
        stale,
        ..Tokens::default()
    }
}

#[test]
fn callers_of_a_cold_session_share_one_login() {
    check(|| {
        let session = Session::new(Tokens::default());
        let other = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token())
        };
        assert_eq!(session.token(), Ok(1));
        assert_eq!(other.join().unwrap(), Ok(1));
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn callers_of_a_cold_session_share_one_failure() {
    check(|| {
        let session = Session::with(Tokens::default(), true);
        let other = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token())
        };
        assert_eq!(session.token(), Err(Refused));
        assert_eq!(other.join().unwrap(), Err(Refused));
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn stale_token_is_served_and_refreshed_once() {
    check(|| {
        let session = Session::new(with_token(true));
        let other = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token().unwrap())
        };
        assert!([1, 2].contains(&session.token().unwrap()));
        assert!([1, 2].contains(&other.join().unwrap()));
        assert!(session.logins() <= 1);
    });
}

#[test]
fn one_401_to_two_callers_costs_one_login_and_drops_no_newer_token() {
    check(|| {
        let session = Session::new(with_token(false));
        let refused = |session: &Arc<Session>| {
            session.reject(1);
            session.token()
        };
        let other = {
            let session = Arc::clone(&session);
            thread::spawn(move || refused(&session))
        };
        assert_eq!(refused(&session), Ok(2));
        assert_eq!(other.join().unwrap(), Ok(2));
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn waiter_restarts_a_refresh_that_its_runtime_drops() {
    check(|| {
        let session = Session::new(Tokens::default());
        let (waiter, lost) = session.start(false);
        drop(waiter);
        let waiter = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token())
        };
        drop(lost);
        assert_eq!(waiter.join().unwrap(), Ok(1));
        assert_eq!(session.logins(), 1);
    });
}

#[test]
fn late_result_of_a_replaced_refresh_does_not_count() {
    check(|| {
        let session = Session::new(Tokens::default());
        let (first, slow) = session.start(false);
        let (second, next) = session.start(true);
        let late = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.complete(slow))
        };
        session.run(next);
        assert_eq!(block_on(second), Some(Ok(1)));
        assert_eq!(block_on(first), None, "waiters of the lost one look again");
        late.join().unwrap();
        assert_eq!(lock(&session.state).token.generation, 1);
    });
}

#[test]
fn end_of_a_session_is_final_for_a_refresh_and_its_waiters() {
    check(|| {
        let session = Session::new(Tokens::default());
        let caller = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.token())
        };
        session.end();
        assert_eq!(session.token(), Err(Refused));
        // The caller may have been first.
        assert!([Ok(1), Err(Refused)].contains(&caller.join().unwrap()));
        let state = lock(&session.state);
        assert!(state.token.ended && state.token.current.is_none());
        assert!(!state.is_refreshing());
    });
}

#[test]
fn waiter_is_told_of_the_end_although_the_refresh_brings_nothing() {
    check(|| {
        let session = Session::new(Tokens::default());
        let (waiter, refresh) = session.start(false);
        let end = {
            let session = Arc::clone(&session);
            thread::spawn(move || session.end())
        };
        assert_eq!(block_on(waiter), Some(Err(Refused)));
        end.join().unwrap();
        session.complete(refresh);
        assert!(lock(&session.state).token.current.is_none());
    });
}
