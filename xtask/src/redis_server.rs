//! The server that the tests of `redis/` start: an installed one, or one that is installed now.

use std::env;
use std::path::Path;

use crate::command::{Failed, Result, program, run};

/// As the tests look for it, in `redis/tests/it/support/server.rs`.
const PROGRAMS: [&str; 3] = ["redis-server", "valkey-server", "redis-check-rdb"];

/// Has the server, without the service that `redis-server` would start on the machine.
const PACKAGE: &str = "redis-tools";

/// Makes sure that there is a server.
///
/// It is installed where that takes no more than a command: on Debian and its relatives, as root.
pub(crate) fn provide() -> Result {
    if env::var_os("SYNERISE_TEST_REDIS_SERVER").is_some()
        || PROGRAMS.iter().any(|program| is_installed(program))
    {
        return Ok(());
    }
    let install = || {
        let apt = |arguments: &[&str]| {
            run(program("apt-get")
                .args(["--quiet", "--yes"])
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"))
        };
        apt(&["update"])?;
        apt(&["install", "--no-install-recommends", PACKAGE])
    };
    if is_installed("apt-get") && install().is_ok() && PROGRAMS.iter().any(|program| is_installed(program)) {
        return Ok(());
    }
    Err(Failed::new(
        "the tests of synerise-auth-redis need redis-server or valkey-server on the PATH: install one, and run this again",
    ))
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}
