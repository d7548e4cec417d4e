//! Decides when a request is sent again, and after which wait.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::backoff::backoff;
use crate::random::{Random, unit_fraction};

/// How often a request is sent again, and with which waits.
///
/// Before attempt *n* (the first is 1), the client waits for a random time between zero and `initial_backoff · 2^(n − 2)`,
/// but no longer than `max_backoff` ("full jitter"), so that clients that failed together don't come back together. A
/// longer `Retry-After` from the server is obeyed instead. If it is longer than `max_retry_after`, the caller gets the
/// error at once.
///
/// What was not sent is sent again, and so is what the server says that it did not process: by 421, 425, 429 or 503, or by
/// `REFUSED_STREAM` over HTTP/2. After any other failure, only an idempotent request is sent again, because the first may
/// have been carried out. A registration is sent again only if it was not sent at all.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::client::RetryPolicy;
///
/// let policy = RetryPolicy::default()
///     .with_max_attempts(5)
///     .with_initial_backoff(Duration::from_millis(100));
/// assert_eq!(policy.max_attempts(), 5);
/// assert_eq!(RetryPolicy::never().max_attempts(), 1);
/// ```
#[doc(alias("Retry-After", "backoff"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
    max_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(5),
            max_retry_after: Duration::from_secs(10),
        }
    }
}

impl RetryPolicy {
    /// Returns a policy that sends everything once. A request whose token is refused is still sent again with a new one.
    pub fn never() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// Sets how many times a request is sent at most, including the first time. The default is 3; 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// Sets the longest backoff before the second attempt. It doubles with each further attempt. The default is 200 ms.
    #[must_use]
    pub fn with_initial_backoff(mut self, initial_backoff: Duration) -> Self {
        self.initial_backoff = initial_backoff;
        self
    }

    /// Sets the longest backoff before any attempt. The default is 5 s.
    #[must_use]
    pub fn with_max_backoff(mut self, max_backoff: Duration) -> Self {
        self.max_backoff = max_backoff;
        self
    }

    /// Sets the longest `Retry-After` that the client waits for. The default is 10 s.
    #[must_use]
    pub fn with_max_retry_after(mut self, max_retry_after: Duration) -> Self {
        self.max_retry_after = max_retry_after;
        self
    }

    /// Returns how many times a request is sent at most.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// Returns the longest backoff before the second attempt.
    pub fn initial_backoff(&self) -> Duration {
        self.initial_backoff
    }

    /// Returns the longest backoff before any attempt.
    pub fn max_backoff(&self) -> Duration {
        self.max_backoff
    }

    /// Returns the longest `Retry-After` that the client waits for.
    pub fn max_retry_after(&self) -> Duration {
        self.max_retry_after
    }

    /// How long to wait after an attempt (the first is 1). `None` when the server asks for a longer wait than is allowed.
    pub(crate) fn delay(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        random: &dyn Random,
    ) -> Option<Duration> {
        let jittered = backoff(
            self.initial_backoff,
            self.max_backoff,
            attempt,
            unit_fraction(random),
        );
        match retry_after {
            Some(wait) if wait > self.max_retry_after => None,
            Some(wait) => Some(wait.max(jittered)),
            None => Some(jittered),
        }
    }
}

/// A budget of retries that all calls of a client share, so that an unavailable server gets little more than the ordinary
/// load. A retry costs, and a success earns a little back.
#[derive(Debug)]
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 500;
    const COST: u32 = 5;
    const EARNING: u32 = 1;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// Whether the budget covers one more retry.
    pub(crate) fn spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(Self::COST)
            })
            .is_ok()
    }

    pub(crate) fn earn(&self) {
        if self.0.load(Ordering::Relaxed) < Self::FULL {
            self.0.fetch_add(Self::EARNING, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::FixedRandom;

    #[test]
    fn backoff_grows_up_to_the_maximum() {
        let policy = RetryPolicy::default();
        let wait = |attempt| policy.delay(attempt, None, &FixedRandom(1.0)).unwrap();
        assert_eq!(
            [wait(1), wait(2), wait(3), wait(40)],
            [200, 400, 800, 5000].map(Duration::from_millis)
        );
        assert_eq!(
            policy.delay(40, None, &FixedRandom(f64::NAN)),
            Some(Duration::ZERO)
        );
        let patient = RetryPolicy {
            initial_backoff: Duration::MAX,
            max_backoff: Duration::MAX,
            ..policy
        };
        assert_eq!(patient.delay(1, None, &FixedRandom(2.0)), Some(Duration::MAX));
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_limit() {
        let policy = RetryPolicy::default();
        let wait = |seconds| policy.delay(1, Some(Duration::from_secs(seconds)), &FixedRandom(0.0));
        assert_eq!(wait(7), Some(Duration::from_secs(7)));
        assert_eq!(wait(10), Some(Duration::from_secs(10)), "the limit itself");
        assert_eq!(wait(11), None);
    }

    #[test]
    fn budget_is_spent_and_earned_back() {
        let budget = RetryBudget::new();
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 100);
        (0..5).for_each(|_| budget.earn());
        assert!(budget.spend() && !budget.spend());
    }
}
