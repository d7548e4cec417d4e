//! Gets the first token of a session, for a service that starts.

use std::time::Duration;

use crate::clock::{SleepPurpose, timeout};
use crate::error::{Error, ErrorKind, Result};

use super::{Lifecycle, TokenState};

/// The shortest wait between two attempts, so that a failing clock does not cause a busy loop.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

impl Lifecycle {
    /// Asks for a token until there is one, or until `limit` has passed.
    pub(crate) async fn warm_up(&self, limit: Duration) -> Result<()> {
        let clock = &*self.config.clock;
        let end = clock.now().monotonic.saturating_add(limit);
        let mut last_error = None;
        loop {
            let left = end.saturating_sub(clock.now().monotonic);
            let error = match timeout(clock, left, self.token()).await {
                Some(Ok(_)) => return Ok(()),
                Some(Err(error)) => error,
                None => return Err(last_error.unwrap_or_else(|| too_late(limit))),
            };
            // Neither goes away by itself.
            let is_final = self.status().state == TokenState::SessionEnded
                || matches!(error.kind(), ErrorKind::NoRuntime | ErrorKind::SessionExpired);
            let Some(wait) = self.time_to_refresh().filter(|_| !is_final) else {
                return Err(error);
            };
            let wait = wait.max(SHORTEST_WAIT);
            if wait >= end.saturating_sub(clock.now().monotonic) {
                return Err(error);
            }
            last_error = Some(error);
            clock.sleep_for(wait, SleepPurpose::Backoff).await;
        }
    }
}

fn too_late(limit: Duration) -> Error {
    Error::timeout("warm-up".into(), "the first token", limit)
}
