//! The store on a real server: each test has its own, or its own prefix on the one that `SYNERISE_TEST_REDIS_URL` names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the server's clock can't be injected: these tests run on the system's"
)]

mod contract;
mod faults;
mod fleet;
mod records;
mod rights;
mod support;
#[cfg(all(feature = "cluster", feature = "sentinel"))]
mod topologies;
