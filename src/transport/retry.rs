//! When a request is sent again, and how long after.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::backoff::backoff;
use crate::random::{Random, unit_fraction};

/// How often, and how far apart, a request is tried.
///
/// The wait before try *n* is random between zero and `initial_backoff · 2ⁿ`, no longer than `max_backoff` ("full
/// jitter"): clients that failed together don't come back together. A server's `Retry-After` is obeyed instead where it
/// is longer; where it is longer than `max_retry_after`, the caller gets the error at once.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How many times a request is sent at the most. 3 by default; 1 never retries.
    pub max_attempts: u32,
    /// The longest wait before the second try. 200 ms by default.
    pub initial_backoff: Duration,
    /// The longest wait before any try. 5 s by default.
    pub max_backoff: Duration,
    /// The longest `Retry-After` that is waited for. 10 s by default.
    pub max_retry_after: Duration,
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
    /// A policy that sends everything once.
    pub fn never() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// The same policy with another number of tries; 0 counts as 1.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts.max(1);
        self
    }

    /// How long to wait after try `attempt` (the first is 1); `None` when the server asks for more than is waited for.
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

/// A budget of retries that all calls of a client share, so that a server that is down gets little more than the
/// ordinary load. A retry costs, a success earns a little back.
#[derive(Debug)]
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    const FULL: u32 = 500;
    const COST: u32 = 5;
    const EARNING: u32 = 1;

    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }

    /// Whether one more retry is covered.
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

/// How long a server asks to wait: `Retry-After` in seconds, or as a date against the server's own `Date` (else
/// against `wall`, the local wall clock since the epoch).
pub(crate) fn retry_after(headers: &HeaderMap, wall: Duration) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let now = server_date(headers).unwrap_or(wall);
    let until = httpdate::parse_http_date(value)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?;
    Some(until.saturating_sub(now))
}

/// The server's clock, since the epoch.
pub(crate) fn server_date(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(DATE)?.to_str().ok()?;
    httpdate::parse_http_date(value)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::FixedRandom;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn waits_grow_and_stay_below_the_longest() {
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
    fn a_server_is_obeyed_up_to_a_limit() {
        let policy = RetryPolicy::default();
        let wait = |seconds| policy.delay(1, Some(Duration::from_secs(seconds)), &FixedRandom(0.0));
        assert_eq!(wait(7), Some(Duration::from_secs(7)));
        assert_eq!(wait(3600), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_of_the_servers_clock() {
        let read = |pairs: &[_]| retry_after(&headers(pairs), Duration::from_secs(784_111_777));
        assert_eq!(read(&[("retry-after", "120")]), Some(Duration::from_secs(120)));
        assert_eq!(
            read(&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")]),
            Some(Duration::from_secs(10))
        );
        let skewed = [
            ("retry-after", "Sat, 06 Nov 2094 08:49:47 GMT"),
            ("date", "Sat, 06 Nov 2094 08:49:17 GMT"),
        ];
        assert_eq!(read(&skewed), Some(Duration::from_secs(30)));
        assert_eq!(
            read(&[("retry-after", "Fri, 06 Nov 1970 08:49:47 GMT")]),
            Some(Duration::ZERO)
        );
        for nonsense in ["", "soon", "-1", "1e9", "99999999999999999999999"] {
            assert_eq!(read(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn a_budget_ends_and_is_earned_back() {
        let budget = RetryBudget::new();
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 100);
        (0..5).for_each(|_| budget.earn());
        assert!(budget.spend() && !budget.spend());
    }
}
