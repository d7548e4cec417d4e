//! Shares a token that could not be shared when the session got it, because its store did not answer.
//!
//! This is the one thing that a session does while nobody calls it. It ends when the token is shared, replaced or due, and
//! with the session.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::clock::SleepPurpose;
use crate::sync::{Arc, Mutex, lock};

use super::Lifecycle;
use super::catch_panic::catch_panic;

/// No wait between two attempts is shorter.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The task that shares a session's token. It ends with the session.
#[derive(Default)]
pub(super) struct Sharing(Mutex<Option<AbortHandle>>);

impl Sharing {
    fn replace(&self, task: Option<AbortHandle>) {
        if let Some(previous) = std::mem::replace(&mut *lock(&self.0), task) {
            previous.abort();
        }
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        self.replace(None);
    }
}

impl Lifecycle {
    /// Shares the current token as soon as that is possible, if its source could not share it.
    pub(super) fn share_later(&self) {
        if self.source.share_later().is_none() {
            return;
        }
        let (Some(token), Ok(runtime)) = (self.peek(), Handle::try_current()) else {
            return;
        };
        let this = self.this.clone();
        let generation = token.generation();
        let attempts = async move {
            loop {
                let Some(session) = this.upgrade() else { return };
                let Some(wait) = session.source.share_later() else {
                    return;
                };
                let (wait, config) = (wait.max(SHORTEST_WAIT), Arc::clone(&session.config));
                drop(session);
                config.clock.sleep_for(wait, SleepPurpose::Backoff).await;
                let Some(session) = this.upgrade() else { return };
                // A token that was refused, or replaced by another one, is of no use to others.
                let Some(token) = session.peek().filter(|token| token.generation() == generation) else {
                    return;
                };
                let offer = session.source.offer(&token);
                drop(session);
                let is_done = offer.await;
                let Some(session) = this.upgrade() else { return };
                session.emit_news();
                if is_done {
                    return;
                }
            }
        };
        let task = runtime.spawn(catch_panic(attempts));
        self.sharing.replace(Some(task.abort_handle()));
    }
}
