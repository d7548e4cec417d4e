//! Refreshes tokens without callers, for sessions that can only be refreshed while their token is active.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::clock::{Clock, SleepPurpose, SystemClock};
use crate::error::{Error, Result};
use crate::observability::SESSION;

use super::catch_panic::catch_panic;
use super::{Event, Lifecycle};
use crate::sync::Arc;

/// Keeps a session's token refreshed until it is dropped.
///
/// A session that is in use does not need this: its callers refresh it. But once the token of an idle profile's session has
/// expired, it can't be refreshed any more. Use this for such sessions.
///
/// It stops by itself when the session has ended ([`Event::KeepAliveStopped`]), and with the runtime in which it was
/// started.
#[derive(Debug)]
#[must_use = "the session is kept alive until this is dropped"]
pub struct KeepAlive(AbortHandle);

/// The longest sleep. After it, a computer that was suspended notices that a refresh is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The shortest sleep, so that a wrong clock or a failing server does not cause a busy loop.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

impl KeepAlive {
    pub(crate) fn start(lifecycle: &Arc<Lifecycle>) -> Result<Self> {
        if !lifecycle.source.is_refreshable() {
            return Err(Error::invalid_input(
                "keep_alive",
                "was called on a session that can't be refreshed",
                "log in again when the session's token has expired",
            ));
        }
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime())?;
        let task = runtime.spawn(run(Arc::clone(lifecycle)));
        Ok(Self(task.abort_handle()))
    }

    /// Returns whether it still refreshes the token. It does not after the session has ended, or after its runtime was shut
    /// down.
    pub fn is_running(&self) -> bool {
        !self.0.is_finished()
    }
}

async fn run(lifecycle: Arc<Lifecycle>) {
    let mut pause = SHORTEST_SLEEP;
    loop {
        match catch_panic(refresh_once(&lifecycle)).await {
            Some(true) => pause = SHORTEST_SLEEP,
            Some(false) => break,
            None => {
                // Uses the system's clock, because the session's own may have panicked.
                tracing::warn!(target: SESSION, "a clock or a source of randomness panicked; the session is kept alive");
                if catch_panic(SystemClock::default().sleep(pause)).await.is_none() {
                    return;
                }
                pause = pause.saturating_mul(2).min(LONGEST_SLEEP);
            }
        }
    }
    let error = lifecycle.lock().token.last_error().cloned();
    if let Some(error) = error {
        tracing::warn!(target: SESSION, { error.type = error.kind().as_str() }, "the session is no longer kept alive: {error}");
        lifecycle.emit(|| Event::KeepAliveStopped { error });
    }
}

/// Waits until a refresh may be due, and then for the refresh itself. Returns whether the session can still be refreshed.
async fn refresh_once(lifecycle: &Lifecycle) -> bool {
    let mut ended = pin!(lifecycle.ended.get_or_init(Box::default).notified());
    // From here on, the end of the session is not missed.
    ended.as_mut().enable();
    let Some(wait) = lifecycle.time_to_refresh() else {
        return false;
    };
    let wait = wait.clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
    let clock = &lifecycle.config.clock;
    let mut sleep = clock.sleep_for(wait, SleepPurpose::KeepAlive);
    poll_fn(|context| match ended.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(()),
        Poll::Pending => sleep.as_mut().poll(context),
    })
    .await;
    // The session's status and events report a failure, and its backoff decides when to try again.
    let _ = lifecycle.refresh_if_due().await;
    true
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.0.abort();
    }
}
