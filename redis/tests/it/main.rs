//! The store on a real server: each test starts its own.
//!
//! `SYNERISE_TEST_REDIS_URL` names one on which the library's rules and a cold fleet are tried in place of that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the server's clock can't be injected: these tests run on the system's"
)]

mod conformance;
mod contract;
mod faults;
mod fleet;
mod outages;
mod records;
mod rights;
mod support;
#[cfg(all(feature = "cluster", feature = "sentinel"))]
mod topologies;
