//! The examples run. `cargo test` builds them beside the tests.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::process::Command;

#[test]
fn tonic_client_sends_its_cached_token() {
    let test = std::env::current_exe().unwrap();
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .unwrap()
        .join("examples");
    let program = folder.join(format!("tonic_client{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build it by `cargo build --examples`");
    let output = Command::new(program).output().unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success() && err.is_empty(), "{out}{err}");
    for line in [
        "1. before the first login: Unavailable, there is no token right now",
        "3. called with the token: 3 clients of workspace ",
        "4. called without a token: Unauthenticated, there is no token",
    ] {
        assert!(out.contains(line), "{line} in {out}");
    }
    assert!(!out.contains("eyJ"), "{out}");
}
