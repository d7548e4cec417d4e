//! The emulator's clock: every token, PIN, code, delay and `Date` header goes by it.

use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::sync::lock;

/// Seconds from 1970 to the end of the year 9999, the last that an HTTP date can name.
const LAST_SECOND: u64 = 253_402_300_799;

/// The clock that the emulator lives by.
///
/// It starts at the machine's time and runs, unless [`EmulatorBuilder::clock_at`] starts it at a given time: then
/// it stands still, and only [`advance`](Self::advance) and [`set`](Self::set) move it. A test that needs no
/// tolerance wants the latter.
///
/// Times are kept between 1970 and 9999.
///
/// [`EmulatorBuilder::clock_at`]: crate::EmulatorBuilder::clock_at
#[derive(Debug)]
pub struct EmulatorClock {
    state: Mutex<ClockState>,
    moved: watch::Sender<()>,
    /// How many wait for a time to come.
    waiting: watch::Sender<usize>,
}

#[derive(Debug, Clone, Copy)]
struct ClockState {
    shown: SystemTime,
    /// When `shown` was true, by a clock that nobody can set; `None` while the clock stands still.
    running_since: Option<Instant>,
}

impl ClockState {
    fn now(self) -> SystemTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "this file is the one that reads the machine's clocks"
        )]
        let passed = self.running_since.map_or(Duration::ZERO, |since| since.elapsed());
        self.shown.checked_add(passed).map_or_else(last_time, clamp)
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
        let state = ClockState {
            shown: clamp(time),
            running_since,
        };
        Self {
            state: Mutex::new(state),
            moved: watch::Sender::new(()),
            waiting: watch::Sender::new(0),
        }
    }

    /// The time by this clock.
    pub fn now(&self) -> SystemTime {
        lock(&self.state).now()
    }

    /// Moves the clock forward. Delays that end by then end at once.
    pub fn advance(&self, by: Duration) {
        self.change(|now| now.checked_add(by));
    }

    /// Sets the clock, forward or back. A clock that was running runs on from there.
    pub fn set(&self, to: SystemTime) {
        self.change(|_| Some(to));
    }

    /// Makes the clock stand still at the time it shows.
    pub fn freeze(&self) {
        {
            let mut state = lock(&self.state);
            *state = ClockState {
                shown: state.now(),
                running_since: None,
            };
        }
        self.moved.send_replace(());
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one that reads the machine's clocks"
    )]
    fn change(&self, to: impl FnOnce(SystemTime) -> Option<SystemTime>) {
        {
            let mut state = lock(&self.state);
            state.shown = to(state.now()).map_or_else(last_time, clamp);
            state.running_since = state.running_since.map(|_| Instant::now());
        }
        self.moved.send_replace(());
    }

    /// Waits until this many requests wait for the clock: each is in a [delay](crate::Fault::delayed) or between two
    /// bytes of a [dripping body](crate::Fault::slow_body). Then an [`advance`](Self::advance) ends what it is meant to end.
    pub async fn wait_for_delays(&self, requests: usize) {
        // Closed only when the sender is dropped, and `self` holds it.
        let _ = self
            .waiting
            .subscribe()
            .wait_for(|waiting| *waiting >= requests)
            .await;
    }

    /// Waits until the clock shows at least `deadline`, whether it ran there or was moved.
    pub(crate) async fn wait_until(&self, deadline: SystemTime) {
        let mut moved = self.moved.subscribe();
        let _waiting = Waiting::on(&self.waiting);
        loop {
            let state = *lock(&self.state);
            let Ok(left) = deadline.duration_since(state.now()) else {
                return;
            };
            if left.is_zero() {
                return;
            }
            let elapsed = async {
                match state.running_since {
                    #[expect(clippy::disallowed_methods, reason = "this file is the one that sleeps")]
                    Some(_) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = elapsed => {}
                // The sender lives in `self`, so this never reports a closed channel.
                _ = moved.changed() => {}
            }
        }
    }
}

/// Counts one that waits, until it is dropped: the request may be given up at any point.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn on(waiting: &'a watch::Sender<usize>) -> Self {
        waiting.send_modify(|waiting| *waiting += 1);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

/// The nearest time that the clock can show.
pub(crate) fn clamp(time: SystemTime) -> SystemTime {
    time.clamp(UNIX_EPOCH, last_time())
}

fn last_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(LAST_SECOND)
}

/// `time` and so many seconds, as far as the clock goes.
pub(crate) fn later(time: SystemTime, seconds: u64) -> SystemTime {
    time.checked_add(Duration::from_secs(seconds))
        .map_or_else(last_time, clamp)
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
    fn a_clock_that_stands_still_moves_only_when_told() {
        let start = UNIX_EPOCH + Duration::from_secs(1_000);
        let clock = EmulatorClock::standing_at(start);
        clock.advance(Duration::from_secs(5));
        assert_eq!(clock.now(), start + Duration::from_secs(5));
        clock.set(start);
        assert_eq!(clock.now(), start);
    }

    #[test]
    fn no_time_is_beyond_what_a_date_header_can_say() {
        let clock = EmulatorClock::standing_at(UNIX_EPOCH);
        clock.advance(Duration::MAX);
        assert_eq!(unix_seconds(clock.now()), LAST_SECOND);
    }
}
