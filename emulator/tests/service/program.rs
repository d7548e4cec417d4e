//! The program: its first line, its flags, its errors, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
#[cfg(unix)]
use std::{process::ExitStatus, sync::mpsc, time::Duration};

use serde_json::{Value, json};

use crate::caller::{ANONYMOUS_LOGIN, SETTINGS, UUID, WORKSPACE_LOGIN};

const PROGRAM: &str = env!("CARGO_BIN_EXE_synerise-auth-emulator");

/// A running program. It is killed when it is dropped.
struct Running {
    child: Child,
    started_with: Value,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::from_command(Command::new(PROGRAM).args(arguments))
    }

    fn from_command(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let started_with = serde_json::from_str(&first).unwrap();
        Self { child, started_with }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.started_with["base_url"].as_str().unwrap())
    }

    async fn workspace_token(&self) -> String {
        let body = json!({ "apiKey": self.started_with["workspace_api_key"] });
        let login = reqwest::Client::new().post(self.url(WORKSPACE_LOGIN)).json(&body);
        let login: Value = login.send().await.unwrap().json().await.unwrap();
        login["token"].as_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let request = reqwest::Client::new().get(self.url(path));
        request
            .bearer_auth(self.workspace_token().await)
            .send()
            .await
            .unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file in the folder for temporary files. It is deleted when it is dropped.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let name = format!("synerise-auth-emulator-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a program that must not start writes to stderr.
fn error_of(arguments: &[&str]) -> String {
    error_of_command(Command::new(PROGRAM).args(arguments))
}

fn error_of_command(command: &mut Command) -> String {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut first);
    // One that did start would never end by itself.
    let _ = child.kill().and(child.wait());
    assert_eq!(first, "", "{command:?} started");
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(text.starts_with("error: "), "{text}");
    text
}

#[tokio::test]
async fn the_first_line_is_all_that_a_client_needs() {
    let running = Running::start(&["--token-lifetime", "60s", "--profile-token-lifetime", "5s"]);
    let first = &running.started_with;
    let base_url = first["base_url"].as_str().unwrap();
    assert!(base_url.starts_with("http://127.0.0.1:"), "{base_url}");
    for name in [
        "workspace_guid",
        "workspace_api_key",
        "basic_api_key",
        "profile_api_key",
        "tracker_key",
    ] {
        assert!(!first[name].as_str().unwrap().is_empty(), "{name}");
    }
    for name in ["username", "password", "totp_secret"] {
        assert!(!first["user"][name].as_str().unwrap().is_empty(), "{name}");
    }
    let body = json!({ "apiKey": first["profile_api_key"], "uuid": UUID });
    let login = reqwest::Client::new()
        .post(running.url(ANONYMOUS_LOGIN))
        .json(&body);
    let login: Value = login.send().await.unwrap().json().await.unwrap();
    let created = login["created"].as_u64().unwrap() / 1000;
    assert_eq!(login["expiration"].as_u64().unwrap() - created, 5);
}

#[tokio::test]
async fn settings_are_read_from_files_of_any_editor() {
    let text = r#"{ "pinConfirmationLength": 4 }"#;
    let utf16 = |order: fn(u16) -> [u8; 2]| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(order).collect::<Vec<u8>>()
    };
    for (name, content) in [
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-8-bom", format!("\u{feff}{text}").into_bytes()),
        ("utf-16-le", utf16(u16::to_le_bytes)),
        ("utf-16-be", utf16(u16::to_be_bytes)),
    ] {
        let file = TempFile::new(name, content);
        let running = Running::start(&["--settings", file.path()]);
        let settings: Value = running.get(SETTINGS).await.json().await.unwrap();
        assert_eq!(settings["pinConfirmationLength"], 4, "{name}");
    }
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    for (name, text, unknown) in [
        (
            "typo",
            r#"{ "pinConfirmationLenght": 4 }"#,
            "pinConfirmationLenght",
        ),
        (
            "case",
            r#"{ "PinConfirmationLength": 4 }"#,
            "PinConfirmationLength",
        ),
        (
            "bom-in-name",
            "{ \"\u{feff}pinConfirmationLength\": 4 }",
            "\\u{feff}pinConfirmationLength",
        ),
    ] {
        let file = TempFile::new(name, text);
        let error = error_of(&["--settings", file.path()]);
        assert!(
            error.contains(&format!("{unknown:}\" is not a known setting")),
            "{error}"
        );
        assert!(
            error.contains("pinConfirmationLength,"),
            "lists the known settings: {error}"
        );
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_its_address() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = error_of(&["--port", &address.port().to_string()]);
    assert!(error.contains(&format!("cannot listen on {address}:")), "{error}");
    // An address of the range for documentation, which no machine has.
    let error = error_of(&["--address", "192.0.2.1", "--port", "4321"]);
    assert!(error.contains("cannot listen on 192.0.2.1:4321:"), "{error}");
}

#[tokio::test]
async fn the_base_url_of_a_wildcard_address_can_be_called() {
    for (address, host) in [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::ffff:0.0.0.0", "127.0.0.1"),
    ] {
        if address == "::" && TcpListener::bind("[::1]:0").is_err() {
            continue; // a machine without IPv6
        }
        let running = Running::start(&["--address", address]);
        let base_url = running.started_with["base_url"].as_str().unwrap();
        assert!(
            base_url.starts_with(&format!("http://{host}:")),
            "{address}: {base_url}"
        );
        assert_eq!(running.get(SETTINGS).await.status(), 200, "{address}");
    }
}

#[tokio::test]
async fn stubs_answer_for_endpoints_outside_of_the_document() {
    let page = TempFile::new("page.html", "<p>hello</p>");
    let page_body = format!("@{}", page.path());
    #[rustfmt::skip]
    let running = Running::start(&[
        "--stub", "GET", "/v4/clients", "200", r#"{"count":3}"#,
        "--stub", "post", "/v4/events", "202", "",
        "--stub", "GET", "/v4/clients/by-custom-id/{id}", "404", "-1",
        "--stub", "GET", "/page", "200", &page_body,
    ]);
    let clients = running.get("/v4/clients").await;
    assert_eq!(clients.status(), 200);
    assert_eq!(clients.headers()["content-type"], "application/json");
    assert_eq!(clients.text().await.unwrap(), r#"{"count":3}"#);
    let missing = running.get("/v4/clients/by-custom-id/card%20123").await;
    assert_eq!(
        (missing.status().as_u16(), missing.text().await.unwrap().as_str()),
        (404, "-1")
    );
    let page = running.get("/page").await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.text().await.unwrap(), "<p>hello</p>");

    let events = reqwest::Client::new().post(running.url("/v4/events"));
    let events = events
        .bearer_auth(running.workspace_token().await)
        .send()
        .await
        .unwrap();
    assert_eq!(events.status(), 202);
    assert!(events.headers().get("content-type").is_none());
    let unauthorized = reqwest::get(running.url("/v4/clients")).await.unwrap();
    assert_eq!(unauthorized.status(), 401);
}

#[test]
fn a_stub_that_could_never_answer_is_refused() {
    for (stub, says) in [
        (["G T", "/a", "200", "{}"], "\"G T\" is not a valid HTTP method"),
        (["GET", "a", "200", "{}"], "\"a\" must start with /"),
        (["GET", "/a?b=c", "200", "{}"], "\"/a?b=c\" must not have a query"),
        (["GET", "/a b", "200", "{}"], "\"/a b\" is not a valid path"),
        (["GET", "/a", "20", "{}"], "\"20\" is not a valid HTTP status"),
        (["GET", "/a", "OK", "{}"], "\"OK\" is not a valid HTTP status"),
        (
            ["GET", "/a", "200", "@/nonexistent/body"],
            "cannot read /nonexistent/body",
        ),
        (["GET", "/v4/public.pem", "200", "{}"], "getPublicKey"),
        (
            ["POST", "/uauth/auth/login/user/profile/7", "200", "{}"],
            "selectWorkspace",
        ),
    ] {
        let arguments = [&["--stub"][..], &stub[..]].concat();
        let error = error_of(&arguments);
        assert!(error.contains(says), "{stub:?}: {error}");
    }
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
        let error = error_of(&arguments);
        assert!(error.contains(says), "{error}");
    }
}

/// Sends a signal with the shell's own `kill`, which needs no package.
#[cfg(unix)]
fn send_signal(signal: &str, process: u32) {
    let command = format!("kill -{signal} {process}");
    assert!(
        Command::new("sh")
            .args(["-c", &command])
            .status()
            .unwrap()
            .success()
    );
}

/// How the program ends. One that does not end within ten seconds is killed, which shows in the status.
#[cfg(unix)]
fn end_of(running: &mut Running) -> ExitStatus {
    let process = running.child.id();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || sender.send(running.child.wait().unwrap()));
        receiver
            .recv_timeout(Duration::from_secs(10))
            .unwrap_or_else(|_| {
                send_signal("KILL", process);
                receiver.recv().unwrap()
            })
    })
}

#[cfg(unix)]
#[test]
fn a_stop_signal_ends_it_successfully() {
    for signal in ["TERM", "INT"] {
        let mut running = Running::start(&[]);
        // A connection that is open must not delay the end.
        let address = running.started_with["base_url"]
            .as_str()
            .unwrap()
            .replace("http://", "");
        let _open = std::net::TcpStream::connect(address).unwrap();
        send_signal(signal, running.child.id());
        let end = end_of(&mut running);
        assert!(end.success(), "{signal}: {end}");
    }
}

/// The kernel ignores a signal to PID 1 that the process has no handler for, as in a container without an init.
#[cfg(target_os = "linux")]
#[test]
fn a_stop_signal_ends_it_as_pid_1() {
    let unshare = ["--user", "--map-root-user", "--pid", "--fork", "--kill-child"];
    let can_unshare = Command::new("unshare").args(unshare).arg("true").output();
    if !can_unshare.is_ok_and(|output| output.status.success()) {
        return; // neither root nor a kernel that lets users make namespaces
    }
    for signal in ["TERM", "INT"] {
        let mut running = Running::from_command(Command::new("unshare").args(unshare).arg(PROGRAM));
        let parent = running.child.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        let pid_1: u32 = children.trim().parse().unwrap();
        send_signal(signal, pid_1);
        let end = end_of(&mut running);
        assert!(end.success(), "{signal}: {end}");
    }
}

/// Out of file descriptors, the program must not use the processor, and must serve again once there are some.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_does_not_spin_when_it_is_out_of_file_descriptors() {
    let limited = format!("ulimit -n 24; exec {PROGRAM}");
    let running = Running::from_command(Command::new("sh").args(["-c", &limited]));
    let address = running.started_with["base_url"]
        .as_str()
        .unwrap()
        .replace("http://", "");
    let open: Vec<_> = (0..40)
        .map(|_| std::net::TcpStream::connect(&address).unwrap())
        .collect();
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", running.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = ticks();
    // Half a second of the machine's time, as processor time is measured by it.
    std::thread::park_timeout(Duration::from_millis(500));
    // A tick is 10 ms: a loop without a pause takes 50 of them in this time.
    let used = ticks() - before;
    assert!(used < 10, "{used} ticks");
    drop(open);
    assert_eq!(running.get(SETTINGS).await.status(), 200);
}

#[cfg(target_os = "linux")]
#[test]
fn too_few_file_descriptors_to_start_are_a_clear_error() {
    for limit in 8..=10 {
        let limited = format!("ulimit -n {limit}; exec {PROGRAM}");
        let text = error_of_command(Command::new("sh").args(["-c", &limited]));
        assert!(text.starts_with("error: cannot "), "{limit}: {text}");
        assert!(text.contains("Too many open files"), "{limit}: {text}");
    }
}
