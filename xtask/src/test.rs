//! `cargo xtask test`: all the set-up, which is none, and all the tests.

use crate::command::{Result, cargo, run};

/// Builds and runs every test, documentation tests and examples included.
///
/// Everything is run, whatever fails: one run shows all that is broken.
pub(crate) fn test() -> Result {
    // Without `--workspace`: the default members are all that a test needs, and the figures' peers are none of it.
    run(&mut cargo(["test", "--no-fail-fast"]))
}
