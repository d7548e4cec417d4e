//! Exponential backoff.

use std::time::Duration;

/// `fraction` of `first · 2^(attempt − 1)`, where that is no longer than `longest`.
pub(crate) fn backoff(first: Duration, longest: Duration, attempt: u32, fraction: f64) -> Duration {
    let ceiling = first
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(longest);
    share(ceiling, fraction)
}

/// `fraction` of `duration`. The longest durations have no exact floating-point number, only a longer one.
pub(crate) fn share(duration: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * fraction)
        .map_or(duration, |share| share.min(duration))
}
