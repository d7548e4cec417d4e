//! A folder like `openapi/`, and a server on loopback that serves documents, well or badly.

#![allow(dead_code, reason = "each test file uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The outcome of one run of the program.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs a verb that takes no folder.
    pub(crate) fn verb(verb: &str, arguments: &[&str]) -> Self {
        Self::of(
            Command::new(env!("CARGO_BIN_EXE_xtask"))
                .arg(verb)
                .args(arguments),
        )
    }

    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code and that stderr holds a text.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, text: &str) -> &Self {
        assert!(
            self.code == code && self.stderr.contains(text),
            "expected {code} and `{text}`, found {self:#?}"
        );
        self
    }
}

/// An `openapi/` folder of its own, with a small selection and overlay.
pub(crate) struct Tree {
    pub(crate) folder: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self::with(&selection("http://127.0.0.1:1"), OVERLAY)
    }

    pub(crate) fn with(selection: &str, overlay: &str) -> Self {
        let tree = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(tree.path()).unwrap();
        tree.write("selection.toml", selection);
        tree.write("overlay.yaml", overlay);
        tree
    }

    /// A tree whose files are already those of [`document`].
    pub(crate) fn vendored() -> Self {
        let tree = Self::new();
        tree.update(&document()).expect(0, "Wrote");
        tree
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("openapi")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn result(&self) -> Value {
        serde_json::from_str(&self.read("synerise-auth.json")).unwrap()
    }

    /// Everything that a run may write, by name.
    pub(crate) fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let mut content = BTreeMap::new();
        for folder in ["", "upstream"] {
            for entry in std::fs::read_dir(self.path().join(folder)).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let name = path.strip_prefix(self.path()).unwrap().display().to_string();
                    content.insert(name, std::fs::read(path).unwrap());
                }
            }
        }
        content
    }

    pub(crate) fn command(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .arg(verb)
            .args(arguments)
            .arg("--openapi-dir")
            .arg(self.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, verb: &str, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(verb, arguments))
    }

    pub(crate) fn spawn(&self, verb: &str, arguments: &[&str]) -> Child {
        self.command(verb, arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Runs `update-spec` on a document in a file of its own.
    pub(crate) fn update(&self, document: &Value) -> Run {
        self.update_with(document, &[])
    }

    pub(crate) fn update_with(&self, document: &Value, more: &[&str]) -> Run {
        self.update_text(&document.to_string(), more)
    }

    pub(crate) fn update_text(&self, text: &str, more: &[&str]) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service.json");
        std::fs::write(&path, text).unwrap();
        let mut arguments = vec!["--from", path.to_str().unwrap()];
        arguments.extend(more);
        self.run("update-spec", &arguments)
    }
}

/// A selection of two operations, one from each of two sources at an address.
pub(crate) fn selection(address: &str) -> String {
    format!(
        r#"
[document]
title = "Test"
version = "4.4"
description = "A test."
contact = {{ name = "Nobody" }}
license = {{ name = "MIT" }}
servers = [{{ url = "https://api.example.com" }}]

[rename]
svc-LoginRequest = "LoginRequest"

[[source]]
name = "service"
url = "{address}/service.json"
operations = ["POST /auth/login", "GET /items/{{id}}"]

[[left_out]]
operation = "POST /auth/old*"
reason = "The generation before."
"#
    )
}

/// What the selected operations need beyond what a vendor says of them.
pub(crate) const OVERLAY: &str = r#"
overlay: 1.0.0
info: {title: Test, version: "1"}
actions:
  - target: $.paths['/auth/login'].post
    description: Our name.
    x-evidence: The test.
    update: {operationId: logIn, x-evidence: stated, x-source: The test., x-consumers: [none], x-idempotent: false}
  - target: $.paths['/items/{id}'].get
    description: Our name.
    x-evidence: The test.
    update: {operationId: getItem, x-evidence: stated, x-source: The test., x-consumers: [user], x-idempotent: true}
  - target: $.paths.*.*.responses
    description: Every error has a type.
    x-evidence: The test.
    update: {"4XX": {description: Refused.}, "5XX": {description: Failed.}}
  - target: $.components.schemas.LoginRequest.properties.password
    description: A secret.
    x-evidence: The test.
    update: {format: password}
"#;

/// A document as a vendor would publish it, with two operations that are taken and two that are not.
pub(crate) fn document() -> Value {
    json!({
        "openapi": "3.0.1",
        "info": {"title": "Service", "version": "7"},
        "paths": {
            "/items/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "get": {
                    "operationId": "getItemUsingGET",
                    "summary": "Get an item",
                    "description": "Returns an item.",
                    "responses": {"200": {"description": "The item.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}}
                }
            },
            "/auth/login": {
                "post": {
                    "operationId": "loginUsingPOST",
                    "summary": "Log in",
                    "description": "Logs in.",
                    "security": [],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/svc-LoginRequest"}}}},
                    "responses": {"200": {"description": "Logged in.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}}
                }
            },
            "/auth/old-login": {"post": {"responses": {"200": {"description": "Old."}}}},
            "/shop/orders": {"get": {"responses": {"200": {"description": "No authentication here."}}}}
        },
        "components": {
            "schemas": {
                "svc-LoginRequest": {
                    "type": "object",
                    "required": ["password"],
                    "properties": {"password": {"type": "string"}, "user": {"type": "string"}}
                },
                "Item": {"type": "object", "properties": {"id": {"type": "string"}, "size": {"type": "integer"}}},
                "Unused": {"type": "object"}
            },
            "securitySchemes": {"JWT": {"type": "http", "scheme": "bearer"}}
        },
        "security": [{"JWT": []}]
    })
}

/// [`document`] after some change.
pub(crate) fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = document();
    change(&mut document);
    document
}

/// How the server answers one path.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Promises this many bytes more than it sends.
    pub(crate) missing: usize,
    /// Sends nothing and keeps the connection.
    pub(crate) hang: bool,
    /// Sends a byte now and then, and never comes to an end.
    pub(crate) drip: bool,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: "200 OK",
            headers: Vec::new(),
            body: body.into(),
            missing: 0,
            hang: false,
            drip: false,
        }
    }

    pub(crate) fn status(status: &'static str) -> Self {
        Self {
            status,
            ..Self::ok("")
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The SHA-256 of some bytes in hexadecimal digits, as `spec.lock` has it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// The pace of a server that never comes to an end: the test's own, nothing is waited for.
const DRIP: std::time::Duration = std::time::Duration::from_millis(20);

type Answers = Arc<Mutex<BTreeMap<String, Answer>>>;

/// A server on 127.0.0.1; its thread ends with the test's process.
pub(crate) struct Server {
    pub(crate) address: String,
    answers: Answers,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (answers, requests): (Answers, Arc<Mutex<Vec<String>>>) = Default::default();
        let server = Self {
            address,
            answers: answers.clone(),
            requests: requests.clone(),
        };
        std::thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming().flatten() {
                hanging.extend(serve(stream, &answers, &requests));
            }
        });
        server
    }

    pub(crate) fn set(&self, path: &str, answer: Answer) -> &Self {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
        self
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answers: &Answers, requests: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let answer = answers
        .lock()
        .unwrap()
        .get(&path)
        .cloned()
        .unwrap_or_else(|| Answer::status("404 Not Found"));
    let unchanged = answer.headers.iter().any(|(name, value)| {
        *name == "ETag"
            && head
                .to_ascii_lowercase()
                .contains(&format!("if-none-match: {}\r\n", value.to_ascii_lowercase()))
    });
    requests.lock().unwrap().push(head);
    if answer.hang {
        return Some(stream);
    }
    let (status, body) = if unchanged {
        ("304 Not Modified", &[][..])
    } else {
        (answer.status, &answer.body[..])
    };
    let mut response = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len() + answer.missing
    );
    for (name, value) in &answer.headers {
        response.push_str(
            &[
                name, ": ", value, "
",
            ]
            .concat(),
        );
    }
    response.push_str("\r\n");
    stream.write_all(response.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    if answer.drip {
        std::thread::spawn(move || {
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(DRIP);
            }
        });
    }
    None
}
