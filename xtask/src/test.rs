//! `cargo xtask test`: all the tests, and the server that some of them need.

use crate::command::{Result, all, cargo, run};
use crate::redis_server;

/// The crate of the models. It is not a default member: it needs a compiler's optimisation to be quick, and no one else
/// needs it.
pub(crate) const MODELS: &str = "synerise-auth-models";

/// The features that have tests. Not all: `native-tls` asks for a system's library.
pub(crate) const TESTED: [&str; 4] = ["--features", PORTABLE, "--features", REDIS];

/// Those that are tested on every system.
const PORTABLE: &str = "synerise-auth/blocking,synerise-auth/metrics,synerise-auth/verify,\
     synerise-auth-middleware/reqwest-middleware,synerise-auth-middleware/tower";

/// Those whose tests need a server that runs on Linux and macOS only.
const REDIS: &str = "synerise-auth-redis/cluster,synerise-auth-redis/sentinel,synerise-auth-redis/tls-rustls";

/// Runs the simulation of a fleet. The tests of the models fail when its results are not those in the documentation.
pub(crate) fn simulate_fleet() -> Result {
    run(&mut cargo([
        "run",
        "--release",
        "--package",
        MODELS,
        "--bin",
        "simulate-fleet",
    ]))
}

/// Builds and runs every test, documentation tests and examples included.
///
/// Everything is run, whatever fails: one run shows all that is broken.
pub(crate) fn test() -> Result {
    let (server, tests) = if cfg!(windows) {
        anstream::eprintln!(
            "synerise-auth-redis is not tested here: neither Redis nor Valkey runs on Windows"
        );
        let others = [
            "--package",
            "synerise-auth",
            "--package",
            "synerise-auth-emulator",
            "--package",
            "synerise-auth-middleware",
            "--package",
            "cookie-sessions",
            "--package",
            "loyalty-service",
            "--package",
            "xtask",
        ];
        let tests = run(cargo(["test", "--no-fail-fast", "--features", PORTABLE]).args(others));
        (Ok(()), tests)
    } else {
        let server = redis_server::provide();
        // Without `--workspace`: only the default members have tests, and the figures would build their peers.
        (server, run(cargo(["test", "--no-fail-fast"]).args(TESTED)))
    };
    let models = run(&mut cargo(["test", "--release", "--package", MODELS]));
    all([server, tests, models])
}
