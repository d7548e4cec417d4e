//! When a refresh is due, and how long to wait after a failed one.

use std::time::Duration;

use crate::backoff::{backoff, share};
use crate::clock::Reading;
use crate::error::Error;
use crate::token::Validity;

/// When tokens are refreshed.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::Client;
/// use synerise_auth::lifecycle::RefreshPolicy;
///
/// let policy = RefreshPolicy::default()
///     .with_margin(Duration::from_secs(60))
///     .with_timeout(Duration::from_secs(10));
/// let client = Client::builder().refresh_policy(policy).build()?;
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[doc(alias = "expiry")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshPolicy {
    margin: Duration,
    timeout: Duration,
    initial_backoff: Duration,
    max_backoff: Duration,
    refused_backoff: Duration,
    max_lifetime: Duration,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(300),
            timeout: Duration::from_secs(30),
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(30),
            refused_backoff: Duration::from_secs(10),
            // Ten years is the longest that Synerise's own examples show.
            max_lifetime: Duration::from_secs(3660 * 24 * 3600),
        }
    }
}

impl RefreshPolicy {
    /// Sets the longest time before expiry at which a token is refreshed. The default is 5 minutes.
    ///
    /// A token that is valid for less than five times the margin is refreshed in the last fifth of its lifetime. The margin
    /// is shortened at random by up to a quarter, so that processes that started together don't refresh together.
    #[must_use]
    pub fn with_margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// Sets how long a refresh may take, including its retries. The default is 30 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the longest wait after the first failed refresh. It doubles with each further failure. The default is 1 s.
    ///
    /// The actual wait is random, between half of this and all of it, and no shorter than a `Retry-After` of up to 5
    /// minutes.
    #[must_use]
    pub fn with_initial_backoff(mut self, backoff: Duration) -> Self {
        self.initial_backoff = backoff;
        self
    }

    /// Sets the longest wait after any failure that may be temporary. The default is 30 s.
    #[must_use]
    pub fn with_max_backoff(mut self, backoff: Duration) -> Self {
        self.max_backoff = backoff;
        self
    }

    /// Sets the longest wait after a credential was refused for the first time. The default is 10 s. It doubles with each
    /// further refusal, up to 5 minutes.
    #[must_use]
    pub fn with_refused_backoff(mut self, backoff: Duration) -> Self {
        self.refused_backoff = backoff;
        self
    }

    /// Sets the longest lifetime that is believed. A token that claims more is used for this long. The default is about ten
    /// years.
    #[must_use]
    pub fn with_max_lifetime(mut self, lifetime: Duration) -> Self {
        self.max_lifetime = lifetime;
        self
    }

    /// Returns the longest time before expiry at which a token is refreshed.
    pub fn margin(&self) -> Duration {
        self.margin
    }

    /// Returns how long a refresh may take, including its retries.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns the longest wait after the first failed refresh.
    pub fn initial_backoff(&self) -> Duration {
        self.initial_backoff
    }

    /// Returns the longest wait after any failure that may be temporary.
    pub fn max_backoff(&self) -> Duration {
        self.max_backoff
    }

    /// Returns the longest wait after a credential was refused for the first time.
    pub fn refused_backoff(&self) -> Duration {
        self.refused_backoff
    }

    /// Returns the longest lifetime that is believed.
    pub fn max_lifetime(&self) -> Duration {
        self.max_lifetime
    }
}

impl RefreshPolicy {
    /// The margin takes at most this fraction of a token's lifetime: one fifth.
    const SHARE: u32 = 5;

    /// How much of the margin jitter removes, so that processes that started together don't refresh together.
    const JITTER: f64 = 0.25;

    const MAX_REFUSED: Duration = Duration::from_secs(300);

    /// A server may ask for any wait, but only this much of it counts.
    const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

    /// The earliest refresh of a lifetime of `length`, as the time before its end.
    pub(crate) fn margin_of(&self, length: Duration) -> Duration {
        self.margin.min(length / Self::SHARE)
    }

    /// When the refresh is due in a lifetime of which `length` is left at `start`, and `age` was over by then. `fraction` is
    /// the jitter's.
    pub(crate) fn plan(&self, start: Reading, age: Duration, length: Duration, fraction: f64) -> Validity {
        let whole = length.saturating_add(age);
        let margin = share(self.margin_of(whole), 1.0 - Self::JITTER * fraction);
        Validity {
            issued_at: Reading {
                wall: start.wall.saturating_sub(age),
                ..start
            },
            refresh_at: start.after(length.saturating_sub(margin)),
            expires_at: start.after(length),
        }
    }

    /// How long to wait after this many failed refreshes in a row. `fraction` is the jitter's.
    pub(crate) fn wait(&self, failures: u32, error: &Error, fraction: f64) -> Duration {
        // Between a half and the whole: full jitter allows a wait of zero, and then each call would try again at once.
        let fraction = 0.5 + fraction / 2.0;
        let wait = if error.is_retryable() {
            backoff(self.initial_backoff, self.max_backoff, failures, fraction)
        } else {
            backoff(
                self.refused_backoff,
                Self::MAX_REFUSED.max(self.refused_backoff),
                failures,
                fraction,
            )
        };
        wait.max(error.retry_after().unwrap_or_default().min(Self::MAX_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn refresh_after(length: u64, fraction: f64) -> Duration {
        let start = ManualClock::new().now();
        let validity =
            RefreshPolicy::default().plan(start, Duration::ZERO, Duration::from_secs(length), fraction);
        validity
            .refresh_at
            .monotonic
            .checked_sub(start.monotonic)
            .unwrap()
    }

    #[test]
    fn margin_is_a_share_of_a_short_life_and_bounded_in_a_long_one() {
        assert_eq!(refresh_after(3600, 0.0), Duration::from_secs(3300));
        assert_eq!(refresh_after(3600, 1.0), Duration::from_secs(3375));
        assert_eq!(refresh_after(60, 0.0), Duration::from_secs(48));
        assert_eq!(refresh_after(1, 0.0), Duration::from_millis(800));
        assert_eq!(refresh_after(315_360_000, 0.0), Duration::from_secs(315_359_700));
    }

    #[test]
    fn refused_key_is_retried_later_than_a_server_that_is_down() {
        let policy = RefreshPolicy::default();
        let down = Error::refresh_aborted();
        let refused = Error::invalid_input("key", "is wrong", "fix it");
        let wait = |failures, error: &Error| policy.wait(failures, error, 1.0).as_secs();
        assert_eq!([1, 2, 3, 30].map(|failures| wait(failures, &down)), [1, 2, 4, 30]);
        assert_eq!(
            [1, 2, 3, 30].map(|failures| wait(failures, &refused)),
            [10, 20, 40, 300]
        );
        // The jitter takes off at most a half, so that no wait is zero.
        let jittered = |fraction| policy.wait(1, &down, fraction).as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(jittered), [500, 750, 1000]);
    }

    #[test]
    fn every_setting_is_kept() {
        let seconds = Duration::from_secs;
        let policy = RefreshPolicy::default()
            .with_margin(seconds(2))
            .with_timeout(seconds(3))
            .with_initial_backoff(seconds(4))
            .with_max_backoff(seconds(5))
            .with_refused_backoff(seconds(6))
            .with_max_lifetime(seconds(7));
        let settings = [
            policy.margin(),
            policy.timeout(),
            policy.initial_backoff(),
            policy.max_backoff(),
            policy.refused_backoff(),
            policy.max_lifetime(),
        ];
        assert_eq!(settings, [2, 3, 4, 5, 6, 7].map(seconds));
        assert_ne!(policy, RefreshPolicy::default());
    }
}
