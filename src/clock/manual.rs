//! A clock for tests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::sync::{Arc, Mutex, lock};

use super::{Clock, Reading, Sleep, SleepPurpose, since_epoch};

/// A clock that moves only when a test moves it. Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(7 * 24 * 3600));
/// assert_eq!(clock.now().monotonic() - before.monotonic(), Duration::from_secs(7 * 24 * 3600));
/// ```
///
/// # Backoffs
///
/// When the clock stands still, a client in a backoff waits until the test moves it.
/// [`wait_for_backoff`](Self::wait_for_backoff) returns when a backoff begins, and how long it takes. If the test does not
/// care, [`advance_backoffs`](Self::advance_backoffs) lets backoffs pass by themselves.
///
/// # One clock for a client and a server
///
/// A server in the same test has its own clock. [`on_advance`](Self::on_advance) connects the two, so that the test moves
/// only one.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Shared>);

type Follower = Arc<dyn Fn(Duration) + Send + Sync>;

struct Shared {
    time: Mutex<ManualTime>,
    followers: Mutex<Vec<Follower>>,
}

#[derive(Debug)]
struct ManualTime {
    reading: Reading,
    sleepers: Vec<Sleeper>,
    next_sleeper: u64,
    watchers: Vec<Waker>,
    advances_backoffs: bool,
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    purpose: SleepPurpose,
    deadline: Duration,
    waker: Waker,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&*lock(&self.time)).finish()
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl ManualClock {
    /// Creates a clock that shows 2026-01-01 00:00 UTC.
    pub fn new() -> Self {
        Self::at(UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }

    /// Creates a clock whose wall clock shows `wall`.
    pub fn at(wall: SystemTime) -> Self {
        Self(Arc::new(Shared {
            time: Mutex::new(ManualTime {
                // Not zero, so that a test can tell a deadline from a missing one.
                reading: Reading::new(Duration::from_secs(3600), wall),
                sleepers: Vec::new(),
                next_sleeper: 0,
                watchers: Vec::new(),
                advances_backoffs: false,
            }),
            followers: Mutex::default(),
        }))
    }

    /// Lets time pass: both clocks move on, and sleeps that are due by then end.
    pub fn advance(&self, duration: Duration) {
        self.change(|reading| *reading = reading.after(duration));
        let followers = lock(&self.0.followers).clone();
        for follower in followers {
            follower(duration);
        }
        self.wake();
    }

    /// Calls `follower` with each step of [`advance`](Self::advance), before it returns and before any sleep ends. Another
    /// clock, such as a server's, then moves together with this one. Connect one direction, not both.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use synerise_auth::clock::ManualClock;
    /// use synerise_auth_emulator::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let start = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    /// let emulator = Emulator::builder().clock_at(start).start().await?;
    /// let clock = ManualClock::at(start);
    /// let server = emulator.clock().clone();
    /// clock.on_advance(move |step| server.advance(step));
    ///
    /// clock.advance(Duration::from_secs(60)); // for both
    /// assert_eq!(emulator.clock().now(), start + Duration::from_secs(60));
    /// # Ok(()) }
    /// ```
    pub fn on_advance(&self, follower: impl Fn(Duration) + Send + Sync + 'static) {
        lock(&self.0.followers).push(Arc::new(follower));
    }

    /// Sets the wall clock, as an operator or a time service does. The monotonic clock does not change.
    pub fn set_wall(&self, wall: SystemTime) {
        self.change(|reading| reading.wall = since_epoch(wall));
        self.wake();
    }

    /// Suspends the computer: the wall clock moves on, and the monotonic clock stands still.
    pub fn suspend(&self, duration: Duration) {
        self.change(|reading| reading.wall = reading.wall.saturating_add(duration));
        self.wake();
    }

    /// From now on, backoffs end by themselves: when a client begins one, the clock moves to its end. Timeouts don't move
    /// the clock.
    ///
    /// With this, retries against an unavailable server end without the test's help.
    ///
    /// ```
    /// use synerise_auth::clock::ManualClock;
    ///
    /// let clock = ManualClock::new();
    /// clock.advance_backoffs();
    /// ```
    pub fn advance_backoffs(&self) {
        let left = {
            let mut time = lock(&self.0.time);
            time.advances_backoffs = true;
            time.longest(SleepPurpose::Backoff)
        };
        if let Some(left) = left {
            self.advance(left);
        }
    }

    /// Waits until at least `count` sleeps for `purpose` are under way.
    pub async fn wait_for_sleeps(&self, purpose: SleepPurpose, count: usize) {
        self.wait_until(|time| {
            let sleeping = time.sleepers.iter().filter(|sleeper| sleeper.purpose == purpose);
            (sleeping.count() >= count).then_some(())
        })
        .await;
    }

    /// Waits until a client backs off before its next attempt, and returns the length of the backoff. Advancing the clock
    /// by that length ends it.
    ///
    /// ```
    /// # async fn run(clock: synerise_auth::clock::ManualClock) {
    /// let backoff = clock.wait_for_backoff().await;
    /// clock.advance(backoff);
    /// # }
    /// ```
    pub async fn wait_for_backoff(&self) -> Duration {
        self.wait_until(|time| time.shortest(SleepPurpose::Backoff)).await
    }

    /// Waits until at least `count` sleeps are under way, for any purpose.
    pub async fn sleepers(&self, count: usize) {
        self.wait_until(|time| (time.sleepers.len() >= count).then_some(()))
            .await;
    }

    async fn wait_until<T>(&self, condition: impl Fn(&ManualTime) -> Option<T>) -> T {
        std::future::poll_fn(|context| {
            let mut time = lock(&self.0.time);
            if let Some(value) = condition(&time) {
                return Poll::Ready(value);
            }
            time.watchers.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut lock(&self.0.time).reading);
    }

    /// Ends the sleeps that are due.
    fn wake(&self) {
        let due: Vec<Sleeper> = {
            let mut time = lock(&self.0.time);
            let now = time.reading.monotonic;
            time.sleepers
                .extract_if(.., |sleeper| sleeper.deadline <= now)
                .collect()
        };
        for sleeper in due {
            sleeper.waker.wake();
        }
    }
}

impl ManualTime {
    fn left(&self, purpose: SleepPurpose) -> impl Iterator<Item = Duration> {
        let sleepers = self.sleepers.iter();
        let now = self.reading.monotonic;
        sleepers
            .filter(move |sleeper| sleeper.purpose == purpose)
            .map(move |sleeper| sleeper.deadline.saturating_sub(now))
    }

    fn shortest(&self, purpose: SleepPurpose) -> Option<Duration> {
        self.left(purpose).min()
    }

    fn longest(&self, purpose: SleepPurpose) -> Option<Duration> {
        self.left(purpose).max()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Reading {
        lock(&self.0.time).reading
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_for(duration, SleepPurpose::Timeout)
    }

    fn sleep_for(&self, duration: Duration, purpose: SleepPurpose) -> Sleep {
        let mut time = lock(&self.0.time);
        let id = time.next_sleeper;
        time.next_sleeper += 1;
        let deadline = time.reading.monotonic.saturating_add(duration);
        drop(time);
        Box::pin(ManualSleep {
            clock: self.clone(),
            id,
            purpose,
            deadline,
        })
    }
}

struct ManualSleep {
    clock: ManualClock,
    id: u64,
    purpose: SleepPurpose,
    deadline: Duration,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut time = lock(&self.clock.0.time);
        let left = self.deadline.saturating_sub(time.reading.monotonic);
        if left.is_zero() {
            return Poll::Ready(());
        }
        if time.advances_backoffs && self.purpose == SleepPurpose::Backoff {
            drop(time);
            self.clock.advance(left);
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        match time.sleepers.iter_mut().find(|sleeper| sleeper.id == self.id) {
            Some(sleeper) => sleeper.waker = waker,
            None => time.sleepers.push(Sleeper {
                id: self.id,
                purpose: self.purpose,
                deadline: self.deadline,
                waker,
            }),
        }
        let watchers = std::mem::take(&mut time.watchers);
        drop(time);
        watchers.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        let mut time = lock(&self.clock.0.time);
        time.sleepers.retain(|sleeper| sleeper.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::timeout;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn sleep_ends_when_the_clock_reaches_its_end() {
        let clock = ManualClock::new();
        let sleeping = tokio::spawn(clock.sleep(5 * SECOND));
        clock.sleepers(1).await;
        clock.advance(4 * SECOND);
        assert!(!sleeping.is_finished());
        clock.advance(SECOND);
        sleeping.await.unwrap();
        assert!(timeout(&clock, SECOND, std::future::ready(())).await.is_some());
    }

    #[tokio::test]
    async fn backoff_is_told_from_a_timeout() {
        let clock = ManualClock::new();
        let waiting = tokio::spawn(clock.sleep_for(5 * SECOND, SleepPurpose::Timeout));
        clock.wait_for_sleeps(SleepPurpose::Timeout, 1).await;
        let backoff = tokio::spawn(clock.sleep_for(2 * SECOND, SleepPurpose::Backoff));
        assert_eq!(clock.wait_for_backoff().await, 2 * SECOND);
        clock.advance(2 * SECOND);
        backoff.await.unwrap();
        assert!(!waiting.is_finished());
    }

    #[tokio::test]
    async fn backoffs_pass_by_themselves_if_told_so_and_move_the_followers() {
        let (clock, follower) = (ManualClock::new(), ManualClock::new());
        let server = follower.clone();
        clock.on_advance(move |step| server.advance(step));
        let begun = tokio::spawn(clock.sleep_for(7 * SECOND, SleepPurpose::Backoff));
        clock.wait_for_backoff().await;
        clock.advance_backoffs();
        begun.await.unwrap();
        clock.sleep_for(3 * SECOND, SleepPurpose::Backoff).await;
        assert_eq!(clock.now(), ManualClock::new().now().after(10 * SECOND));
        assert_eq!(follower.now(), clock.now());
    }
}
