//! The library's figures, measured beside its peers as released: same machine, same login server, same run.
//!
//! How it is measured, and why so:
//!
//! - **Ratios of one run.** A machine's speed changes from minute to minute. Ours and the peers take turns in short
//!   rounds, each round gives a ratio, and the median of these is what is reported, with the spread of the middle half.
//!   A bench harness that measures one after the other for seconds each would compare two different machines.
//! - **Processor time of the thread**, where the work never waits ([`stopwatch`]): what other programs do in the meantime
//!   is not counted. Wall-clock time, where waiting is what is measured.
//! - **Peers at their best.** Their headers are made ready where their interfaces let a caller do that, and Tokio's
//!   cooperative budget, which makes a lock yield now and then, is lifted. A peer whose run would take minutes is
//!   stopped, and the row says so.
//! - **Allocations are counted in a program of their own** (`figures-memory`), because counting costs time; so are the
//!   instructions of a call (`figures-call`, under valgrind).
//!
//! The programs print JSON; `cargo xtask figures` makes the table of it.

#![allow(
    clippy::disallowed_methods,
    reason = "time is measured here, and the measured clocks are the machine's"
)]
#![allow(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds here are far below 2^52"
)]

pub mod cache;
pub mod call;
pub mod login_server;
pub mod ours;
pub mod peers;
pub mod report;
pub mod rows;
pub mod sessions;
pub mod stopwatch;

/// What a program here ends with.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
