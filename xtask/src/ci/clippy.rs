//! Clippy, with every warning an error.

use crate::command::{Result, all, cargo, run};
use crate::test::{MODELS, TESTED};

/// The sets of features that the library is used with. All sets share what their dependencies are built to, so that
/// each costs little more than the library itself.
const FEATURES: [&[&str]; 9] = [
    &["--no-default-features"],
    &["--no-default-features", "--features", "rustls"],
    &["--no-default-features", "--features", "native-tls"],
    &["--no-default-features", "--features", "schemars"],
    &["--no-default-features", "--features", "metrics"],
    &["--no-default-features", "--features", "blocking"],
    &["--no-default-features", "--features", "verify"],
    &["--no-default-features", "--features", "test-util"],
    &["--all-features"],
];

/// The features of the middleware, which its users choose.
const MIDDLEWARE: [&[&str]; 3] = [
    &[],
    &["--features", "reqwest-middleware"],
    &["--features", "tower"],
];

/// Everything that `cargo xtask test` builds.
pub(super) fn workspace() -> Result {
    all([clippy(&TESTED), clippy(&["--package", MODELS])])
}

/// The library and the middleware with each set of features.
pub(super) fn features() -> Result {
    let library = FEATURES.map(|features| ("synerise-auth", features));
    let middleware = MIDDLEWARE.map(|features| ("synerise-auth-middleware", features));
    let sets = library.into_iter().chain(middleware);
    all(sets.map(|(package, features)| clippy(&[&["--package", package], features].concat())))
}

fn clippy(selection: &[&str]) -> Result {
    run(cargo(["clippy", "--quiet", "--keep-going", "--all-targets"])
        .args(selection)
        .args(["--", "--deny", "warnings"]))
}
