//! When a renewal is due, and how long to leave a server alone after a failed one.

use std::time::Duration;

use crate::backoff::{backoff, share};
use crate::clock::Reading;
use crate::error::Error;
use crate::token::Validity;

/// When tokens are renewed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RefreshPolicy {
    /// How long before its end a token is renewed, at the most. 5 minutes by default. A token that lives less than five
    /// times that is renewed in the last fifth of its life.
    pub margin: Duration,
    /// How long a renewal may take, its retries included. 30 s by default.
    pub timeout: Duration,
    /// The longest wait after the first failure; each further one doubles it. 1 s by default.
    pub initial_backoff: Duration,
    /// The longest wait after any failure that may pass by itself. 30 s by default.
    pub max_backoff: Duration,
    /// How long a refused credential is not tried again. 10 s by default, doubling up to 5 minutes.
    pub refused_backoff: Duration,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(300),
            timeout: Duration::from_secs(30),
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(30),
            refused_backoff: Duration::from_secs(10),
        }
    }
}

impl RefreshPolicy {
    /// The share of its own life that a token's margin takes at the most.
    const SHARE: u32 = 5;

    /// How much of the margin jitter takes away, so that processes that started together don't renew together.
    const JITTER: f64 = 0.25;

    const LONGEST_REFUSED: Duration = Duration::from_secs(300);

    /// A server may ask for any wait; longer than this, it is asked again anyway.
    const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

    /// How long before the end of a life of `length` its renewal is due at the earliest.
    pub(crate) fn margin_of(&self, length: Duration) -> Duration {
        self.margin.min(length / Self::SHARE)
    }

    /// Where the renewal stands in a life that begins at `start` and lasts for `length`; `fraction` is the jitter's.
    pub(crate) fn plan(&self, start: Reading, length: Duration, fraction: f64) -> Validity {
        let margin = share(self.margin_of(length), 1.0 - Self::JITTER * fraction);
        Validity {
            issued_at: start,
            refresh_at: start.after(length.saturating_sub(margin)),
            expires_at: start.after(length),
        }
    }

    /// How long to wait after the `failures`th failed renewal in a row; `fraction` is the jitter's.
    pub(crate) fn wait(&self, failures: u32, error: &Error, fraction: f64) -> Duration {
        // Between a half and the whole: a wait of nothing, which full jitter allows, would let every call that comes in
        // try again at once.
        let fraction = 0.5 + fraction / 2.0;
        let wait = if error.is_retryable() {
            backoff(self.initial_backoff, self.max_backoff, failures, fraction)
        } else {
            backoff(
                self.refused_backoff,
                Self::LONGEST_REFUSED.max(self.refused_backoff),
                failures,
                fraction,
            )
        };
        wait.max(
            error
                .retry_after()
                .unwrap_or_default()
                .min(Self::LONGEST_RETRY_AFTER),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    fn renewal(length: u64, fraction: f64) -> Duration {
        let start = ManualClock::new().now();
        let life = RefreshPolicy::default().plan(start, Duration::from_secs(length), fraction);
        life.refresh_at.monotonic.checked_sub(start.monotonic).unwrap()
    }

    #[test]
    fn the_margin_is_a_share_of_a_short_life_and_bounded_in_a_long_one() {
        assert_eq!(renewal(3600, 0.0), Duration::from_secs(3300));
        assert_eq!(renewal(3600, 1.0), Duration::from_secs(3375));
        assert_eq!(renewal(60, 0.0), Duration::from_secs(48));
        assert_eq!(renewal(1, 0.0), Duration::from_millis(800));
        assert_eq!(renewal(315_360_000, 0.0), Duration::from_secs(315_359_700));
    }

    #[test]
    fn a_refused_key_is_left_alone_longer_than_a_server_that_is_down() {
        let policy = RefreshPolicy::default();
        let down = Error::refresh_aborted();
        let refused = Error::invalid_input("key", "is wrong", "mend it");
        let wait = |failures, error: &Error| policy.wait(failures, error, 1.0).as_secs();
        assert_eq!([1, 2, 3, 30].map(|failures| wait(failures, &down)), [1, 2, 4, 30]);
        assert_eq!(
            [1, 2, 3, 30].map(|failures| wait(failures, &refused)),
            [10, 20, 40, 300]
        );
    }
}
