//! Checks the synchronisation of the token lifecycle in every order of events that threads can bring about.
//!
//! `single_flight.rs` is the library's own file, with loom's locks in place of the standard ones. `protocol.rs` is
//! the lifecycle's protocol around it at a small scale: the real one can't be included, because its tokens and its
//! clocks lead to the whole library.
//!
//! `cargo test -p synerise-auth-models --release` takes a few seconds.

#![cfg(test)]

#[path = "../../src/lifecycle/single_flight.rs"]
#[allow(dead_code, reason = "the models don't need every one of its methods")]
mod single_flight;
mod sync;

mod flights;
mod protocol;
