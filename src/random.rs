//! Where jitter comes from.

use std::fmt;

/// A source of fractions for jitter: spreading renewals and retries of many processes over time.
///
/// It decides about timing only, never about security, so it need not be unpredictable. Tests inject their own.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// The next fraction, at least 0.0 and less than 1.0. Other values are taken as the nearest of these.
    fn fraction(&self) -> f64;
}

/// The next fraction of `random`, whatever it says: a number that is none is taken as 0.
pub(crate) fn unit_fraction(random: &dyn Random) -> f64 {
    let fraction = random.fraction();
    if fraction.is_nan() {
        0.0
    } else {
        fraction.clamp(0.0, 1.0)
    }
}

/// The default source: a fast generator, seeded by the system, one for each thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fraction(&self) -> f64 {
        fastrand::f64()
    }
}

/// A source that always says the same, for tests.
#[derive(Debug, Clone, Copy)]
pub struct FixedRandom(pub f64);

impl Random for FixedRandom {
    fn fraction(&self) -> f64 {
        self.0
    }
}
