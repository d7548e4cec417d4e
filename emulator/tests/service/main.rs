//! Tests of the emulator over HTTP, by area.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail the test, as the tests themselves do"
)]

mod accounts;
mod basic;
mod caller;
mod clock;
mod faults;
mod observation;
mod profiles;
mod program;
mod settings;
mod tokens;
mod usage;
mod users;
mod workspaces;
