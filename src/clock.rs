//! The one place that reads the machine's clocks; everything else takes the time from a [`Clock`].

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// One look at both clocks of a machine.
///
/// Neither clock alone can tell that a token has expired: the wall clock can be set back, and the monotonic one stands
/// still while a machine sleeps. A token is taken as expired as soon as either says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Time since an arbitrary start that never goes back.
    pub monotonic: Duration,
    /// Time since the Unix epoch by the machine's wall clock; zero if that stands before the epoch.
    pub wall: Duration,
}

impl Reading {
    /// The reading that a clock will show when `duration` has passed on both clocks.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(duration),
            wall: self.wall.saturating_add(duration),
        }
    }

    /// Whether either clock has come to `deadline`.
    pub(crate) fn reached(self, deadline: Self) -> bool {
        self.monotonic >= deadline.monotonic || self.wall >= deadline.wall
    }

    /// What is left until the earlier of the two clocks comes to `deadline`.
    pub(crate) fn until(self, deadline: Self) -> Duration {
        let monotonic = deadline.monotonic.saturating_sub(self.monotonic);
        monotonic.min(deadline.wall.saturating_sub(self.wall))
    }
}

/// A future that is done when a sleep is over.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the time comes from. [`SystemClock`] by default; tests inject a [`ManualClock`].
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Looks at both clocks. Called on every cached read, so it should take nanoseconds.
    fn now(&self) -> Reading;

    /// Sleeps for `duration` of the monotonic clock.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The machine's clocks.
///
/// On Linux it reads the coarse clocks (a few nanoseconds each, exact to a few milliseconds, which is far below
/// what a token's lifetime is exact to).
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
#[allow(
    clippy::disallowed_methods,
    reason = "this is the place that the rule points to"
)]
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
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the place that the rule points to"
    )]
    fn now(&self) -> Reading {
        Reading {
            monotonic: self.start.elapsed(),
            wall: std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default(),
        }
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "this is the place that the rule points to"
    )]
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that moves only when a test says so. Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(7 * 24 * 3600));
/// assert_eq!(clock.now().wall - before.wall, Duration::from_secs(7 * 24 * 3600));
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<ManualTime>>);

#[derive(Debug)]
struct ManualTime {
    reading: Reading,
    sleepers: Vec<(u64, Duration, Waker)>,
    next_sleeper: u64,
    watchers: Vec<Waker>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl ManualClock {
    /// A clock that stands at 2026-01-01 00:00 UTC, an hour after the machine's start.
    pub fn new() -> Self {
        Self::at(Duration::from_secs(1_767_225_600))
    }

    /// A clock whose wall clock stands at `wall` after the Unix epoch.
    pub fn at(wall: Duration) -> Self {
        Self(Arc::new(Mutex::new(ManualTime {
            reading: Reading {
                monotonic: Duration::from_secs(3600),
                wall,
            },
            sleepers: Vec::new(),
            next_sleeper: 0,
            watchers: Vec::new(),
        })))
    }

    /// Time passes: both clocks move on, and sleeps that end by then end.
    pub fn advance(&self, duration: Duration) {
        self.change(|reading| *reading = reading.after(duration));
    }

    /// Somebody sets the wall clock; the monotonic one doesn't notice.
    pub fn set_wall(&self, wall: Duration) {
        self.change(|reading| reading.wall = wall);
    }

    /// The machine sleeps: the wall clock moves on, the monotonic one stands still.
    pub fn suspend(&self, duration: Duration) {
        self.change(|reading| reading.wall = reading.wall.saturating_add(duration));
    }

    /// Waits until at least `count` sleeps are under way: how a test knows that a timeout or a backoff has begun.
    pub async fn sleepers(&self, count: usize) {
        std::future::poll_fn(|context| {
            let mut time = self.lock();
            if time.sleepers.len() >= count {
                return Poll::Ready(());
            }
            time.watchers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        let mut time = self.lock();
        change(&mut time.reading);
        let now = time.reading.monotonic;
        let due: Vec<Waker> = time
            .sleepers
            .extract_if(.., |(_, deadline, _)| *deadline <= now)
            .map(|(_, _, waker)| waker)
            .collect();
        drop(time);
        due.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, ManualTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Reading {
        self.lock().reading
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut time = self.lock();
        let id = time.next_sleeper;
        time.next_sleeper += 1;
        let deadline = time.reading.monotonic.saturating_add(duration);
        drop(time);
        Box::pin(ManualSleep {
            clock: self.clone(),
            id,
            deadline,
        })
    }
}

struct ManualSleep {
    clock: ManualClock,
    id: u64,
    deadline: Duration,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut time = self.clock.lock();
        if time.reading.monotonic >= self.deadline {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        match time.sleepers.iter_mut().find(|(id, ..)| *id == self.id) {
            Some(sleeper) => sleeper.2 = waker,
            None => time.sleepers.push((self.id, self.deadline, waker)),
        }
        let watchers = std::mem::take(&mut time.watchers);
        drop(time);
        watchers.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        self.clock.lock().sleepers.retain(|(id, ..)| *id != self.id);
    }
}

/// Runs `future`, but no longer than `limit`; `None` when the time was up first.
pub(crate) async fn timeout<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = clock.sleep(limit);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
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
        assert!(clock.now().reached(deadline), "a machine that slept");
        clock.set_wall(Duration::ZERO);
        assert!(!clock.now().reached(deadline));
        clock.advance(Duration::from_secs(61));
        assert!(clock.now().reached(deadline), "a wall clock that was set back");
    }

    #[test]
    fn the_system_clock_moves_on_and_is_near_the_epoch_that_others_see() {
        let clock = SystemClock::default();
        let first = clock.now();
        let second = clock.now();
        assert!(second.monotonic >= first.monotonic);
        assert!(first.wall > Duration::from_secs(1_700_000_000));
    }

    #[tokio::test]
    async fn a_manual_sleep_ends_when_the_clock_is_moved_past_it() {
        let clock = ManualClock::new();
        let sleeping = tokio::spawn(clock.sleep(Duration::from_secs(5)));
        clock.sleepers(1).await;
        clock.advance(Duration::from_secs(4));
        assert!(!sleeping.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeping.await.unwrap();
        assert!(
            timeout(&clock, Duration::from_secs(1), std::future::ready(()))
                .await
                .is_some()
        );
    }
}
