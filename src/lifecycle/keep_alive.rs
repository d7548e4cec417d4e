//! Renewal without callers, for sessions that can only be prolonged while their token is active.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::error::{Error, Result};

use super::Lifecycle;
use super::sync::Arc;

/// Keeps a session's token renewed until it is dropped.
///
/// A session that is used is renewed by its callers, and needs none of this. A profile's session that is idle can't be
/// prolonged any more once its token has expired: this is for those.
#[derive(Debug)]
#[must_use = "the session is kept alive until this is dropped"]
pub struct KeepAlive(AbortHandle);

/// The longest sleep: a machine that was suspended notices after it that its token's time has come.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The shortest, so that a clock or a server gone wild costs no processor.
const SHORTEST_SLEEP: Duration = Duration::from_millis(100);

impl KeepAlive {
    pub(crate) fn start(lifecycle: Arc<Lifecycle>) -> Result<Self> {
        let runtime = Handle::try_current().map_err(|_| Error::no_runtime())?;
        let task = runtime.spawn(async move {
            while let Some(wait) = lifecycle.time_to_refresh() {
                let wait = wait.clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
                lifecycle.config().clock.sleep(wait).await;
                // A failure is in the session's status and events; the machine's backoff says when to try again.
                let _ = lifecycle.refresh_if_due().await;
            }
        });
        Ok(Self(task.abort_handle()))
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.0.abort();
    }
}
