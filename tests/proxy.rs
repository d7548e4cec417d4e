//! A proxy in the environment must not see what is meant for this machine alone.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::net::TcpListener;
use std::process::Command;

use support::TestEnv;

/// Set for the process that logs in. A process's own environment can't be changed safely while it runs.
const INSIDE: &str = "SYNERISE_AUTH_TEST_INSIDE";

#[tokio::test]
async fn loopback_requests_bypass_the_proxy() {
    if std::env::var_os(INSIDE).is_some() {
        TestEnv::new().await.workspace().token().await.unwrap();
        return;
    }
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "loopback_requests_bypass_the_proxy"])
        .env(INSIDE, "1")
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &address)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env_remove("REQUEST_METHOD")
        .output()
        .unwrap();
    assert!(proxy.accept().is_err(), "the proxy was used");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
