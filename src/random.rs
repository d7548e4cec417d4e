//! The source of jitter.
//!
//! ```
//! use synerise_auth::Client;
//! use synerise_auth::random::Random;
//!
//! /// Never spreads anything.
//! #[derive(Debug)]
//! struct NoJitter;
//!
//! impl Random for NoJitter {
//!     fn fraction(&self) -> f64 {
//!         0.0
//!     }
//! }
//!
//! let client = Client::builder().random(NoJitter).build()?;
//! # Ok::<(), synerise_auth::Error>(())
//! ```

use std::fmt;

/// A source of fractions for jitter, which spreads the refreshes and retries of many processes over time.
///
/// It affects only timing, never security, so it need not be unpredictable. Tests use `FixedRandom` (feature
/// `test-util`).
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Returns the next fraction, at least 0.0 and less than 1.0. Other values count as the nearest of these.
    fn fraction(&self) -> f64;
}

/// The next fraction of `random`, always between 0 and 1, whatever it returns. NaN counts as 0.
pub(crate) fn unit_fraction(random: &dyn Random) -> f64 {
    let fraction = random.fraction();
    if fraction.is_nan() {
        0.0
    } else {
        fraction.clamp(0.0, 1.0)
    }
}

/// The default source: a fast generator for each thread, seeded by the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fraction(&self) -> f64 {
        fastrand::f64()
    }
}

/// 128 bits that no other call returns, in this process or another. They need not be secret.
pub(crate) fn unique_bytes() -> [u8; 16] {
    use std::hash::{BuildHasher, RandomState};
    use std::sync::atomic::{AtomicU64, Ordering};

    static CALLS: AtomicU64 = AtomicU64::new(0);
    // The hasher's keys come from the system. A process that was forked has the same keys and the same count, but another
    // number.
    let state = RandomState::new();
    let call = (CALLS.fetch_add(1, Ordering::Relaxed), std::process::id());
    let halves = [state.hash_one((0_u8, call)), state.hash_one((1_u8, call))];
    let mut bytes = [0; 16];
    for (place, half) in bytes.chunks_exact_mut(8).zip(halves) {
        place.copy_from_slice(&half.to_le_bytes());
    }
    bytes
}

/// A source that always returns the same fraction, for tests.
///
/// ```
/// use synerise_auth::random::{FixedRandom, Random};
///
/// assert_eq!(FixedRandom(0.5).fraction(), 0.5);
/// ```
#[cfg(any(test, feature = "test-util"))]
#[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedRandom(pub f64);

#[cfg(any(test, feature = "test-util"))]
impl Random for FixedRandom {
    fn fraction(&self) -> f64 {
        self.0
    }
}
