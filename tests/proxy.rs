//! What the environment of a process does to its clients: proxies, and CA certificates.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::net::TcpListener;
use std::process::Command;

use support::TestEnv;
use synerise_auth::Client;

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

/// Runs a test again in a process with these variables, and without others that would disturb it.
fn run_inside(test: &str, variables: &[(&str, &std::ffi::OsStr)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.env_remove("REQUEST_METHOD").env(INSIDE, "1");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    said
}

/// Prints what comes of building a client for each kind of base URL.
#[allow(clippy::print_stdout, reason = "the process that started this one reads it")]
fn build_each() {
    for (kind, url) in [
        ("loopback", "http://127.0.0.1:1"),
        ("plain", "http://api.synerise.example"),
        ("https", "https://api.synerise.example"),
    ] {
        let built = Client::builder()
            .base_url(url)
            .allow_plain_http_to_any_host()
            .build();
        match built {
            Ok(_) => println!("{kind}: built"),
            Err(error) => println!("{kind}: {error}"),
        }
    }
}

#[test]
fn unreadable_proxy_is_refused() {
    const NAME: &str = "unreadable_proxy_is_refused";
    if std::env::var_os(INSIDE).is_some() {
        return build_each();
    }
    for variable in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        for value in [
            "http://user:fake-secret@",
            "ftp://proxy.example",
            "http://proxy example:1",
            "http://[::1",
        ] {
            let said = run_inside(NAME, &[(variable, value.as_ref())]);
            assert!(said.contains("loopback: built"), "{said}");
            for kind in ["plain", "https"] {
                let refusal = format!("{kind}: proxy in the environment variable {variable}");
                assert!(said.contains(&refusal), "{variable}={value}: {said}");
            }
            assert!(!said.contains("fake-secret"), "{said}");
        }
    }
    for value in [
        "",
        "http://user:pass@proxy.example:3128",
        "proxy.example:3128",
        "socks5h://proxy.example",
    ] {
        let said = run_inside(NAME, &[("HTTPS_PROXY", value.as_ref())]);
        assert_eq!(said.matches("built").count(), 3, "{value}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn proxy_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStrExt;

    const NAME: &str = "proxy_that_is_not_text_is_refused";
    if std::env::var_os(INSIDE).is_some() {
        return build_each();
    }
    let value = std::ffi::OsStr::from_bytes(b"http://proxy\xff.example");
    let said = run_inside(NAME, &[("HTTPS_PROXY", value)]);
    assert!(
        said.contains("https: proxy in the environment variable HTTPS_PROXY is not UTF-8"),
        "{said}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn without_ca_certificates_only_https_is_refused() {
    const NAME: &str = "without_ca_certificates_only_https_is_refused";
    if std::env::var_os(INSIDE).is_some() {
        return build_each();
    }
    let nothing = std::ffi::OsStr::new("/dev/null");
    let said = run_inside(
        NAME,
        &[
            ("SSL_CERT_FILE", nothing),
            ("SSL_CERT_DIR", "/nonexistent".as_ref()),
        ],
    );
    assert!(
        said.contains("loopback: built") && said.contains("plain: built"),
        "{said}"
    );
    let refusal = said.lines().find(|line| line.starts_with("https: ")).unwrap();
    for words in [
        "no CA certificates",
        "install ca-certificates",
        "add_root_certificate",
    ] {
        assert!(refusal.contains(words), "{refusal}");
    }
}
