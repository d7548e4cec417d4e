//! The emulator's clock. Tokens, PINs, codes, delays and the `Date` header all use it.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::sync::lock;

/// Seconds from 1970 to the end of the year 9999, the last that an HTTP date can express.
const LAST_SECOND: u64 = 253_402_300_799;

/// The clock that the emulator uses for everything. Clones show the same time.
///
/// By default it starts at the machine's time and runs. [`EmulatorBuilder::clock_at`] starts it at a given time instead:
/// then it stands still until [`advance`](Self::advance) or [`set`](Self::set) moves it, and a test needs no tolerances.
///
/// Times are limited to the years 1970 to 9999.
///
/// # One clock for the emulator and its client
///
/// A client that takes the time from its own clock can follow this one: pass its clock to [`on_advance`](Self::on_advance),
/// and a test moves a single clock. `advance` means that time passes for everybody. `set` changes only the server's clock,
/// for tests of clocks that differ.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// use synerise_auth_emulator::Emulator;
///
/// /// A clock of the client under test.
/// #[derive(Clone, Default)]
/// struct ClientClock(Arc<Mutex<Duration>>);
///
/// impl ClientClock {
///     fn advance(&self, by: Duration) {
///         *self.0.lock().unwrap() += by;
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let noon = UNIX_EPOCH + Duration::from_secs(1_767_268_800);
/// let emulator = Emulator::builder().clock_at(noon).start().await?;
/// let client_clock = ClientClock::default();
/// let follower = client_clock.clone();
/// emulator.clock().on_advance(move |by| follower.advance(by));
///
/// emulator.clock().advance(Duration::from_secs(30)); // both move
/// assert_eq!(emulator.clock().now(), noon + Duration::from_secs(30));
/// assert_eq!(*client_clock.0.lock().unwrap(), Duration::from_secs(30));
/// # Ok(())
/// # }
/// ```
///
/// The other way round works too: a client clock that reports its own steps calls `advance` on a clone of this clock.
/// Connect one direction, not both.
///
/// [`EmulatorBuilder::clock_at`]: crate::EmulatorBuilder::clock_at
#[derive(Clone)]
pub struct EmulatorClock(Arc<Shared>);

type Follower = Box<dyn Fn(Duration) + Send>;

struct Shared {
    state: Mutex<ClockState>,
    /// Locked before `state`, and during a whole step: steps come one after the other.
    followers: Mutex<Vec<Follower>>,
    changed: watch::Sender<()>,
    /// How many tasks wait for a time.
    waiting: watch::Sender<usize>,
}

#[derive(Debug, Clone, Copy)]
struct ClockState {
    shown: SystemTime,
    /// When `shown` was the time, by the monotonic clock. `None` while the clock stands still.
    running_since: Option<Instant>,
}

impl ClockState {
    fn now(self) -> SystemTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is the one that reads the machine's clocks"
        )]
        let elapsed = self.running_since.map_or(Duration::ZERO, |since| since.elapsed());
        later(self.shown, elapsed)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one that reads the machine's clocks"
    )]
    fn set(&mut self, to: SystemTime) {
        self.shown = clamp(to);
        self.running_since = self.running_since.map(|_| Instant::now());
    }
}

impl EmulatorClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one that reads the machine's clocks"
    )]
    pub(crate) fn running() -> Self {
        Self::starting_at(SystemTime::now(), Some(Instant::now()))
    }

    pub(crate) fn standing_at(time: SystemTime) -> Self {
        Self::starting_at(time, None)
    }

    fn starting_at(time: SystemTime, running_since: Option<Instant>) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(ClockState {
                shown: clamp(time),
                running_since,
            }),
            followers: Mutex::default(),
            changed: watch::Sender::new(()),
            waiting: watch::Sender::new(0),
        }))
    }

    /// Returns the time by this clock.
    pub fn now(&self) -> SystemTime {
        lock(&self.0.state).now()
    }

    /// Moves the clock forward, and every [follower](Self::on_advance) with it. Delays that are due by then end.
    pub fn advance(&self, by: Duration) {
        let followers = lock(&self.0.followers);
        {
            // Held until the followers have moved too: no request is handled while the two sides show different times.
            let mut state = lock(&self.0.state);
            let to = later(state.now(), by);
            state.set(to);
            for follower in followers.iter() {
                follower(by);
            }
        }
        drop(followers);
        self.0.changed.send_replace(());
    }

    /// Calls `follower` with every step of [`advance`](Self::advance) from now on, before `advance` returns and before
    /// any request is handled at the new time. So one call moves the emulator and the clock of its client.
    ///
    /// The time that passes by itself on a running clock is not reported, nor is [`set`](Self::set), which is
    /// a change to the server's clock alone. The follower must not use this clock: it would wait for itself.
    pub fn on_advance(&self, follower: impl Fn(Duration) + Send + 'static) {
        lock(&self.0.followers).push(Box::new(follower));
    }

    /// Sets the clock, forward or back. A running clock runs on from there.
    pub fn set(&self, to: SystemTime) {
        lock(&self.0.state).set(to);
        self.0.changed.send_replace(());
    }

    /// Stops the clock at the time that it shows.
    pub fn freeze(&self) {
        {
            let mut state = lock(&self.0.state);
            *state = ClockState {
                shown: state.now(),
                running_since: None,
            };
        }
        self.0.changed.send_replace(());
    }

    /// Waits until this many requests wait for the clock, each in a [delay](crate::Fault::delayed) or between two
    /// bytes of a [slow body](crate::Fault::slow_body). After that, [`advance`](Self::advance) ends those that are due.
    pub async fn wait_for_delays(&self, requests: usize) {
        // Closed only when the sender is dropped, and `self` holds it.
        let _ = self
            .0
            .waiting
            .subscribe()
            .wait_for(|waiting| *waiting >= requests)
            .await;
    }

    /// Waits until this much time has passed on the clock, by itself or because it was moved.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.wait_until(later(self.now(), duration)).await;
    }

    /// Waits until the clock shows at least `deadline`.
    pub(crate) async fn wait_until(&self, deadline: SystemTime) {
        let mut changed = self.0.changed.subscribe();
        let _waiting = Waiting::start(&self.0.waiting);
        loop {
            let state = *lock(&self.0.state);
            let Ok(left) = deadline.duration_since(state.now()) else {
                return;
            };
            if left.is_zero() {
                return;
            }
            let elapsed = async {
                match state.running_since {
                    Some(_) => sleep_real_time(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = elapsed => {}
                // The sender lives in `self`, so this never reports a closed channel.
                _ = changed.changed() => {}
            }
        }
    }
}

impl fmt::Debug for EmulatorClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmulatorClock")
            .field("state", &*lock(&self.0.state))
            .finish_non_exhaustive()
    }
}

/// Counts one waiting task until it is dropped: a request may be cancelled at any point.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn start(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

/// Sleeps by the machine's clock.
#[expect(clippy::disallowed_methods, reason = "this file is the one that sleeps")]
pub(crate) async fn sleep_real_time(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The nearest time that the clock can show.
pub(crate) fn clamp(time: SystemTime) -> SystemTime {
    time.clamp(UNIX_EPOCH, last_time())
}

fn last_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(LAST_SECOND)
}

/// `time` plus `duration`, limited to the last time that the clock can show.
pub(crate) fn later(time: SystemTime, duration: Duration) -> SystemTime {
    time.checked_add(duration).map_or_else(last_time, clamp)
}

/// Whole seconds since 1970, as `exp` and `expiration` count.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Milliseconds since 1970, as `ctd` and `created` count.
pub(crate) fn unix_milliseconds(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_told() {
        let start = UNIX_EPOCH + Duration::from_secs(1_000);
        let clock = EmulatorClock::standing_at(start);
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), start + Duration::from_secs(5));
        clock.set(start);
        assert_eq!(clock.now(), start);
    }

    #[test]
    fn no_time_is_later_than_a_date_header_can_express() {
        let clock = EmulatorClock::standing_at(UNIX_EPOCH);
        clock.advance(Duration::MAX);
        assert_eq!(unix_seconds(clock.now()), LAST_SECOND);
    }
}
