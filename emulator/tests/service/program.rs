//! The program: its first line, its flags, its errors.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_synerise-auth-emulator"))
}

/// A running program; dropped, it is ended.
struct Running(Child);

impl Running {
    fn start(arguments: &[&str]) -> (Self, Value) {
        let mut child = program().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        (Self(child), serde_json::from_str(&first).unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_first_line_is_all_that_a_client_needs() {
    let (_running, fixtures) = Running::start(&["--token-lifetime", "60s", "--profile-token-lifetime", "5s"]);
    let base_url = fixtures["base_url"].as_str().unwrap();
    assert!(base_url.starts_with("http://127.0.0.1:"), "{base_url}");
    for name in [
        "workspace_guid",
        "workspace_api_key",
        "profile_api_key",
        "tracker_key",
    ] {
        assert!(!fixtures[name].as_str().unwrap().is_empty(), "{name}");
    }
    for name in ["username", "password", "totp_secret"] {
        assert!(!fixtures["user"][name].as_str().unwrap().is_empty(), "{name}");
    }
    let http = reqwest::Client::new();
    let body = json!({ "apiKey": fixtures["profile_api_key"], "uuid": crate::caller::UUID });
    let login = http
        .post(format!("{base_url}{}", crate::caller::ANONYMOUS_LOGIN))
        .json(&body)
        .send()
        .await
        .unwrap();
    let login: Value = login.json().await.unwrap();
    let created = login["created"].as_u64().unwrap() / 1000;
    assert_eq!(login["expiration"].as_u64().unwrap() - created, 5);
}

#[tokio::test]
async fn settings_come_from_a_file() {
    let file = std::env::temp_dir().join(format!("synerise-auth-emulator-{}.json", std::process::id()));
    std::fs::write(&file, r#"{ "pinConfirmationLength": 4 }"#).unwrap();
    let (_running, fixtures) = Running::start(&["--settings", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", fixtures["base_url"].as_str().unwrap());
    let body = json!({ "apiKey": fixtures["workspace_api_key"] });
    let login = http
        .post(url(crate::caller::WORKSPACE_LOGIN))
        .json(&body)
        .send()
        .await
        .unwrap();
    let token = login.json::<Value>().await.unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let settings = http
        .get(url(crate::caller::SETTINGS))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        settings.json::<Value>().await.unwrap()["pinConfirmationLength"],
        4
    );
}

#[test]
fn wrong_use_ends_with_one_clear_line() {
    for (arguments, says) in [
        (
            ["--settings", "/nonexistent/settings.json"],
            "cannot read /nonexistent/settings.json",
        ),
        (["--token-lifetime", "soon"], "--token-lifetime"),
        (["--port", "70000"], "--port"),
    ] {
        let output = program().args(arguments).output().unwrap();
        assert!(!output.status.success());
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with("error: ") && text.contains(says), "{text}");
    }
}
