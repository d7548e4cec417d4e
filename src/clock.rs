//! The only place that reads the system's clocks; everything else takes the time from a [`Clock`].
//!
//! ```
//! use synerise_auth::clock::{Clock, SystemClock};
//!
//! let clock = SystemClock::default();
//! let (before, after) = (clock.now(), clock.now());
//! assert!(before.monotonic() <= after.monotonic());
//! ```

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(any(test, feature = "test-util"))]
mod manual;

#[cfg(any(test, feature = "test-util"))]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
pub use manual::ManualClock;

/// One reading of both clocks of a computer.
///
/// Neither clock alone can tell that a token has expired: the wall clock can be set back, and the monotonic clock may stand
/// still while the computer is suspended. A token counts as expired as soon as either clock says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub(crate) monotonic: Duration,
    /// Since the Unix epoch; zero before it.
    pub(crate) wall: Duration,
}

impl Reading {
    /// Creates a reading, for your own clocks, from the time since an arbitrary start (which never goes back) and the wall
    /// clock. A wall clock before 1970 counts as 1970.
    pub fn new(monotonic: Duration, wall: SystemTime) -> Self {
        Self {
            monotonic,
            wall: since_epoch(wall),
        }
    }

    /// Returns the time since an arbitrary start. It never goes back.
    pub fn monotonic(&self) -> Duration {
        self.monotonic
    }

    /// Returns the time by the wall clock.
    pub fn wall(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(self.wall).unwrap_or(UNIX_EPOCH)
    }

    /// Returns the reading at which `duration` has passed on both clocks.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(duration),
            wall: self.wall.saturating_add(duration),
        }
    }

    /// Whether either clock has reached `deadline`.
    pub(crate) fn reached(self, deadline: Self) -> bool {
        self.monotonic >= deadline.monotonic || self.wall >= deadline.wall
    }

    /// The time until the first of the two clocks reaches `deadline`.
    pub(crate) fn until(self, deadline: Self) -> Duration {
        let monotonic = deadline.monotonic.saturating_sub(self.monotonic);
        monotonic.min(deadline.wall.saturating_sub(self.wall))
    }
}

/// A time as a duration since the Unix epoch; zero before it.
pub(crate) fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Measures how long something took, for metrics. It is exact, where the clocks of tokens are coarse.
#[cfg(feature = "metrics")]
pub(crate) struct Stopwatch(std::time::Instant);

#[cfg(feature = "metrics")]
impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this file reads the clocks")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[expect(clippy::disallowed_methods, reason = "this file reads the clocks")]
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A future that completes when a sleep ends.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The reason for a sleep. A test's clock uses it to tell a client that waits for a response from one that backs off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SleepPurpose {
    /// A time limit: something else is expected to happen first, such as a response.
    Timeout,
    /// The wait before the next attempt.
    Backoff,
    /// The wait of [`Session::keep_alive`](crate::Session::keep_alive) for the next refresh.
    KeepAlive,
    /// The wait for the login of another client that shares the session's store.
    Lease,
}

/// The source of the time. The default is [`SystemClock`]. Tests use `ManualClock` (feature `test-util`).
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::clock::{Clock, Reading, Sleep, SystemClock};
///
/// /// The system's clock, with a wall clock that is two hours ahead.
/// #[derive(Debug, Default)]
/// struct TwoHoursAhead(SystemClock);
///
/// impl Clock for TwoHoursAhead {
///     fn now(&self) -> Reading {
///         let now = self.0.now();
///         Reading::new(now.monotonic(), now.wall() + Duration::from_secs(7200))
///     }
///
///     fn sleep(&self, duration: Duration) -> Sleep {
///         self.0.sleep(duration)
///     }
/// }
///
/// let client = synerise_auth::Client::builder().clock(TwoHoursAhead::default()).build()?;
/// # Ok::<(), synerise_auth::Error>(())
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Reads both clocks. It is called on every cached read, so it should take nanoseconds.
    fn now(&self) -> Reading;

    /// Sleeps for `duration` of the monotonic clock.
    fn sleep(&self, duration: Duration) -> Sleep;

    /// Sleeps for a purpose. By default, every purpose is a plain [`sleep`](Self::sleep).
    fn sleep_for(&self, duration: Duration, purpose: SleepPurpose) -> Sleep {
        let _ = purpose;
        self.sleep(duration)
    }
}

/// The system's clocks.
///
/// On Linux it reads the coarse clocks. They take a few nanoseconds each and are accurate to a few milliseconds, which is
/// precise enough for a token's lifetime.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    start: std::time::Instant,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(
    clippy::derivable_impls,
    reason = "the other platforms' struct has a field to fill"
)]
impl Default for SystemClock {
    fn default() -> Self {
        Self {}
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl SystemClock {
    fn read() -> Reading {
        use rustix::time::{ClockId, clock_gettime};
        let since = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        Reading {
            monotonic: since(ClockId::MonotonicCoarse),
            wall: since(ClockId::RealtimeCoarse),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[allow(clippy::disallowed_methods, reason = "the rule points here")]
impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn now(&self) -> Reading {
        Self::read()
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    #[allow(clippy::disallowed_methods, reason = "the rule points here")]
    fn now(&self) -> Reading {
        Reading {
            monotonic: self.start.elapsed(),
            wall: since_epoch(SystemTime::now()),
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the rule points here")]
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Runs `future`, but no longer than `limit`. `None` when the limit was reached first.
pub(crate) async fn timeout<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    // A future that is ready at once, such as a cached token's, needs no timer.
    let mut sleep = None;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => {
            let sleep = sleep.get_or_insert_with(|| clock.sleep_for(limit, SleepPurpose::Timeout));
            sleep.as_mut().poll(context).map(|()| None)
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_clock_can_end_a_lifetime() {
        let clock = ManualClock::new();
        let deadline = clock.now().after(Duration::from_secs(60));
        clock.suspend(Duration::from_secs(61));
        assert!(clock.now().reached(deadline), "a computer that was suspended");
        clock.set_wall(UNIX_EPOCH);
        assert!(!clock.now().reached(deadline));
        clock.advance(Duration::from_secs(61));
        assert!(clock.now().reached(deadline), "a wall clock that was set back");
    }

    #[test]
    fn system_clock_moves_and_its_wall_clock_is_in_this_century() {
        let clock = SystemClock::default();
        let first = clock.now();
        let second = clock.now();
        assert!(second.monotonic() >= first.monotonic());
        assert!(first.wall() > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    }

    #[test]
    fn reading_before_the_epoch_is_the_epoch() {
        let wall = UNIX_EPOCH - Duration::from_secs(5);
        assert_eq!(Reading::new(Duration::ZERO, wall).wall(), UNIX_EPOCH);
    }
}
