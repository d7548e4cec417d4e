//! Time, and what many measurements come to.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The processor time that this thread has used.
///
/// It stands still while another program has the processor, which on a busy machine is most of the noise.
pub fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// The middle of many measurements, and where the middle half of them lies.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// The median.
    pub median: f64,
    /// A quarter of the measurements is below.
    pub low: f64,
    /// A quarter of the measurements is above.
    pub high: f64,
}

impl Summary {
    /// Of `measurements`; `None` when there are none.
    pub fn of(mut measurements: Vec<f64>) -> Option<Self> {
        measurements.sort_by(f64::total_cmp);
        let at = |share: usize| measurements.get(measurements.len() * share / 4).copied();
        Some(Self {
            median: at(2)?,
            low: at(1)?,
            high: at(3)?,
        })
    }
}
