//! Checks the synchronization of the token lifecycle in every order of events that threads can bring about.
//!
//! `single_flight.rs` and `refresh_state.rs` are the library's own files, with loom's locks in place of the standard ones.
//! `refresh_model.rs` runs the refresh protocol with a token that is a number.
//!
//! `lease_protocol.rs` is the library's own file too. `lease_model.rs` runs it in several processes that share a store, with
//! crashes, pauses and a store that loses answers and entries.
//!
//! `cargo test -p synerise-auth-models --release` takes a few seconds.

#![cfg(test)]

#[path = "../../src/lifecycle/lease_protocol.rs"]
#[allow(dead_code, reason = "every store here has leases")]
mod lease_protocol;
#[path = "../../src/lifecycle/refresh_state.rs"]
#[allow(dead_code, reason = "the models don't need every one of its methods")]
mod refresh_state;
#[path = "../../src/lifecycle/single_flight.rs"]
#[allow(dead_code, reason = "the models don't need every one of its methods")]
mod single_flight;
mod sync;

mod lease_model;
mod lease_world;
mod refresh_model;
mod single_flight_model;

/// Runs `model` in every order of events in which a thread is interrupted at most twice: loom's authors found that this
/// shows nearly every fault, in seconds instead of hours.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}
