//! The least that a cache which can be replaced at any time must do: one `ArcSwap::load_full` and one look at a clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::HeaderValue;
use rustix::time::{ClockId, clock_gettime};

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;

/// A header and its end, behind an `ArcSwap`. It is never refreshed.
#[derive(Debug)]
pub struct Floor(ArcSwap<Held>);

/// The same with the coarsest and cheapest clock that there is.
#[derive(Debug)]
pub struct CoarseFloor(ArcSwap<CoarselyHeld>);

/// What the coarse floor holds.
#[derive(Debug)]
pub struct CoarselyHeld {
    header: HeaderValue,
    end: Duration,
}

fn coarse_clock() -> Duration {
    Duration::try_from(clock_gettime(ClockId::MonotonicCoarse)).unwrap_or_default()
}

impl Cache for CoarseFloor {
    const NAME: &'static str = "floor, coarse clock";
    const LOGIN: &'static str = "/none";
    type Ready = Arc<CoarselyHeld>;

    fn cold(_: &LoginServer) -> Result<Self> {
        Ok(Self(ArcSwap::from_pointee(CoarselyHeld {
            header: HeaderValue::from_str(&format!("Bearer {}", "A".repeat(800)))?,
            end: coarse_clock() + Duration::from_hours(1),
        })))
    }

    async fn read(&self) -> Result<Arc<CoarselyHeld>> {
        let held = self.0.load_full();
        if coarse_clock() < held.end {
            Ok(held)
        } else {
            Err("the floor is not refreshed".into())
        }
    }

    fn header(ready: &Arc<CoarselyHeld>) -> Option<&HeaderValue> {
        Some(&ready.header)
    }
}

/// What the floor holds.
#[derive(Debug)]
pub struct Held {
    header: HeaderValue,
    end: Instant,
}

impl Cache for Floor {
    const NAME: &'static str = "floor";
    const LOGIN: &'static str = "/none";
    type Ready = Arc<Held>;

    fn cold(_: &LoginServer) -> Result<Self> {
        Ok(Self(ArcSwap::from_pointee(Held {
            header: HeaderValue::from_str(&format!("Bearer {}", "A".repeat(800)))?,
            end: Instant::now() + Duration::from_hours(1),
        })))
    }

    async fn read(&self) -> Result<Arc<Held>> {
        let held = self.0.load_full();
        if Instant::now() < held.end {
            Ok(held)
        } else {
            Err("the floor is not refreshed".into())
        }
    }

    fn header(ready: &Arc<Held>) -> Option<&HeaderValue> {
        Some(&ready.header)
    }
}
