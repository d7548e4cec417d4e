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

mod protocol;
mod single_flight_model;

/// Runs `model` in every order of events in which a thread is interrupted at most twice: what loom's authors found to
/// show nearly every fault, in seconds instead of hours.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}
