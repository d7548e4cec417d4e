//! The keys that Synerise publishes. They are fetched once, and again when a signature does not fit, but no caller can
//! force a fetch.

use std::fmt;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;

use crate::bindings;
use crate::clock::{Clock, Reading, timeout};
use crate::error::{Error, Result};
use crate::lifecycle::single_flight::{Leader, SingleFlight};
use crate::observability::VERIFY;
use crate::operation;
use crate::sync::{Arc, Mutex, MutexGuard, lock};
use crate::transport::Transport;

use super::key::KeySet;
use super::signed_token::SignedToken;
use super::{REFETCH_FLOOR, does_not_fit};

/// Without any key no token is accepted, so this floor is as low as a server can bear.
const FIRST_FETCH_FLOOR: Duration = Duration::from_secs(1);

/// The age at which the keys are fetched again although every signature fits. A withdrawn key must not be trusted until a
/// token of the next key happens to arrive.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The time limit of a fetch, whatever the client allows other calls. Callers wait for it, including forgers.
const FETCH_LIMIT: Duration = Duration::from_secs(10);

/// How long after its own time limit a fetch counts as lost, because its runtime isn't being driven.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// The published keys of one Synerise environment, shared by all verifiers of a client.
pub(crate) struct PublishedKeys {
    transport: Arc<Transport>,
    current: ArcSwapOption<Published>,
    state: Mutex<FetchState>,
}

struct Published {
    keys: Arc<KeySet>,
    fetched_at: Reading,
}

#[derive(Default)]
struct FetchState {
    running: Option<Running>,
    /// No fetch begins before this time.
    floor: Option<Reading>,
    /// The error of the last fetch.
    failure: Option<Error>,
}

#[derive(Clone)]
struct Running {
    flight: Arc<SingleFlight<Result<()>>>,
    /// On the monotonic clock.
    overdue: Duration,
}

impl PublishedKeys {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self {
            transport,
            current: ArcSwapOption::empty(),
            state: Mutex::default(),
        }
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.transport.clock)
    }

    /// The keys that are known now.
    pub(super) fn cached(&self) -> Option<Arc<KeySet>> {
        self.current
            .load()
            .as_ref()
            .map(|published| Arc::clone(&published.keys))
    }

    /// Fetches the keys if there are none yet.
    pub(super) async fn warm_up(self: &Arc<Self>) -> Result<()> {
        match self.cached() {
            Some(_) => Ok(()),
            None => self.fetch().await,
        }
    }

    /// Checks a signature with the known keys, and with newer ones if it does not fit those.
    pub(super) async fn check(self: &Arc<Self>, token: &SignedToken<'_>, now: Reading) -> Result<()> {
        let known = self.current.load_full();
        if let Some(published) = &known
            && published.keys.fits(token)
        {
            if now.reached(published.fetched_at.after(MAX_AGE)) {
                // In the background. Whatever the result, these keys are used until there are others.
                let _ = self.join_or_start(now);
            }
            return Ok(());
        }
        self.fetch().await?;
        match self.cached() {
            Some(keys) if !known.is_some_and(|known| Arc::ptr_eq(&known.keys, &keys)) && keys.fits(token) => {
                Ok(())
            }
            _ => Err(does_not_fit()),
        }
    }

    /// Waits until the keys are as new as the floor allows.
    async fn fetch(self: &Arc<Self>) -> Result<()> {
        let clock = self.clock();
        // A fetch whose runtime was shut down has no result. One more is made in this caller's runtime.
        for _ in 0..2 {
            let now = clock.now();
            let Some(running) = self.join_or_start(now)? else {
                return Ok(());
            };
            let limit = running.overdue.saturating_sub(now.monotonic);
            if let Some(Some(result)) = timeout(&*clock, limit, running.flight.wait()).await {
                return result;
            }
            self.forget(&running.flight);
        }
        Err(self.took_too_long())
    }

    /// The running fetch, or a new one. `None`, or the last fetch's error, if it is too early for that.
    fn join_or_start(self: &Arc<Self>, now: Reading) -> Result<Option<Running>> {
        let mut state = self.lock();
        if let Some(running) = &state.running
            && running.flight.is_pending()
            && now.monotonic < running.overdue
        {
            return Ok(Some(running.clone()));
        }
        if state.floor.is_some_and(|floor| !now.reached(floor)) {
            return match &state.failure {
                Some(error) => Err(error.clone()),
                None => Ok(None),
            };
        }
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime())?;
        let (flight, leader) = SingleFlight::start();
        let limit = self.limit().saturating_add(LOST_AFTER);
        let running = Running {
            flight,
            overdue: now.monotonic.saturating_add(limit),
        };
        state.running = Some(running.clone());
        state.floor = Some(now.after(self.floor()));
        drop(state);
        // A separate task: a caller that gives up must not cost the others their result, or cause a request each.
        runtime.spawn(Arc::clone(self).fetch_and_publish(Arc::clone(&running.flight), leader));
        Ok(Some(running))
    }

    async fn fetch_and_publish(
        self: Arc<Self>,
        flight: Arc<SingleFlight<Result<()>>>,
        leader: Leader<Result<()>>,
    ) {
        let clock = self.clock();
        let result = timeout(&*clock, self.limit(), self.request())
            .await
            .unwrap_or_else(|| Err(self.took_too_long()));
        let now = clock.now();
        let mut state = self.lock();
        if !state
            .running
            .as_ref()
            .is_some_and(|running| Arc::ptr_eq(&running.flight, &flight))
        {
            return;
        }
        state.running = None;
        let result = result.map(|keys| self.publish(keys, now));
        state.failure = result.as_ref().err().cloned();
        state.floor = Some(now.after(self.floor()));
        drop(state);
        if let Err(error) = &result {
            let kept = if self.cached().is_some() {
                "the keys that are known stay in use"
            } else {
                "no token can be verified"
            };
            tracing::warn!(target: VERIFY, { error.type = error.kind().as_str() }, "fetching the public key failed, {kept}: {error}");
        }
        leader.complete(result);
    }

    async fn request(&self) -> Result<KeySet> {
        let operation = &operation::GET_PUBLIC_KEY;
        let client = bindings::Client::open(&self.transport, None);
        let response = client.get_public_key().response().await?;
        if !response
            .body
            .windows(PEM_BEGINS.len())
            .any(|text| text == PEM_BEGINS)
        {
            return Err(Error::unexpected_response(
                operation.id.into(),
                response.status(),
                "it is not a public key in PEM",
            ));
        }
        KeySet::read_usable(&response.body)
    }

    fn publish(&self, keys: KeySet, fetched_at: Reading) {
        tracing::debug!(target: VERIFY, keys = keys.len(), "public key fetched");
        // Unchanged keys keep their value, so that no signature is checked with them again.
        let keys = match self.cached() {
            Some(known) if *known == keys => known,
            _ => Arc::new(keys),
        };
        self.current.store(Some(Arc::new(Published { keys, fetched_at })));
    }

    /// A fetch is lost. Nobody has to wait for the floor of a lost fetch.
    fn forget(&self, flight: &Arc<SingleFlight<Result<()>>>) {
        let mut state = self.lock();
        if state
            .running
            .as_ref()
            .is_some_and(|running| Arc::ptr_eq(&running.flight, flight))
        {
            state.running = None;
            state.floor = None;
        }
    }

    fn limit(&self) -> Duration {
        self.transport.limits.call.min(FETCH_LIMIT)
    }

    fn took_too_long(&self) -> Error {
        Error::timeout(operation::GET_PUBLIC_KEY.id.into(), "the response", self.limit())
    }

    fn floor(&self) -> Duration {
        if self.current.load().is_some() {
            REFETCH_FLOOR
        } else {
            FIRST_FETCH_FLOOR
        }
    }

    fn lock(&self) -> MutexGuard<'_, FetchState> {
        lock(&self.state)
    }
}

const PEM_BEGINS: &[u8] = b"-----BEGIN ";

impl fmt::Debug for PublishedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKeys")
            .field("keys", &self.cached())
            .finish_non_exhaustive()
    }
}
