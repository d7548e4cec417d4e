//! The refresh protocol: which caller starts a refresh, which callers join it, and whose result counts.
//!
//! All of it happens under the session's lock. It is generic over the token, the error and the place where a refresh runs,
//! and it knows no clocks and no runtimes. So `models/` can check this very file in every order of events.

use super::single_flight::{Leader, SingleFlight, Waiter};
use crate::sync::Arc;

/// What to do for a caller.
#[derive(Debug)]
pub(crate) enum Decision<T, E> {
    /// Serve the token.
    Serve(T),
    /// Serve the token, and start a refresh if none runs.
    ServeAndRefresh(T),
    /// Wait for the running refresh, or start one.
    Refresh,
    /// Fail, without a refresh.
    Refuse(E),
}

/// What a session knows about its token.
pub(crate) trait StateMachine {
    type Token: Clone;
    type Error: Clone;
    /// A decision's inputs besides the token: the time, and the caller's needs.
    type Query;

    fn decide(&self, query: &Self::Query) -> Decision<Self::Token, Self::Error>;
}

/// The result that all waiters of a refresh get.
pub(crate) type Outcome<S> = Result<<S as StateMachine>::Token, <S as StateMachine>::Error>;

/// The single flight of a session's refresh.
pub(crate) type Flight<S> = SingleFlight<Outcome<S>>;

/// A session's token and its refresh, if one runs. `R` is the place where that runs.
pub(crate) struct RefreshState<S: StateMachine, R> {
    pub(crate) token: S,
    /// Boxed: it exists only for a short time, and would take up space in every idle session.
    running: Option<Box<Running<S, R>>>,
}

struct Running<S: StateMachine, R> {
    flight: Arc<Flight<S>>,
    run: R,
}

/// What a caller does after a decision.
pub(crate) enum Step<S: StateMachine, R> {
    Serve(S::Token),
    Refuse(S::Error),
    /// Wait for the running refresh.
    Join(Waiter<Outcome<S>>, R),
    /// Wait for the refresh that was started.
    Started(Waiter<Outcome<S>>),
}

/// A refresh to run: the leader's part of it.
pub(crate) struct Refresh<S: StateMachine> {
    pub(crate) flight: Arc<Flight<S>>,
    pub(crate) leader: Leader<Outcome<S>>,
}

impl<S: StateMachine, R: Clone> RefreshState<S, R> {
    pub(crate) fn new(token: S) -> Self {
        Self { token, running: None }
    }

    /// Serves the token, joins the running refresh, or starts one.
    ///
    /// `is_lost` returns whether the running refresh will never bring a result. `start` starts one and returns where it
    /// runs.
    pub(crate) fn step(
        &mut self,
        query: &S::Query,
        is_lost: impl FnOnce(&R) -> bool,
        start: impl FnOnce(&S, Refresh<S>) -> Result<R, S::Error>,
    ) -> Step<S, R> {
        match self.token.decide(query) {
            Decision::Serve(token) => Step::Serve(token),
            Decision::ServeAndRefresh(token) => {
                // For this caller it doesn't matter that no refresh can be started: the token is valid.
                let _ = self.join_or_start(is_lost, start);
                Step::Serve(token)
            }
            Decision::Refresh => self.join_or_start(is_lost, start),
            Decision::Refuse(error) => Step::Refuse(error),
        }
    }

    /// Joins the running refresh, or starts one, whatever the token's state.
    pub(crate) fn join_or_start(
        &mut self,
        is_lost: impl FnOnce(&R) -> bool,
        start: impl FnOnce(&S, Refresh<S>) -> Result<R, S::Error>,
    ) -> Step<S, R> {
        if let Some(running) = &self.running
            && running.flight.is_pending()
            && !is_lost(&running.run)
        {
            return Step::Join(running.flight.wait(), running.run.clone());
        }
        let (flight, leader) = SingleFlight::start();
        let waiter = flight.wait();
        let refresh = Refresh {
            flight: Arc::clone(&flight),
            leader,
        };
        match start(&self.token, refresh) {
            Ok(run) => {
                self.running = Some(Box::new(Running { flight, run }));
                Step::Started(waiter)
            }
            Err(error) => Step::Refuse(error),
        }
    }

    /// Records a refresh's result for all waiters. `None` when the refresh is not the session's any more: its result then
    /// doesn't count.
    pub(crate) fn apply(
        &mut self,
        flight: &Arc<Flight<S>>,
        record: impl FnOnce(&mut S) -> Outcome<S>,
    ) -> Option<Outcome<S>> {
        let is_current = self
            .running
            .as_ref()
            .is_some_and(|running| Arc::ptr_eq(&running.flight, flight));
        is_current.then(|| {
            self.running = None;
            record(&mut self.token)
        })
    }

    /// Gives up the running refresh: its result doesn't count any more. Returns its flight, for telling its waiters, and the
    /// place where it runs.
    pub(crate) fn give_up(&mut self) -> Option<(Arc<Flight<S>>, R)> {
        let running = self.running.take()?;
        Some((running.flight, running.run))
    }

    pub(crate) fn is_refreshing(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(|running| running.flight.is_pending())
    }

    /// The place where the last refresh was started, unless it has ended.
    pub(crate) fn running(&self) -> Option<&R> {
        self.running.as_ref().map(|running| &running.run)
    }
}
