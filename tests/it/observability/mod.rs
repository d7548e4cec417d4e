//! What a service sees of its sessions: events, spans and metrics.

mod collect;
#[cfg(feature = "metrics")]
mod metrics;
mod page;
mod sessions;
mod spans;
