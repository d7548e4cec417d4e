//! The facade, call by call: what it sends, what comes of it, and what a server may do to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may"
)]

mod accounts;
mod capture;
mod operations;
mod profiles;
mod requests;
mod scene;
mod settings;
mod tolerance;
mod users;
mod wire;
mod workspaces;
