//! The least that a cache which can be replaced at any time must do: one `ArcSwap::load_full` and one look at a clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use http::HeaderValue;

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;

/// A header and its end, behind an `ArcSwap`. It is never renewed.
#[derive(Debug)]
pub struct Floor(ArcSwap<Held>);

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
            end: Instant::now() + Duration::from_secs(3600),
        })))
    }

    async fn read(&self) -> Result<Arc<Held>> {
        let held = self.0.load_full();
        if Instant::now() < held.end {
            Ok(held)
        } else {
            Err("the floor is not renewed".into())
        }
    }

    fn header(ready: &Arc<Held>) -> Option<&HeaderValue> {
        Some(&ready.header)
    }
}
