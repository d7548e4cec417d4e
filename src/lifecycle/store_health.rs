//! Whether the clients' store answers. After a failure it is left alone for a while, so that nobody waits for it again.

use std::time::Duration;

use crate::backoff::backoff;
use crate::clock::Reading;
use crate::sync::{Mutex, lock};

/// How a client's store does. All sessions of the client share it.
#[derive(Debug, Default)]
pub(super) struct StoreHealth(Mutex<Option<Rest>>);

/// What a store is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Take,
    Save,
}

/// The store failed, and is left alone.
#[derive(Debug)]
struct Rest {
    call: Call,
    failures: u32,
    until: Reading,
}

/// How long the store is left alone after the first failure. It doubles with each further failure.
const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(60);

impl StoreHealth {
    /// Whether the store is left alone.
    pub(super) fn rests(&self, now: Reading) -> bool {
        !self.rest_left(now).is_zero()
    }

    /// How long the store is still left alone.
    pub(super) fn rest_left(&self, now: Reading) -> Duration {
        lock(&self.0)
            .as_ref()
            .map_or(Duration::ZERO, |rest| now.until(rest.until))
    }

    /// The store failed. Returns whether that is news. `fraction` is the jitter's.
    pub(super) fn failed(&self, call: Call, now: Reading, fraction: f64) -> bool {
        let mut rest = lock(&self.0);
        if rest.as_ref().is_some_and(|rest| !now.reached(rest.until)) {
            // Of several calls that failed together, one counts.
            return false;
        }
        let failures = rest.as_ref().map_or(0, |rest| rest.failures).saturating_add(1);
        let length = backoff(FIRST_REST, LONGEST_REST, failures, 0.5 + 0.5 * fraction);
        let is_news = rest.is_none();
        *rest = Some(Rest {
            call,
            failures,
            until: now.after(length),
        });
        is_news
    }

    /// The store answered. Returns whether that is news. A store that is full or read-only may still answer questions, so
    /// only the call that failed shows that it is well again.
    pub(super) fn answered(&self, call: Call) -> bool {
        lock(&self.0).take_if(|rest| rest.call == call).is_some()
    }
}
