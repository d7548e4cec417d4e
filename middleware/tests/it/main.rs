//! The middleware and the layer over HTTP on loopback: which requests get the token, and what happens after a 401.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

mod reqwest_middleware;
mod support;
mod tower;
