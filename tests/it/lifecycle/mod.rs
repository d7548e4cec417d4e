//! The life of a session's token.

mod cached_token;
mod cancellation;
mod ending;
mod events;
mod expiry;
mod one_clock;
mod recovery;
mod refresh;
mod runtimes;
mod sharing;
mod times;
mod unauthorized;
