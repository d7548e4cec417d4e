//! The life of a session's token.

mod cancellation;
mod events;
mod expiry;
mod recovery;
mod refresh;
mod runtimes;
mod sharing;
