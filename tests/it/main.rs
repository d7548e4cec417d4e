//! The behaviour that a user relies on, over HTTP on loopback: the life of a token, each call, and the store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "blocking")]
mod blocking;
mod config;
mod facade;
mod health;
mod key_rotation;
mod lifecycle;
mod observability;
mod store;
#[cfg(feature = "conformance")]
mod store_conformance;
mod store_lease;
mod store_rejoin;
mod store_trust;
mod test_util;
mod troubleshooting;
mod values;
#[cfg(feature = "verify")]
mod verify;
mod wire;
